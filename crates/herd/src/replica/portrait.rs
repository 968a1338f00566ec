//! A key as it is told to others: its marks from here, its values from the store.

use bytes::Bytes;

use crate::replica::Replica;
use crate::replica::known::Known;
use crate::replica::mark::Mark;
use crate::replica::meta::{Part, PartMark};
use crate::replica::page::Ground;
use crate::replica::shelf::Shelf;
use crate::replica::state::{Base, Body, Element, Expiry, Extent, KeyState, Shape};
use crate::replica::table::{Entry, parts_of};

/// What an element takes in a state beside its name and value.
const ELEMENT_BYTES: usize = 24;

/// Which of a key's facts are told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told<'a> {
    /// All.
    All,
    /// Those a server does not know.
    Unknown(&'a Known),
}

impl Told<'_> {
    fn has(self, mark: Mark) -> bool {
        match self {
            Self::All => mark != Mark::ZERO,
            Self::Unknown(known) => mark != Mark::ZERO && !known.covers(mark),
        }
    }
}

impl Entry<'_> {
    /// Its newest mark.
    pub(crate) fn newest(&self) -> Mark {
        self.more.map_or(self.base, |more| self.base.max(more.newest()))
    }

    /// All its marks.
    pub(crate) fn marks(&self) -> impl Iterator<Item = Mark> {
        let more = self.more.into_iter().flat_map(|more| {
            let expiry = more.expiry.iter().map(|expiry| expiry.mark);
            let parts = more.parts.values().map(|part| part.mark);
            expiry.chain(parts).chain(more.shares.values().map(|share| share.mark()))
        });
        std::iter::once(self.base).chain(more)
    }
}

impl Replica {
    /// A key, its elements from after `after` on as far as a message takes them. Returns where to go on.
    pub(crate) fn portrait(
        &self,
        name: &[u8],
        told: Told<'_>,
        after: Option<&Part>,
        shelf: &dyn Shelf,
    ) -> Option<(KeyState, Option<Part>)> {
        let entry = self.table.get(name)?;
        let (database, key) = parts_of(name);
        let mut state = KeyState::silent(database, Bytes::copy_from_slice(key));
        if told.has(entry.base) {
            state.mark = entry.base;
            state.base = match entry.ground {
                Ground::Gone => Base::Gone,
                Ground::Lapsed => Base::Lapsed,
                // What the store has let go since ends here as soon as the store says so.
                Ground::Whole => Base::Whole(self.body(&entry, database, key, shelf)?),
            };
        }
        state.expiry = match entry.more.and_then(|more| more.expiry) {
            Some(expiry) => told.has(expiry.mark).then_some(expiry),
            None if entry.ground == Ground::Whole && told.has(entry.base) => {
                Some(Expiry { mark: entry.base, at_ms: None })
            }
            None => None,
        };
        let value = |part: &Part| shelf.element(database, key, &part.1);
        let next = self.elements(&entry, told, after, &mut state, &value);
        let shares = entry.more.into_iter().flat_map(|more| more.shares.values());
        state.shares.extend(shares.filter(|share| told.has(share.mark())));
        if entry.is_lacking() {
            state.extent = Extent::Lacking(entry.more.map_or(Mark::ZERO, |more| more.lacks));
        } else if matches!(told, Told::All) {
            let bound = |part: &Part| (part.0, Bytes::copy_from_slice(&part.1));
            state.extent = Extent::Between(after.map(bound), next.as_ref().map(bound));
        }
        Some((state, next))
    }

