//! Some servers, their clocks, and a network that does what networks do.

mod commands;

use bytes::Bytes;
use remuda_herd::replica::{
    Collection, Input, Message, Now, Order, Replica, ReplicaEvent, ReplicaOptions, Scope, Scopes, Stamp,
    Touch,
};
use remuda_herd::{Epoch, NodeId};

use super::shelf::Map;

/// When the world began, in milliseconds since 1970.
pub(super) const BEGAN_MS: u64 = 1_760_000_000_000;

/// What a client does.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Set(u8, Option<u64>),
    Delete,
    Count(i8),
    Field(Collection, u8, u8),
    Remove(u8),
    Push(u8),
    Expire(Option<u64>),
    /// An end so long after the world began.
    ExpireAt(u64),
    Rename(u8),
    Flush,
    Swap,
}

/// What is under way.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    Change(Bytes),
    Message(usize, Message),
}

/// What a server has on its disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) map: Map,
    pub(super) notes: Vec<Bytes>,
    pub(super) bound: Stamp,
}

pub(super) struct Server {
    pub(super) replica: Replica,
    pub(super) map: Map,
    pub(super) notes: Vec<Bytes>,
    pub(super) bound: Stamp,
    pub(super) skew_ms: i64,
    pub(super) epoch: u64,
    pub(super) events: Vec<ReplicaEvent>,
}

pub(super) struct World {
    pub(super) servers: Vec<Server>,
    /// Parcels with where they go.
    pub(super) flying: Vec<(usize, Parcel)>,
    /// Every change that was spread.
    pub(super) spread: Vec<Bytes>,
    /// Groups that can not hear each other.
    pub(super) group: Vec<usize>,
    pub(super) tick_ms: u64,
    pub(super) options: ReplicaOptions,
    pub(super) bytes: usize,
}

pub(super) fn id(server: usize) -> NodeId {
    NodeId(server as u64 + 1)
}

pub(super) fn key(number: u8) -> Bytes {
    format!("key:{number}").into()
}

impl World {
    pub(super) fn new(servers: usize, options: ReplicaOptions) -> Self {
        let mut world = Self {
            servers: Vec::new(),
            flying: Vec::new(),
            spread: Vec::new(),
            group: vec![0; servers],
            tick_ms: 1000,
            options,
            bytes: 0,
        };
        for server in 0..servers {
            let replica = world.replica(server, 1, 0, Stamp::ZERO);
            let (map, notes) = (Map::default(), Vec::new());
            let bound = Stamp::ZERO;
            world.servers.push(Server {
                replica,
                map,
                notes,
                bound,
                skew_ms: 0,
                epoch: 1,
                events: Vec::new(),
            });
        }
        world
    }

    pub(super) fn now(&self, skew_ms: i64) -> Now {
        Now { tick_ms: self.tick_ms, wall_ms: (BEGAN_MS + self.tick_ms).saturating_add_signed(skew_ms) }
    }

    fn replica(&self, server: usize, epoch: u64, skew_ms: i64, bound: Stamp) -> Replica {
        let scopes = Scopes::new([(&b"own:"[..], Scope::Local)], Scope::Herd);
        let now = self.now(skew_ms);
        Replica::new(id(server), Epoch(epoch), now, bound, scopes, self.options.clone(), 7)
    }

    pub(super) fn step(&mut self, at: usize, input: Input<'_>) {
        let server = &mut self.servers[at];
        let now = Now {
            tick_ms: self.tick_ms,
            wall_ms: (BEGAN_MS + self.tick_ms).saturating_add_signed(server.skew_ms),
        };
        let mut orders = Vec::new();
        server.map.wall_ms = now.wall_ms;
        server.replica.step(now, input, &mut server.map, &mut orders);
        for (database, key) in std::mem::take(&mut server.map.gone) {
            let lapsed = Input::Local { database, key: &key, touch: Touch::Lapsed };
            server.replica.step(now, lapsed, &mut server.map, &mut orders);
        }
        for order in orders {
            match order {
                Order::Reserve(bound) => server.bound = bound,
                Order::Note(note) => server.notes.push(note),
                Order::Event(event) => server.events.push(event),
                Order::Spread(change) => {
                    self.spread.push(change.clone());
                    let others = (0..self.group.len()).filter(|&other| other != at);
                    self.flying.extend(others.map(|other| (other, Parcel::Change(change.clone()))));
                }
                Order::Send(peer, message) => {
                    self.bytes += message.size_bytes();
                    let to = usize::try_from(peer.0 - 1).unwrap();
                    self.flying.push((to, Parcel::Message(at, message)));
                }
            }
        }
    }

