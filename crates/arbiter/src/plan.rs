//! The difference between two configs, as actions.

use std::sync::Arc;

use remuda_model::gateway::{GatewaySpec, UpstreamServers};
use remuda_model::hub::{HUB, HubSocket};
use remuda_model::{
    Address, Change, Config, InstanceSpec, Kind, Plan, ServiceChange, ServiceSpec, SocketChange, SocketName,
    SocketOptions, SocketSpec,
};

/// What has to be done for `new` to be in force where `old` is.
#[must_use]
pub fn plan(old: &Config, new: &Config) -> Plan {
    let mut plan = Plan { instance: instance_keys(&old.instance, &new.instance), ..Plan::default() };
    for (name, before) in &old.sockets {
        let change = match new.sockets.get(name) {
            None => Some(Change::Removed),
            Some(after) => socket_change(before, after),
        };
        plan.sockets.extend(change.map(|change| SocketChange { name: name.clone(), change }));
    }
    let added = new.sockets.keys().filter(|name| !old.sockets.contains_key(*name));
    plan.sockets.extend(added.map(|name| SocketChange { name: name.clone(), change: Change::Added }));
    let rebound = |service: &ServiceSpec| {
        plan.sockets.iter().any(|socket| {
            let is_own = service.sockets.contains(&socket.name) || passes_on_to(service, &socket.name);
            matches!(socket.change, Change::Replaced { .. }) && is_own
        })
    };
    let moved = hub_moves(old, new, &plan);
    let mut services = Vec::new();
    for (name, before) in &old.services {
        let change = match new.services.get(name) {
            None => Some(Change::Removed),
            Some(after) => service_change(before, after, rebound(after), moved && before.hub && after.hub),
        };
        services.extend(change.map(|change| ServiceChange { name: name.clone(), change }));
    }
    let added = new.services.keys().filter(|name| !old.services.contains_key(*name));
    services.extend(added.map(|name| ServiceChange { name: name.clone(), change: Change::Added }));
    services.sort_by(|one, other| one.name.cmp(&other.name));
    plan.sockets.sort_by(|one, other| one.name.cmp(&other.name));
    plan.services = services;
    plan
}

/// Whether a service is a gateway whose workers were told where this socket is.
fn passes_on_to(service: &ServiceSpec, socket: &SocketName) -> bool {
    let upstreams = service.kind.gateway().into_iter().flat_map(|gateway| gateway.upstreams.values());
    upstreams.into_iter().any(|upstream| match &upstream.servers {
        UpstreamServers::Service { socket: own, .. } => own == socket,
        UpstreamServers::Listed(_) => false,
    })
}

/// Whether workers that were told where the hub is, or how to show who they are, have to be told anew.
fn hub_moves(old: &Config, new: &Config, plan: &Plan) -> bool {
    let hub = |config: &Config| config.services.get(HUB).and_then(|spec| spec.kind.hub().cloned());
    let (Some(before), Some(after)) = (hub(old), hub(new)) else { return false };
    let told = told(new);
    let is_rebound = |change: &SocketChange| {
        matches!(change.change, Change::Replaced { .. }) && told.iter().any(|(name, _)| **name == change.name)
    };
    before.state_dir != after.state_dir || self::told(old) != told || plan.sockets.iter().any(is_rebound)
}

/// The hub's sockets that workers are told of: of the bus and of the store the first file and the first address of the
/// internet. What is adopted may turn out to be either, so it counts.
fn told(config: &Config) -> Vec<(&SocketName, &Address)> {
    let Some(hub) = config.services.get(HUB) else { return Vec::new() };
    let mut told = Vec::new();
    for sort in [HubSocket::Bus, HubSocket::Store] {
        let all = hub.sockets.iter().filter_map(|name| config.sockets.get(name));
        let (mut has_file, mut has_address) = (false, false);
        for spec in all.filter(|spec| HubSocket::of(spec.name.as_str()) == Some(sort)) {
            let is_file = spec.listen.path().is_some();
            let has = if is_file { &mut has_file } else { &mut has_address };
            if !*has {
                told.push((&spec.name, &spec.listen));
                *has = is_file || matches!(spec.listen, Address::Tcp(_));
            }
        }
    }
    told
}

macro_rules! differing {
    ($old:expr, $new:expr; $($key:ident),* $(,)?) => {{
        let mut keys: Vec<String> = Vec::new();
        $( if $old.$key != $new.$key { keys.push(stringify!($key).to_owned()); } )*
        keys
    }};
}

fn instance_keys(old: &InstanceSpec, new: &InstanceSpec) -> Vec<String> {
    let keys = differing!(old, new; name, runtime_dir, pid_file, log_memory, log_line_max, events_kept);
    let keys = keys.into_iter().map(|key| format!("remuda.{key}"));
    let dashboard = differing!(old.dashboard, new.dashboard; listen, exposed, hosts, state);
    keys.chain(dashboard.into_iter().map(|key| format!("dashboard.{key}"))).collect()
}

