//! The asking side: fetching what a peer has and this server lacks.
//!
//! When a link comes up the peer is asked for its recent changes, those left out that are known here. If it no longer
//! remembers enough of them, and from time to time anyway, the trees of digests are compared from the top: where they
//! differ one goes down, in leaves that differ the keys are compared, and those that differ are fetched. One question
//! is under way at a time, and what came is taken in at once; a pull that is cut off has lost only its place.
//!
//! When a pull is complete, this server has everything the peer had when it began, and knows what the peer knew. And
//! what this server has, the peer has not, though it knew of it, was deleted so long ago that the peer has forgotten it.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use crate::replica::clock::Now;
use crate::replica::code::{decode_state, encode_state};
use crate::replica::fold;
use crate::replica::known::Known;
use crate::replica::mark::{Mark, Stamp};
use crate::replica::message::{ASKED_MAX, Message, WANTED_MAX};
use crate::replica::meta::Part;
use crate::replica::order::{Order, ReplicaEvent};
use crate::replica::serve::low;
use crate::replica::shelf::Shelf;
use crate::replica::table::{Address, LEAVES, LEVELS, address, parts_of};
use crate::replica::{Peer, Replica};
use crate::{Epoch, NodeId};

/// Differing keys told of by a check; the others are counted.
const TOLD_MAX: u64 = 1_000;

/// Nodes and leaves of the other's tree that are still to be asked for: each at most once, so there are never more than
/// a tree has.
const TREE_MAX: usize = 1 + 16 + 256 + 4_096 + LEAVES;
/// Keys that are still to be fetched: those of the leaves asked for at once, which are a 512th of all. 1,048,576.
const FETCHED_MAX: usize = 1 << 20;

/// How often a check begins anew because it hears nothing; after that it waits until it is given up.
const ANEW_MAX: u32 = 30;

/// A pull under way.
#[derive(Debug)]
pub(crate) struct Pull {
    id: u32,
    is_check: bool,
    /// A pull that this check has taken the place of, and whether it was to compare the trees: it is begun again after.
    owed: Option<bool>,
    /// Whether it asked for everything to be compared.
    asks_for_tree: bool,
    /// Whether everything was compared, and not only what changed last.
    is_by_tree: bool,
    began_tick_ms: u64,
    /// When the peer was heard last; a check that began anew has heard what the one before it has.
    heard_tick_ms: u64,
    /// How often this check began anew.
    anew: u32,
    /// The peer as it began.
    epoch: Epoch,
    known: Known,
    pub(super) horizon: Stamp,
    nodes: VecDeque<(u8, u32)>,
    leaves: VecDeque<u16>,
    wanted: VecDeque<u64>,
    /// Something could not be taken in: this server does not know all that the peer knew.
    is_partial: bool,
    pub(super) keys: u64,
    bytes: u64,
}

impl Replica {
    pub(super) fn begin_pull(
        &mut self,
        now: Now,
        peer: NodeId,
        by_tree: bool,
        is_check: bool,
        orders: &mut Vec<Order>,
    ) {
        self.next_pull = self.next_pull.wrapping_add(1);
        let place = self.peers.entry(peer).or_default();
        let replaced = place.pull.as_ref().filter(|_| is_check);
        let owed = replaced.and_then(|pull| if pull.is_check { pull.owed } else { Some(pull.asks_for_tree) });
        place.pull = Some(Pull {
            id: self.next_pull,
            is_check,
            owed,
            asks_for_tree: by_tree,
            is_by_tree: true,
            began_tick_ms: now.tick_ms,
            heard_tick_ms: now.tick_ms,
            anew: 0,
            epoch: self.epoch,
            known: Known::default(),
            horizon: Stamp::ZERO,
            nodes: VecDeque::new(),
            leaves: VecDeque::new(),
            wanted: VecDeque::new(),
            is_partial: false,
            keys: 0,
            bytes: 0,
        });
        let begin = Message::Begin {
            pull: self.next_pull,
            scopes: self.scopes.fingerprint(),
            known: self.known.stretches().collect(),
            by_tree,
            resume: place.resume,
        };
        orders.push(Order::Send(peer, begin));
    }

