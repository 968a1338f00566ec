//! Engines in the hub's loop: news of their sockets, what is due, and what all that means for connections.

use remuda_sys::event::Readiness;
use remuda_wire::resp::Writer;

use super::bus_link::BusLink;
use super::bus_news::{News, Waiter};
use super::gateway::{Gateway, Left};
use super::line::told;
use super::upstream::Arrived;
use super::{BUS, LOCKS, RESOLVER, STORE};
use crate::complaints::Complaint;
use crate::connection::Protocol;
use crate::hub::Hub;
use crate::redis::session::Waiting;
use crate::table::Key;

/// Answers of a client that it does not read: with more than this, no more of them are fetched.
const UNREAD_MAX_BYTES: usize = 1 << 20;

impl Hub {
    /// News of something that belongs to an engine.
    pub(crate) fn hear_engine(&mut self, news: Readiness) {
        match news.token {
            RESOLVER => self.core.engines.resolved(self.core.moment.tick, &self.poller),
            BUS => self.hear_bus(news),
            STORE => self.hear_store(news),
            LOCKS => self.hear_lock_engine(news),
            token => {
                if let Some(place) = self.core.engines.store.as_ref().and_then(|store| store.place(token)) {
                    self.hear_upstream(place, news);
                }
            }
        }
    }

    fn hear_bus(&mut self, news: Readiness) {
        let now = self.core.moment.tick;
        let mut scratch = std::mem::take(&mut self.scratch);
        let heard = self.core.engines.bus.as_mut().map(|link| link.hear(news, now, &mut scratch));
        self.scratch = scratch;
        match heard {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => self.read_bus(),
            Some(Err(error)) => self.lose_bus(&error),
        }
    }

    fn read_bus(&mut self) {
        let now = self.core.moment.tick;
        loop {
            let core = &mut self.core;
            let Some(link) = &mut core.engines.bus else { return };
            match link.read(&mut core.bus) {
                Ok(None) => return,
                Ok(Some(News::Greeted)) => {
                    // What was asked for meanwhile is in the list of all that is asked for now.
                    core.ask_engine();
                    if let Some(link) = &mut core.engines.bus {
                        link.greeted(now);
                    }
                }
                Ok(Some(News::Confirmed)) => self.confirm(),
                Ok(Some(News::Refused(why))) => {
                    self.engine_refuses(&why);
                    self.confirm();
                }
                Ok(Some(News::Published { to, count })) => self.published(to, count),
                Ok(Some(News::NotPublished(why))) => {
                    link.figures.dropped += 1;
                    self.engine_refuses(&why);
                }
                Ok(Some(News::TooLong)) => link.figures.too_long += 1,
                Err(error) => return self.lose_bus(&error),
            }
        }
    }

    fn engine_refuses(&mut self, why: &str) {
        let now = self.core.moment.tick;
        if self.core.complaints.may_say(Complaint::EngineRefuses, now) {
            self.core.say(&format!("the bus's engine does not let the hub do something: {}", told(why)));
        }
    }

    /// Lets those go on whose subscriptions are in force.
    fn confirm(&mut self) {
        while let Some(waiter) = self.core.engines.bus.as_mut().and_then(BusLink::next_waiter) {
            self.confirm_to(waiter);
        }
    }

    pub(super) fn confirm_to(&mut self, waiter: Waiter) {
        let (to, confirmation) = match waiter {
            Waiter::Synced(prefix) => return self.core.subscribed(&prefix),
            Waiter::Client(to, confirmation) => (to, confirmation),
        };
        let Some(connection) = self.connections.get_mut(to) else { return };
        // Behind what it was answered before, and in front of the first message.
        let outbox = &mut connection.outbox;
        outbox.bytes().extend_from_slice(&confirmation);
        if !outbox.is_parted() {
            let count = outbox.ready().len();
            if self.core.bus.enqueue(to.member(), outbox.ready()) {
                outbox.queued(count);
            }
        }
        self.resume(to);
    }

    pub(super) fn resume(&mut self, to: Key) {
        let Some(connection) = self.connections.get_mut(to) else { return };
        if let Protocol::Redis(session, _) = &mut connection.protocol
            && matches!(session.waiting, Some(Waiting::Engine | Waiting::Upstream))
        {
            let _wants_reply = session.wakes();
        }
        self.go_on(to);
    }

    fn published(&mut self, to: Key, count: Result<i64, String>) {
        let Some(connection) = self.connections.get_mut(to) else { return };
        if let Protocol::Redis(session, _) = &mut connection.protocol
            && session.waiting == Some(Waiting::Engine)
        {
            let mut writer = Writer::new(connection.outbox.bytes(), session.version);
            match count {
                _ if std::mem::take(&mut session.is_muted) => {}
                Ok(count) => writer.integer(count),
                Err(error) => writer.error(&format!("ERR the bus's engine did not publish it: {error}")),
            }
        }
        self.resume(to);
    }

    fn lose_bus(&mut self, why: &str) {
        let now = self.core.moment.tick;
        let Some(link) = &mut self.core.engines.bus else { return };
        let address = link.line.address.to_string();
        for to in link.fail(why, now) {
            self.published(to, Err(format!("{address}: {why}; whether it was published is not known")));
        }
        self.confirm();
    }

    fn hear_store(&mut self, news: Readiness) {
        let now = self.core.moment.tick;
        let events = self.core.settings.spec.store.events;
        let mut scratch = std::mem::take(&mut self.scratch);
        let core = &mut self.core;
        let heard = core
            .engines
            .store
            .as_mut()
            .map(|store| store.hear_line(news, now, &mut scratch, &mut core.bus, events));
        self.scratch = scratch;
        if let Some(Err(error)) = heard {
            self.lose_store(&error);
        }
    }

