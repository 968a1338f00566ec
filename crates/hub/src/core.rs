//! What all connections share: the machines, the journal, and what one client's command means for others.
//!
//! A command is carried out whole before the next one is looked at. What it means for other connections (an element for
//! a client that waits, a call for a worker) is put down as a letter and delivered at the end of the turn, because only
//! one connection is in hand at a time.

pub(crate) mod broadcast;
mod calls;
mod members;
mod waiting;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use remuda_bus::{Bus, Capacity, ReplayWindow, ReplayWindowOptions, ServiceOrder, Services};
use remuda_model::Tick;
use remuda_model::hub::HubSettings;
use remuda_store::{ClientId, Moment, Store};
use remuda_sys::clock;
use remuda_wire::resp::{Version, Writer};

use crate::access::Users;
use crate::complaints::{Complaint, Complaints};
use crate::durability::Durability;
use crate::engine::Engines;
use crate::events::Notifications;
use crate::figures::Figures;
use crate::halves::Halves;
use crate::handover::Giving;
use crate::herd::Herd;
use crate::journal::RewriteError;
use crate::locks::Locking;
use crate::locks::engine::LockLink;
use crate::news::News;
use crate::redis::client::Which;
use crate::redis::session::Session;
use crate::script::Scripts;
use crate::stream::Remote;
use crate::table::Key;
use crate::timers::Timers;
use crate::zeromq::mechanisms::Mechanisms;

/// Keys that may expire in one turn, so that a million that end at once do not stop everything.
const EXPIRED_PER_TURN: usize = 1_000;

/// What a command asks about other connections; done at the end of the turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    /// `CLIENT LIST` or `INFO`.
    List { to: Key, which: Which },
    /// `CLIENT KILL`; the older form of it names one client, and says so if there is none.
    Kill { to: Key, which: Which, is_one: bool },
    /// `HUB.METRICS`; `with_names`: of each member and service, too.
    Metrics { to: Key, with_names: bool },
    /// `HUB.HERD`.
    Herd { to: Key },
    /// `CLIENT UNBLOCK`.
    Unblock { to: Key, whom: Key, with_error: bool },
}

/// Something for a connection that is not in hand.
#[derive(Debug)]
pub(crate) enum Letter {
    /// What a Redis client waits for, encoded.
    Reply { to: Key, bytes: BytesMut, position: Option<u64> },
    /// A call for a worker, or an answer for a caller.
    Service(ServiceOrder),
    /// Somebody has subscribed to what a peer waits for.
    Synced { to: Key },
}

/// The shared part.
pub(crate) struct Core {
    pub(crate) settings: Arc<HubSettings>,
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) services: Services,
    /// Who answers for which service, to tell the next hub.
    pub(crate) serving: BTreeMap<(Key, Bytes), Capacity>,
    /// Waits for the next hub.
    pub(crate) giving: Option<Giving>,
    /// Away while a script runs.
    pub(crate) scripts: Option<Scripts>,
    pub(crate) durability: Durability,
    pub(crate) locks: Locking,
    pub(crate) users: Users,
    pub(crate) mechanisms: Mechanisms,
    pub(crate) engines: Engines,
    /// Other servers, where the config asks for them.
    pub(crate) herd: Option<Herd>,
    pub(crate) moment: Moment,
    pub(crate) notifications: Notifications,
    pub(crate) news: News,
    pub(crate) run_id: String,
    /// The life of the store's contents: a hub that took them over from another has that one's.
    pub(crate) epoch: String,
    pub(crate) began: Tick,
    pub(crate) window: ReplayWindow,
    /// Subscriptions of the client in hand that are to begin with what a ring has.
    pub(crate) catch_up: Vec<(Key, Vec<u8>, u64)>,
    /// The user the hub runs as.
    own_uid: u32,
    pub(crate) tcp_port: Option<u16>,
    pub(crate) timers: Timers,
    pub(crate) errands: Vec<Errand>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) orders: Vec<ServiceOrder>,
    pub(crate) figures: Figures,
    /// What is there of messages that are not whole.
    pub(crate) halves: Halves,
    /// Versions of clients that wait for a key, to answer them in.
    waiting: BTreeMap<ClientId, Version>,
    /// Inside `EXEC` or a script: nobody else goes on before it is over.
    is_grouped: bool,
    /// Why the group may not write: decided at its beginning, so that none is done by half.
    group_refuses: Option<String>,
    /// Lines that would be many.
    pub(crate) complaints: Complaints,
    /// Peers that wait for a subscription, by prefix.
    pub(crate) syncing: BTreeMap<Vec<u8>, Vec<Key>>,
}

/// The places of a command's arguments, kept from call to call.
pub(crate) type Places = Vec<Range<usize>>;

impl Core {
    #[expect(clippy::too_many_arguments, reason = "each is a part of its own, made once")]
    pub(crate) fn new(
        settings: Arc<HubSettings>,
        store: Store,
        bus: Bus,
        durability: Durability,
        run_id: String,
        own_uid: u32,
        mechanisms: Mechanisms,
        engines: Engines,
        scripts: Scripts,
    ) -> Self {
        let events = settings.spec.store.events;
        let halves = Halves::new(settings.spec.bus.message_max);
        let moment = crate::hub::moment();
        Self {
            locks: Locking::new(&settings, moment),
            users: Users::new(Arc::clone(&settings)),
            mechanisms,
            engines,
            herd: None,
            settings,
            store,
            bus,
            serving: BTreeMap::new(),
            giving: None,
            scripts: Some(scripts),
            services: Services::new(remuda_bus::ServicesOptions::default()),
            durability,
            moment,
            notifications: Notifications::default(),
            news: News::new(events),
            epoch: run_id.clone(),
            run_id,
            began: clock::boottime(),
            window: ReplayWindow::new(ReplayWindowOptions::default()),
            catch_up: Vec::new(),
            own_uid,
            tcp_port: None,
            timers: Timers::default(),
            errands: Vec::new(),
            letters: Vec::new(),
            orders: Vec::new(),
            figures: Figures::default(),
            halves,
            waiting: BTreeMap::new(),
            is_grouped: false,
            group_refuses: None,
            complaints: Complaints::default(),
            syncing: BTreeMap::new(),
        }
    }

