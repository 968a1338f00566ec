//! What comes, and how it goes on.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use remuda_model::message::Batch;

use super::cache::Entry;
use super::input::LinkId;
use super::link::{GROUPS, group};
use super::machine::Spread;
use super::message::{Message, Payload, Skip, Update};
use super::order::{Delivery, Event, Order};
use super::origin::Origin;
use super::timers::Timer;
use crate::{Epoch, NodeId};

impl Spread {
    /// Spreads what clients of this node publish, by as few updates as may be.
    pub(crate) fn publish_batch(&mut self, batch: Batch, orders: &mut Vec<Order>) {
        let runs = self.kinds.runs(&batch);
        if runs.len() == 1 {
            self.publish(Payload::Messages(Arc::new(batch)), orders);
            return;
        }
        for run in runs {
            self.publish(Payload::Messages(Arc::new(batch.stretch(run))), orders);
        }
    }

    /// Spreads what this node is told.
    pub(crate) fn publish(&mut self, payload: Payload, orders: &mut Vec<Order>) {
        if self.is_leaving {
            return;
        }
        if !payload.is_within_limits(self.options.update_bytes_max) {
            self.counters.too_large += 1;
            orders.push(Order::Tell(Event::TooLarge { bytes: payload.bytes() }));
            return;
        }
        self.counters.published += payload.numbers();
        let Some(own) = self.origins.get_mut(&self.me) else { return };
        let next = own.next;
        if next == 1 {
            own.age_at = (Duration::ZERO, self.now);
        }
        self.keep(self.me, next, 0, 0, payload);
        self.pass_on(self.me, next, orders);
    }

    pub(crate) fn take_update(&mut self, id: LinkId, update: Update, orders: &mut Vec<Order>) {
        let tree = self.tree_of(update.origin);
        let numbers = update.payload.numbers();
        let Some(link) = self.links.get_mut(&id) else { return };
        link.counters.updates_received += numbers;
        let is_lazy = link.is_lazy(tree);
        if !self.follows(update.origin, update.epoch, None, orders) {
            return;
        }
        let Some(origin) = self.origins.get_mut(&update.origin) else { return };
        let sequence = update.sequence;
        let end = sequence.saturating_add(numbers);
        origin.position(id).heard(end);
        if sequence < origin.next {
            let is_redundant = !is_lazy && origin.parent != Some(id);
            self.duplicate(id, &update, is_redundant, orders);
            return;
        }
        if sequence.saturating_sub(update.skipped).saturating_sub(update.lost) > origin.next {
            self.counters.holes += 1;
            self.note_missing(update.origin, id, end);
            return;
        }
        let gap = sequence - origin.next;
        let lost = update.lost.min(gap);
        if lost > 0 && self.ask_elsewhere(update.origin, id, orders) {
            return;
        }
        self.count_lost(update.origin, lost, orders);
        let Some(origin) = self.origins.get_mut(&update.origin) else { return };
        self.counters.received += numbers;
        self.counters.skipped = self.counters.skipped.saturating_add(gap - lost);
        if !is_lazy || origin.parent.is_none() {
            origin.parent = Some(id);
        }
        origin.heard = self.now;
        let hops = update.hops.saturating_add(1);
        self.hand_over(&update, hops, orders);
        self.keep(update.origin, sequence, lost, hops, update.payload);
        self.settle_missing(update.origin);
        self.pass_on(update.origin, sequence, orders);
    }

    /// Something came again: over a link that is no part of the tree then.
    fn duplicate(&mut self, id: LinkId, update: &Update, is_redundant: bool, orders: &mut Vec<Order>) {
        let (origin, numbers) = (update.origin, update.payload.numbers());
        self.counters.duplicates += numbers;
        let tree = self.tree_of(origin);
        let Some(link) = self.links.get_mut(&id) else { return };
        link.counters.duplicates += numbers;
        if self.is_tree && is_redundant && origin != self.me {
            link.set_lazy(tree, true);
            self.counters.prunes += 1;
            self.send(id, Message::Prune(origin), orders);
        }
    }

    pub(crate) fn take_skip(&mut self, id: LinkId, skip: Skip, orders: &mut Vec<Order>) {
        if skip.origin == self.me || !self.follows(skip.origin, skip.epoch, None, orders) {
            return;
        }
        let Some(origin) = self.origins.get_mut(&skip.origin) else { return };
        origin.position(id).heard(skip.next);
        let Some(gap) = skip.next.checked_sub(origin.next).filter(|gap| *gap > 0) else { return };
        let lost = skip.lost.min(gap);
        if lost > 0 && self.ask_elsewhere(skip.origin, id, orders) {
            return;
        }
        self.count_lost(skip.origin, lost, orders);
        self.counters.skipped = self.counters.skipped.saturating_add(gap - lost);
        if let Some(origin) = self.origins.get_mut(&skip.origin) {
            origin.pass(skip.next, lost);
        }
        self.settle_missing(skip.origin);
    }

    fn count_lost(&mut self, id: NodeId, lost: u64, orders: &mut Vec<Order>) {
        let Some(origin) = self.origins.get(&id) else { return };
        if lost > 0 && !origin.is_fresh {
            self.counters.lost = self.counters.lost.saturating_add(lost);
            orders.push(Order::Tell(Event::Gap { origin: id, first: origin.next, count: lost }));
        }
    }

