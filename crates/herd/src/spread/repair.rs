//! What is missing is asked for, and trees heal.

use super::input::LinkId;
use super::machine::Spread;
use super::message::{Graft, Message};
use super::order::Order;
use super::origin::Missing;
use super::timers::Timer;
use crate::NodeId;

/// How often one missing number is asked for before it is left to the next announcement; 32.
const ASKED_MAX: usize = 32;

impl Spread {
    /// Notes that `link` has what this node has not: it gets some time to come by itself.
    pub(crate) fn note_missing(&mut self, id: NodeId, link: LinkId, target: u64) {
        let wait = self.options.missing_after.max(self.longest_round_trip() * 2);
        let Some(origin) = self.origins.get_mut(&id) else { return };
        if id == self.me || target <= origin.next {
            return;
        }
        match &mut origin.missing {
            Some(missing) => missing.target = missing.target.max(target),
            None => {
                origin.missing = Some(Missing { target, first: link, asked: 0, seen: origin.next });
                self.timers.set(Timer::Missing(id), self.now + wait);
            }
        }
    }

    /// Ends the wait when what was missing has come.
    pub(crate) fn settle_missing(&mut self, id: NodeId) {
        let Some(origin) = self.origins.get_mut(&id) else { return };
        if origin.missing.is_some_and(|missing| missing.target <= origin.next) {
            origin.missing = None;
            self.timers.cancel(Timer::Missing(id));
        }
    }

    /// It has not come: asks those who have it, one after the other.
    pub(crate) fn ask_for_missing(&mut self, id: NodeId, orders: &mut Vec<Order>) {
        let wait = self.options.missing_again.max(self.longest_round_trip());
        let Some(origin) = self.origins.get_mut(&id) else { return };
        let (Some(missing), next) = (origin.missing, origin.next) else { return };
        if missing.seen < next && next < missing.target {
            // It is coming, over a link that takes its time: asking again would only bring it twice.
            origin.missing = Some(Missing { asked: 0, seen: next, ..missing });
            self.timers.set(Timer::Missing(id), self.now + wait);
            return;
        }
        let sources: Vec<LinkId> = origin
            .positions()
            .filter(|(link, position)| position.told > next && self.links.contains_key(link))
            .map(|(link, _)| link)
            .collect();
        if missing.target <= next || sources.is_empty() || missing.asked >= ASKED_MAX {
            origin.missing = None;
            return;
        }
        let first = sources.iter().position(|link| *link == missing.first).unwrap_or(0);
        let source = sources[(first + missing.asked) % sources.len()];
        origin.missing = Some(Missing { asked: missing.asked + 1, ..missing });
        self.timers.set(Timer::Missing(id), self.now + wait);
        self.graft(source, id, orders);
    }

    /// Asks another peer that has what `link` has lost, and has not been asked yet. False when there is none.
    pub(crate) fn ask_elsewhere(&mut self, id: NodeId, link: LinkId, orders: &mut Vec<Order>) -> bool {
        let Some(origin) = self.origins.get_mut(&id) else { return false };
        if !origin.barren.contains(&link) {
            origin.barren.push(link);
        }
        let next = origin.next;
        let source = origin.positions().find(|(other, position)| {
            position.told > next && !origin.barren.contains(other) && self.links.contains_key(other)
        });
        let Some((source, position)) = source else { return false };
        let target = position.told;
        self.note_missing(id, source, target);
        self.graft(source, id, orders);
        true
    }

    /// Makes a link part of the origin's tree, and asks for what comes next.
    pub(crate) fn graft(&mut self, link: LinkId, id: NodeId, orders: &mut Vec<Order>) {
        let tree = self.tree_of(id);
        let Some(origin) = self.origins.get(&id) else { return };
        let graft = Graft { origin: id, epoch: origin.epoch, next: origin.next };
        if let Some(link) = self.links.get_mut(&link) {
            link.set_lazy(tree, false);
            self.counters.grafts += 1;
        }
        self.send(link, Message::Graft(graft), orders);
    }

    pub(crate) fn take_graft(&mut self, id: LinkId, graft: Graft, orders: &mut Vec<Order>) {
        let tree = self.tree_of(graft.origin);
        let Some(origin) = self.origins.get_mut(&graft.origin) else { return };
        let Some(link) = self.links.get_mut(&id) else { return };
        if origin.epoch != graft.epoch || graft.next > origin.next.saturating_add(1) {
            return;
        }
        link.set_lazy(tree, false);
        link.announce.remove(&graft.origin);
        let position = origin.position(id);
        position.told = position.told.max(graft.next);
        position.rewind(graft.next, true);
        link.pending.insert(graft.origin);
        self.pump(id, orders);
    }

    pub(crate) fn take_prune(&mut self, id: LinkId, origin: NodeId) {
        let tree = self.tree_of(origin);
        let Some(link) = self.links.get_mut(&id) else { return };
        link.set_lazy(tree, true);
        link.pending.remove(&origin);
        let Some(known) = self.origins.get_mut(&origin) else { return };
        if known.parent == Some(id) {
            known.parent = None;
        }
        // What was still to be sent is announced instead.
        if known.position(id).at < known.next {
            link.announce.insert(origin);
            self.timers.start(Timer::Announce, self.now + self.options.announce_every);
        }
    }

    /// The link that brought an origin's messages is gone: the lazy one over which the origin was nearest takes its place,
    /// if it was not farther than here, as it may then hang on this node itself.
    pub(crate) fn adopt_parent(&mut self, id: NodeId, orders: &mut Vec<Order>) {
        let tree = self.tree_of(id);
        let Some(origin) = self.origins.get(&id) else { return };
        let near = origin.positions().filter(|(link, position)| {
            let is_lazy = self.links.get(link).is_some_and(|link| link.is_lazy(tree));
            is_lazy && position.told > 0 && position.hops <= origin.hops
        });
        let nearest = near.min_by_key(|(link, position)| (position.hops, *link)).map(|(link, _)| link);
        if let Some(nearest) = nearest {
            self.graft(nearest, id, orders);
            self.set_parent(id, Some(nearest));
        }
    }

    fn longest_round_trip(&self) -> std::time::Duration {
        self.links.values().filter_map(|link| link.round_trip).max().unwrap_or_default()
    }
}
