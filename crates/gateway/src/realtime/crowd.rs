//! All clients of a Socket.IO endpoint, as a machine.
//!
//! It is told what came from clients and from workers, and when, and gives orders: letters to workers, clients for whom
//! something waits, clients that are gone. What goes to many is encoded once. Nothing in it blocks, waits or draws
//! lots: names come from a source it is given, so that nobody can guess them, or so that a test can.

mod emitting;
mod hearing;
mod orders;
mod steering;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use remuda_model::Tick;
use remuda_model::gateway::SlowClient;
use remuda_wire::engineio::{Opening, Packet};
use remuda_wire::socketio::{self, Assembler};

use super::letters::Letter;
use super::rooms::Rooms;
use super::session::{Beat, Carrier, Queued, Session};
use super::table::Table;
use super::{Admission, Carriers, Key, Outgoing, Owner, Sid, SocketId, SocketioOptions};

pub use emitting::LetterError;
pub use orders::{Counts, Gone, Orders, Reason};

/// Events of workers whose answers are waited for; further ones are told at once that none will come.
const ACKS_MAX: usize = 10_000;

/// All clients of an endpoint.
pub struct Crowd {
    options: Rc<SocketioOptions>,
    owner: Owner,
    names: Box<dyn FnMut() -> u128>,
    clients: Table<Client>,
    by_sid: HashMap<Sid, Key>,
    rooms: Rooms,
    /// Clients that a worker was asked about.
    asked: BTreeMap<SocketId, Asked>,
    acks: BTreeMap<u64, Awaited>,
    next_ack: u64,
    due: BinaryHeap<Reverse<(Tick, Due)>>,
    orders: Orders,
    counts: Counts,
}

#[derive(Debug)]
struct Client {
    session: Session,
    sid: Sid,
    sockets: Vec<Key>,
    assembler: Assembler,
    /// Who it is, for workers, as fields of JSON.
    origin: Box<str>,
    /// By when it has to be in a namespace; none once it was.
    connect_by: Option<Tick>,
    is_ready: bool,
    /// It is gone once it has fetched what waits for it.
    is_leaving: bool,
}

#[derive(Debug)]
struct Asked {
    client: Key,
    namespace: usize,
}

#[derive(Debug)]
struct Awaited {
    word: String,
    of: BTreeSet<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Client(Key),
    Ack(u64),
    Asked(SocketId),
}

impl std::fmt::Debug for Crowd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crowd").field("clients", &self.clients.len()).finish_non_exhaustive()
    }
}

impl Crowd {
    /// Nobody yet. `names` gives 128 random bits each time.
    #[must_use]
    pub fn new(options: Rc<SocketioOptions>, owner: Owner, names: Box<dyn FnMut() -> u128>) -> Self {
        Self {
            rooms: Rooms::new(&options.namespaces),
            options,
            owner,
            names,
            clients: Table::default(),
            by_sid: HashMap::new(),
            asked: BTreeMap::new(),
            acks: BTreeMap::new(),
            next_ack: 1,
            due: BinaryHeap::new(),
            orders: Orders::default(),
            counts: Counts::default(),
        }
    }

    /// Clients there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All clients.
    pub fn clients(&self) -> impl Iterator<Item = Key> {
        self.clients.keys()
    }