    fn lose_store(&mut self, why: &str) {
        let now = self.core.moment.tick;
        if let Some(store) = &mut self.core.engines.store {
            store.line.fail(why, now);
        }
    }

    fn hear_upstream(&mut self, place: usize, news: Readiness) {
        let Some(store) = &mut self.core.engines.store else { return };
        let owner = store.owner(place);
        let Arrived { bytes, whole, is_begun, database, is_idle, trouble } =
            store.hear(place, news, &mut self.scratch);
        let Some(owner) = owner else { return };
        if let Some(connection) = self.connections.get_mut(owner) {
            connection.outbox.pass(&bytes, whole, is_begun);
            if let Protocol::Redis(session, _) = &mut connection.protocol
                && let Some(database) = database
            {
                session.database = database;
            }
            if connection.outbox.len() > UNREAD_MAX_BYTES
                && let Some(store) = &mut self.core.engines.store
            {
                store.pause(place, true);
            }
        }
        match trouble {
            Some(why) => self.lose_upstream(place, &why),
            None if is_idle => self.resume(owner),
            None => self.mark(owner),
        }
    }

    fn lose_upstreams(&mut self, why: &str) {
        let places = self.core.engines.store.as_ref().map_or(0..0, Gateway::places);
        for place in places {
            self.lose_upstream(place, why);
        }
    }

    /// A client's connection to the engine is gone: what it waits for does not come.
    fn lose_upstream(&mut self, place: usize, why: &str) {
        let Some(store) = &mut self.core.engines.store else { return };
        let (address, why) = (store.line.address.to_string(), told(why));
        let Some(Left { owner, owed, is_cut }) = store.lose(place) else { return };
        let Some(connection) = self.connections.get_mut(owner) else { return };
        let Protocol::Redis(session, _) = &mut connection.protocol else { return };
        session.upstream = None;
        session.has_lost_watch |= std::mem::take(&mut session.is_watching);
        if is_cut {
            // Half an answer cannot be taken back.
            connection.closing = true;
        } else {
            let mut writer = Writer::new(connection.outbox.bytes(), session.version);
            for _each in 0..owed {
                writer.error(&format!(
                    "ERR the store's engine at {address}: {why}; whether this was carried out is not known"
                ));
            }
        }
        self.resume(owner);
    }

    /// What is due, and what is to be written; at the end of each turn.
    pub(crate) fn drive_engines(&mut self) {
        if self.core.engines.resolver.is_none() {
            return;
        }
        let now = self.core.moment.tick;
        self.core.ask_engine();
        self.step_lines();
        let bus = self
            .core
            .engines
            .bus
            .as_mut()
            .map(|link| link.check(now).and_then(|()| link.flush(&self.poller)));
        if let Some(Err(error)) = bus {
            self.lose_bus(&error);
        }
        self.complain_of_slowness();
        self.confirm();
        let core = &mut self.core;
        let store = core
            .engines
            .store
            .as_mut()
            .map(|store| store.check(now, &core.bus).and_then(|()| store.line.flush(&self.poller)));
        if let Some(Err(error)) = store {
            self.lose_store(&error);
            // A server that says nothing any more ends no connection either.
            self.lose_upstreams(&error);
        }
        self.drive_upstreams();
        self.drive_lock_engine();
        self.say_ready();
    }

    /// Answers are fetched again for clients that have read theirs: once everybody was written to, since nothing else may
    /// happen afterwards.
    pub(crate) fn fetch_again(&mut self) {
        let Some(store) = &mut self.core.engines.store else { return };
        for (place, owner) in store.paused() {
            let has_room = |length: usize| length <= UNREAD_MAX_BYTES / 2;
            if self.connections.get(owner).is_none_or(|connection| has_room(connection.outbox.len())) {
                store.pause(place, false);
            }
        }
    }

    fn complain_of_slowness(&mut self) {
        let Some(link) = self.core.engines.bus.as_ref().filter(|link| link.is_overrun()) else { return };
        let text = format!(
            "the bus's engine at {} takes less than is published: messages are dropped",
            link.line.address
        );
        if self.core.complaints.may_say(Complaint::EngineIsSlow, self.core.moment.tick) {
            self.core.say(&text);
        }
    }

    fn step_lines(&mut self) {
        let now = self.core.moment.tick;
        let super::Engines { bus, store, locks, resolver, .. } = &mut self.core.engines;
        let Some(resolver) = resolver else { return };
        if let Some(link) = locks {
            link.line.step(now, &self.poller, resolver);
        }
        if let Some(link) = bus {
            link.line.step(now, &self.poller, resolver);
        }
        if let Some(store) = store {
            store.line.step(now, &self.poller, resolver);
        }
    }

    fn drive_upstreams(&mut self) {
        let now = self.core.moment.tick;
        let Some(store) = &mut self.core.engines.store else { return };
        let late = store.pass_time(now);
        let told = store.flush(&self.poller);
        for place in late {
            self.lose_upstream(place, "it does not take the connection");
        }
        for (place, trouble) in told {
            match trouble {
                Some(why) => self.lose_upstream(place, &why),
                None => {
                    if let Some(owner) = self.core.engines.store.as_ref().and_then(|store| store.owner(place))
                    {
                        self.resume(owner);
                    }
                }
            }
        }
    }
}