    /// Gives up pulls that hear nothing. Checks begin anew some times before that: they may go through other servers,
    /// which drop what they cannot pass on.
    pub(super) fn mind_silence(&mut self, now: Now, orders: &mut Vec<Order>) {
        let (patience, again) = (self.options.patience_ms, self.options.check_again_ms);
        let is_due =
            |peer: &Peer| peer.pull.as_ref().is_some_and(|pull| pull.due(patience, again) <= now.tick_ms);
        let due: Vec<NodeId> =
            self.peers.iter().filter(|(_, peer)| is_due(peer)).map(|(&id, _)| id).collect();
        for id in due {
            let Some(pull) = self.peers.get_mut(&id).and_then(|peer| peer.pull.as_mut()) else { continue };
            let (heard_tick_ms, anew) = (pull.heard_tick_ms, pull.anew);
            if pull.given_up(patience) <= now.tick_ms {
                self.peers.entry(id).or_default().pull = None;
                self.figures.abandoned += 1;
                orders.push(Order::Event(ReplicaEvent::Abandoned(id)));
                continue;
            }
            self.begin_pull(now, id, true, true, orders);
            if let Some(pull) = &mut self.peers.entry(id).or_default().pull {
                (pull.heard_tick_ms, pull.anew) = (heard_tick_ms, anew + 1);
            }
        }
    }

    /// When [`Self::mind_silence`] has something to do.
    pub(super) fn silence_due(&self) -> Option<u64> {
        let (patience, again) = (self.options.patience_ms, self.options.check_again_ms);
        self.peers.values().filter_map(|peer| peer.pull.as_ref()).map(|pull| pull.due(patience, again)).min()
    }

    /// Whatever a peer says.
    pub(super) fn said(
        &mut self,
        now: Now,
        peer: NodeId,
        message: Message,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        match message {
            Message::Begin { .. } => return self.begun_by(peer, message, orders),
            Message::Ask { .. } | Message::AskLeaves { .. } | Message::Want { .. } => {
                return self.asked(peer, message, orders);
            }
            _ => {}
        }
        let place = self.peers.entry(peer).or_default();
        // An answer to a pull that was given up.
        let Some(mut pull) = place.pull.take_if(|pull| pull.id == message.pull()) else { return };
        pull.heard_tick_ms = now.tick_ms;
        pull.bytes += message.size_bytes() as u64;
        let goes_on = match message {
            Message::Refused { .. } => {
                orders.push(Order::Event(ReplicaEvent::ScopesDiffer(peer)));
                return;
            }
            Message::Begun { is_recent, known, horizon, epoch, root, .. } => {
                pull.epoch = epoch;
                pull.known = Known::from_stretches(known);
                pull.horizon = horizon;
                pull.is_by_tree = !is_recent;
                if !is_recent && root != self.table.root() {
                    pull.nodes.push_back((0, 0));
                }
                if is_recent { Some(false) } else { Some(true) }
            }
            Message::Sums { level, sums, .. } => Some(self.compare_sums(&mut pull, level, &sums)),
            Message::Leaves { leaves, is_last, .. } => {
                for (leaf, keys) in &leaves {
                    self.compare_leaf(peer, &mut pull, *leaf, keys, shelf, orders);
                }
                Some(is_last)
            }
            Message::States { states, position, is_last, .. } => {
                for state in &states {
                    self.pulled(now, peer, &mut pull, state, shelf, orders);
                }
                if position > 0 && !pull.is_partial {
                    self.peers.entry(peer).or_default().resume = Some((pull.epoch, position));
                }
                Some(is_last)
            }
            _ => None,
        };
        if pull.nodes.len() + pull.leaves.len() > TREE_MAX || pull.wanted.len() > FETCHED_MAX {
            // It answers what was not asked.
            self.figures.abandoned += 1;
            orders.push(Order::Event(ReplicaEvent::Abandoned(peer)));
            return;
        }
        let question = if goes_on == Some(true) { pull.question() } else { None };
        match (goes_on, question) {
            (Some(true), None) => self.complete(now, peer, &pull, orders),
            (_, question) => {
                orders.extend(question.map(|question| Order::Send(peer, question)));
                self.peers.entry(peer).or_default().pull = Some(pull);
            }
        }
    }

