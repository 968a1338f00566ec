//! What one connection's doing means for others, delivered.

use bytes::BytesMut;
use remuda_bus::{CallFailure, ServiceOrder};
use remuda_wire::resp::Writer;

use crate::connection::{Connection, Protocol};
use crate::core::{Errand, Letter};
use crate::hub::Hub;
use crate::outbox::Outbox;
use crate::redis::client::{self, Which};
use crate::redis::services::call_to;
use crate::redis::session::{Session, Waiting};
use crate::signature;
use crate::stream::Remote;
use crate::table::Key;
use crate::timers::Due;

impl Hub {
    /// Delivers all letters and orders; those that come of it too.
    pub(crate) fn deliver(&mut self) {
        loop {
            let mut letters = std::mem::take(&mut self.core.letters);
            letters.extend(self.core.orders.drain(..).map(Letter::Service));
            if letters.is_empty() {
                return;
            }
            for letter in letters {
                self.deliver_one(letter);
            }
        }
    }

    fn deliver_one(&mut self, letter: Letter) {
        match letter {
            Letter::Reply { to, bytes, position } => {
                let Some(connection) = self.connections.get_mut(to) else { return };
                let Protocol::Redis(session, _) = &mut connection.protocol else { return };
                let mark = connection.outbox.mark();
                if session.wakes() {
                    connection.outbox.bytes().extend_from_slice(&bytes);
                }
                if let Some(position) = position {
                    connection.outbox.hold(mark, position);
                }
                self.go_on(to);
            }
            Letter::Synced { to } => self.synced(to, true),
            Letter::Service(ServiceOrder::Deliver { worker, call, service, caller_name, body }) => {
                let to = Key::from_number(worker.0);
                let Some(connection) = self.connections.get_mut(to) else { return };
                let Connection { protocol, outbox, .. } = connection;
                match protocol {
                    Protocol::Redis(session, _) => {
                        if session.wakes() {
                            let mut writer = Writer::new(outbox.bytes(), session.version);
                            call_to(&mut writer, &service, call.0, &body, &caller_name);
                        }
                    }
                    Protocol::ZeroMq(peer) => {
                        let number = call.0.to_string();
                        let words: [&[u8]; 5] = [b"CALL", number.as_bytes(), &service, &body, &caller_name];
                        let mut frames = BytesMut::new();
                        signature::encode(&self.core, peer.signer.as_deref(), &[], &words, &mut frames);
                        peer.send(&frames, outbox);
                    }
                    Protocol::Herd(_) => return,
                }
                self.core.timers.clear(to, Due::Call);
                self.go_on(to);
            }
            Letter::Service(ServiceOrder::Answer { caller, ticket, outcome }) => {
                let to = Key::from_number(caller.0);
                let Some(connection) = self.connections.get_mut(to) else { return };
                let Connection { protocol, outbox, .. } = connection;
                match protocol {
                    Protocol::Redis(session, _) => {
                        if session.waiting == Some(Waiting::Answer) && session.wakes() {
                            answer(session, outbox, outcome);
                        }
                    }
                    Protocol::ZeroMq(peer) => {
                        let Some(pending) = peer.calls.remove(&ticket) else { return };
                        let mut frames = BytesMut::new();
                        let text = outcome.as_ref().err().map(ToString::to_string);
                        let words: [&[u8]; 2] = match (&outcome, &text) {
                            (Ok(body), _) => [b"OK", body],
                            (Err(_), text) => [b"ERROR", text.as_deref().unwrap_or_default().as_bytes()],
                        };
                        pending.encode(&self.core, &words, &mut frames);
                        peer.send(&frames, outbox);
                    }
                    Protocol::Herd(_) => return,
                }
                self.go_on(to);
            }
        }
    }

    /// A peer that waited for a subscription is told that it is there, or that nobody came.
    pub(crate) fn synced(&mut self, to: Key, is_there: bool) {
        let Some(connection) = self.connections.get_mut(to) else { return };
        let Connection { protocol, outbox, .. } = connection;
        let Protocol::ZeroMq(peer) = protocol else { return };
        let Some((prefix, pending)) = peer.sync.take() else { return };
        self.core.stop_syncing(to, &prefix);
        self.core.timers.clear(to, Due::Sync);
        let words: &[&[u8]] =
            if is_there { &[b"OK"] } else { &[b"ERROR", b"timed out: nobody has subscribed"] };
        let mut frames = BytesMut::new();
        pending.encode(&self.core, words, &mut frames);
        peer.send(&frames, outbox);
        self.mark(to);
    }

