//! What is counted, and how it is told.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

use remuda_model::gateway::{CertificateMetrics, GatewayMetrics, RouteMetrics, UpstreamMetrics};

use super::{Ending, Histogram};

/// Counters of a process, on its one thread.
#[derive(Debug)]
pub struct Figures {
    open: Cell<u64>,
    accepted: Cell<u64>,
    received: Cell<u64>,
    sent: Cell<u64>,
    /// What was refused, cut or put off, by a word for it.
    events: RefCell<BTreeMap<&'static str, u64>>,
    routes: Vec<Route>,
    certificates: RefCell<Vec<CertificateMetrics>>,
    realtime: RefCell<Option<AskRealtime>>,
    upstreams: RefCell<Option<AskUpstreams>>,
}

/// Asks for the figures of all upstreams, by key.
struct AskUpstreams(Box<dyn Fn() -> BTreeMap<String, UpstreamMetrics>>);

impl fmt::Debug for AskUpstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskUpstreams")
    }
}

/// Asks for the figures of all that is realtime.
struct AskRealtime(Box<dyn Fn() -> BTreeMap<String, u64>>);

impl fmt::Debug for AskRealtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskRealtime")
    }
}

/// Requests of one route.
#[derive(Debug, Default)]
struct Route {
    name: String,
    by_class: [Cell<u64>; 5],
    cut: Cell<u64>,
    sent: Cell<u64>,
    time: Histogram,
}

impl Figures {
    pub(super) fn new(routes: Vec<String>) -> Self {
        let routes = if routes.is_empty() { vec![String::new()] } else { routes };
        Self {
            open: Cell::new(0),
            accepted: Cell::new(0),
            received: Cell::new(0),
            sent: Cell::new(0),
            events: RefCell::default(),
            routes: routes.into_iter().map(|name| Route { name, ..Route::default() }).collect(),
            upstreams: RefCell::default(),
            certificates: RefCell::default(),
            realtime: RefCell::default(),
        }
    }

    /// Has `ask` asked for figures of upstreams whenever all are told.
    pub(crate) fn ask_upstreams(&self, ask: impl Fn() -> BTreeMap<String, UpstreamMetrics> + 'static) {
        self.upstreams.replace(Some(AskUpstreams(Box::new(ask))));
    }

    /// Has `ask` asked for figures of what is realtime whenever all are told.
    pub(crate) fn ask_realtime(&self, ask: impl Fn() -> BTreeMap<String, u64> + 'static) {
        self.realtime.replace(Some(AskRealtime(Box::new(ask))));
    }

    pub(super) fn opened(&self) {
        add(&self.open, 1);
        add(&self.accepted, 1);
    }

    pub(super) fn closed(&self) {
        self.open.set(self.open.get().saturating_sub(1));
    }

    pub(super) fn received(&self, bytes: usize) {
        add(&self.received, u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    pub(super) fn sent(&self, bytes: usize) {
        add(&self.sent, u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts something that was refused, cut or put off; `word` is lower case, with hyphens.
    pub fn count(&self, word: &'static str) {
        *self.events.borrow_mut().entry(word).or_insert(0) += 1;
    }

    /// Counts the end of a request under `route`, or under none if there is no such.
    pub fn ended(&self, route: usize, ending: &Ending) {
        let Some(route) = self.routes.get(route).or_else(|| self.routes.first()) else { return };
        let class = usize::from(ending.status / 100).clamp(1, 5) - 1;
        add(&route.by_class[class], 1);
        add(&route.cut, u64::from(!ending.is_whole));
        add(&route.sent, ending.sent);
        route.time.record(ending.time);
    }

    /// Notes which certificates are in use.
    pub(crate) fn set_certificates(&self, certificates: Vec<CertificateMetrics>) {
        self.certificates.replace(certificates);
    }

    /// All of it as of now.
    #[must_use]
    pub fn tell(&self) -> GatewayMetrics {
        let events = self.events.borrow();
        GatewayMetrics {
            open: self.open.get(),
            accepted: self.accepted.get(),
            received: self.received.get(),
            sent: self.sent.get(),
            events: events.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect(),
            routes: self.routes.iter().map(Route::tell).collect(),
            upstreams: self.upstreams.borrow().as_ref().map(|ask| ask.0()).unwrap_or_default(),
            realtime: self.realtime.borrow().as_ref().map(|ask| ask.0()).unwrap_or_default(),
            certificates: self.certificates.borrow().clone(),
        }
    }
}

impl Route {
    fn tell(&self) -> RouteMetrics {
        RouteMetrics {
            name: self.name.clone(),
            by_class: self.by_class.each_ref().map(Cell::get),
            cut: self.cut.get(),
            sent: self.sent.get(),
            time: self.time.figures(),
        }
    }
}

fn add(cell: &Cell<u64>, more: u64) {
    cell.set(cell.get().saturating_add(more));
}
