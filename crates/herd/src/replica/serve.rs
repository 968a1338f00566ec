//! The answering side of a pull: one question at a time, as many bytes as the shell grants.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use crate::NodeId;
use crate::replica::Replica;
use crate::replica::code::encode_state;
use crate::replica::fold;
use crate::replica::known::Known;
use crate::replica::mark::Mark;
use crate::replica::message::{ASKED_MAX, Message, WANTED_MAX};
use crate::replica::meta::Part;
use crate::replica::order::Order;
use crate::replica::portrait::Told;
use crate::replica::shelf::Shelf;
use crate::replica::state::KeyState;
use crate::replica::table::{Address, Entry, parts_of};

/// Recent changes looked at in one go; most are known to the asker, or were overwritten.
const LOOKED_AT_MAX: u64 = 8_192;

/// What a peer has asked and was not fully told yet.
#[derive(Debug)]
pub(crate) struct Serve {
    pull: u32,
    known: Known,
    work: Work,
    /// Keys that were told of already.
    told: BTreeSet<u64>,
    /// A key too large for one message, and where to go on.
    rest: Option<(Address, Part)>,
}

#[derive(Debug)]
enum Work {
    Nothing,
    /// Recent changes from a position up to another one.
    Recent(u64, u64),
    Leaves(VecDeque<u16>),
    Keys(VecDeque<u64>, bool),
}

impl Serve {
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.work, Work::Nothing)
    }
}

impl Replica {
    /// A peer begins to ask.
    pub(super) fn begun_by(&mut self, peer: NodeId, begin: Message, orders: &mut Vec<Order>) {
        let Message::Begin { pull, scopes, known, by_tree, resume } = begin else { return };
        let own = self.scopes.fingerprint();
        if scopes != own {
            orders.push(Order::Send(peer, Message::Refused { pull, scopes: own }));
            return;
        }
        let known = Known::from_stretches(known);
        let (first, end) = (self.recent.first(), self.recent.end());
        let resumed = resume.filter(|&(epoch, at)| epoch == self.epoch && (first..=end).contains(&at));
        let start = match resumed {
            Some((_, at)) => Some(at),
            None => known.covers_all(&self.known, self.recent.forgotten()).then_some(first),
        };
        let start = start.filter(|_| !by_tree);
        let work = start.map_or(Work::Nothing, |start| Work::Recent(start, end));
        let begun = Message::Begun {
            pull,
            is_recent: start.is_some(),
            known: self.known.stretches().collect(),
            horizon: self.ended.horizon,
            epoch: self.epoch,
            root: self.table.root(),
        };
        orders.push(Order::Send(peer, begun));
        let serve = Serve { pull, known, work, told: BTreeSet::new(), rest: None };
        self.peers.entry(peer).or_default().serve = Some(serve);
    }

    /// A peer asks on. Questions of a pull that is not known any more are not answered: the asker begins anew.
    pub(super) fn asked(&mut self, peer: NodeId, question: Message, orders: &mut Vec<Order>) {
        let serve = self.peers.get_mut(&peer).and_then(|peer| peer.serve.as_mut());
        let Some(serve) = serve.filter(|serve| serve.pull == question.pull() && !serve.is_busy()) else {
            return;
        };
        match question {
            Message::Ask { pull, level, nodes } => {
                let nodes = nodes.into_iter().take(ASKED_MAX);
                let sums = nodes.filter_map(|node| Some((node, self.table.branches(level, node)?))).collect();
                orders.push(Order::Send(peer, Message::Sums { pull, level, sums }));
            }
            Message::AskLeaves { leaves, .. } => {
                serve.work = Work::Leaves(leaves.into_iter().take(ASKED_MAX).collect());
            }
            Message::Want { hashes, names_only, .. } => {
                serve.work = Work::Keys(hashes.into_iter().take(WANTED_MAX).collect(), names_only);
            }
            _ => {}
        }
    }

