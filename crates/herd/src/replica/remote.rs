//! What other servers did, taken in and written to the store.

use bytes::Bytes;

use crate::NodeId;
use crate::replica::Replica;
use crate::replica::clock::Now;
use crate::replica::code;
use crate::replica::mark::Mark;
use crate::replica::meta::{Joined, Meta, Part, integer};
use crate::replica::order::{Order, ReplicaEvent};
use crate::replica::refill::REFILL_MS;
use crate::replica::scope::Scope;
use crate::replica::shelf::Shelf;
use crate::replica::state::{Base, Body, Change, KeyState, Shape};
use crate::replica::table::{Address, address};

/// Why news could not be taken in: they are not known afterwards, and are fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

impl Replica {
    /// A change that was spread.
    pub(super) fn arrived(
        &mut self,
        now: Now,
        bytes: &Bytes,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let change = code::decode_change(bytes).ok().filter(|change| change.state.newest() == change.mark);
        let Some(change) = change else {
            self.figures.refused += 1;
            return;
        };
        if self.known.covers(change.mark) {
            self.figures.stale += 1;
            return;
        }
        if self.clock.is_near(now, change.mark.stamp) {
            return self.take_change(now, &change, shelf, orders);
        }
        let due = self.clock.near_at_tick_ms(now, change.mark.stamp);
        let (max, max_bytes) = (self.options.quarantine_max, self.options.quarantine_max_bytes);
        let ahead_ms = change.mark.stamp.ms().saturating_sub(now.wall_ms);
        let event = ReplicaEvent::Quarantined { node: change.mark.node, ahead_ms };
        if self.quarantine.push(change, bytes.len(), due, max, max_bytes) {
            self.figures.quarantined += 1;
            orders.push(Order::Event(event));
        } else {
            self.figures.refused += 1;
        }
    }

    /// Takes in the changes whose time has come.
    pub(super) fn release(&mut self, now: Now, shelf: &mut dyn Shelf, orders: &mut Vec<Order>) {
        while let Some(mark) = self.quarantine.first() {
            if !self.clock.is_near(now, mark.stamp) {
                break;
            }
            if let Some(change) = self.quarantine.pop().filter(|change| !self.known.covers(change.mark)) {
                self.take_change(now, &change, shelf, orders);
            }
        }
        let first = self.quarantine.first();
        let due = first.map(|mark| self.clock.near_at_tick_ms(now, mark.stamp).max(now.tick_ms + 1));
        self.quarantine.set_due(due);
    }

    fn take_change(&mut self, now: Now, change: &Change, shelf: &mut dyn Shelf, orders: &mut Vec<Order>) {
        let ours = address(change.state.database, &change.state.key)
            .and_then(|address| self.table.get(&address))
            .map_or(Mark::ZERO, |entry| entry.newest());
        let says_all = change.state.mark == change.mark;
        let is_concurrent = says_all && ours.node == self.me && change.over < ours && ours < change.mark;
        match self.take_in(now, change.mark.node, &change.state, shelf) {
            Err(Refused) => self.figures.refused += 1,
            Ok(None) => {}
            Ok(Some((address, joined))) => {
                self.figures.concurrent_overwrites += u64::from(is_concurrent);
                let count =
                    if joined.is_nothing() { &mut self.figures.stale } else { &mut self.figures.taken };
                *count += 1;
                self.taken(change.mark, Some(change.previous), &address);
                let note = Change { state: self.noted(&address, &change.state, &joined), ..change.clone() };
                orders.push(Order::Note(code::encode_change(&note)));
            }
        }
    }

