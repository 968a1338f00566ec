//! What follows from commands of the store, and from the clock: effects, changes, and clients that wait.

use bytes::BytesMut;
use remuda_store::{ClientId, Outcome};
use remuda_wire::resp::Writer;

use super::{Core, EXPIRED_PER_TURN, Letter};
use crate::redis::session::Session;
use crate::reply::Reply;
use crate::table::Key;

impl Core {
    /// The client of `session` waits for a key.
    pub(crate) fn waits(&mut self, session: &Session) {
        self.waiting.insert(session.key.client(), session.version);
    }

    /// What follows from a command of the store: the journal has its effects, the bus its changes, and clients that
    /// waited for its keys go on.
    pub(crate) fn after_command(&mut self, database: u32, command: &[&[u8]], verbatim: bool) {
        self.news_of_store();
        if !self.is_grouped {
            self.keep_effects(verbatim.then_some((database, command)));
        } else if verbatim {
            self.durability.append(database, command);
        }
        if !self.is_grouped {
            self.serve_waiting();
        }
    }

    /// The journal and the news get what the store has said since the last time.
    pub(crate) fn take_effects(&mut self) {
        self.news_of_store();
        if !self.is_grouped {
            self.keep_effects(None);
        }
    }

    fn news_of_store(&mut self) {
        let gone = self.herd.as_mut().and_then(crate::herd::Herd::gone);
        self.news.take(&mut self.store, &self.bus, gone);
    }

    /// Begins what nobody comes in between of.
    pub(crate) fn begin_group(&mut self) {
        self.group_refuses = self.refuses_writes();
        self.is_grouped = true;
        self.store.begin_group();
    }

    pub(crate) fn end_group(&mut self) {
        self.store.end_group();
        self.is_grouped = false;
        self.group_refuses = None;
        self.take_effects();
        self.serve_waiting();
    }

    pub(crate) fn is_grouped(&self) -> bool {
        self.is_grouped
    }

    pub(crate) fn serve_waiting(&mut self) {
        while let Some(client) = self.store.next_ready() {
            self.resume(client);
        }
    }

    fn resume(&mut self, client: ClientId) {
        let version = self.waiting.get(&client).copied().unwrap_or_default();
        let mut bytes = BytesMut::new();
        let outcome = self.store.resume(self.moment, client, &mut Reply(Writer::new(&mut bytes, version)));
        if let Outcome::Done { .. } = outcome {
            self.waiting.remove(&client);
            // What the reply of whoever filled the key waits for is not this client's to take.
            let before = self.durability.take_hold();
            self.take_effects();
            let position = self.durability.take_hold();
            self.durability.put_hold(before);
            self.letters.push(Letter::Reply { to: Key::from_number(client.0), bytes, position });
        }
    }

    /// Ends the wait of a client with the answer of one whose time is over.
    pub(crate) fn give_up_waiting(&mut self, client: ClientId) {
        let version = self.waiting.remove(&client).unwrap_or_default();
        let mut bytes = BytesMut::new();
        if self.store.answer_timeout(client, &mut Reply(Writer::new(&mut bytes, version))) {
            self.letters.push(Letter::Reply { to: Key::from_number(client.0), bytes, position: None });
        }
    }

    /// Ends the wait of a client with an error; says whether it waited.
    pub(crate) fn refuse_waiting(&mut self, client: ClientId, error: &str) -> bool {
        let Some(version) = self.waiting.remove(&client) else { return false };
        self.store.forget(client);
        let mut bytes = BytesMut::new();
        Writer::new(&mut bytes, version).error(error);
        self.letters.push(Letter::Reply { to: Key::from_number(client.0), bytes, position: None });
        true
    }

    /// Whether `client` waits for a key.
    pub(crate) fn is_waiting(&self, client: ClientId) -> bool {
        self.waiting.contains_key(&client)
    }

    /// What the clock brings: keys end, waits end, calls end, leases end.
    pub(crate) fn pass_time(&mut self) {
        if self.store.expire(self.moment, EXPIRED_PER_TURN) > 0 {
            self.take_effects();
            self.serve_waiting();
            // No reply stands for keys that ended by themselves.
            self.durability.take_hold();
        }
        while let Some(client) = self.store.timed_out(self.moment) {
            self.give_up_waiting(client);
        }
        self.services.tick(self.moment.tick, &mut self.orders);
        self.locks.tick(self.moment.tick);
    }
}
