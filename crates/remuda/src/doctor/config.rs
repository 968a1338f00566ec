//! What depends on what the config wants.

use std::collections::BTreeSet;
use std::fs;

use remuda_model::{Address, Config, Mode, SocketSpec};

use super::Finding;
use super::machine::number;

/// Bit of `CAP_NET_BIND_SERVICE` in a capability mask.
const NET_BIND_SERVICE: u64 = 1 << 10;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let sockets: Vec<&SocketSpec> = config.sockets.values().collect();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut findings = backlogs(&sockets, number("net/core/somaxconn"));
    findings.extend(ports(
        &sockets,
        number("net/ipv4/ip_unprivileged_port_start"),
        effective_capabilities(&status),
    ));
    findings.extend(migration(&sockets, number("net/ipv4/tcp_migrate_req")));
    findings.push(enough_pids(config, number("kernel/pid_max")));
    findings
}

pub(super) fn backlogs(sockets: &[&SocketSpec], somaxconn: Option<u64>) -> Vec<Finding> {
    let Some(limit) = somaxconn else { return Vec::new() };
    let wanted = sockets
        .iter()
        .filter(|socket| socket.listen.is_bound_here())
        .map(|socket| u64::from(socket.options.backlog));
    let Some(wanted) = wanted.max() else { return Vec::new() };
    let what = format!("net.core.somaxconn is {limit}, backlogs are up to {wanted}");
    if wanted <= limit {
        return vec![Finding::ok(what)];
    }
    let meaning =
        format!("queues are cut to {limit}; connections beyond are dropped and come again a second later");
    vec![Finding::warn(what, meaning, format!("sysctl net.core.somaxconn={wanted}"))]
}

pub(super) fn ports(sockets: &[&SocketSpec], first_free: Option<u64>, capabilities: u64) -> Option<Finding> {
    let first_free = first_free.unwrap_or(1024);
    let low: BTreeSet<u16> = sockets
        .iter()
        .filter_map(|socket| port(&socket.listen))
        .filter(|port| *port != 0 && u64::from(*port) < first_free)
        .collect();
    if low.is_empty() {
        return None;
    }
    let list = low.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    if capabilities & NET_BIND_SERVICE != 0 {
        return Some(Finding::ok(format!("ports below {first_free} ({list}) may be bound")));
    }
    Some(Finding::fail(
        format!("ports below {first_free} ({list}) may not be bound"),
        "this process lacks CAP_NET_BIND_SERVICE",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, a systemd socket (listen = \"systemd:NAME\"), or sysctl net.ipv4.ip_unprivileged_port_start",
    ))
}

pub(super) fn migration(sockets: &[&SocketSpec], migrate: Option<u64>) -> Option<Finding> {
    let per_worker = sockets
        .iter()
        .any(|socket| socket.mode == Mode::PerWorker && !matches!(socket.listen, Address::Udp(_)));
    if !per_worker {
        return None;
    }
    Some(match migrate {
        Some(0) | None => Finding::warn(
            "net.ipv4.tcp_migrate_req is 0",
            "when a listener of a per-worker socket closes (scale-down), handshakes under way are reset",
            "sysctl net.ipv4.tcp_migrate_req=1",
        ),
        Some(_) => Finding::ok("net.ipv4.tcp_migrate_req is 1"),
    })
}

fn enough_pids(config: &Config, pid_max: Option<u64>) -> Finding {
    let workers: u64 = config.services.values().map(|service| u64::from(service.workers)).sum();
    let what = format!("{workers} workers are wanted");
    match pid_max {
        Some(pid_max) if workers * 4 > pid_max => {
            Finding::warn(what, format!("kernel.pid_max is {pid_max}"), "sysctl kernel.pid_max=4194304")
        }
        _ => Finding::ok(what),
    }
}

fn port(address: &Address) -> Option<u16> {
    match address {
        Address::Tcp(address) | Address::Udp(address) => Some(address.port()),
        Address::TcpHost { port, .. } => Some(*port),
        Address::UnixStream(_)
        | Address::UnixDatagram(_)
        | Address::UnixSeqpacket(_)
        | Address::Abstract(_)
        | Address::Systemd(_)
        | Address::Fd(_) => None,
    }
}

/// The mask of `CapEff` in `/proc/self/status`.
pub(super) fn effective_capabilities(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