    pub(super) fn read_clock(&mut self, at: usize) {
        self.servers[at].map.wall_ms = self.now(self.servers[at].skew_ms).wall_ms;
    }

    /// Removes what has ended by a server's own clock.
    pub(super) fn lapse(&mut self, at: usize) {
        self.read_clock(at);
        let now = self.now(self.servers[at].skew_ms);
        for (database, name) in self.servers[at].map.over(now.wall_ms) {
            self.servers[at].map.purge(database, &name);
            self.step(at, Input::Local { database, key: &name, touch: Touch::Lapsed });
        }
    }

    /// Delivers one parcel, or loses it where its way is cut.
    pub(super) fn deliver(&mut self, index: usize, is_copy: bool) {
        let index = index % self.flying.len();
        let (to, parcel) = if is_copy { self.flying[index].clone() } else { self.flying.swap_remove(index) };
        match parcel {
            Parcel::Change(change) => {
                let from = remuda_herd::replica::decode_change(&change).unwrap().mark.node;
                if self.group[usize::try_from(from.0 - 1).unwrap()] == self.group[to] {
                    self.step(to, Input::Change(change));
                }
            }
            Parcel::Message(from, message) if self.group[from] == self.group[to] => {
                self.step(to, Input::Message(id(from), message));
                self.step(to, Input::Room(id(from), 100_000));
            }
            Parcel::Message(..) => {}
        }
    }

    /// Delivers everything, in order, until nothing is under way.
    pub(super) fn settle(&mut self) {
        let mut left = 200_000;
        while !self.flying.is_empty() {
            let flying = std::mem::take(&mut self.flying);
            for (index, parcel) in flying.into_iter().enumerate() {
                let _ = index;
                self.flying.push(parcel);
                let last = self.flying.len() - 1;
                self.deliver(last, false);
            }
            left -= 1;
            assert!(left > 0, "the servers talk for ever");
        }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.tick_ms += ms;
    }

    pub(super) fn disk(&self, at: usize) -> Disk {
        let server = &self.servers[at];
        Disk { map: server.map.clone(), notes: server.notes.clone(), bound: server.bound }
    }

    /// Starts a server anew from what is on a disk.
    pub(super) fn restart(&mut self, at: usize, disk: Disk) {
        let (skew_ms, epoch) = (self.servers[at].skew_ms, self.servers[at].epoch + 1);
        let now = self.now(skew_ms);
        let mut replica = self.replica(at, epoch, skew_ms, disk.bound);
        for note in &disk.notes {
            replica.restore(now, note).unwrap();
        }
        let Disk { map, notes, bound } = disk;
        let events = Vec::new();
        self.servers[at] = Server { replica, map, notes, bound, skew_ms, epoch, events };
        self.flying
            .retain(|(to, parcel)| *to != at && !matches!(parcel, Parcel::Message(from, _) if *from == at));
        for database in [0, 1] {
            self.step(at, Input::All { database, is_restored: true });
        }
    }

    /// All can hear all.
    pub(super) fn join(&mut self) {
        self.group.fill(0);
        for at in 0..self.servers.len() {
            for other in (0..self.servers.len()).filter(|&other| other != at) {
                self.step(at, Input::LinkDown(id(other)));
                self.step(at, Input::LinkUp(id(other)));
            }
        }
        self.settle();
    }

    /// Has the servers compare until they are equal. Returns whether they became so.
    pub(super) fn heal(&mut self) -> bool {
        self.join();
        self.compare(4 * self.servers.len())
    }

    /// Has each server compare so many times. Returns whether all became equal.
    pub(super) fn compare(&mut self, rounds: usize) -> bool {
        for _ in 0..rounds {
            self.pass(2 * self.options.compare_ms);
            for at in 0..self.servers.len() {
                self.lapse(at);
                self.step(at, Input::Tick);
            }
            self.settle();
            if self.is_equal() {
                return true;
            }
        }
        false
    }

    pub(super) fn is_equal(&self) -> bool {
        let first = &self.servers[0];
        let is_equal =
            |server: &Server| server.map == first.map && server.replica.digest() == first.replica.digest();
        self.servers.iter().all(is_equal)
    }

    pub(super) fn maps(&self) -> Vec<&Map> {
        self.servers.iter().map(|server| &server.map).collect()
    }
}
