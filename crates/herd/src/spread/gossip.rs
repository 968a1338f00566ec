//! Facts about nodes go from neighbour to neighbour, each version once.
//!
//! A link has a set of nodes whose facts it is due, so what changes often while a link is slow is told once, as it is then.

use std::sync::Arc;

use super::input::LinkId;
use super::machine::Spread;
use super::member::{Member, Standing};
use super::message::{Fact, Interest, Known, KnownNode, LinkState, Message};
use super::order::{Event, Order};
use super::summary::Summary;
use super::timers::Timer;
use crate::{Epoch, NodeId};

/// How long changes of what this node says of itself are gathered: it is flooded to everybody.
const GATHER: std::time::Duration = std::time::Duration::from_millis(50);

impl Spread {
    /// First thing on a link: what is known of nodes.
    pub(crate) fn greet(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        let told = self.members.values().filter(|member| !member.is_neighbour_only);
        let entries: Vec<KnownNode> = told
            .map(|member| KnownNode {
                node: member.fact.node,
                epoch: member.fact.epoch,
                fact: member.fact.version,
                interest: member.interest_version(),
            })
            .collect();
        // Until the peer has answered in kind, all of it is due.
        if let Some(link) = self.links.get_mut(&id) {
            link.facts_due.extend(entries.iter().map(|known| known.node));
            link.interests_due.clone_from(&link.facts_due);
        }
        let count = entries.len().div_ceil(Known::ENTRIES_MAX);
        for (at, some) in entries.chunks(Known::ENTRIES_MAX).enumerate() {
            let known = Known { entries: some.to_vec(), is_last: at + 1 == count };
            self.send(id, Message::Known(known), orders);
        }
    }

    pub(crate) fn acquaint(&mut self, id: LinkId, known: &Known, orders: &mut Vec<Order>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        for theirs in &known.entries {
            let Some(member) = self.members.get(&theirs.node) else { continue };
            if (theirs.epoch.0, theirs.fact) >= member.version() {
                link.facts_due.remove(&theirs.node);
            }
            if (theirs.epoch, theirs.interest) >= (member.fact.epoch, member.interest_version()) {
                link.interests_due.remove(&theirs.node);
            }
        }
        link.is_acquainted |= known.is_last;
        self.pump(id, orders);
    }

    /// Makes room by forgetting the node that has been gone longest; false when all are there.
    fn drop_absent(&mut self, orders: &mut Vec<Order>) -> bool {
        let gone =
            |member: &&Member| matches!(member.standing, Standing::Lost | Standing::Left) && !member.is_new;
        let oldest = self.members.values().filter(gone).min_by_key(|member| (member.since, member.fact.node));
        let Some(node) = oldest.map(|member| member.fact.node) else { return false };
        self.drop_member(node, orders);
        true
    }

    /// Says that this life is not the last, once for each life that is known to be later.
    pub(crate) fn superseded(&mut self, epoch: Epoch, orders: &mut Vec<Order>) {
        if self.superseded_by < Some(epoch) {
            self.superseded_by = Some(epoch);
            orders.push(Order::Tell(Event::Superseded(epoch)));
        }
    }

