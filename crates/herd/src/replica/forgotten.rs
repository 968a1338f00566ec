//! What was deleted so long ago that nobody remembers the deletion: found by who knew it and no longer has it.
//!
//! A fact that a server knows (its mark is covered by what it knows), that is older than its horizon (the newest deletion
//! it has forgotten), and that it does not have, was deleted. That holds for the peer, whose keys were compared, and for
//! this server, which is offered something old.

use std::collections::BTreeSet;

use crate::NodeId;
use crate::replica::Replica;
use crate::replica::mark::Mark;
use crate::replica::meta::Part;
use crate::replica::pull::Pull;
use crate::replica::shelf::Shelf;
use crate::replica::state::{Base, Extent, KeyState};
use crate::replica::table::{Entry, address, parts_of};

impl Replica {
    /// Removes a key that the peer knew and has not: it was deleted.
    pub(super) fn drop_if_deleted(
        &mut self,
        peer: NodeId,
        pull: &mut Pull,
        name: &[u8],
        shelf: &mut dyn Shelf,
    ) {
        // An end has no server: it is not known or unknown, and follows from what is.
        let is_deleted = |mark: Mark| mark.node == Mark::ZERO.node || pull.has_forgotten(mark);
        let (database, key) = parts_of(name);
        let is_deleted = |entry: &Entry<'_>| {
            entry.marks().all(is_deleted) && !self.stays_here(entry, database, key, shelf)
        };
        if self.table.get(name).is_some_and(|entry| is_deleted(&entry)) {
            shelf.delete(peer, database, key);
            self.table.remove(name);
            self.ended.horizon = self.ended.horizon.max(pull.horizon);
            pull.keys += 1;
            self.figures.repaired += 1;
        }
    }

    /// Strikes out what this server knew and no longer has: it was deleted, and that was forgotten here since.
    pub(super) fn strike_forgotten(&self, state: &mut KeyState) {
        let Some(address) = address(state.database, &state.key) else { return };
        let entry = self.table.get(&address);
        if entry.is_some_and(|entry| entry.is_lacking()) {
            return;
        }
        let base = entry.map_or(Mark::ZERO, |entry| entry.base);
        let more = entry.and_then(|entry| entry.more);
        let is_forgotten = |mark: Mark| mark.stamp < self.ended.horizon && self.known.covers(mark);
        if state.mark > base && is_forgotten(state.mark) {
            state.mark = Mark::ZERO;
            state.base = Base::Gone;
            state.expiry = state.expiry.filter(|expiry| !is_forgotten(expiry.mark));
        }
        state.elements.retain(|element| {
            let part = (element.collection, Box::from(&element.name[..]));
            !is_forgotten(element.mark) || more.is_some_and(|more| more.parts.contains_key(&part))
        });
        state.shares.retain(|share| {
            !is_forgotten(share.mark())
                || more.is_some_and(|more| more.shares.contains_key(&share.since_mark()))
        });
    }

    /// Removes the elements that the peer knew and has not. Returns whether there were any.
    pub(super) fn drop_forgotten(
        &mut self,
        peer: NodeId,
        pull: &Pull,
        address: &[u8],
        state: &KeyState,
        named: &BTreeSet<Part>,
        shelf: &mut dyn Shelf,
    ) -> bool {
        let Extent::Between(after, upto) = &state.extent else { return false };
        let Some(more) = self.table.get(address).and_then(|entry| entry.more) else { return false };
        let is_within = |part: &Part| {
            let at = (part.0, &part.1[..]);
            after.as_ref().is_none_or(|after| at > (after.0, &after.1[..]))
                && upto.as_ref().is_none_or(|upto| at <= (upto.0, &upto.1[..]))
                && !named.contains(part)
        };
        let gone: Vec<Part> = more
            .parts
            .iter()
            .filter(|(part, have)| have.is_live && is_within(part) && pull.has_forgotten(have.mark))
            .filter(|(part, _)| !self.element_stays_here(part, state.database, &state.key, shelf))
            .map(|(part, _)| part.clone())
            .collect();
        for part in &gone {
            let mut meta = self.table.take(address);
            meta.drop_part(part);
            self.table.put(address, meta);
            shelf.remove_element(peer, state.database, &state.key, &part.1);
        }
        if !gone.is_empty() {
            self.ended.horizon = self.ended.horizon.max(pull.horizon);
        }
        !gone.is_empty()
    }
}
