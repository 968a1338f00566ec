//! Figures in the text format of Prometheus, version 0.0.4: a picture of the present, flattened.

mod gateway;
mod herd;
mod hub;

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use remuda_model::hub::HubMetrics;
use remuda_model::view::{Instance, Listener, Service, Socket};

use crate::body::GatewayFigures;

/// A name and a value.
type Label<'a> = (&'a str, String);

/// A figure of a service: its name, its kind, its meaning, and where it is.
type Figure = (&'static str, Kind, &'static str, fn(&Service) -> Option<u64>);

/// All figures; `events` have been told so far, where there is a hub, it has told `hub`, or nothing, and the gateways have
/// told `gateways`, by service.
pub(crate) fn metrics(
    view: &Instance,
    events: u64,
    hub: Option<&HubMetrics>,
    gateways: &BTreeMap<String, GatewayFigures>,
) -> String {
    let mut page = Page::default();
    instance(&mut page, view, events);
    queues(&mut page, &view.sockets);
    services(&mut page, &view.services);
    if view.hub.is_some() {
        hub::hub(&mut page, hub);
    }
    gateway::gateways(&mut page, gateways);
    page.text
}

fn instance(page: &mut Page, view: &Instance, events: u64) {
    let who = [("instance", view.name.clone()), ("version", view.version.clone())];
    page.family("remuda_info", Kind::Gauge, "The running arbiter; always 1.", [(who.as_slice(), 1)]);
    let seconds = Millis(view.uptime_ms);
    page.family("remuda_uptime_seconds", Kind::Gauge, "Time since the arbiter started.", [(&[], seconds)]);
    let memory = view.memory_bytes;
    page.family(
        "remuda_memory_bytes",
        Kind::Gauge,
        "Resident memory of the arbiter itself.",
        [(&[], memory)],
    );
    page.family("remuda_events_total", Kind::Counter, "Events told.", [(&[], events)]);
    let hits = view.limits_hit.iter().map(|hit| ([("limit", hit.limit.clone())], hit.count));
    let help = "Hits of a limit: log lines dropped, and the like.";
    page.family("remuda_limit_hits_total", Kind::Counter, help, hits);
}

fn queues(page: &mut Page, sockets: &[Socket]) {
    let each = |of: fn(&Listener) -> Option<u32>| {
        sockets.iter().flat_map(move |socket| {
            socket.listeners.iter().filter_map(move |listener| {
                let slot = listener.slot.map(|slot| slot.to_string()).unwrap_or_default();
                Some(([("socket", socket.name.to_string()), ("slot", slot)], of(listener)?))
            })
        })
    };
    let help = "Connections that wait to be accepted; slot is empty when all workers share the queue.";
    page.family("remuda_socket_queue_depth", Kind::Gauge, help, each(|listener| listener.queue));
    let help = "Connections that may wait to be accepted.";
    page.family("remuda_socket_queue_limit", Kind::Gauge, help, each(|listener| listener.queue_limit));
    let help = "Times that the file of a Unix socket was removed and put back.";
    let put_back = sockets
        .iter()
        .filter_map(|socket| Some(([("socket", socket.name.to_string())], socket.file_put_back?)));
    page.family("remuda_socket_file_put_back_total", Kind::Counter, help, put_back);
}

fn services(page: &mut Page, services: &[Service]) {
    let name = |service: &Service| [("service", service.name.to_string())];
    let figures: [Figure; 9] = [
        ("workers_wanted", Kind::Gauge, "Wanted number of workers.", |it| Some(it.workers_wanted.into())),
        ("workers_ready", Kind::Gauge, "Workers that serve.", |it| Some(it.workers_ready.into())),
        ("workers_min", Kind::Gauge, "Least number of workers, where it follows the load.", |it| {
            it.scaling.map(|bounds| bounds.min.into())
        }),
        ("workers_max", Kind::Gauge, "Greatest number of workers, where it follows the load.", |it| {
            it.scaling.map(|bounds| bounds.max.into())
        }),
        ("starts_total", Kind::Counter, "Workers started.", |it| Some(it.starts_total)),
        ("failures_total", Kind::Counter, "Unwanted ends of workers.", |it| Some(it.failures_total)),
        ("generation", Kind::Gauge, "Counts the reloads.", |it| Some(it.generation)),
        ("memory_bytes", Kind::Gauge, "Resident memory of the main processes of its workers.", |it| {
            Some(it.workers.iter().filter_map(|worker| worker.memory_bytes).sum())
        }),
        ("backoffs", Kind::Gauge, "Slots that wait to be tried again.", |it| {
            u64::try_from(it.backoffs.len()).ok()
        }),
    ];
    for (figure, kind, help, of) in figures {
        let values = services.iter().filter_map(|service| Some((name(service), of(service)?)));
        page.family(&format!("remuda_service_{figure}"), kind, help, values);
    }
    let phases = services
        .iter()
        .map(|service| ([("service", service.name.to_string()), ("phase", service.phase.to_string())], 1));
    page.family("remuda_service_phase", Kind::Gauge, "What the service is at; always 1.", phases);
}

/// What a monitor does with a figure.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// It goes up and down.
    Gauge,
    /// It counts, and may begin again at 0 when another process becomes the arbiter.
    Counter,
}

const GAUGE: Kind = Kind::Gauge;
const COUNTER: Kind = Kind::Counter;

/// A figure without labels: what stands behind a prefix, its kind, its meaning, and its value.
type Line = (&'static str, Kind, &'static str, u64);

/// Milliseconds, written as seconds.
struct Millis(u64);

impl Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[derive(Debug, Default)]
struct Page {
    text: String,
}

impl Page {
    /// Figures without labels, each behind `prefix`.
    fn lines(&mut self, prefix: &str, lines: impl IntoIterator<Item = Line>) {
        const NONE: &[Label<'_>] = &[];
        for (name, kind, help, value) in lines {
            self.family(&format!("{prefix}{name}"), kind, help, [(NONE, value)]);
        }
    }

    /// One name with all its values; nothing when there are none.
    fn family<'label, L: AsRef<[Label<'label>]>>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        values: impl IntoIterator<Item = (L, impl Display)>,
    ) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        // Writing to a text cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in values {
            let pairs: Vec<String> = labels
                .as_ref()
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let pairs = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
            let _ = writeln!(self.text, "{name}{pairs} {value}");
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
