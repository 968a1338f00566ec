//! A config as a text with every default written out.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use remuda_model::hub::{HUB, HubSocket, LocksSpec};
use remuda_model::{
    Config, Hook, HookPoint, InstanceSpec, Mode, Readiness, ReloadMethod, ResourceLimit, ServiceSpec,
    SocketSpec, Stdin,
};

use crate::raw::{self, Amount, Field, Located};
use crate::resolve::Masked;

mod gateway;
mod hub;

/// What stands in for a value that is not to be shown.
const MASK: &str = "***";

/// The config as TOML, every default explicit, values of `masked` variables as `***`. It reads back as the same
/// config, apart from these.
#[must_use]
pub fn effective(config: &Config, masked: &Masked) -> String {
    let hub = config.services.values().find_map(|spec| Some((spec.kind.hub()?, spec.as_ref())));
    let edge = config.services.values().find_map(|spec| spec.kind.gateway());
    let file = raw::File {
        remuda: Some(instance(&config.instance)),
        dashboard: Some(dashboard(&config.instance)),
        socket: config
            .sockets
            .values()
            .filter(|spec| hub.is_none() || HubSocket::of(spec.name.as_str()).is_none())
            .map(|spec| (spec.name.as_str().into(), socket(spec)))
            .collect(),
        service: config
            .services
            .values()
            .filter(|spec| spec.kind.hub().is_none())
            .map(|spec| (spec.name.as_str().into(), service(spec, hub.is_some(), masked)))
            .collect(),
        bus: hub.map(|(hub, _)| hub::bus(&hub.bus)),
        store: hub.map(|(hub, _)| hub::store(&hub.store)),
        herd: hub.and_then(|(hub, _)| hub.herd.as_ref().map(hub::herd)),
        // Where nothing is said of locks, nothing is shown: written down, it would mean something.
        locks: hub
            .filter(|(hub, _)| hub.locks != LocksSpec::default())
            .map(|(hub, _)| hub::locks(&hub.locks).into()),
        hub: hub.map(|(hub, spec)| hub::worker(hub, spec, masked).into()),
        access: hub.map(|(hub, _)| hub::accesses(hub, config)).unwrap_or_default(),
        gateway: edge.and_then(|spec| some(gateway::gateway(spec))),
        route: edge.iter().flat_map(|spec| spec.routes.iter().map(gateway::route)).collect(),
        upstream: edge.map(|spec| gateway::upstreams(spec)).unwrap_or_default(),
        certificate: edge
            .iter()
            .flat_map(|spec| spec.certificates.iter().map(gateway::certificate))
            .collect(),
        acme: edge.and_then(|spec| spec.acme.as_ref()).and_then(|spec| some(gateway::acme(spec))),
    };
    file.to_toml().expect("every number of a config was read from TOML or is a small default")
}