fn socket_change(old: &SocketSpec, new: &SocketSpec) -> Option<Change> {
    let rebound = differing!(old, new; listen, mode);
    let bound = differing!(
        old.options, new.options;
        reuse_address, reuse_port, free_bind, v6_only, mark, device, fast_open, broadcast, owner,
    );
    let settled = |options: &SocketOptions| SocketOptions {
        reuse_address: true,
        reuse_port: false,
        free_bind: false,
        v6_only: None,
        mark: None,
        device: None,
        fast_open: None,
        broadcast: false,
        owner: Default::default(),
        ..options.clone()
    };
    let keys: Vec<String> = rebound.into_iter().chain(bound).collect();
    if !keys.is_empty() {
        return Some(Change::Replaced { keys });
    }
    let mut keys = differing!(old, new; balance);
    if settled(&old.options) != settled(&new.options) {
        keys.push("options".to_owned());
    }
    (!keys.is_empty()).then_some(Change::Adjusted { keys })
}

/// What of the hub differs, by the tables of the config; of what is built in and what is not, the kind.
fn kind_keys(old: &Kind, new: &Kind) -> Vec<String> {
    if let (Some(before), Some(after)) = (old.gateway(), new.gateway()) {
        return gateway_keys(before, after);
    }
    let (Some(before), Some(after)) = (old.hub(), new.hub()) else {
        return if old == new { Vec::new() } else { vec!["kind".to_owned()] };
    };
    let (bus, store) = (&before.bus, &before.store);
    let bus = differing!(
        bus, after.bus;
        listen, pub_listen, pull_listen, auth, curve_keys, queue, slow, patience, message_max, peers_max, heartbeat,
        replay, engine,
    );
    let store = differing!(
        store, after.store;
        listen, auth, memory, full, fsync, durable, databases, clients_max, script, events, engine,
    );
    let bus = bus.into_iter().map(|key| format!("bus.{key}"));
    let store = store.into_iter().map(|key| format!("store.{key}"));
    let locks =
        differing!(&before.locks, after.locks; engine, home).into_iter().map(|key| format!("locks.{key}"));
    let own = [
        ("hub.state", before.state_dir != after.state_dir),
        ("users", before.users != after.users),
        ("access", (&before.accesses, &before.limited_users) != (&after.accesses, &after.limited_users)),
    ];
    let own = own.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key.to_owned());
    bus.chain(store).chain(locks).chain(own).collect()
}

/// What of the gateway differs, by the tables of the config.
fn gateway_keys(before: &GatewaySpec, after: &GatewaySpec) -> Vec<String> {
    let tables = [
        ("routes", before.routes != after.routes),
        ("upstreams", before.upstreams != after.upstreams),
        ("certificates", before.certificates != after.certificates),
        ("acme", before.acme != after.acme),
    ];
    let gateway = differing!(
        before, after;
        limits, timeouts, trusted_proxies, proxy_protocol, tls, h2c, access_log, compress, server, title, version,
        description,
    );
    let tables = tables.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key.to_owned());
    tables.chain(gateway.into_iter().map(|key| format!("gateway.{key}"))).collect()
}

/// What becoming `new` means for a service that runs `old`; `rebound`: one of its sockets is bound anew; `is_moved`: so
/// is the hub it uses.
pub(crate) fn service_change(
    old: &Arc<ServiceSpec>,
    new: &Arc<ServiceSpec>,
    rebound: bool,
    is_moved: bool,
) -> Option<Change> {
    // What a running worker was given when it was spawned.
    let mut replaced = kind_keys(&old.kind, &new.kind);
    replaced.extend(differing!(
        old, new;
        command, sockets, stdin, environment, identity, directory, limits, cgroup, nice, oom_score_adjust,
        no_new_privileges, session, watchdog, fd_store, hub, singleton, oneshot,
    ));
    if (old.on_demand.is_some(), old.schedule.is_some()) != (new.on_demand.is_some(), new.schedule.is_some())
    {
        replaced.push("activation".to_owned());
    }
    if rebound {
        replaced.push("socket address".to_owned());
    }
    if is_moved {
        replaced.push("hub address".to_owned());
    }
    if !replaced.is_empty() {
        if (old.workers, old.scaling) != (new.workers, new.scaling) {
            replaced.push("workers".to_owned());
        }
        return Some(Change::Replaced { keys: replaced });
    }
    match new.scaling {
        Some(bounds) if old.scaling != new.scaling => {
            return Some(Change::Bounded { min: bounds.min, max: bounds.max });
        }
        None if old.workers != new.workers || old.scaling.is_some() => {
            return Some(Change::Scaled { from: old.workers, to: new.workers });
        }
        Some(_) | None => {}
    }
    let mut adjusted = differing!(
        old, new;
        autostart, after, priority, ready, ready_timeout, notify_access, reload, stop, restart, success_codes,
        backoff, recycle, log, hooks, on_demand, schedule,
    );
    if adjusted.is_empty() && old != new {
        adjusted.push("other".to_owned());
    }
    (!adjusted.is_empty()).then_some(Change::Adjusted { keys: adjusted })
}
