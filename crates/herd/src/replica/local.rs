//! What clients did here, as changes for the others.
//!
//! A change is made by comparing the key as it is with what is known of it, so that it does not matter how many commands
//! there were in between, or which. What the command was only makes it smaller.

use bytes::Bytes;

use crate::NodeId;
use crate::replica::clock::Now;
use crate::replica::code;
use crate::replica::known::Known;
use crate::replica::mark::{Mark, Stamp};
use crate::replica::meta::{Joined, Meta, integer};
use crate::replica::order::{Order, ReplicaEvent, Touch};
use crate::replica::page::Ground;
use crate::replica::portrait::bare;
use crate::replica::recent::Arrival;
use crate::replica::scope::Scope;
use crate::replica::shelf::Shelf;
use crate::replica::state::{
    Base, Body, Change, Collection, Element, Expiry, Extent, KeyState, Shape, Share,
};
use crate::replica::table::{Address, address, parts_of};
use crate::replica::{Replica, Stretch, fold};

/// What elements of one change may take, so that a large collection becomes several changes.
const ELEMENTS_BYTES: usize = 256 << 10;

/// A key that was touched.
struct Touched<'a> {
    database: u32,
    key: &'a [u8],
    address: Address,
    /// What the herd took it for.
    before: Option<Shape>,
}

