//! All services in short: a line each, and the sockets below.

use jiff::tz::TimeZone;
use remuda_model::view::{Hub, Instance, Listener, Service, Socket};
use remuda_model::{Mode, ServiceName};

use super::{phase_style, remarks, sum};
use crate::quantity::{age, size};
use crate::screen::{BAD, BOLD, DIM, NOTICE, paint};
use crate::table::{Cell, Column, Table};

/// Pids shown of a service; more are counted.
const PIDS_SHOWN: usize = 6;

/// Who this is, and what about it needs a look.
pub(super) fn heading(view: &Instance) -> String {
    let facts = format!(
        "remuda {}, pid {}, up {}, {}",
        view.version,
        view.pid,
        age(view.uptime_ms),
        size(view.memory_bytes)
    );
    let stopping = if view.stopping { paint(NOTICE, "  stopping") } else { String::new() };
    let mut text = format!("{}  {facts}  {}{stopping}\n", paint(BOLD, &view.name), paint(DIM, &view.config));
    text.push_str(&paint(DIM, &format!("trees of workers: {}", view.tracking)));
    text.push('\n');
    for hit in &view.limits_hit {
        text.push_str(&paint(NOTICE, &format!("limit hit: {}, {} times", hit.limit, hit.count)));
        text.push('\n');
    }
    text
}

/// Services and sockets.
pub(super) fn render(view: &Instance, width: usize, zone: &TimeZone) -> String {
    let mut parts = vec![services(&view.services, width, zone)];
    if !view.sockets.is_empty() {
        parts.push(sockets(&view.sockets, false, width));
    }
    parts.extend(view.hub.as_ref().map(|hub| endpoints(hub, width)));
    parts.join("\n")
}

fn services(services: &[Service], width: usize, zone: &TimeZone) -> String {
    let mut table = Table::new(&[
        Column { title: "SERVICE", right: false, dispensable: 0 },
        Column { title: "PHASE", right: false, dispensable: 0 },
        Column { title: "READY", right: true, dispensable: 0 },
        Column { title: "GEN", right: true, dispensable: 3 },
        Column { title: "AGE", right: true, dispensable: 1 },
        Column { title: "MEMORY", right: true, dispensable: 2 },
        Column { title: "CPU", right: true, dispensable: 5 },
        Column { title: "FAILURES", right: true, dispensable: 4 },
        Column { title: "PIDS", right: false, dispensable: 6 },
    ]);
    for service in services {
        let failures = if service.failures_total > 0 { NOTICE } else { DIM };
        table.row(vec![
            Cell::styled(service.name.as_str(), BOLD),
            Cell::styled(service.phase.to_string(), phase_style(service.phase)),
            format!("{}/{}", service.workers_ready, service.workers_wanted).into(),
            service.generation.to_string().into(),
            Cell::maybe(ages(service)),
            Cell::maybe(sum(&service.workers, |worker| worker.memory_bytes).map(size)),
            Cell::maybe(sum(&service.workers, |worker| worker.cpu_ms).map(age)),
            Cell::styled(service.failures_total.to_string(), failures),
            Cell::maybe(pids(service)),
        ]);
        for remark in remarks(service, zone) {
            table.note(format!("  {}", paint(DIM, &remark)));
        }
    }
    table.render(width)
}

/// Where the hub is, as clients write it.
pub(super) fn endpoints(hub: &Hub, width: usize) -> String {
    let mut table = Table::new(&[
        Column { title: "HUB", right: false, dispensable: 0 },
        Column { title: "ENDPOINT", right: false, dispensable: 0 },
    ]);
    let listed = |part: &'static str, all: &[String]| {
        all.iter().map(|endpoint| (part, endpoint.clone())).collect::<Vec<_>>()
    };
    let single = |part, one: &Option<String>| one.iter().map(|endpoint| (part, endpoint.clone())).collect();
    let parts = [
        listed("bus", &hub.bus),
        single("bus, pub", &hub.bus_pub),
        single("bus, pull", &hub.bus_pull),
        listed("store", &hub.store),
        listed("herd", &hub.herd),
    ];
    for (part, endpoint) in parts.into_iter().flatten() {
        table.row(vec![Cell::styled(part, BOLD), endpoint.into()]);
    }
    table.render(width)
}

/// From the youngest worker to the oldest.
fn ages(service: &Service) -> Option<String> {
    let ages = || service.workers.iter().map(|worker| worker.age_ms);
    let (youngest, oldest) = (age(ages().min()?), age(ages().max()?));
    Some(if youngest == oldest { oldest } else { format!("{youngest} - {oldest}") })
}

fn pids(service: &Service) -> Option<String> {
    let pids: Vec<String> =
        service.workers.iter().filter_map(|worker| worker.pid).map(|pid| pid.to_string()).collect();
    let more = pids.len().saturating_sub(PIDS_SHOWN);
    let shown = pids.get(..pids.len().min(PIDS_SHOWN)).unwrap_or_default().join(" ");
    match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(shown),
        (false, more) => Some(format!("{shown} +{more}")),
    }
}

/// In detail each slot of a per-worker socket has its own queue shown.
pub(super) fn sockets(sockets: &[Socket], in_detail: bool, width: usize) -> String {
    let mut table = Table::new(&[
        Column { title: "SOCKET", right: false, dispensable: 0 },
        Column { title: "ADDRESS", right: false, dispensable: 0 },
        Column { title: "MODE", right: false, dispensable: 2 },
        Column { title: "QUEUE", right: true, dispensable: 1 },
        Column { title: "SERVICES", right: false, dispensable: 3 },
    ]);
    for socket in sockets {
        let mode = match socket.mode {
            Mode::Shared => "shared".to_owned(),
            Mode::PerWorker => format!("per-worker, {}", socket.listeners.len()),
        };
        let services: Vec<&str> = socket.services.iter().map(ServiceName::as_str).collect();
        table.row(vec![
            Cell::styled(socket.name.as_str(), BOLD),
            socket.address.clone().into(),
            mode.into(),
            queue(socket),
            Cell::maybe(Some(services.join(" ")).filter(|services| !services.is_empty())),
        ]);
        let slots: Vec<String> = socket.listeners.iter().filter_map(slot_queue).collect();
        if in_detail && !slots.is_empty() {
            table.note(format!("  {}", paint(DIM, &slots.join(", "))));
        }
    }
    table.render(width)
}

/// What waits in the queue of one slot, and in how much room.
fn slot_queue(listener: &Listener) -> Option<String> {
    Some(format!("slot {}: {}/{}", listener.slot?, listener.queue?, listener.queue_limit?))
}

/// What waits in all queues, and in how much room.
fn queue(socket: &Socket) -> Cell {
    let sum =
        |of: fn(&Listener) -> Option<u32>| socket.listeners.iter().filter_map(of).reduce(u32::saturating_add);
    match (sum(|listener| listener.queue), sum(|listener| listener.queue_limit)) {
        (None, _) => Cell::maybe(None),
        (Some(queue), None) => queue.to_string().into(),
        (Some(queue), Some(limit)) => {
            let text = format!("{queue}/{limit}");
            if queue >= limit && limit > 0 { Cell::styled(text, BAD) } else { text.into() }
        }
    }
}
