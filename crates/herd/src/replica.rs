//! Stores that become equal: who changed which key when, what of another's news counts, and how differences are found.
//!
//! The replica stands beside the store and keeps no values. Told of a client's command it makes a [`Change`] for the
//! other servers; told of another server's change it takes in what is newer (`meta` has the rules) and writes that to
//! the [`Shelf`]. Changes may come in any order, several times or never: what went missing is found by *pulls*, which
//! ask a peer for its recent changes, or compare trees of digests with it (`pull`, `serve`). The same state is reached
//! whichever way news came.
//!
//! It is a machine: [`Replica::step`] with the time and an input, orders out, and [`Replica::deadline_tick_ms`]. It reads
//! and writes keys while it runs, through the shelf, and nothing else.

mod clock;
mod code;
mod ended;
mod ends;
mod figures;
mod fold;
mod forgotten;
mod known;
mod local;
mod mark;
mod message;
mod meta;
mod options;
mod order;
mod page;
mod portrait;
mod pull;
mod quarantine;
mod recent;
mod refill;
mod remote;
mod scope;
mod serve;
mod shelf;
mod state;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

pub use clock::{Clock, Now};
pub use code::{CodeError, decode_change, decode_state, encode_change, encode_state};
pub use figures::{ReplicaFigures, ReplicaView};
pub use known::{KNOWN_MAX, Known, Stretch};
pub use mark::{Mark, Stamp};
pub use message::{ASKED_MAX, Message, WANTED_MAX};
pub use options::ReplicaOptions;
pub use order::{Input, Order, ReplicaEvent, Touch};
pub use scope::{Scope, Scopes};
pub use shelf::Shelf;
pub use state::{Base, Body, Change, Collection, Element, Expiry, Extent, KeyState, Shape, Share};
pub use table::{BRANCHES, KEY_MAX_BYTES, LEAVES, LEVELS};

use crate::replica::code::{Knowledge, Note};
use crate::replica::ended::Ended;
use crate::replica::meta::More;
use crate::replica::pull::Pull;
use crate::replica::quarantine::Quarantine;
use crate::replica::recent::Recent;
use crate::replica::serve::Serve;
use crate::replica::table::{Address, Table};
use crate::{Epoch, NodeId};

/// Keys of one server, as a replica of the herd's.
#[derive(Debug)]
pub struct Replica {
    me: NodeId,
    epoch: Epoch,
    options: ReplicaOptions,
    scopes: Scopes,
    clock: Clock,
    table: Table,
    known: Known,
    recent: Recent,
    ended: Ended,
    quarantine: Quarantine,
    /// The last change made here in this life.
    previous: Stamp,
    /// Before every change of this life.
    begun: Stamp,
    peers: BTreeMap<NodeId, Peer>,
    next_pull: u32,
    compare_tick_ms: u64,
    /// When what is lacking here is looked for at all peers, and how long after the last time that is.
    refill: Option<(u64, u64)>,
    random: u64,
    figures: ReplicaFigures,
}

/// A peer that can be reached, or could be.
#[derive(Debug, Default)]
struct Peer {
    is_up: bool,
    pull: Option<Pull>,
    serve: Option<Serve>,
    /// Up to where its recent changes were taken in, in which of its lives.
    resume: Option<(Epoch, u64)>,
}

impl Replica {
    /// A replica without keys. `bound` is the last [`Order::Reserve`] of the life before, zero in the first one.
    #[must_use]
    pub fn new(
        me: NodeId,
        epoch: Epoch,
        now: Now,
        bound: Stamp,
        scopes: Scopes,
        options: ReplicaOptions,
        seed: u64,
    ) -> Self {
        let mut clock = Clock::new(now, bound, options.ahead_max_ms);
        // What this life makes comes after this stamp; what lies between here and the life before, nobody claims.
        let previous = clock.give(now);
        let mut replica = Self {
            me,
            epoch,
            scopes,
            clock,
            table: Table::new(),
            known: Known::default(),
            recent: Recent::default(),
            ended: Ended::default(),
            quarantine: Quarantine::default(),
            previous,
            begun: previous,
            peers: BTreeMap::new(),
            next_pull: 0,
            compare_tick_ms: 0,
            refill: None,
            random: fold::mix(seed, me.0),
            figures: ReplicaFigures::default(),
            options,
        };
        replica.plan_comparison(now);
        replica
    }

