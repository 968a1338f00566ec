//! Links to nodes that peers tell of, when a node is to find its own.
//!
//! As in HyParView (Leitão, Pereira, Rodrigues 2007) a node has a few links and knows a few more nodes to turn to when one
//! goes. Neighbours exchange samples of whom they know, so what a node knows of drifts through the herd and is of
//! anywhere; who wants a link takes one of these by chance. Who has too many closes one, and that peer looks for another:
//! the herd becomes a random graph in which nearly all have the same number of links, which floods in the fewest hops and
//! stays whole when half of it goes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::input::LinkId;
use super::machine::Spread;
use super::message::{Contact, Farewell, Message, Sample};
use super::order::{Disconnected, Order};
use super::timers::Timer;
use crate::NodeId;

/// Nodes known beside the neighbours: 30, as HyParView's measurements took for 10,000 nodes.
const KNOWN_MAX: usize = 30;
/// How long an attempt to make a link is waited for before another is made in its place.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Rounds of exchange that follow each other quickly, when a node is new.
const FIRST_ROUNDS: u32 = 10;

/// Whom a node may turn to.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Nodes without a link, and where they listen.
    pub(crate) known: BTreeMap<NodeId, Vec<String>>,
    /// Attempts that are out, and when they count as failed.
    attempts: BTreeMap<NodeId, Duration>,
    rounds: u32,
}

impl Overlay {
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.known.remove(&node);
        self.attempts.remove(&node);
    }
}

impl Spread {
    pub(crate) fn introduce(&mut self, node: NodeId, addresses: Vec<String>, orders: &mut Vec<Order>) {
        self.learn(Contact { node, addresses });
        self.seek(orders);
    }

    pub(crate) fn unreachable(&mut self, node: NodeId, orders: &mut Vec<Order>) {
        self.overlay.forget(node);
        self.seek(orders);
    }

    /// A link is up: it counts, and there may be too many now.
    pub(crate) fn linked(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        if !self.options.is_discovering {
            return;
        }
        if let Some(link) = self.links.get(&id) {
            self.overlay.forget(link.peer);
        }
        if self.links.len() > self.options.links_max.max(self.options.links_wanted) {
            let others: Vec<LinkId> = self.links.keys().copied().filter(|other| *other != id).collect();
            let surplus = others.get(self.random.below(others.len())).copied();
            if let Some(surplus) = surplus {
                self.close(surplus, Some(Farewell::Full), Disconnected::Full, orders);
            }
        }
        self.exchange(id, orders);
    }

    /// A link is gone: another is looked for.
    pub(crate) fn unlinked(&mut self, orders: &mut Vec<Order>) {
        if self.options.is_discovering && !self.is_leaving {
            self.seek(orders);
        }
    }

    pub(crate) fn take_bye(&mut self, id: LinkId, farewell: Farewell, orders: &mut Vec<Order>) {
        if let Some(link) = self.links.get(&id) {
            let peer = link.peer;
            match farewell {
                Farewell::Full => {
                    if let Some(contact) = self.contact_of(peer) {
                        self.learn(contact);
                    }
                }
                Farewell::Leaving | Farewell::Removed => self.overlay.forget(peer),
                Farewell::Doubled => {}
            }
        }
        self.link_down(id, orders);
    }

    /// Time to hear of others.
    pub(crate) fn shuffle(&mut self, orders: &mut Vec<Order>) {
        self.overlay.rounds = self.overlay.rounds.saturating_add(1);
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        if !ids.is_empty() {
            let id = ids[self.random.below(ids.len())];
            self.exchange(id, orders);
        }
        self.seek(orders);
        let every = if self.overlay.rounds < FIRST_ROUNDS {
            self.options.shuffle_first
        } else {
            self.options.shuffle_every
        };
        let next = self.now + self.random.jitter(every);
        self.timers.set(Timer::Shuffle, next);
    }

    fn exchange(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        let contacts = self.sample(id);
        self.send(id, Message::Sample(Sample { contacts, is_question: true }), orders);
    }

    pub(crate) fn take_sample(&mut self, id: LinkId, sample: Sample, orders: &mut Vec<Order>) {
        if !self.options.is_discovering {
            return;
        }
        if sample.is_question {
            let contacts = self.sample(id);
            self.send(id, Message::Sample(Sample { contacts, is_question: false }), orders);
        }
        for contact in sample.contacts {
            self.learn(contact);
        }
        self.seek(orders);
    }

    /// Some nodes to tell the peer of: neighbours, others, and this one.
    fn sample(&mut self, to: LinkId) -> Vec<Contact> {
        let to = self.links.get(&to).map(|link| link.peer);
        let peers: Vec<NodeId> =
            self.links.values().map(|link| link.peer).filter(|peer| Some(*peer) != to).collect();
        let mut contacts: Vec<Contact> = Vec::with_capacity(Sample::CONTACTS_MAX);
        contacts.extend(self.contact_of(self.me));
        for peer in self.random.take(peers, 3) {
            contacts.extend(self.contact_of(peer));
        }
        let known: Vec<Contact> = self
            .overlay
            .known
            .iter()
            .filter(|(node, _)| Some(**node) != to)
            .map(|(node, addresses)| Contact { node: *node, addresses: addresses.clone() })
            .collect();
        let room = Sample::CONTACTS_MAX - contacts.len();
        contacts.extend(self.random.take(known, room));
        contacts
    }

    fn contact_of(&self, node: NodeId) -> Option<Contact> {
        let fact = &self.members.get(&node)?.fact;
        Some(Contact { node, addresses: fact.addresses.clone() })
    }

    /// Remembers a node; another by chance is forgotten when there are too many.
    fn learn(&mut self, contact: Contact) {
        let node = contact.node;
        let is_linked = self.links.values().any(|link| link.peer == node);
        if node == self.me || is_linked || self.removed.contains(&node) {
            return;
        }
        if !self.overlay.known.contains_key(&node) && self.overlay.known.len() >= KNOWN_MAX {
            let at = self.random.below(self.overlay.known.len());
            if let Some(gone) = self.overlay.known.keys().nth(at).copied() {
                self.overlay.known.remove(&gone);
            }
        }
        self.overlay.known.insert(node, contact.addresses);
    }

    /// Turns to nodes that are known, until there are as many links as are wanted.
    fn seek(&mut self, orders: &mut Vec<Order>) {
        if !self.options.is_discovering || self.is_leaving {
            return;
        }
        let now = self.now;
        self.overlay.attempts.retain(|_, until| *until > now);
        while self.links.len() + self.overlay.attempts.len() < self.options.links_wanted {
            let attempts = &self.overlay.attempts;
            let free: Vec<NodeId> =
                self.overlay.known.keys().copied().filter(|node| !attempts.contains_key(node)).collect();
            if free.is_empty() {
                return;
            }
            let node = free[self.random.below(free.len())];
            let addresses = self.overlay.known.get(&node).cloned().unwrap_or_default();
            self.overlay.attempts.insert(node, now + ATTEMPT);
            orders.push(Order::Connect { node, addresses });
        }
    }
}