    /// Whether a process of this user is the instance's own.
    pub(crate) fn is_own(&self, uid: u32) -> bool {
        uid == 0 || uid == self.own_uid
    }

    /// Whether a process of this user, which came through a Unix socket, may do everything: it is our own, or no service
    /// that runs as this user has rules. Others show a token.
    pub(crate) fn trusts(&self, uid: u32) -> bool {
        let settings = &self.settings;
        self.is_own(uid) || (settings.peer_uids.contains(&uid) && !settings.limited_uids.contains(&uid))
    }

    pub(crate) fn databases(&self) -> u32 {
        self.store.databases()
    }

    /// Whether publishers, and whoever writes, have to wait for slow readers or for the disk.
    pub(crate) fn holds_publishers(&mut self) -> bool {
        self.bus.is_congested()
            || self.durability.is_congested()
            || self.engines.are_congested(self.moment.tick)
    }

    /// Nothing of this client is left in the machines, its connection apart.
    pub(crate) fn forget_client(&mut self, session: &mut Session) {
        self.store.forget(session.key.client());
        if let Some(store) = &mut self.engines.store {
            store.close(session);
        }
        self.waiting.remove(&session.key.client());
        if session.is_member {
            self.bus.leave(session.key.member());
            session.is_member = false;
        }
        self.stop_serving(session.key);
        self.locks.gone(self.moment.tick, session.key.number());
    }

    pub(crate) fn ask(&mut self, errand: Errand) {
        self.errands.push(errand);
    }

    /// Why nothing can be written now, if so, in the words of Redis.
    pub(crate) fn refuses_writes(&self) -> Option<String> {
        if self.is_grouped {
            return self.group_refuses.clone();
        }
        let why = self.durability.trouble()?;
        Some(format!(
            "MISCONF Errors writing to the AOF file: {why}. Writes are refused until the disk takes them again; reads go on."
        ))
    }

    /// Has the journal written anew; says in Redis' words whether that has begun.
    pub(crate) fn rewrite(&mut self, out: &mut Writer<'_>) {
        match self.rewrite_journal(true) {
            Ok(()) => out.simple("Background append only file rewriting started"),
            Err(error) => out.error(&format!("ERR {error}")),
        }
    }

    /// Has the journal written anew, if that is worth it or `wanted`.
    pub(crate) fn rewrite_journal(&mut self, wanted: bool) -> Result<(), RewriteError> {
        let Self { durability, store, herd, moment, .. } = self;
        durability.rewrite(store, *moment, wanted, |sink| {
            if let Some(herd) = herd {
                herd.write_keys(sink);
            }
        })
    }

    /// Tells what happened after `revision` to keys of `database` that begin with `prefix`: an array of
    /// `[revision, key, event, previous revision, whether it is gone]`, or an error where that is forgotten.
    pub(crate) fn changes_since(&self, revision: u64, database: u32, prefix: &[u8], out: &mut Writer<'_>) {
        let changes = match self.store.changes_since(revision, database, prefix) {
            Ok(changes) => changes.collect::<Vec<_>>(),
            Err(gap) => return out.error(&format!("GAP {gap}")),
        };
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        out.array(changes.len());
        for change in changes {
            out.array(5);
            out.integer(number(change.revision));
            match change.key {
                Some(key) => out.bulk(key),
                None => out.null(),
            }
            out.bulk(change.event.as_bytes());
            match change.previous {
                Some(previous) => out.integer(number(previous)),
                None => out.null(),
            }
            out.integer(i64::from(change.deleted));
        }
    }

    /// Whether nothing is left for another turn. Who got what it asked about others may have asked again; and a connection
    /// that ends while the turn is being written may leave calls it was to answer.
    pub(crate) fn has_delivered(&self) -> bool {
        let is_quiet = self.errands.is_empty() && self.letters.is_empty() && self.orders.is_empty();
        let has_answers = self.engines.locks.as_ref().is_some_and(LockLink::has_news);
        is_quiet && self.locks.is_quiet() && !has_answers && !self.herd.as_ref().is_some_and(Herd::has_orders)
    }

    /// A line in the hub's log.
    pub(crate) fn say(&self, text: &dyn std::fmt::Display) {
        log::warn!("{text}");
    }

    /// A line in the hub's log about what a peer did; of very many, some.
    pub(crate) fn say_of(&mut self, remote: &Remote, text: &dyn std::fmt::Display) {
        self.complain_of(Complaint::Conduct, remote, text);
    }

    /// As [`Self::say_of`], of one sort.
    pub(crate) fn complain_of(&mut self, what: Complaint, remote: &Remote, text: &dyn std::fmt::Display) {
        match self.complaints.admit(what, self.moment.tick) {
            None => {}
            Some(0) => log::warn!("{remote}: {text}"),
            Some(more) => log::warn!("{remote}: {text} ({more} lines like this were left out before)"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