    /// Takes a note from the disk, in the order they were written; before anything else.
    ///
    /// # Errors
    /// When it can not be read. Nothing was taken from it.
    pub fn restore(&mut self, now: Now, note: &Bytes) -> Result<(), CodeError> {
        match code::decode_note(note)? {
            Note::Change(change) => {
                if let Some(address) = self.restore_state(now, &change.state) {
                    self.taken(change.mark, Some(change.previous), &address);
                }
            }
            Note::State(state) => {
                self.restore_state(now, &state);
                for mark in state.marks() {
                    self.recent.forget(mark);
                }
            }
            Note::Knowledge(knowledge) if knowledge.scopes == self.scopes.fingerprint() => {
                self.known.merge(&knowledge.known);
                self.ended.horizon = self.ended.horizon.max(knowledge.horizon);
            }
            // Under other rules it kept other keys, and knows of none whether it was deleted.
            Note::Knowledge(_) => self.known = Known::default(),
        }
        let begun = self.clock.give(now);
        self.previous = self.previous.max(begun);
        self.begun = self.previous;
        Ok(())
    }

    /// Everything there is to write down, as notes, none much larger than a message: for a journal that begins anew.
    pub fn export(&self, sink: &mut dyn FnMut(Bytes)) {
        for leaf in 0..=u16::MAX {
            for (name, _) in self.table.leaf(leaf) {
                let mut after = None;
                loop {
                    let (state, next) = self.bare_portrait(name, after.as_ref());
                    sink(encode_state(&state));
                    match next {
                        Some(_) => after = next,
                        None => break,
                    }
                }
            }
        }
        sink(self.knowledge());
    }