    /// Gives messages to this node's own.
    fn hand_over(&mut self, update: &Update, hops: u16, orders: &mut Vec<Order>) {
        match &update.payload {
            Payload::Change(change) => {
                orders.push(Order::Apply { origin: update.origin, change: change.clone() });
            }
            Payload::Messages(batch) => {
                let own = self.members.get(&self.me).and_then(|member| member.interest.as_ref());
                if !own.is_none_or(|own| own.summary.wants_one_of(batch)) {
                    return;
                }
                self.counters.delivered += update.payload.numbers();
                orders.push(Order::Deliver(Delivery {
                    origin: update.origin,
                    epoch: update.epoch,
                    sequence: update.sequence,
                    hops,
                    batch: batch.clone(),
                }));
            }
        }
    }

    fn keep(&mut self, id: NodeId, sequence: u64, lost: u64, hops: u16, payload: Payload) {
        let Some(origin) = self.origins.get_mut(&id) else { return };
        let messages = payload.numbers();
        self.cache.push(Entry {
            at: self.now,
            origin: id,
            epoch: origin.epoch,
            sequence: sequence.saturating_add(messages - 1),
            messages,
            bytes: payload.held(),
        });
        origin.push(sequence, lost, hops, payload);
        self.sweep();
    }

    /// Lets go of what is kept beyond the bounds.
    pub(crate) fn sweep(&mut self) {
        let (bytes_max, age_max) = (self.options.cache_bytes_max, self.options.cache_age);
        while let Some(old) = self.cache.pop(bytes_max, age_max, self.now) {
            let origin = self.origins.get_mut(&old.origin).filter(|origin| origin.epoch == old.epoch);
            if let Some(origin) = origin {
                origin.drop_up_to(old.sequence);
            }
        }
        if let Some(oldest) = self.cache.oldest() {
            self.timers.start(Timer::Sweep, oldest + self.options.cache_age);
        }
    }

    /// Takes what was just kept to the links.
    fn pass_on(&mut self, origin: NodeId, sequence: u64, orders: &mut Vec<Order>) {
        let tree = self.tree_of(origin);
        let mut before = Bound::Unbounded;
        while let Some(id) = self.links.range((before, Bound::Unbounded)).next().map(|(id, _)| *id) {
            before = Bound::Excluded(id);
            let Some(known) = self.origins.get_mut(&origin) else { return };
            if known.position(id).at > sequence {
                continue;
            }
            let Some(link) = self.links.get_mut(&id) else { continue };
            if self.is_tree && link.is_lazy(tree) {
                link.announce.insert(origin);
                self.timers.start(Timer::Announce, self.now + self.options.announce_every);
            } else if link.pending.is_empty() {
                self.stream(id, origin, orders);
            } else {
                link.pending.insert(origin);
            }
        }
    }

    /// Whether messages of this life of a node are followed; from now on, when it is not known yet. `standing`: the number
    /// at which a peer stood with it when its link came up, and how long ago the node had begun to speak.
    pub(crate) fn follows(
        &mut self,
        id: NodeId,
        epoch: Epoch,
        standing: Option<(u64, Duration)>,
        orders: &mut Vec<Order>,
    ) -> bool {
        if id == self.me {
            if epoch > self.epoch {
                self.superseded(epoch, orders);
            }
            return epoch == self.epoch;
        }
        if self.removed.contains(&id) {
            return false;
        }
        match self.origins.get(&id).map(|origin| origin.epoch) {
            Some(known) if known == epoch => return true,
            Some(known) if known > epoch => {
                self.counters.stale += 1;
                return false;
            }
            Some(_) => self.forget_origin(id),
            None if self.has_room_for_origin() => {}
            None => {
                self.counters.origins_refused += 1;
                return false;
            }
        }
        // What was said before this node was there is not for it; what is younger, it wants from the beginning.
        let own_age = self.now.saturating_sub(self.began.unwrap_or(self.now));
        let (next, age) = match standing {
            Some((next, age)) if age > own_age => (next.max(1), age),
            Some((_, age)) => (1, age),
            None => (1, Duration::ZERO),
        };
        self.crowd[group(id, GROUPS)] += 1;
        self.origins.insert(id, Origin::new(id, epoch, next, self.now, age));
        true
    }

    pub(crate) fn forget_origin(&mut self, id: NodeId) {
        if self.origins.remove(&id).is_some() {
            self.crowd[group(id, GROUPS)] = self.crowd[group(id, GROUPS)].saturating_sub(1);
            self.timers.cancel(Timer::Missing(id));
        }
    }

    /// Makes room by forgetting who has been silent longest; only somebody of whom nothing is kept anywhere any more, as a
    /// peer might tell it again.
    fn has_room_for_origin(&mut self) -> bool {
        if self.origins.len() < self.options.origins_max.max(2) {
            return true;
        }
        let others = self.origins.values().filter(|origin| origin.id != self.me);
        let oldest = others.min_by_key(|origin| (origin.heard, origin.id));
        let oldest = oldest.filter(|origin| origin.heard + self.options.cache_age * 2 <= self.now);
        let Some(oldest) = oldest.map(|origin| origin.id) else { return false };
        self.forget_origin(oldest);
        true
    }
}