    /// Takes news of a key in. None when the key is not the herd's here.
    pub(super) fn take_in(
        &mut self,
        now: Now,
        from: NodeId,
        state: &KeyState,
        shelf: &mut dyn Shelf,
    ) -> Result<Option<(Address, Joined)>, Refused> {
        if self.scopes.of(&state.key) == Scope::Local {
            return Ok(None);
        }
        let address = address(state.database, &state.key).ok_or(Refused)?;
        let has_content = matches!(state.base, Base::Whole(_)) || !state.elements.is_empty();
        let has_room = state.marks().all(|mark| self.table.has_room_for(mark.node));
        if !has_room || (has_content && !shelf.has_room()) || !self.clock.take(now, state.newest().stamp) {
            return Err(Refused);
        }
        let (database, key) = (state.database, &state.key[..]);
        self.end_if_over(now, &address);
        let mut meta = self.table.take(&address);
        let before = meta.shape();
        let undo = matches!(state.base, Base::Whole(Body::Packed(_))).then(|| meta.clone());
        let joined = meta.join(state, now.wall_ms);
        if meta.wants_number() {
            let body = match &state.base {
                Base::Whole(body) if joined.base => Some(body.clone()),
                _ => shelf.body(database, key),
            };
            let number =
                body.and_then(|body| if let Body::Text(text) = body { integer(&text) } else { None });
            meta.set_number(number);
        }
        if show(from, before, &meta, &joined, state, shelf).is_err() {
            self.table.put(&address, undo.unwrap_or(meta));
            return Err(Refused);
        }
        self.remember_ends(now, &address, &meta, &joined);
        self.table.put(&address, meta);
        if joined.is_revived {
            self.plan_refill(now, REFILL_MS);
        }
        Ok(Some((address, joined)))
    }
}

/// Brings the store in line with what was taken in.
fn show(
    from: NodeId,
    before: Option<Shape>,
    meta: &Meta,
    joined: &Joined,
    state: &KeyState,
    shelf: &mut dyn Shelf,
) -> Result<(), Refused> {
    let (database, key) = (state.database, &state.key[..]);
    let after = meta.shape();
    match after {
        None => {
            if before.is_some() {
                shelf.delete(from, database, key);
            }
            return Ok(());
        }
        Some(Shape::Whole) if joined.base || joined.counted || before != after => {
            let body = match (meta.counter(), &state.base) {
                (Some(value), _) => Body::Text(value.to_string().into()),
                (None, Base::Whole(body)) if joined.base => body.clone(),
                // Counts on what is no number change nothing that can be seen.
                _ => return Ok(()),
            };
            return if shelf.put(from, database, key, &body, meta.ends_ms()) { Ok(()) } else { Err(Refused) };
        }
        Some(Shape::Whole) => {}
        Some(Shape::Parts(collection)) => {
            if before.is_some() && before != after {
                shelf.delete(from, database, key);
            }
            show_parts(from, collection, meta, joined, state, shelf);
        }
    }
    if joined.expiry || before != after {
        shelf.set_expiry(from, database, key, meta.ends_ms());
    }
    Ok(())
}

fn show_parts(
    from: NodeId,
    collection: crate::replica::state::Collection,
    meta: &Meta,
    joined: &Joined,
    state: &KeyState,
    shelf: &mut dyn Shelf,
) {
    let (database, key) = (state.database, &state.key[..]);
    let have = |part: &Part| {
        meta.more.as_ref().and_then(|more| more.parts.get(part)).filter(|_| part.0 == collection)
    };
    // First what is set: a collection that lost its last element in between would be gone, and its end with it.
    for element in &state.elements {
        let part = (element.collection, Box::from(&element.name[..]));
        let is_current = have(&part).is_some_and(|have| have.mark == element.mark);
        if let Some(value) = element.value.as_ref().filter(|_| is_current) {
            shelf.set_element(from, database, key, collection, &element.name, value);
        }
    }
    let voided = joined.voided.iter().filter(|part| part.0 == collection);
    for part in joined.taken.iter().filter(|part| part.0 == collection).chain(voided) {
        if have(part).is_none_or(|have| !have.is_live) {
            shelf.remove_element(from, database, key, &part.1);
        }
    }
}