    /// A key without its values, as notes have it.
    pub(crate) fn bare_portrait(&self, name: &[u8], after: Option<&Part>) -> (KeyState, Option<Part>) {
        let (database, key) = parts_of(name);
        let mut state = KeyState::silent(database, Bytes::copy_from_slice(key));
        let Some(entry) = self.table.get(name) else { return (state, None) };
        state.mark = entry.base;
        state.base = match entry.ground {
            Ground::Gone => Base::Gone,
            Ground::Lapsed => Base::Lapsed,
            Ground::Whole => {
                let number = entry.more.and_then(|more| more.number);
                Base::Whole(Body::Text(number.map_or_else(Bytes::new, |number| number.to_string().into())))
            }
        };
        state.expiry = entry.more.and_then(|more| more.expiry);
        if let Some(more) = entry.more.filter(|more| more.lacks != Mark::ZERO) {
            state.extent = Extent::Lacking(more.lacks);
        }
        let next = self.elements(&entry, Told::All, after, &mut state, &|_| Some(Bytes::new()));
        state.shares.extend(entry.more.into_iter().flat_map(|more| more.shares.values()));
        (state, next)
    }

    /// Adds elements to a state. Those the store does not have are told by whoever lets them go, those that are too large
    /// by nobody.
    fn elements(
        &self,
        entry: &Entry<'_>,
        told: Told<'_>,
        after: Option<&Part>,
        state: &mut KeyState,
        value: &dyn Fn(&Part) -> Option<Bytes>,
    ) -> Option<Part> {
        let more = entry.more?;
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let mut bytes = 0;
        for (part, &PartMark { mark, is_live }) in more.parts.range((from, std::ops::Bound::Unbounded)) {
            if !told.has(mark) {
                continue;
            }
            let value = if is_live { value(part) } else { None };
            if is_live && value.as_ref().is_none_or(|value| self.is_too_large(part.1.len(), value.len())) {
                continue;
            }
            bytes += ELEMENT_BYTES + part.1.len() + value.as_ref().map_or(0, Bytes::len);
            let name = Bytes::copy_from_slice(&part.1);
            state.elements.push(Element { collection: part.0, name, mark, value });
            if bytes >= self.options.message_bytes {
                return Some(part.clone());
            }
        }
        None
    }

    /// The value at the base: of a counter, without what was counted since.
    fn body(&self, entry: &Entry<'_>, database: u32, key: &[u8], shelf: &dyn Shelf) -> Option<Body> {
        match entry.more.filter(|more| !more.shares.is_empty()).and_then(|more| more.number) {
            Some(number) => Some(Body::Text(number.to_string().into())),
            None => shelf.body(database, key).filter(|body| !self.is_too_large(0, body.len())),
        }
    }

    fn is_too_large(&self, name: usize, value: usize) -> bool {
        name.saturating_add(value) > self.options.change_max_bytes
    }

    /// Whether a key has what is told to nobody: that others lack it does not mean that it was deleted.
    pub(super) fn stays_here(&self, entry: &Entry<'_>, database: u32, key: &[u8], shelf: &dyn Shelf) -> bool {
        match entry.shape() {
            None => false,
            Some(Shape::Whole) => {
                shelf.body(database, key).is_some_and(|body| self.is_too_large(0, body.len()))
            }
            Some(Shape::Parts(_)) => {
                let mut parts = entry.more.into_iter().flat_map(|more| more.parts.keys());
                parts.any(|part| self.element_stays_here(part, database, key, shelf))
            }
        }
    }

    /// As [`Self::stays_here`], of one element.
    pub(super) fn element_stays_here(
        &self,
        part: &Part,
        database: u32,
        key: &[u8],
        shelf: &dyn Shelf,
    ) -> bool {
        let value = shelf.element(database, key, &part.1);
        value.is_some_and(|value| self.is_too_large(part.1.len(), value.len()))
    }
}

/// A state as notes have it: the number of a counter stays, other values go.
pub(crate) fn bare(state: &KeyState) -> KeyState {
    let mut bare = state.clone();
    bare.extent = Extent::Named;
    if let Base::Whole(body) = &mut bare.base {
        let is_number = matches!(body, Body::Text(text) if super::meta::integer(text).is_some());
        if !is_number {
            *body = Body::Text(Bytes::new());
        }
    }
    for element in &mut bare.elements {
        element.value = element.value.as_ref().map(|_| Bytes::new());
    }
    bare
}