    /// Gives a link one fact that it is due; false when there is none.
    pub(crate) fn send_facts(&mut self, id: LinkId, orders: &mut Vec<Order>) -> bool {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.is_acquainted) else { return false };
        let message = if let Some(node) = link.facts_due.pop_first() {
            self.members.get(&node).map(|member| Message::Fact(member.fact.clone()))
        } else if let Some(node) = link.interests_due.pop_first() {
            let member = self.members.get(&node);
            member.and_then(|member| member.interest.clone()).map(Message::Interest)
        } else {
            return false;
        };
        if let Some(message) = message {
            self.send(id, message, orders);
        }
        true
    }

    pub(crate) fn take_fact(&mut self, id: LinkId, fact: Arc<Fact>, orders: &mut Vec<Order>) {
        let (node, version) = (fact.node, (fact.epoch.0, fact.version));
        if node == self.me {
            let own = self.members.get(&self.me).map_or((0, 0), Member::version);
            if version > own {
                self.superseded(fact.epoch, orders);
            }
            return;
        }
        if self.removed.contains(&node) {
            return;
        }
        match self.members.get_mut(&node) {
            Some(known) if known.version() >= version => return,
            Some(known) => {
                let is_new_life = known.fact.epoch < fact.epoch;
                if is_new_life {
                    known.interest = None;
                    orders.push(Order::Tell(Event::Restarted { node, epoch: fact.epoch }));
                }
                known.fact = fact;
            }
            None => {
                let is_full = self.members.len() > self.options.members_max && !self.drop_absent(orders);
                let is_neighbour = self.links.get(&id).is_some_and(|link| link.peer == node);
                if is_full && !self.is_partial {
                    self.is_partial = true;
                    self.graph_changed();
                }
                if is_full && !is_neighbour {
                    self.counters.facts_refused += 1;
                    return;
                }
                self.members.insert(node, Member::new(fact, self.now, is_full));
            }
        }
        self.graph_changed();
        self.tell_others(node, id, true, orders);
    }

    pub(crate) fn take_interest(&mut self, id: LinkId, interest: Arc<Interest>, orders: &mut Vec<Order>) {
        let node = interest.node;
        if node == self.me {
            return;
        }
        let Some(member) = self.members.get_mut(&node) else { return };
        if member.fact.epoch != interest.epoch || member.interest_version() >= interest.version {
            return;
        }
        member.interest = Some(interest);
        self.graph_changed();
        self.tell_others(node, id, false, orders);
    }

    fn tell_others(&mut self, node: NodeId, from: LinkId, is_fact: bool, orders: &mut Vec<Order>) {
        if self.members.get(&node).is_none_or(|member| member.is_neighbour_only) {
            return;
        }
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            if let Some(link) = self.links.get_mut(&id) {
                let due = if is_fact { &mut link.facts_due } else { &mut link.interests_due };
                if id == from {
                    due.remove(&node);
                } else {
                    due.insert(node);
                    self.pump(id, orders);
                }
            }
        }
    }

    /// What this node says of itself is not true any more: it will be told anew.
    pub(crate) fn fact_changed(&mut self) {
        self.timers.start(Timer::Fact, self.now + GATHER);
    }

    pub(crate) fn tell_fact(&mut self, orders: &mut Vec<Order>) {
        let mut links: Vec<(NodeId, LinkState)> = self.ties.iter().map(|(peer, tie)| (*peer, *tie)).collect();
        if links.len() > Fact::LINKS_MAX {
            links.sort_by_key(|(peer, state)| (*state, *peer));
            links.truncate(Fact::LINKS_MAX);
        }
        let Some(own) = self.members.get_mut(&self.me) else { return };
        own.fact = Arc::new(Fact {
            version: own.fact.version + 1,
            links,
            is_leaving: self.is_leaving,
            ..own.fact.as_ref().clone()
        });
        self.graph_changed();
        self.tell_everybody(true, orders);
    }

    /// The subscribers of this node want something else than before.
    pub(crate) fn want(&mut self, summary: Summary, orders: &mut Vec<Order>) {
        let Some(own) = self.members.get_mut(&self.me) else { return };
        if own.interest.as_ref().is_some_and(|interest| interest.summary == summary) {
            return;
        }
        let version = own.interest_version() + 1;
        own.interest = Some(Arc::new(Interest { node: self.me, epoch: self.epoch, version, summary }));
        self.tell_everybody(false, orders);
    }

    fn tell_everybody(&mut self, is_fact: bool, orders: &mut Vec<Order>) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            if let Some(link) = self.links.get_mut(&id) {
                let due = if is_fact { &mut link.facts_due } else { &mut link.interests_due };
                due.insert(self.me);
                self.pump(id, orders);
            }
        }
    }
}
