//! The picture as text: who, the services, the hub; cut to what the screen has room for.

mod hub;

use std::collections::VecDeque;

use remuda_model::view::{Instance, Service, Socket, Worker};

use super::rates::Rates;
use super::sample::Sample;
use crate::quantity::{age, size};
use crate::screen::{BAD, BOLD, DIM, NOTICE, paint};
use crate::status::{phase_style, worker_style};
use crate::table::{Cell, Column, Table};

/// Looks whose rates are drawn as bars.
const HISTORY: usize = 30;

/// How large the picture may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: usize,
    /// `None`: as many as it takes.
    pub(super) rows: Option<usize>,
    /// Slots are shown, where there is room for them.
    pub(super) with_slots: bool,
}

/// The last rates.
#[derive(Debug, Default)]
pub(super) struct History {
    rates: VecDeque<Rates>,
    last: Rates,
}

impl History {
    pub(super) fn push(&mut self, rates: Rates) {
        if self.rates.len() == HISTORY {
            self.rates.pop_front();
        }
        self.last = rates.clone();
        self.rates.push_back(rates);
    }

    pub(super) fn last(&self) -> Rates {
        self.last.clone()
    }

    pub(super) fn forget_bars(&mut self) {
        self.rates.clear();
    }

    /// Messages a second, from the oldest look on.
    fn messages(&self) -> Vec<f64> {
        self.rates.iter().map(|rates| rates.hub.map_or(0.0, |hub| hub.messages_in)).collect()
    }
}

/// The picture.
pub(super) fn render(sample: &Sample, rates: &Rates, history: &History, frame: Frame) -> String {
    let view = &sample.view;
    let head = heading(view, rates, frame);
    let hub = hub::render(sample, rates, &history.messages(), frame.width);
    let lines = |text: &str| text.lines().count();
    // What is below services is short, and they are what can be cut.
    let room = frame.rows.map(|rows| rows.saturating_sub(lines(&head) + lines(&hub)).max(2));
    let mut middle = services(view, rates, frame, frame.with_slots);
    if room.is_some_and(|room| lines(&middle) > room) {
        middle = services(view, rates, frame, false);
    }
    if let Some(room) = room
        && lines(&middle) > room
    {
        let hidden = lines(&middle) - room + 1;
        let shown: Vec<&str> = middle.lines().take(room - 1).collect();
        let more = paint(DIM, &format!("… and {hidden} more"));
        middle = format!("{}\n{more}\n", shown.join("\n"));
    }
    let whole = format!("{head}{middle}{hub}");
    match frame.rows {
        Some(rows) => whole.lines().take(rows).map(|line| format!("{line}\n")).collect(),
        None => whole,
    }
}

fn heading(view: &Instance, rates: &Rates, frame: Frame) -> String {
    let workers = || view.services.iter().flat_map(|service| &service.workers);
    let memory: u64 = workers().filter_map(|worker| worker.memory_bytes).sum();
    let facts = [
        format!("remuda {}", view.version),
        format!("up {}", age(view.uptime_ms)),
        format!("{} workers", workers().count()),
        size(memory),
        format!("{} cpu", percent(rates.worker_cpu_percent.values().sum())),
    ];
    let keys = if frame.rows.is_some() { "   q leaves, s slots" } else { "" };
    let stopping = if view.stopping { paint(NOTICE, "  stopping") } else { String::new() };
    let mut text =
        format!("{}  {}{stopping}{}\n", paint(BOLD, &view.name), facts.join(", "), paint(DIM, keys));
    for hit in &view.limits_hit {
        text.push_str(&paint(NOTICE, &format!("limit hit: {}, {} times\n", hit.limit, hit.count)));
    }
    text.push('\n');
    text
}