impl Replica {
    pub(super) fn touched(
        &mut self,
        now: Now,
        database: u32,
        key: &[u8],
        touch: Touch<'_>,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        if self.scopes.of(key) == Scope::Local {
            return;
        }
        let Some(address) = address(database, key) else {
            return self.oversized(database, key, key.len(), orders);
        };
        self.end_if_over(now, &address);
        let before = self.table.get(&address).and_then(|entry| entry.shape());
        let touched = Touched { database, key, address, before };
        match (shelf.shape(database, key), touch) {
            // Another server's news came after.
            (Some(_), Touch::Lapsed) => {}
            (None, Touch::Lapsed) if before.is_some() && self.ends(&touched.address) => {
                self.end(now, &touched.address, true);
            }
            (None, _) if before.is_some() => {
                let state = KeyState::silent(database, Bytes::copy_from_slice(key));
                self.make(now, &touched, state, &|state, mark| state.mark = mark, shelf, orders);
            }
            (None, _) => {}
            (Some(Shape::Whole), touch) => self.whole_touched(now, &touched, touch, shelf, orders),
            (Some(Shape::Parts(collection)), touch) => {
                self.parts_touched(now, &touched, collection, touch, shelf, orders);
            }
        }
    }

    /// Brings what is known of a database in line with what is there.
    pub(super) fn all_touched(
        &mut self,
        now: Now,
        database: u32,
        is_restored: bool,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let mut known = Vec::new();
        for leaf in 0..=u16::MAX {
            let live = self.table.leaf(leaf).filter(|(_, entry)| entry.is_live());
            known.extend(
                live.map(|(name, _)| Address::from(name)).filter(|name| parts_of(name).0 == database),
            );
        }
        for name in known {
            let key = parts_of(&name).1;
            self.end_if_over(now, &name);
            if !self.table.get(&name).is_some_and(|entry| entry.is_live()) {
                continue;
            }
            if shelf.shape(database, key).is_none() {
                if is_restored {
                    // Its time was over meanwhile, or it was lost: if it lives elsewhere it is to be told
                    // again, and not to be taken for deleted.
                    self.table.remove(&name);
                    self.known = Known::default();
                } else {
                    self.touched(now, database, key, Touch::Whole, shelf, orders);
                }
            }
        }
        let mut keys = Vec::new();
        shelf.each_key(database, &mut |key| {
            let name = address(database, key);
            let is_known =
                name.is_some_and(|name| self.table.get(&name).is_some_and(|entry| entry.is_live()));
            if !(is_restored && is_known) {
                keys.push(Bytes::copy_from_slice(key));
            }
        });
        for key in keys {
            self.touched(now, database, &key, Touch::Whole, shelf, orders);
        }
    }

    fn whole_touched(
        &mut self,
        now: Now,
        touched: &Touched<'_>,
        touch: Touch<'_>,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let (database, key) = (touched.database, touched.key);
        let mut state = KeyState::silent(database, Bytes::copy_from_slice(key));
        match touch {
            Touch::Counted(step) => {
                let share = self.share_after(&touched.address, step);
                let with_mark = move |state: &mut KeyState, mark: Mark| {
                    let since = share.map_or(mark.stamp, |share: Share| share.since);
                    let sum = share.map_or(step, |share| share.sum);
                    state.shares = vec![Share { node: mark.node, since, stamp: mark.stamp, sum }];
                };
                self.make(now, touched, state, &with_mark, shelf, orders);
            }
            Touch::Expiry if touched.before == Some(Shape::Whole) => {
                self.make_expiry(now, touched, state, shelf, orders);
            }
            _ => {
                let Some(body) = shelf.body(database, key) else { return };
                if body.len() > self.options.change_max_bytes {
                    return self.oversized(database, key, body.len(), orders);
                }
                state.base = Base::Whole(body);
                let at_ms = shelf.fix_expiry(database, key);
                let with_mark = move |state: &mut KeyState, mark: Mark| {
                    state.mark = mark;
                    state.expiry = Some(Expiry { mark, at_ms });
                };
                self.make(now, touched, state, &with_mark, shelf, orders);
            }
        }
    }

    fn parts_touched(
        &mut self,
        now: Now,
        touched: &Touched<'_>,
        collection: Collection,
        touch: Touch<'_>,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let (database, key) = (touched.database, touched.key);
        let is_same = touched.before == Some(Shape::Parts(collection));
        let state = KeyState::silent(database, Bytes::copy_from_slice(key));
        if is_same && touch == Touch::Expiry {
            return self.make_expiry(now, touched, state, shelf, orders);
        }
        let mut elements: Vec<Element> = Vec::new();
        let more = self.table.get(&touched.address).and_then(|entry| entry.more);
        let is_live = |name: &[u8]| {
            let part = (collection, Box::from(name));
            more.is_some_and(|more| more.parts.get(&part).is_some_and(|have| have.is_live))
        };
        let (max, mut too_large) = (self.options.change_max_bytes, Vec::new());
        let mut tell = |name: &[u8], value: Option<Bytes>| {
            let bytes = name.len() + value.as_ref().map_or(0, Bytes::len);
            if bytes > max {
                return too_large.push(bytes);
            }
            let name = Bytes::copy_from_slice(name);
            elements.push(Element { collection, name, mark: Mark::ZERO, value });
        };
        match touch {
            Touch::Elements(names) if is_same => {
                for name in names {
                    let value = shelf.element(database, key, name);
                    if value.is_some() || is_live(name) {
                        tell(name, value);
                    }
                }
            }
            _ => {
                let live = more.into_iter().flat_map(|more| &more.parts).filter(|(_, have)| have.is_live);
                for ((_, name), _) in live {
                    if shelf.element(database, key, name).is_none() {
                        tell(name, None);
                    }
                }
                if !(is_same && touch == Touch::Fewer) {
                    shelf.each_element(database, key, &mut |name| {
                        tell(name, shelf.element(database, key, name));
                    });
                }
            }
        }
        let is_known = self.table.get(&touched.address).is_some();
        let tells_expiry = (is_known || shelf.expiry_ms(database, key).is_some())
            && !matches!(touch, Touch::Elements(_) | Touch::Fewer);
        for bytes in too_large {
            self.oversized(database, key, bytes, orders);
        }
        self.make_elements(now, touched, elements, shelf, orders);
        if tells_expiry {
            self.make_expiry(now, touched, state, shelf, orders);
        }
    }

    /// Elements in as many changes as they need.
    fn make_elements(
        &mut self,
        now: Now,
        touched: &Touched<'_>,
        elements: Vec<Element>,
        shelf: &dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let with_mark = |state: &mut KeyState, mark: Mark| {
            for element in &mut state.elements {
                element.mark = mark;
            }
        };
        let mut elements = elements.into_iter().peekable();
        while elements.peek().is_some() {
            let mut state = KeyState::silent(touched.database, Bytes::copy_from_slice(touched.key));
            let mut bytes = 0;
            while let Some(element) = elements.next_if(|_| bytes < ELEMENTS_BYTES) {
                bytes += element.name.len() + element.value.as_ref().map_or(0, Bytes::len);
                state.elements.push(element);
            }
            self.make(now, touched, state, &with_mark, shelf, orders);
        }
    }

    fn make_expiry(
        &mut self,
        now: Now,
        touched: &Touched<'_>,
        state: KeyState,
        shelf: &mut dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let at_ms = shelf.fix_expiry(touched.database, touched.key);
        let with_mark = move |state: &mut KeyState, mark| state.expiry = Some(Expiry { mark, at_ms });
        self.make(now, touched, state, &with_mark, shelf, orders);
    }

    /// What this server has counted in this life, with one step more; none when it begins to count. What it counted before
    /// stays a share of its own: others may know more of it than a folder that was put back to an older copy.
    fn share_after(&self, address: &[u8], step: i64) -> Option<Share> {
        let entry = self.table.get(address).filter(|entry| entry.is_live())?;
        let is_own = |share: &&Share| share.node == self.me && share.since > self.begun;
        let share = *entry.more?.counted().rev().find(is_own)?;
        Some(Share { sum: share.sum.saturating_add(step), ..share })
    }

    /// Makes a change: gives it a mark, takes it in, and has it written down and spread.
    fn make(
        &mut self,
        now: Now,
        touched: &Touched<'_>,
        mut state: KeyState,
        with_mark: &dyn Fn(&mut KeyState, Mark),
        shelf: &dyn Shelf,
        orders: &mut Vec<Order>,
    ) {
        let over = self.table.get(&touched.address).map_or(Mark::ZERO, |entry| entry.newest());
        let mut meta = self.table.take(&touched.address);
        let seen_end = meta.seen_end();
        self.clock.resume_after(seen_end.unwrap_or(Mark::ZERO).stamp);
        let mark = Mark { stamp: self.clock.give(now), node: self.me };
        with_mark(&mut state, mark);
        if state.mark == Mark::ZERO {
            // The client saw what the end left.
            state.mark = seen_end.unwrap_or(Mark::ZERO);
            state.expiry = state.expiry.or(meta.lifetime_with(mark));
        }
        let joined = meta.join(&state, now.wall_ms);
        if meta.wants_number() {
            let text = shelf.body(touched.database, touched.key);
            let seen = text.and_then(|body| if let Body::Text(text) = body { integer(&text) } else { None });
            let counted: i64 = shares_sum(&meta);
            meta.set_number(seen.map(|seen| seen.saturating_sub(counted)));
        }
        self.remember_ends(now, &touched.address, &meta, &joined);
        self.table.put(&touched.address, meta);
        let previous = std::mem::replace(&mut self.previous, mark.stamp);
        self.taken(mark, Some(previous), &touched.address);
        self.figures.made += 1;
        orders.extend(self.clock.reserve(now).map(Order::Reserve));
        let change = Change { mark, previous, over, state };
        orders.push(Order::Note(code::encode_change(&Change {
            state: self.noted(&touched.address, &change.state, &Joined::default()),
            ..change.clone()
        })));
        orders.push(Order::Spread(code::encode_change(&change)));
    }

    /// A change's state as its note has it: with the number of a counter, which the store no longer has alone, and with
    /// what is lacking since a key that had ended goes on.
    pub(super) fn noted(&self, address: &[u8], state: &KeyState, joined: &Joined) -> KeyState {
        let mut state = bare(state);
        let entry = self.table.get(address);
        if let Some(more) = entry.and_then(|entry| entry.more).filter(|_| joined.is_revived) {
            state.extent = Extent::Lacking(more.lacks);
        }
        let whole = entry.filter(|entry| entry.ground == Ground::Whole);
        let number = whole.and_then(|entry| Some((entry.base, entry.more?.number?)));
        if let Some((base, number)) = number.filter(|_| !state.shares.is_empty()) {
            state.mark = base;
            state.base = Base::Whole(Body::Text(number.to_string().into()));
        }
        state
    }

    /// Notes that a change is there now.
    pub(super) fn taken(&mut self, mark: Mark, previous: Option<Stamp>, address: &[u8]) {
        if let Some(after) = previous {
            self.known.add(Stretch { node: mark.node, after, upto: mark.stamp });
        }
        let arrival = Arrival { mark, hash: fold::short(address) };
        let max = self.recent_max();
        self.recent.push(arrival, max);
    }

    /// Has what a change ended be forgotten in its time.
    pub(super) fn remember_ends(&mut self, now: Now, address: &[u8], meta: &Meta, joined: &Joined) {
        let until = now.tick_ms.saturating_add(self.options.grace_ms);
        if meta.shape().is_none() {
            self.ended.push(address, None, meta.newest(), until);
        }
        for part in &joined.taken {
            let have = meta.more.as_ref().and_then(|more| more.parts.get(part));
            if let Some(have) = have.filter(|have| !have.is_live) {
                self.ended.push(address, Some(part.clone()), have.mark, until);
            }
        }
    }

    pub(super) fn oversized(&mut self, database: u32, key: &[u8], bytes: usize, orders: &mut Vec<Order>) {
        self.figures.oversized += 1;
        let key = Bytes::copy_from_slice(key);
        orders.push(Order::Event(ReplicaEvent::Oversized { database, key, bytes }));
    }

    /// This server.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.me
    }
}

fn shares_sum(meta: &Meta) -> i64 {
    let shares = meta.more.iter().flat_map(|more| more.counted());
    shares.fold(0, |sum: i64, share| sum.saturating_add(share.sum))
}