    /// Sockets there are, and rooms somebody is in.
    #[must_use]
    pub fn sockets_and_rooms(&self) -> (usize, usize) {
        (self.rooms.sockets(), self.rooms.rooms())
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes the orders out.
    pub fn take_orders(&mut self) -> Orders {
        for key in &self.orders.ready {
            if let Some(client) = self.clients.get_mut(*key) {
                client.is_ready = false;
            }
        }
        std::mem::take(&mut self.orders)
    }

    /// When [`Crowd::tick`] is to be called, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// The session of a client.
    pub fn session(&mut self, client: Key) -> Option<&mut Session> {
        self.clients.get_mut(client).map(|client| &mut client.session)
    }

    /// The client with this secret name.
    #[must_use]
    pub fn find(&self, sid: &Sid) -> Option<Key> {
        self.by_sid.get(sid).copied()
    }

    /// A client comes; its first packet waits for it. `origin`: fields of JSON for workers, each with a comma before it.
    /// `None`: there is no room for more.
    pub fn open(&mut self, now: Tick, carrier: Carrier, origin: &str) -> Option<(Key, Sid)> {
        let options = Rc::clone(&self.options);
        if self.clients.len() >= options.clients_max {
            return None;
        }
        let sid = Sid::new(self.owner, (self.names)());
        let mut session = Session::new(carrier, now, &options);
        let text = Opening {
            sid: &sid.to_string(),
            may_upgrade: carrier == Carrier::Polling && options.carriers == Carriers::Both,
            ping_interval_ms: millis(options.ping_interval),
            ping_timeout_ms: millis(options.ping_timeout),
            payload_max: options.payload_max,
        }
        .to_json();
        let _queued = session.send(&[Outgoing::new(&Packet::Open(&text))], false, options.queue_max);
        let connect_by = now + options.connect_within;
        let deadline = session.deadline().min(connect_by);
        let key = self.clients.insert(Client {
            session,
            sid,
            sockets: Vec::new(),
            assembler: Assembler::default(),
            origin: origin.into(),
            connect_by: Some(connect_by),
            is_ready: false,
            is_leaving: false,
        });
        self.by_sid.insert(sid, key);
        self.due.push(Reverse((deadline, Due::Client(key))));
        self.counts.opened += 1;
        self.ready(key);
        Some((key, sid))
    }

    /// A client is gone, or is to go.
    pub fn end(&mut self, key: Key, reason: Reason) {
        let Some(mut client) = self.clients.remove(key) else { return };
        match reason {
            Reason::ParseError => self.counts.violations += 1,
            Reason::TooSlow => self.counts.too_slow += 1,
            Reason::PingTimeout => self.counts.timed_out += 1,
            _ => {}
        }
        self.by_sid.remove(&client.sid);
        for socket in std::mem::take(&mut client.sockets) {
            self.forget(socket, reason);
        }
        let mut frames = Vec::new();
        if !matches!(reason, Reason::TooSlow | Reason::TransportClose) {
            while let Some(frame) = client.session.take_frame() {
                frames.push(frame);
            }
            frames.push(Outgoing::new(&Packet::Close));
        }
        let last = if reason == Reason::TransportClose { "6" } else { "1" };
        self.orders.gone.push(Gone { client: key, body: last.into(), frames, code: reason.code() });
    }

    /// As [`end`](Self::end), but a client that polls first fetches what waits for it.
    pub fn let_go(&mut self, key: Key, reason: Reason) {
        let Some(client) = self.clients.get_mut(key) else { return };
        if client.session.carrier() == Carrier::WebSocket {
            return self.end(key, reason);
        }
        client.is_leaving = true;
        for socket in std::mem::take(&mut client.sockets) {
            self.forget(socket, reason);
        }
        self.send(key, &[Outgoing::new(&Packet::Close)], false);
    }

    /// A client that polls has fetched what there was.
    pub fn fetched(&mut self, key: Key) {
        if self.clients.get(key).is_some_and(|client| client.is_leaving && !client.session.has_queued()) {
            self.end(key, Reason::TransportClose);
        }
    }

    /// A socket leaves its namespace, and workers hear of it.
    fn forget(&mut self, socket: Key, reason: Reason) {
        let Some(socket) = self.rooms.leave(socket) else { return };
        let letter = Letter::of(socket.id, self.rooms.name(socket.namespace)).text("reason", reason.word());
        self.orders.letters.push(("disconnect", letter.finish()));
    }

    /// Something may wait for this client.
    fn ready(&mut self, key: Key) {
        if let Some(client) = self.clients.get_mut(key)
            && !client.is_ready
        {
            client.is_ready = true;
            self.orders.ready.push(key);
        }
    }

    /// Puts packets that belong together into a client's queue.
    fn send(&mut self, key: Key, packets: &[Outgoing], is_volatile: bool) {
        let Some(client) = self.clients.get_mut(key) else { return };
        match client.session.send(packets, is_volatile, self.options.queue_max) {
            Queued::Waits => {
                self.counts.delivered += 1;
                self.ready(key);
            }
            Queued::Dropped => self.counts.dropped += 1,
            Queued::Overflow if self.options.slow == SlowClient::Drop => self.counts.dropped += 1,
            Queued::Overflow => self.end(key, Reason::TooSlow),
        }
    }

    /// Sends a packet without attachments.
    fn say(&mut self, key: Key, packet: &socketio::Packet<'_>) {
        let mut text = Vec::new();
        packet.write(&mut text);
        let text = String::from_utf8(text).expect("a packet is text");
        self.send(key, &[Outgoing::new(&Packet::Text(&text))], false);
    }

    /// Time has come to `now`.
    pub fn tick(&mut self, now: Tick) {
        while let Some(Reverse((at, due))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            match due {
                Due::Client(key) => self.beat(now, key),
                Due::Ack(id) => self.ack_is_late(id),
                Due::Asked(id) => {
                    self.refuse(id, r#"{"message":"nobody answered whether to let you in"}"#);
                }
            }
        }
    }

    fn beat(&mut self, now: Tick, key: Key) {
        let options = Rc::clone(&self.options);
        let Some(client) = self.clients.get_mut(key) else { return };
        if client.connect_by.is_some_and(|by| by <= now) {
            return self.end(key, Reason::PingTimeout);
        }
        match client.session.beat(now, &options) {
            Beat::TimedOut => return self.end(key, Reason::PingTimeout),
            Beat::Early => {}
            Beat::Ping => self.ready(key),
        }
        if let Some(client) = self.clients.get(key) {
            let deadline = client.session.deadline();
            let deadline = client.connect_by.map_or(deadline, |by| by.min(deadline));
            // While an answer is waited for: it may come at once, and the next ping is due before the answer would be late.
            let next = deadline.min(now + options.ping_interval);
            self.due.push(Reverse((next, Due::Client(key))));
        }
    }

    fn is_open(&self) -> bool {
        self.options.admission == Admission::Open
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