    /// A client got what it waited for: what it sent meanwhile is its turn now.
    pub(crate) fn go_on(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.digest(&mut self.core);
            self.mark(key);
        }
    }

    /// What commands asked about other connections. Whoever got an answer goes on, and may ask again: that is for the next
    /// turn, so that others have theirs.
    pub(crate) fn run_errands(&mut self) {
        for errand in std::mem::take(&mut self.core.errands) {
            match errand {
                Errand::List { to, which } => {
                    let text = self.list(&which);
                    self.tell(to, |writer| writer.verbatim(*b"txt", &text));
                }
                Errand::Kill { to, which, is_one } => self.kill(to, &which, is_one),
                Errand::Metrics { to, with_names } => {
                    let mut metrics = self.metrics();
                    if !with_names {
                        metrics.worst_members.clear();
                        metrics.services.clear();
                    }
                    let text = serde_json::to_vec(&metrics).expect("figures are numbers and texts");
                    self.tell(to, |writer| writer.bulk(&text));
                }
                Errand::Herd { to } => match self.herd_view() {
                    Some(view) => {
                        let text = serde_json::to_vec(&view).expect("a view is numbers and texts");
                        self.tell(to, |writer| writer.bulk(&text));
                    }
                    None => self.tell(to, |writer| writer.error("ERR there is no [herd] in the config")),
                },
                Errand::Unblock { to, whom, with_error } => {
                    let unblocked = self.unblock(whom, with_error);
                    self.tell(to, |writer| writer.integer(i64::from(unblocked)));
                }
            }
        }
    }

    /// Ends connections; one's own ends when it has read how many.
    fn kill(&mut self, to: Key, which: &Which, is_one: bool) {
        let doomed: Vec<Key> = self.meant(which).map(|(key, ..)| key).collect();
        if let (true, Some(connection)) = (doomed.contains(&to), self.connections.get_mut(to)) {
            connection.closing = true;
        }
        self.tell(to, |writer| match (is_one, doomed.len()) {
            (true, 0) => writer.error("ERR No such client"),
            (true, _) => writer.simple("OK"),
            (false, count) => writer.integer(i64::try_from(count).unwrap_or(i64::MAX)),
        });
        for key in doomed.into_iter().filter(|key| *key != to) {
            self.end(key);
        }
    }

    /// The Redis clients that are meant. Where they are named nobody else is looked at.
    fn meant(&self, which: &Which) -> impl Iterator<Item = (Key, &Session, &Connection)> {
        let named =
            which.keys().map(|keys| keys.iter().filter_map(|key| Some((*key, self.connections.get(*key)?))));
        let all = named.is_none().then(|| self.connections.iter());
        named.into_iter().flatten().chain(all.into_iter().flatten()).filter_map(move |(key, connection)| {
            match &connection.protocol {
                Protocol::Redis(session, _) => {
                    let is_meant = which.takes(session, &address_of(&connection.remote));
                    is_meant.then_some((key, &**session, connection))
                }
                Protocol::ZeroMq(_) | Protocol::Herd(_) => None,
            }
        })
    }

    fn unblock(&mut self, whom: Key, with_error: bool) -> bool {
        if with_error {
            return self.core.refuse_waiting(whom.client(), "UNBLOCKED client unblocked via CLIENT UNBLOCK");
        }
        let waits = self.core.is_waiting(whom.client());
        if waits {
            self.core.give_up_waiting(whom.client());
        }
        waits
    }

    /// Writes a reply that was owed.
    fn tell(&mut self, to: Key, write: impl FnOnce(&mut Writer<'_>)) {
        let Some(connection) = self.connections.get_mut(to) else { return };
        if let Protocol::Redis(session, _) = &mut connection.protocol
            && session.wakes()
        {
            write(&mut Writer::new(connection.outbox.bytes(), session.version));
        }
        self.go_on(to);
    }

    fn list(&self, which: &Which) -> String {
        let mut text = String::new();
        for (key, session, connection) in self.meant(which) {
            let queued = connection.outbox.len()
                + self.core.bus.member(key.member()).map_or(0, |member| member.queued_bytes);
            let address = address_of(&connection.remote);
            text.push_str(&client::line(session, &address, queued, self.core.moment.tick));
            text.push('\n');
        }
        text
    }
}

fn address_of(remote: &Remote) -> String {
    match remote {
        Remote::Local { pid, .. } => format!("unix:{pid}"),
        Remote::Internet(address) => address.to_string(),
    }
}

fn answer(session: &Session, outbox: &mut Outbox, outcome: Result<bytes::Bytes, CallFailure>) {
    let mut writer = Writer::new(outbox.bytes(), session.version);
    match outcome {
        Ok(body) => writer.bulk(&body),
        Err(failure) => writer.error(&format!("CALLFAILED {failure}")),
    }
}