    /// Goes one step.
    pub fn step(&mut self, now: Now, input: Input<'_>, shelf: &mut dyn Shelf, orders: &mut Vec<Order>) {
        match input {
            Input::Local { database, key, touch } => self.touched(now, database, key, touch, shelf, orders),
            Input::All { database, is_restored } => {
                self.all_touched(now, database, is_restored, shelf, orders);
            }
            Input::Change(bytes) => self.arrived(now, &bytes, shelf, orders),
            Input::LinkUp(peer) => self.link_up(now, peer, orders),
            Input::LinkDown(peer) => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    *peer = Peer { resume: peer.resume, ..Peer::default() };
                }
            }
            Input::Message(peer, message) => self.said(now, peer, message, shelf, orders),
            Input::Room(peer, bytes) => self.answer(peer, bytes, shelf, orders),
            Input::Compare(peer) => self.begin_pull(now, peer, true, false, orders),
            Input::Check(peer) => self.begin_pull(now, peer, true, true, orders),
            Input::Tick => self.tick(now, shelf, orders),
        }
    }

    /// When [`Input::Tick`] is wanted, by the clock that never jumps.
    #[must_use]
    pub fn deadline_tick_ms(&self) -> u64 {
        let refill = self.refill.map(|(due, _)| due);
        let dues = [self.quarantine.due_tick_ms(), self.ended.next_tick_ms(), self.silence_due(), refill];
        dues.into_iter().flatten().fold(self.compare_tick_ms, u64::min)
    }

    /// Whether a peer waits for an answer, which [`Input::Room`] lets go.
    #[must_use]
    pub fn owes(&self, peer: NodeId) -> bool {
        self.peers.get(&peer).and_then(|peer| peer.serve.as_ref()).is_some_and(Serve::is_busy)
    }

    /// Whether a pull from a peer is under way.
    #[must_use]
    pub fn is_pulling(&self, peer: NodeId) -> bool {
        self.peers.get(&peer).is_some_and(|peer| peer.pull.is_some())
    }

    /// Equal on two servers where the keys are, and who changed them when.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.table.root()
    }

    /// The scope of a key.
    #[must_use]
    pub fn scope_of(&self, key: &[u8]) -> Scope {
        self.scopes.of(key)
    }

    /// The databases that have keys of the herd.
    #[must_use]
    pub fn databases(&self) -> BTreeSet<u32> {
        let keys = (0..=u16::MAX).flat_map(|leaf| self.table.leaf(leaf));
        keys.filter(|(_, entry)| entry.is_live()).map(|(name, _)| table::parts_of(name).0).collect()
    }

    /// A glance.
    #[must_use]
    pub fn view(&self) -> ReplicaView {
        ReplicaView {
            figures: self.figures,
            keys: self.table.live,
            ended: self.table.ended,
            digest: self.digest(),
            waiting: self.quarantine.len(),
            memory_bytes: self.table.memory_bytes() + self.recent.memory_bytes(),
        }
    }

    fn link_up(&mut self, now: Now, id: NodeId, orders: &mut Vec<Order>) {
        let peer = self.peers.entry(id).or_default();
        *peer = Peer { is_up: true, resume: peer.resume, ..Peer::default() };
        self.begin_pull(now, id, false, false, orders);
    }

    fn tick(&mut self, now: Now, shelf: &mut dyn Shelf, orders: &mut Vec<Order>) {
        self.release(now, shelf, orders);
        self.forget_ended(now);
        self.mind_silence(now, orders);
        self.refill(now, orders);
        if now.tick_ms >= self.compare_tick_ms {
            self.plan_comparison(now);
            let free = self.free_peers();
            let chance = self.chance(free.len() as u64);
            if let Some(&peer) = usize::try_from(chance).ok().and_then(|chance| free.get(chance)) {
                self.begin_pull(now, peer, true, false, orders);
            }
        }
    }

    /// Forgets deletions that are old, or too many.
    fn forget_ended(&mut self, now: Now) {
        while let Some((end, is_early)) = self.ended.pop(now.tick_ms, self.options.ended_max) {
            let Some(entry) = self.table.get(&end.address) else { continue };
            let ended = entry.more.and_then(More::end).unwrap_or(Mark::ZERO).stamp;
            match &end.part {
                Some(part) => {
                    let have = entry.more.and_then(|more| more.parts.get(part));
                    if have.is_none_or(|have| have.is_live || have.mark != end.mark) {
                        continue;
                    }
                    let mut meta = self.table.take(&end.address);
                    meta.drop_part(part);
                    self.table.put(&end.address, meta);
                }
                None if entry.is_live() || entry.newest() != end.mark => continue,
                None => self.table.remove(&end.address),
            }
            self.ended.horizon = self.ended.horizon.max(end.mark.stamp).max(ended);
            self.figures.forgotten_early += u64::from(is_early);
        }
    }

    fn restore_state(&mut self, now: Now, state: &KeyState) -> Option<Address> {
        let address = table::address(state.database, &state.key)?;
        if state.marks().any(|mark| !self.table.has_room_for(mark.node)) {
            return None;
        }
        self.clock.resume_after(state.newest().stamp);
        let mut meta = self.table.take(&address);
        if let Extent::Lacking(end) = state.extent {
            meta.lack(end);
        }
        // Nothing ends yet: what ended when is in the notes that follow, and in the store.
        let joined = meta.join(state, 0);
        if meta.wants_number()
            && let Base::Whole(Body::Text(text)) = &state.base
        {
            meta.set_number(meta::integer(text));
        }
        self.remember_ends(now, &address, &meta, &joined);
        self.table.put(&address, meta);
        Some(address)
    }

    /// What is to be written down beside the keys.
    fn knowledge(&self) -> Bytes {
        code::encode_knowledge(&Knowledge {
            known: self.known.clone(),
            horizon: self.ended.horizon,
            scopes: self.scopes.fingerprint(),
        })
    }

    fn plan_comparison(&mut self, now: Now) {
        let pause = self.options.compare_ms;
        let jitter = self.chance(pause.max(1));
        self.compare_tick_ms =
            now.tick_ms.saturating_add(pause / 2).saturating_add(jitter).max(now.tick_ms + 1);
    }

    /// A number below `limit`, by chance from the seed; zero for zero.
    fn chance(&mut self, limit: u64) -> u64 {
        self.random = fold::mix(self.random, 1);
        self.random.checked_rem(limit).unwrap_or(0)
    }

    fn recent_max(&self) -> usize {
        self.options.recent_min.max(self.table.live / 4)
    }
}
