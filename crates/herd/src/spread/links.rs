//! Links come up, carry, and go.

use super::input::{LinkId, Up};
use super::link::Link;
use super::machine::Spread;
use super::message::{Fact, Farewell, LinkState, Message};
use super::order::{Disconnected, Order};
use super::origin::Item;
use super::timers::Timer;
use crate::NodeId;

/// Bytes beyond the window that a link may be owed in answers and signs of life before it is closed; 4 MiB. Messages
/// never go beyond the window, so only a peer that asks without reading gets there.
const ANSWERS_MAX: usize = 4 << 20;

/// Bytes of one origin's messages that go to a link before another origin's turn; 64 KiB.
const TURN: usize = 64 << 10;

impl Spread {
    pub(crate) fn link_up(&mut self, up: &Up, orders: &mut Vec<Order>) {
        let refused = if self.is_leaving {
            Some((Farewell::Leaving, Disconnected::Leaving))
        } else if up.peer == self.me {
            Some((Farewell::Doubled, Disconnected::Doubled))
        } else if self.removed.contains(&up.peer) {
            Some((Farewell::Removed, Disconnected::Removed))
        } else {
            None
        };
        if let Some((farewell, reason)) = refused {
            orders.push(Order::Send { link: up.link, message: Message::Bye(farewell) });
            orders.push(Order::Disconnect { link: up.link, reason });
            return;
        }
        if !self.keeps(up, orders) || self.links.contains_key(&up.link) {
            return;
        }
        let link = Link::new(up.peer, up.epoch, up.version, up.is_dialled, self.now);
        self.links.insert(up.link, link);
        self.counters.links_up += 1;
        self.tie(up.peer, LinkState::Up);
        for origin in self.origins.values_mut() {
            origin.open(up.link);
        }
        let first = self.random.jitter(self.options.ping_every);
        self.timers.set(Timer::Pulse(up.link), self.now + first);
        self.greet(up.link, orders);
        self.tell_standing(up.link, orders);
        self.linked(up.link, orders);
    }

    /// Whether a new link is kept, and an older one to the same peer closed, or the other way round.
    fn keeps(&mut self, up: &Up, orders: &mut Vec<Order>) -> bool {
        let before = self.links.iter().find(|(_, link)| link.peer == up.peer);
        let Some((id, link)) = before else { return true };
        let id = *id;
        let is_old_life = link.epoch < up.epoch;
        let by_lower = up.is_dialled == (self.me < up.peer);
        if is_old_life || link.is_dialled == up.is_dialled || by_lower {
            let farewell = (!is_old_life).then_some(Farewell::Doubled);
            self.close(id, farewell, Disconnected::Doubled, orders);
            return true;
        }
        orders.push(Order::Send { link: up.link, message: Message::Bye(Farewell::Doubled) });
        orders.push(Order::Disconnect { link: up.link, reason: Disconnected::Doubled });
        false
    }

    /// Closes a link, with a word to the peer or without.
    pub(crate) fn close(
        &mut self,
        id: LinkId,
        farewell: Option<Farewell>,
        reason: Disconnected,
        orders: &mut Vec<Order>,
    ) {
        if !self.links.contains_key(&id) {
            return;
        }
        if let Some(farewell) = farewell {
            self.send(id, Message::Bye(farewell), orders);
        }
        orders.push(Order::Disconnect { link: id, reason });
        self.link_down(id, orders);
    }

    pub(crate) fn link_down(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        let Some(link) = self.links.remove(&id) else { return };
        self.timers.cancel(Timer::Pulse(id));
        self.counters.links_down += 1;
        self.counters.dropped = self.counters.dropped.saturating_add(link.counters.dropped);
        let mut orphans = Vec::new();
        for origin in self.origins.values_mut() {
            if origin.parent == Some(id) {
                origin.parent = None;
                orphans.push(origin.id);
            }
        }
        if self.is_tree {
            for origin in orphans {
                self.adopt_parent(origin, orders);
            }
        }
        for origin in self.origins.values_mut() {
            origin.close(id);
        }
        if !self.links.values().any(|other| other.peer == link.peer) {
            if self.options.is_discovering {
                self.ties.remove(&link.peer);
            } else if self.ties.contains_key(&link.peer) {
                self.ties.insert(link.peer, LinkState::Down);
            }
            if self.members.get(&link.peer).is_some_and(|member| member.is_neighbour_only) {
                self.drop_member(link.peer, orders);
            }
            self.fact_changed();
            self.graph_changed();
        }
        self.unlinked(orders);
    }

    /// Notes how the link with `peer` is, for the herd to be told.
    pub(crate) fn tie(&mut self, peer: NodeId, state: LinkState) {
        if self.ties.insert(peer, state) == Some(state) {
            return;
        }
        if self.ties.len() > Fact::LINKS_MAX
            && let Some(gone) =
                self.ties.iter().find(|(_, state)| **state == LinkState::Down).map(|(peer, _)| *peer)
        {
            self.ties.remove(&gone);
        }
        self.fact_changed();
        self.graph_changed();
    }

    pub(crate) fn sent(&mut self, id: LinkId, weight: usize, orders: &mut Vec<Order>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.in_flight = link.in_flight.saturating_sub(weight);
        link.moved = self.now;
        self.pump(id, orders);
    }

    /// Sends at once, whatever waits: answers, signs of life, and what [`Spread::pump`] finds room for.
    pub(crate) fn send(&mut self, id: LinkId, message: Message, orders: &mut Vec<Order>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let weight = message.weight();
        if link.in_flight == 0 {
            link.moved = self.now;
        }
        link.in_flight = link.in_flight.saturating_add(weight);
        link.counters.bytes_sent += u64::try_from(weight).unwrap_or(u64::MAX);
        let is_stalled = link.in_flight > self.options.link_window.saturating_add(ANSWERS_MAX)
            && !matches!(message, Message::Update(_) | Message::Bye(_));
        orders.push(Order::Send { link: id, message });
        if is_stalled {
            self.close(id, None, Disconnected::Stalled, orders);
        }
    }

    pub(crate) fn has_room(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| link.in_flight < self.options.link_window)
    }

    /// Gives a link what waits for it, as far as it has room: facts first, then origins by turns.
    pub(crate) fn pump(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        while self.has_room(id) {
            if self.send_facts(id, orders) {
                continue;
            }
            let origin = self.links.get_mut(&id).and_then(Link::next_pending);
            let Some(origin) = origin else { return };
            self.stream(id, origin, orders);
        }
    }

    /// Gives a link what one origin has for it, a turn's worth at most.
    pub(crate) fn stream(&mut self, id: LinkId, of: NodeId, orders: &mut Vec<Order>) {
        let mut given = 0;
        loop {
            let Some(link) = self.links.get_mut(&id) else { return };
            let Some(origin) = self.origins.get_mut(&of) else {
                link.pending.remove(&of);
                return;
            };
            if link.in_flight >= self.options.link_window || given >= TURN {
                link.pending.insert(of);
                return;
            }
            let routes = &self.routes;
            let item = origin.take(id, |payload| routes.wants(id, payload), &mut link.counters.dropped);
            let message = match item {
                None => {
                    link.pending.remove(&of);
                    return;
                }
                Some(Item::Update(update)) => {
                    link.counters.updates_sent += update.payload.numbers();
                    Message::Update(update)
                }
                Some(Item::Skip(skip)) => Message::Skip(skip),
            };
            given += message.weight();
            self.send(id, message, orders);
        }
    }
}
