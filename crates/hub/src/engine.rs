//! External engines: a Redis or a NATS that carries the bus, a Redis that holds the store. The hub is a gateway to them
//! then, and workers notice nothing. The engine of the locks is driven here too; what is said there stands in
//! [`crate::locks`].
//!
//! Everything runs on the hub's one loop, without waiting; only names are resolved by threads of their own.
//!
//! | module | what it holds |
//! |---|---|
//! | `resolver`, `line`, `reach` | getting there, and staying |
//! | `bus_link`, `bus_news`, `redis_bus`, `nats_bus` | the bus by an engine, and what each of them is told |
//! | `interest`, `envelope`, `subject`, `delivery` | what members want, and messages on their way |
//! | `gateway`, `upstream`, `extent`, `watch`, `push` | the store by an engine |
//! | `routes` | which command goes where |
//! | `drive`, `leave`, `parting` | all of it in the loop, and at its end |

mod bus_link;
mod bus_news;
mod delivery;
mod drive;
mod envelope;
mod extent;
mod gateway;
mod interest;
mod leave;
pub(crate) mod line;
mod nats_bus;
mod parting;
mod push;
pub(crate) mod reach;
pub(crate) mod redis_bus;
pub(crate) mod resolver;
pub(crate) mod routes;
mod subject;
mod upstream;
mod watch;

use bytes::BytesMut;
use remuda_model::Tick;
use remuda_model::hub::{EngineMetrics, HubSpec};
use remuda_sys::event::Token;
use remuda_toolkit::Notifier;

pub(crate) use self::bus_link::BusLink;
pub(crate) use self::bus_news::Held;
use self::bus_news::{Options, Waiter};
pub(crate) use self::delivery::ELSEWHERE;
use self::gateway::Gateway;
pub(crate) use self::interest::beginning_of;
use self::resolver::Resolver;
use crate::core::Core;
use crate::error::HubError;
use crate::locks::engine::LockLink;
use crate::table::Key;

/// Tokens of what belongs to engines begin here, and end where those of connections begin.
pub(crate) const FIRST_TOKEN: u64 = 1 << 31;
const RESOLVER: Token = Token(FIRST_TOKEN);
const BUS: Token = Token(FIRST_TOKEN + 1);
const STORE: Token = Token(FIRST_TOKEN + 2);
const LOCKS: Token = Token(FIRST_TOKEN + 3);
const FIRST_UPSTREAM: u64 = FIRST_TOKEN + 16;

/// The engines of a hub.
#[derive(Debug)]
pub(crate) struct Engines {
    pub(crate) bus: Option<BusLink>,
    pub(crate) store: Option<Gateway>,
    pub(crate) locks: Option<LockLink>,
    resolver: Option<Resolver>,
    /// Who is to be told that the hub is ready, and by when whatever may be missing.
    ready: Option<(Notifier, Tick)>,
}

impl Engines {
    /// Those that `spec` names; `run_id` names this hub among all of the engine's, and `wall_ms` is the time.
    pub(crate) fn new(spec: &HubSpec, run_id: &str, wall_ms: u64, seed: u64) -> Result<Self, HubError> {
        let every = spec.bus.heartbeat;
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let bus = spec.bus.engine.external().map(|url| {
            let options = Options {
                bytes_max: size(spec.bus.queue),
                message_max: size(spec.bus.message_max),
                patience: spec.bus.patience,
                rings: spec.bus.replay.iter().map(|ring| ring.prefix.clone()).collect(),
                every,
                own_name: run_id[..run_id.len().min(16)].to_owned(),
            };
            BusLink::new(url.clone(), BUS, options, seed)
        });
        let store = spec
            .store
            .engine
            .external()
            .map(|url| Gateway::new(url.clone(), STORE, FIRST_UPSTREAM, every, seed.rotate_left(32)));
        let locks = spec.locks.engine.external().map(|url| {
            LockLink::new(url.clone(), LOCKS, &run_id[..run_id.len().min(16)], wall_ms, seed.rotate_left(16))
        });
        let has_any = bus.is_some() || store.is_some() || locks.is_some();
        let resolver = if has_any { Some(Resolver::new()?) } else { None };
        Ok(Self { bus, store, locks, resolver, ready: None })
    }

    /// Whether there are any.
    pub(crate) fn are_some(&self) -> bool {
        self.resolver.is_some()
    }

    /// Whether every engine has been reached once.
    pub(crate) fn are_reached(&self) -> bool {
        self.bus.as_ref().is_none_or(|bus| bus.line.was_up)
            && self.store.as_ref().is_none_or(|store| store.line.was_up)
            && self.locks.as_ref().is_none_or(|locks| locks.line.was_up)
    }

    /// Whether answers are on their way that will not take long.
    pub(crate) fn are_busy(&self) -> bool {
        self.bus.as_ref().is_some_and(BusLink::is_busy)
            || self.store.as_ref().is_some_and(Gateway::is_busy)
            || self.locks.as_ref().is_some_and(LockLink::is_busy)
    }