fn some<T>(value: T) -> Field<T> {
    Some(value.into())
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Field<Vec<Located<String>>> {
    some(texts.into_iter().map(Located::from).collect())
}

fn time(time: Duration) -> Field<raw::Duration> {
    some(raw::Duration(time))
}

fn path(path: &Path) -> Field<String> {
    some(path.to_string_lossy().into_owned())
}

fn instance(spec: &InstanceSpec) -> raw::Instance {
    raw::Instance {
        name: some(spec.name.clone()),
        runtime_dir: path(&spec.runtime_dir),
        pid_file: spec.pid_file.as_deref().and_then(path),
        exit_with: spec.exit_with.as_ref().and_then(|name| some(name.to_string())),
        scale_on_signal: spec.scale_on_signal.as_ref().and_then(|name| some(name.to_string())),
        log_memory: some(raw::Size(spec.log_memory)),
        log_line_max: some(raw::Size(spec.log_line_max)),
        events_kept: some(spec.events_kept),
        workers_max: some(spec.workers_max),
        on_crash: some(spec.on_crash),
        stop_timeout: spec.stop_timeout.and_then(time),
    }
}

fn dashboard(instance: &InstanceSpec) -> raw::Dashboard {
    let spec = &instance.dashboard;
    raw::Dashboard {
        listen: some(spec.listen.map_or_else(|| "off".to_owned(), |address| address.to_string())),
        exposed: some(spec.exposed),
        hosts: texts(spec.hosts.iter().map(String::as_str)),
        state: path(&instance.dashboard_state()),
    }
}

fn socket(spec: &SocketSpec) -> raw::Socket {
    let options = &spec.options;
    let has_file = spec.listen.path().is_some();
    let account = |name: &Option<String>| name.as_ref().and_then(|name| some(raw::Account(name.clone())));
    raw::Socket {
        listen: some(spec.listen.clone()),
        mode: some(spec.mode),
        // On a shared socket even the default would be a mistake.
        balance: if spec.mode == Mode::PerWorker { some(spec.balance) } else { None },
        backlog: some(options.backlog),
        reuse_address: some(options.reuse_address),
        reuse_port: some(options.reuse_port),
        nonblocking: some(options.nonblocking),
        nodelay: some(options.nodelay),
        keepalive: some(keepalive(spec)),
        defer_accept: options.defer_accept.and_then(time),
        fast_open: options.fast_open.and_then(some),
        receive_buffer: options.receive_buffer.and_then(|size| some(raw::Size(size))),
        send_buffer: options.send_buffer.and_then(|size| some(raw::Size(size))),
        free_bind: some(options.free_bind),
        v6_only: options.v6_only.and_then(some),
        mark: options.mark.and_then(some),
        device: options.device.clone().and_then(some),
        broadcast: some(options.broadcast),
        // On a socket without a file the default would read as a setting without effect.
        file_mode: if has_file || options.file_mode != 0o666 {
            some(raw::FileMode(options.file_mode))
        } else {
            None
        },
        user: account(&options.owner.user),
        group: account(&options.owner.group),
    }
}

fn keepalive(spec: &SocketSpec) -> raw::Keepalive {
    let times = raw::KeepaliveTable {
        time: spec.options.keepalive_time.and_then(time),
        interval: spec.options.keepalive_interval.and_then(time),
        probes: spec.options.keepalive_probes.and_then(some),
    };
    if spec.options.keepalive && times != raw::KeepaliveTable::default() {
        raw::Keepalive::Table(times)
    } else {
        raw::Keepalive::Flag(spec.options.keepalive)
    }
}

fn workers(spec: &ServiceSpec) -> raw::Workers {
    let number = raw::WorkerCount::Number;
    match spec.scaling {
        None => raw::Workers::Count(number(spec.workers)),
        Some(scaling) => raw::Workers::Bounds(raw::WorkerBounds {
            min: some(number(scaling.min)),
            max: some(number(scaling.max)),
            on: some(scaling.on),
        }),
    }
}

fn service(spec: &ServiceSpec, is_hub_there: bool, masked: &Masked) -> raw::Service {
    let identity = &spec.identity;
    let account = |name: &String| raw::Account(name.clone());
    let groups = |groups: &Vec<String>| groups.iter().map(|group| account(group).into()).collect();
    // What is built in has no command of its own, nor what goes with one.
    let is_command = spec.kind.gateway().is_none();
    let own = |text: String| if is_command { some(text) } else { None };
    raw::Service {
        kind: some(if is_command { raw::Kind::Command } else { raw::Kind::Gateway }),
        command: if is_command { some(raw::Command::Words(words(&spec.command.argv))) } else { None },
        // The command is printed as the words that run, a shell among them.
        shell: None,
        sockets: texts(spec.sockets.iter().map(|name| name.as_str())),
        stdin: own(stdin(&spec.stdin)),
        workers: some(workers(spec)),
        singleton: some(spec.singleton),
        oneshot: if is_command { some(spec.oneshot) } else { None },
        autostart: some(spec.autostart),
        // Who uses the hub comes after it without a word.
        after: texts(spec.after.iter().map(|name| name.as_str()).filter(|name| !spec.hub || *name != HUB)),
        priority: some(spec.priority),
        ready: own(ready(&spec.ready)),
        ready_timeout: time(spec.ready_timeout),
        notify_access: some(spec.notify_access),
        watchdog: spec.watchdog.and_then(time),
        reload: some(raw::Reload::Table(reload(spec))),
        stop: some(stop(spec)),
        restart: some(spec.restart),
        success_codes: some(spec.success_codes.iter().map(|code| (*code).into()).collect()),
        backoff: some(backoff(spec)),
        on_demand: some(on_demand(spec)),
        schedule: schedule(spec),
        max_age: spec.recycle.max_age.and_then(time),
        max_requests: spec.recycle.max_requests.and_then(some),
        recycle_jitter: some(raw::Percent(spec.recycle.jitter_percent)),
        user: identity.user.as_ref().and_then(|user| some(account(user))),
        group: identity.group.as_ref().and_then(|group| some(account(group))),
        groups: identity.groups.as_ref().and_then(|all| some(groups(all))),
        umask: identity.umask.and_then(|mask| some(raw::FileMode(mask))),
        directory: path(&spec.directory),
        nice: some(spec.nice),
        oom_score_adjust: spec.oom_score_adjust.and_then(some),
        no_new_privileges: some(spec.no_new_privileges),
        session: some(spec.session),
        fd_store: some(spec.fd_store),
        hub: if is_hub_there { some(spec.hub) } else { None },
        log: log(spec),
        inherit_env: some(spec.environment.inherit),
        // Their variables are among those of the table below.
        env_files: None,
        env: Some(variables(spec, masked)).filter(|variables| !variables.is_empty()),
        limits: Some(limits(spec)).filter(|limits| *limits != raw::Limits::default()),
        hooks: Some(hooks(spec)).filter(|hooks| *hooks != raw::Hooks::default()),
    }
}

fn words(argv: &[String]) -> Vec<Located<String>> {
    argv.iter().cloned().map(Located::from).collect()
}

fn stdin(stdin: &Stdin) -> String {
    match stdin {
        Stdin::Null => "null".into(),
        Stdin::Hold => "hold".into(),
        Stdin::Socket(name) => format!("socket:{name}"),
    }
}

fn ready(ready: &Readiness) -> String {
    match ready {
        Readiness::Started => "started".into(),
        Readiness::Notify => "notify".into(),
        Readiness::Listen => "listen".into(),
        Readiness::Ack => "ack".into(),
        Readiness::Descriptor(number) => format!("fd:{number}"),
        Readiness::Http(url) if url.starts_with('/') => format!("http:{url}"),
        Readiness::Http(url) => url.clone(),
        Readiness::Tcp(None) => "tcp".into(),
        Readiness::Tcp(Some(address)) => format!("tcp:{address}"),
        Readiness::Exec(command) => format!("exec:{command}"),
        Readiness::Log(pattern) => format!("log:{pattern}"),
        Readiness::Delay(time) => format!("delay:{}", raw::Duration(*time)),
    }
}

fn reload(spec: &ServiceSpec) -> raw::ReloadTable {
    raw::ReloadTable {
        surge: some(spec.reload.surge),
        canary: some(spec.reload.canary),
        bake: time(spec.reload.bake),
        timeout: time(spec.reload.timeout),
        signal: match spec.reload.method {
            ReloadMethod::Replace => None,
            ReloadMethod::Signal(signal) => some(signal),
        },
    }
}

fn stop(spec: &ServiceSpec) -> raw::Stop {
    raw::Stop::Table(raw::StopTable {
        signal: some(spec.stop.signal),
        timeout: time(spec.stop.timeout),
        scope: some(spec.stop.scope),
    })
}

fn backoff(spec: &ServiceSpec) -> raw::Backoff {
    raw::Backoff {
        base: time(spec.backoff.base),
        cap: time(spec.backoff.cap),
        healthy_after: time(spec.backoff.healthy_after),
        crash_loop_after: some(spec.backoff.crash_loop_after),
        give_up_after: spec.backoff.give_up_after.and_then(some),
    }
}

fn on_demand(spec: &ServiceSpec) -> raw::OnDemand {
    match &spec.on_demand {
        None => raw::OnDemand::Flag(false),
        Some(demand) if demand.idle.is_none() => raw::OnDemand::Flag(true),
        Some(demand) => raw::OnDemand::Table(raw::OnDemandTable { idle: demand.idle.and_then(time) }),
    }
}

fn schedule(spec: &ServiceSpec) -> Field<raw::Schedule> {
    let schedule = spec.schedule.as_ref()?;
    some(raw::Schedule::Table(raw::ScheduleTable {
        cron: some(schedule.cron.clone()),
        timezone: schedule.timezone.clone().and_then(some),
        overlap: some(schedule.overlap),
    }))
}

fn log(spec: &ServiceSpec) -> Field<raw::Log> {
    let log = spec.log.as_ref()?;
    let max_size = some(raw::Size(log.max_size));
    some(raw::Log::Table(raw::LogTable { file: path(&log.path), max_size, keep: some(log.keep) }))
}

fn variables(spec: &ServiceSpec, masked: &Masked) -> BTreeMap<Located<String>, Located<raw::Variable>> {
    let shown = |name: &String, value: &String| {
        let hidden = masked.contains(&(spec.name.clone(), name.clone()));
        raw::Variable(if hidden { MASK.to_owned() } else { value.clone() })
    };
    let all = spec.environment.variables.iter();
    all.map(|(name, value)| (name.clone().into(), shown(name, value).into())).collect()
}

fn limits(spec: &ServiceSpec) -> raw::Limits {
    let mut limits = raw::Limits {
        memory: spec.cgroup.memory.and_then(|size| some(raw::Size(size))),
        cpu: spec.cgroup.cpu.and_then(some),
        pids: spec.cgroup.pids.and_then(some),
        ..raw::Limits::default()
    };
    for resource in &spec.limits {
        if let Some(field) = limits.resource_mut(&resource.name) {
            *field = some(limit(resource));
        }
    }
    limits
}

fn limit(resource: &ResourceLimit) -> raw::Limit {
    let amount = |bound: Option<u64>| bound.map_or(Amount::Unlimited, Amount::Of);
    if resource.soft == resource.hard {
        return raw::Limit::Both(amount(resource.soft));
    }
    raw::Limit::Pair(raw::LimitPair { soft: some(amount(resource.soft)), hard: some(amount(resource.hard)) })
}

fn hooks(spec: &ServiceSpec) -> raw::Hooks {
    let hook = |point: HookPoint| {
        let Hook { argv, timeout, on_failure } = spec.hooks.get(&point)?;
        some(raw::Hook::Table(raw::HookTable {
            command: some(raw::Command::Words(words(argv))),
            timeout: time(*timeout),
            on_failure: some(*on_failure),
        }))
    };
    raw::Hooks {
        before_start: hook(HookPoint::BeforeStart),
        after_start: hook(HookPoint::AfterStart),
        before_spawn: hook(HookPoint::BeforeSpawn),
        after_spawn: hook(HookPoint::AfterSpawn),
        before_stop: hook(HookPoint::BeforeStop),
        after_stop: hook(HookPoint::AfterStop),
        before_reap: hook(HookPoint::BeforeReap),
        after_reap: hook(HookPoint::AfterReap),
    }
}