    fn compare_sums(&self, pull: &mut Pull, level: u8, sums: &[(u32, [u64; 16])]) -> bool {
        for (node, theirs) in sums.iter().take(ASKED_MAX) {
            let Some(own) = self.table.branches(level, *node) else { continue };
            for (branch, _) in (0u32..).zip(own.iter().zip(theirs)).filter(|(_, (own, theirs))| own != theirs)
            {
                let below = node * 16 + branch;
                match u16::try_from(below) {
                    Ok(leaf) if level + 1 == LEVELS => pull.leaves.push_back(leaf),
                    _ => pull.nodes.push_back((level + 1, below)),
                }
            }
        }
        true
    }

    fn compare_leaf(
        &mut self,
        peer: NodeId,
        pull: &mut Pull,
        leaf: u16,
        keys: &[(u32, u32)],
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let mut theirs: Vec<(u32, u32)> = keys.to_vec();
        theirs.sort_unstable();
        let mut own: Vec<(u32, u32)> = Vec::new();
        let mut only_here: Vec<Address> = Vec::new();
        for (name, entry) in self.table.leaf(leaf) {
            let hash = low(fold::short(name));
            own.push((hash, fold::seasoned(entry.fingerprint(name), pull.id)));
            let at = theirs.partition_point(|&(other, _)| other < hash);
            if entry.is_live() && theirs.get(at).is_none_or(|&(other, _)| other != hash) {
                only_here.push(name.into());
            }
        }
        own.sort_unstable();
        let is_had = |key: &(u32, u32)| own.binary_search(key).is_ok();
        // A key that is gone there is of interest where it is here.
        let is_live_here = |hash: u32| {
            let at = own.partition_point(|&(other, _)| other < hash);
            own[at..].iter().take_while(|(other, _)| *other == hash).any(|(_, print)| *print != 0)
        };
        let differs = |key: &&(u32, u32)| !is_had(key) && (key.1 != 0 || is_live_here(key.0));
        let whole = |hash: u32| u64::from(leaf) << 48 | u64::from(hash);
        let wanted: BTreeSet<u64> = theirs.iter().filter(differs).map(|&(hash, _)| whole(hash)).collect();
        pull.wanted.extend(wanted);
        for name in only_here {
            if pull.is_check {
                pull.differs(peer, &name, orders);
            } else {
                self.drop_if_deleted(peer, pull, &name, shelf);
            }
        }
    }