    /// Whether something was put down for them behind what was written in this turn: who lost a connection there goes on,
    /// and may have more to send.
    pub(crate) fn have_work(&self) -> bool {
        self.bus.as_ref().is_some_and(|bus| bus.line.has_work())
            || self.store.as_ref().is_some_and(Gateway::has_work)
    }

    /// When something is due.
    pub(crate) fn due(&self, now: Tick) -> Option<Tick> {
        let bus = self.bus.as_ref().and_then(|bus| bus.due(now));
        let store = self.store.as_ref().and_then(Gateway::due);
        let locks = self.locks.as_ref().and_then(LockLink::due);
        let ready = self.ready.as_ref().map(|(_, by)| *by);
        [bus, store, locks, ready].into_iter().flatten().min()
    }

    /// Whether publishers have to wait for the bus's engine.
    pub(crate) fn are_congested(&self, now: Tick) -> bool {
        self.bus.as_ref().is_some_and(|bus| bus.is_congested(now))
    }

    /// The database a client of the store begins in.
    pub(crate) fn first_database(&self) -> u32 {
        self.store.as_ref().map_or(0, |store| store.line.address.database)
    }

    /// Whether bus and store are the same server, so that what a transaction publishes there is on the bus.
    pub(crate) fn are_one(&self) -> bool {
        match (&self.bus, &self.store) {
            (Some(bus), Some(store)) => bus.line.address.is_same_server(&store.line.address),
            _ => false,
        }
    }

    /// Their figures.
    pub(crate) fn metrics(&self) -> Vec<EngineMetrics> {
        let bus = self.bus.as_ref().map(|bus| EngineMetrics {
            sent_total: bus.figures.sent,
            dropped_total: bus.figures.dropped,
            unsure_total: bus.figures.unsure,
            too_long_total: bus.figures.too_long,
            waiting_bytes: bus.waiting_bytes() as u64,
            ..bus.line.metrics()
        });
        let store = self.store.as_ref().map(|store| EngineMetrics {
            sent_total: store.forwarded,
            waiting_bytes: store.waiting_bytes() as u64,
            connections: store.line.metrics().connections + store.connections() as u64,
            ..store.line.metrics()
        });
        bus.into_iter().chain(store).chain(self.locks.as_ref().map(LockLink::metrics)).collect()
    }

    /// Lines for `INFO`.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let metrics = self.metrics();
        let mut lines = Vec::new();
        for purpose in ["bus", "store", "locks"] {
            let mut add = |name: &str, value: &dyn ToString| {
                lines.push((format!("{purpose}_engine{name}"), value.to_string()));
            };
            let Some(engine) = metrics.iter().find(|engine| engine.purpose == purpose) else {
                add("", &"embedded");
                continue;
            };
            add("", &engine.address);
            add("_state", &engine.state);
            add("_trouble", &engine.trouble);
            add("_losses", &engine.losses_total);
            add("_connections", &engine.connections);
            add("_waiting_bytes", &engine.waiting_bytes);
            if purpose != "bus" {
                add("_commands", &engine.sent_total);
                continue;
            }
            add("_sent_messages", &engine.sent_total);
            add("_dropped_messages", &engine.dropped_total);
            add("_unsure_messages", &engine.unsure_total);
            add("_too_long_messages", &engine.too_long_total);
        }
        lines
    }
}

impl Core {
    /// The bus's engine is told what members asked for since it was told last.
    pub(crate) fn ask_engine(&mut self) {
        if let Some(link) = &mut self.engines.bus {
            let changes = self.bus.take_asked();
            if !changes.is_empty() {
                link.ask(&changes);
            }
        }
    }

    /// Keeps a client's confirmation until the engine has its subscriptions in force; says whether it has to wait.
    pub(crate) fn hold_confirmation(&mut self, key: Key, confirmation: &[u8]) -> bool {
        self.ask_engine();
        let Some(link) = self.engines.bus.as_mut().filter(|link| !link.is_settled()) else { return false };
        link.wait(Waiter::Client(key, BytesMut::from(confirmation)));
        true
    }

    /// Whether what members asked for is in force.
    pub(crate) fn is_settled(&mut self) -> bool {
        self.ask_engine();
        self.engines.bus.as_ref().is_none_or(BusLink::is_settled)
    }

    /// Tells those who wait for a subscription to `prefix`, as soon as it is in force.
    pub(crate) fn tell_subscribed(&mut self, prefix: &[u8]) {
        if self.is_settled() {
            return self.subscribed(prefix);
        }
        if let Some(link) = self.engines.bus.as_mut().filter(|_| self.syncing.contains_key(prefix)) {
            link.wait(Waiter::Synced(bytes::Bytes::copy_from_slice(prefix)));
        }
    }
}
