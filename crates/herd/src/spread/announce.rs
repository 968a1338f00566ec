//! Digests: how far one is with each origin.

use std::time::Duration;

use super::input::{Input, LinkId};
use super::machine::Spread;
use super::message::{Have, HaveOrigin, Message};
use super::order::Order;
use super::origin::Origin;
use super::timers::Timer;
use crate::NodeId;

impl Spread {
    /// Where this node stands with every origin that has said anything: what a next life of the same node, whose
    /// subscribers have stayed, [resumes](Spread::resume) from.
    #[must_use]
    pub fn standing(&self) -> Vec<HaveOrigin> {
        let spoken = self.origins.values().filter(|origin| origin.next > 1);
        let entry = |origin: &Origin| HaveOrigin {
            origin: origin.id,
            epoch: origin.epoch,
            next: origin.next,
            hops: origin.hops,
            age_ms: origin.age_ms(self.now),
        };
        spoken.map(entry).collect()
    }

    /// How long this node is there, with the lives it goes on from.
    #[must_use]
    pub fn lived(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| self.now.saturating_sub(began))
    }

    /// Goes on where a life before stood at `now`, before any link is up: what others have said since is asked for instead
    /// of passed over, as far as peers keep it. What stands there of this node itself is left out, for it numbers anew.
    /// `lived`: how long the lives before were there, one right after the other. A node that began anew while this one did
    /// is heard from its beginning, though it was heard of by none of them.
    pub fn resume(&mut self, now: Duration, lived: Duration, standing: &[HaveOrigin]) {
        self.step(now, Input::Tick, &mut Vec::new());
        self.began = Some(self.now.saturating_sub(lived));
        let me = self.me;
        for entry in standing.iter().filter(|entry| entry.origin != me) {
            let stood = (entry.next, Duration::MAX);
            if self.follows(entry.origin, entry.epoch, Some(stood), &mut Vec::new())
                && let Some(origin) = self.origins.get_mut(&entry.origin)
            {
                origin.age_at = (Duration::from_millis(entry.age_ms), self.now);
                origin.is_fresh = false;
            }
        }
    }

    /// Tells a link that came up where this node stands.
    pub(crate) fn tell_standing(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        let entries = self.standing();
        for some in entries.chunks(Have::ENTRIES_MAX) {
            self.send(id, Message::Have(Have { entries: some.to_vec(), is_standing: true }), orders);
        }
    }

    /// Tells lazy links what is new.
    pub(crate) fn announce(&mut self, orders: &mut Vec<Order>) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        let mut is_more = false;
        for id in ids {
            while self.has_room(id) {
                let Some(link) = self.links.get_mut(&id).filter(|link| !link.announce.is_empty()) else {
                    break;
                };
                let mut entries = Vec::new();
                while entries.len() < Have::ENTRIES_MAX
                    && let Some(of) = link.announce.pop_first()
                {
                    let Some(origin) = self.origins.get_mut(&of) else { continue };
                    let routes = &self.routes;
                    let dropped = &mut link.counters.dropped;
                    let next = origin.announce(id, |payload| routes.wants(id, payload), dropped);
                    entries.extend(next.map(|next| HaveOrigin {
                        origin: of,
                        epoch: origin.epoch,
                        next,
                        hops: origin.hops,
                        age_ms: origin.age_ms(self.now),
                    }));
                }
                if !entries.is_empty() {
                    self.counters.announced += u64::try_from(entries.len()).unwrap_or(u64::MAX);
                    self.send(id, Message::Have(Have { entries, is_standing: false }), orders);
                }
            }
            is_more |= self.links.get(&id).is_some_and(|link| !link.announce.is_empty());
        }
        if is_more {
            self.timers.start(Timer::Announce, self.now + self.options.announce_every);
        }
    }

    pub(crate) fn take_have(&mut self, id: LinkId, have: &Have, orders: &mut Vec<Order>) {
        for entry in &have.entries {
            self.take_have_of(id, entry, have.is_standing, orders);
        }
    }

    fn take_have_of(&mut self, id: LinkId, entry: &HaveOrigin, is_standing: bool, orders: &mut Vec<Order>) {
        let standing = is_standing.then_some((entry.next, Duration::from_millis(entry.age_ms)));
        if !self.follows(entry.origin, entry.epoch, standing, orders) {
            return;
        }
        let (is_tree, tree) = (self.is_tree, self.tree_of(entry.origin));
        let Some(origin) = self.origins.get_mut(&entry.origin) else { return };
        let Some(link) = self.links.get_mut(&id) else { return };
        if entry.origin == self.me && entry.next > origin.next {
            // Somebody has more of this life than it has said: it goes on from an old state.
            self.superseded(self.epoch, orders);
            return;
        }
        let next = origin.next;
        let position = origin.position(id);
        position.hops = entry.hops;
        if is_standing && entry.next < position.at && !(is_tree && link.is_lazy(tree)) {
            position.told = position.told.max(entry.next);
            position.rewind(entry.next, false);
            link.pending.insert(entry.origin);
            self.pump(id, orders);
        } else {
            position.heard(entry.next);
        }
        if entry.next > next {
            self.note_missing(entry.origin, id, entry.next);
        }
        if is_tree {
            self.prefer_nearer(id, entry, orders);
        }
    }

    /// Makes a lazy link part of the tree, in place of the one that brings the origin's messages, when the origin is nearer
    /// that way. Only while its tree is for this origin alone: what is nearer for one may be farther for another.
    fn prefer_nearer(&mut self, id: LinkId, entry: &HaveOrigin, orders: &mut Vec<Order>) {
        let tree = self.tree_of(entry.origin);
        let Some(origin) = self.origins.get(&entry.origin) else { return };
        let Some(parent) = origin.parent.filter(|parent| *parent != id) else { return };
        let saved = origin.hops.saturating_sub(entry.hops.saturating_add(1));
        let is_lazy = self.links.get(&id).is_some_and(|link| link.is_lazy(tree));
        if !is_lazy
            || !self.has_own_tree(entry.origin)
            || saved < self.options.hops_saved_min.max(1)
            || entry.origin == self.me
        {
            return;
        }
        self.counters.improvements += 1;
        self.graft(id, entry.origin, orders);
        self.set_parent(entry.origin, Some(id));
        if let Some(link) = self.links.get_mut(&parent) {
            link.set_lazy(tree, true);
            self.counters.prunes += 1;
            self.send(parent, Message::Prune(entry.origin), orders);
        }
    }

    pub(crate) fn set_parent(&mut self, origin: NodeId, parent: Option<LinkId>) {
        if let Some(origin) = self.origins.get_mut(&origin) {
            origin.parent = parent;
        }
    }
}