    /// Answers with so many bytes, and at most one message more.
    pub(super) fn answer(&mut self, peer: NodeId, bytes: usize, shelf: &dyn Shelf, orders: &mut Vec<Order>) {
        let Some(mut serve) = self.peers.get_mut(&peer).and_then(|peer| peer.serve.take()) else { return };
        let mut sent = 0;
        while sent < bytes && serve.is_busy() {
            let message = match &mut serve.work {
                Work::Nothing => break,
                Work::Leaves(_) => self.leaves(&mut serve),
                Work::Recent(..) | Work::Keys(..) => self.states(&mut serve, shelf),
            };
            sent += message.size_bytes();
            orders.push(Order::Send(peer, message));
        }
        self.peers.entry(peer).or_default().serve = Some(serve);
    }

    fn leaves(&self, serve: &mut Serve) -> Message {
        let Work::Leaves(queue) = &mut serve.work else {
            return Message::Leaves { pull: serve.pull, leaves: Vec::new(), is_last: true };
        };
        let (mut leaves, mut keys_told) = (Vec::new(), 0);
        while keys_told * 8 < self.options.message_bytes {
            let Some(leaf) = queue.pop_front() else { break };
            let salt = serve.pull;
            let print = |name: &[u8], entry: Entry<'_>| fold::seasoned(entry.fingerprint(name), salt);
            let keys =
                self.table.leaf(leaf).map(|(name, entry)| (low(fold::short(name)), print(name, entry)));
            let keys: Vec<(u32, u32)> = keys.collect();
            keys_told += keys.len();
            leaves.push((leaf, keys));
        }
        let is_last = queue.is_empty();
        if is_last {
            serve.work = Work::Nothing;
        }
        Message::Leaves { pull: serve.pull, leaves, is_last }
    }

    /// States, as many as a message takes.
    fn states(&self, serve: &mut Serve, shelf: &dyn Shelf) -> Message {
        let (mut states, mut bytes, mut looked_at, mut position) = (Vec::new(), 0, 0, 0);
        while bytes < self.options.message_bytes && looked_at < LOOKED_AT_MAX {
            looked_at += 1;
            if let Some((address, part)) = serve.rest.take() {
                self.tell(serve, &address, Some(&part), shelf, &mut states, &mut bytes);
                continue;
            }
            let hash = match &mut serve.work {
                Work::Recent(at, end) if *at < *end => {
                    *at += 1;
                    position = *at;
                    let arrival = self.recent.at(*at - 1).filter(|arrival| !serve.known.covers(arrival.mark));
                    arrival.map(|arrival| arrival.hash).filter(|&hash| serve.told.insert(hash))
                }
                Work::Keys(hashes, _) if !hashes.is_empty() => hashes.pop_front(),
                _ => break,
            };
            let Some(hash) = hash else { continue };
            let names: Vec<Address> = self.table.with_hash(hash).map(Address::from).collect();
            for name in names {
                self.tell(serve, &name, None, shelf, &mut states, &mut bytes);
            }
        }
        let is_last = serve.rest.is_none()
            && match &serve.work {
                Work::Recent(at, end) => at >= end,
                Work::Keys(hashes, _) => hashes.is_empty(),
                Work::Nothing | Work::Leaves(_) => true,
            };
        if let Work::Recent(at, _) = serve.work {
            // With a key told by half the position stays before it.
            position = if serve.rest.is_some() { at.saturating_sub(1) } else { at };
        }
        if is_last {
            serve.work = Work::Nothing;
        }
        Message::States { pull: serve.pull, states, position, is_last }
    }

    fn tell(
        &self,
        serve: &mut Serve,
        name: &[u8],
        after: Option<&Part>,
        shelf: &dyn Shelf,
        states: &mut Vec<Bytes>,
        bytes: &mut usize,
    ) {
        let told = match &serve.work {
            Work::Recent(..) => Told::Unknown(&serve.known),
            Work::Keys(_, true) => {
                let (database, key) = parts_of(name);
                states.push(encode_state(&KeyState::silent(database, Bytes::copy_from_slice(key))));
                *bytes += name.len();
                return;
            }
            _ => Told::All,
        };
        if let Some((state, next)) = self.portrait(name, told, after, shelf) {
            serve.rest = next.map(|next| (name.into(), next));
            if state.marks().all(|mark| mark == Mark::ZERO) {
                return;
            }
            let state = encode_state(&state);
            *bytes += state.len();
            states.push(state);
        }
    }
}

/// The lower half of a hash.
pub(crate) fn low(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).expect("32 bits")
}