    /// Takes in what came.
    fn pulled(
        &mut self,
        now: Now,
        peer: NodeId,
        pull: &mut Pull,
        bytes: &Bytes,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let Ok(mut state) = decode_state(bytes) else {
            pull.is_partial = true;
            self.figures.refused += 1;
            return;
        };
        if pull.is_check {
            if let Some(name) = address(state.database, &state.key) {
                pull.differs(peer, &name, orders);
            }
            return;
        }
        if !self.clock.is_near(now, state.newest().stamp) {
            pull.is_partial = true;
            return;
        }
        let named: BTreeSet<Part> =
            state.elements.iter().map(|element| (element.collection, Box::from(&element.name[..]))).collect();
        self.strike_forgotten(&mut state);
        let Ok(taken) = self.take_in(now, peer, &state, shelf) else {
            pull.is_partial = true;
            self.figures.refused += 1;
            return;
        };
        let Some((name, joined)) = taken else { return };
        let dropped = self.drop_forgotten(peer, pull, &name, &state, &named, shelf);
        self.note_complete(&name, &state);
        if joined.is_nothing() && !dropped {
            return;
        }
        pull.keys += 1;
        self.figures.repaired += 1;
        let mut newest: Vec<Mark> = Vec::new();
        for mark in state.marks().filter(|&mark| mark.node != Mark::ZERO.node) {
            match newest.iter_mut().find(|other| other.node == mark.node) {
                Some(other) => *other = mark.max(*other),
                None => newest.push(mark),
            }
        }
        for mark in newest {
            self.taken(mark, None, &name);
        }
        orders.push(Order::Note(encode_state(&self.noted(&name, &state, &joined))));
    }

    fn complete(&mut self, now: Now, peer: NodeId, pull: &Pull, orders: &mut Vec<Order>) {
        if pull.is_check {
            orders.push(Order::Event(ReplicaEvent::Checked { peer, differing: pull.keys }));
            if let Some(by_tree) = pull.owed {
                self.begin_pull(now, peer, by_tree, false, orders);
            }
            return;
        }
        if !pull.is_partial {
            self.known.merge(&pull.known);
        }
        if !pull.is_by_tree {
            self.plan_refill(now, self.options.compare_ms);
        }
        self.figures.synced += 1;
        orders.push(Order::Note(self.knowledge()));
        let took_ms = now.tick_ms.saturating_sub(pull.began_tick_ms);
        let (keys, bytes) = (pull.keys, pull.bytes);
        orders.push(Order::Event(ReplicaEvent::Synced { peer, keys, bytes, took_ms }));
    }
}

impl Pull {
    fn given_up(&self, patience_ms: u64) -> u64 {
        self.heard_tick_ms.saturating_add(patience_ms)
    }

    /// When it is given up, or begins anew.
    fn due(&self, patience_ms: u64, again_ms: u64) -> u64 {
        let given_up = self.given_up(patience_ms);
        if !self.is_check || self.anew >= ANEW_MAX {
            return given_up;
        }
        given_up.min(self.began_tick_ms.max(self.heard_tick_ms).saturating_add(again_ms))
    }

    /// The next question; none when everything was compared and fetched.
    fn question(&mut self) -> Option<Message> {
        let pull = self.id;
        let has_all = self.nodes.is_empty() && self.leaves.is_empty();
        if self.wanted.len() >= WANTED_MAX || (has_all && !self.wanted.is_empty()) {
            let hashes = self.wanted.drain(..self.wanted.len().min(WANTED_MAX)).collect();
            return Some(Message::Want { pull, hashes, names_only: self.is_check });
        }
        if !self.leaves.is_empty() {
            let leaves = self.leaves.drain(..self.leaves.len().min(ASKED_MAX)).collect();
            return Some(Message::AskLeaves { pull, leaves });
        }
        let (level, _) = *self.nodes.front()?;
        let len = self.nodes.iter().take(ASKED_MAX).take_while(|(each, _)| *each == level).count();
        let nodes = self.nodes.drain(..len).map(|(_, node)| node).collect();
        Some(Message::Ask { pull, level, nodes })
    }

    /// Whether the peer knew a change, and has had the time to forget that it was undone.
    pub(super) fn has_forgotten(&self, mark: Mark) -> bool {
        mark.stamp < self.horizon && self.known.covers(mark)
    }

    fn differs(&mut self, peer: NodeId, name: &[u8], orders: &mut Vec<Order>) {
        self.keys += 1;
        if self.keys <= TOLD_MAX {
            let (database, key) = parts_of(name);
            let key = Bytes::copy_from_slice(key);
            orders.push(Order::Event(ReplicaEvent::Differs { peer, database, key }));
        }
    }
}