fn services(view: &Instance, rates: &Rates, frame: Frame, with_slots: bool) -> String {
    let mut table = Table::new(&[
        Column { title: "SERVICE", right: false, dispensable: 0 },
        Column { title: "PHASE", right: false, dispensable: 0 },
        Column { title: "READY", right: true, dispensable: 0 },
        Column { title: "CPU", right: true, dispensable: 0 },
        Column { title: "MEMORY", right: true, dispensable: 1 },
        Column { title: "QUEUE", right: true, dispensable: 2 },
        Column { title: "AGE", right: true, dispensable: 4 },
        Column { title: "FAILURES", right: true, dispensable: 5 },
        Column { title: "PID", right: true, dispensable: 6 },
        Column { title: "SAYS", right: false, dispensable: 7 },
    ]);
    for service in &view.services {
        let used = service.workers.iter().filter_map(|worker| rates.worker_cpu_percent.get(&worker.id));
        let memory =
            service.workers.iter().filter_map(|worker| worker.memory_bytes).reduce(u64::saturating_add);
        let failures = if service.failures_total > 0 { NOTICE } else { DIM };
        table.row(vec![
            Cell::styled(service.name.as_str(), BOLD),
            Cell::styled(service.phase.to_string(), phase_style(service.phase)),
            format!("{}/{}", service.workers_ready, service.workers_wanted).into(),
            Cell::maybe(used.copied().reduce(|sum, more| sum + more).map(percent)),
            Cell::maybe(memory.map(size)),
            queue(view, service),
            Cell::maybe(service.workers.iter().map(|worker| worker.age_ms).max().map(age)),
            Cell::styled(service.failures_total.to_string(), failures),
            Cell::from(""),
            Cell::styled(service.reason.clone().unwrap_or_default(), DIM),
        ]);
        if with_slots && service.workers.len() > 1 {
            service.workers.iter().for_each(|worker| table.row(slot(view, service, worker, rates)));
        }
    }
    format!("{}\n", table.render(frame.width))
}

fn slot(view: &Instance, service: &Service, worker: &Worker, rates: &Rates) -> Vec<Cell> {
    let status = worker.status.as_deref().map(crate::visible::visible).unwrap_or_default();
    vec![
        Cell::styled(format!("  .{}", worker.slot), DIM),
        Cell::styled(worker.phase.to_string(), worker_style(worker.phase)),
        Cell::from(""),
        Cell::maybe(rates.worker_cpu_percent.get(&worker.id).copied().map(percent)),
        Cell::maybe(worker.memory_bytes.map(size)),
        slot_queue(view, service, worker),
        Cell::styled(age(worker.age_ms), DIM),
        Cell::from(""),
        Cell::maybe(worker.pid.map(|pid| pid.to_string())),
        Cell::styled(anstream::adapter::strip_str(&status).to_string(), DIM),
    ]
}

/// What waits to be accepted on all sockets of a service.
fn queue(view: &Instance, service: &Service) -> Cell {
    let listeners =
        view.sockets.iter().filter(|socket| belongs(socket, service)).flat_map(|socket| &socket.listeners);
    depth(listeners.filter_map(|listener| Some((listener.queue?, listener.queue_limit?))))
}

/// The same for one slot, where it has a queue of its own.
fn slot_queue(view: &Instance, service: &Service, worker: &Worker) -> Cell {
    let listeners =
        view.sockets.iter().filter(|socket| belongs(socket, service)).flat_map(|socket| &socket.listeners);
    let own = listeners.filter(|listener| listener.slot == Some(worker.slot));
    match depth(own.filter_map(|listener| Some((listener.queue?, listener.queue_limit?)))) {
        cell if cell.is_nothing() => Cell::from(""),
        cell => cell,
    }
}

fn belongs(socket: &Socket, service: &Service) -> bool {
    socket.services.contains(&service.name)
}

fn depth(queues: impl Iterator<Item = (u32, u32)>) -> Cell {
    let sum = queues
        .reduce(|(queue, limit), (more, most)| (queue.saturating_add(more), limit.saturating_add(most)));
    match sum {
        None => Cell::maybe(None),
        Some((0, _)) => Cell::styled("0", DIM),
        Some((queue, limit)) if queue >= limit => Cell::styled(format!("{queue}/{limit}"), BAD),
        Some((queue, limit)) => Cell::styled(format!("{queue}/{limit}"), NOTICE),
    }
}

/// `0 %`, `3.5 %`, `212 %` of one core.
fn percent(value: f64) -> String {
    if value > 0.0 && value < 9.95 { format!("{value:.1}%") } else { format!("{value:.0}%") }
}
