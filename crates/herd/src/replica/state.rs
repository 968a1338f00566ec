//! What is told of a key: everything about it, or what one change made of it. Both are the same, and are taken in alike.
//!
//! A key has a *base*: a whole value, or the fact that there was nothing. Whatever is older than the base is void. On the
//! base stand later facts, each with a mark of its own, of which the highest counts: the fields of a hash, the members
//! of a set or a sorted set, what each server added to a counter, and the time the key ends. Taking in is a union where
//! the higher mark wins: order, repetition and loss change nothing about where it ends. What the end of a key takes with it
//! follows from these facts and the clock, and is no fact of its own.

use bytes::Bytes;

use crate::NodeId;
use crate::replica::mark::{Mark, Stamp};

/// Collections that are told of element by element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Collection {
    /// Fields with values.
    Hash,
    /// Members.
    Set,
    /// Members with scores; the value of an element is its score as text.
    SortedSet,
}

/// What a key is, to the herd.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shape {
    /// A string, a list or a stream: one value.
    Whole,
    /// Elements.
    Parts(Collection),
}

/// A whole value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// A string.
    Text(Bytes),
    /// Another type, in the store's own encoding.
    Packed(Bytes),
}

impl Body {
    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        let (Self::Text(bytes) | Self::Packed(bytes)) = self;
        bytes.len()
    }
}

/// What the base of a key is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Base {
    /// Nothing: the key was deleted, or never was. With [`Mark::ZERO`] it says nothing at all.
    Gone,
    /// A whole value, which is not here as its time was over.
    Lapsed,
    /// A whole value.
    Whole(Body),
}

/// An element of a collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// Of what.
    pub collection: Collection,
    /// The field or the member.
    pub name: Bytes,
    /// When it was set or removed.
    pub mark: Mark,
    /// Its value; none when it was removed.
    pub value: Option<Bytes>,
}

/// What one server has added to a counter in one of its lives, from the first time on that it counted there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// The server.
    pub node: NodeId,
    /// When it began to count: a base that came later makes the share void.
    pub since: Stamp,
    /// When it last counted.
    pub stamp: Stamp,
    /// The sum.
    pub sum: i64,
}

/// When a key ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expiry {
    /// When that was said.
    pub mark: Mark,
    /// Milliseconds since 1970; none for never.
    pub at_ms: Option<u64>,
}

/// Which elements a state speaks for: those it does not name are not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// For those it names only.
    Named,
    /// For all after the first and up to the second one; none for the beginning and the end.
    Between(Option<(Collection, Bytes)>, Option<(Collection, Bytes)>),
    /// For those it names only: others may have what is not newer than this mark, and it does not.
    Lacking(Mark),
}

/// What is told of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyState {
    /// The database.
    pub database: u32,
    /// The key.
    pub key: Bytes,
    /// When the base came about.
    pub mark: Mark,
    /// The base.
    pub base: Base,
    /// When it ends, if that is told of.
    pub expiry: Option<Expiry>,
    /// Elements.
    pub elements: Vec<Element>,
    /// What servers counted.
    pub shares: Vec<Share>,
    /// What it speaks for.
    pub extent: Extent,
}

/// A change of one key, as it spreads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its name; everything in `state` that it made has this mark.
    pub mark: Mark,
    /// The change before it of the same server in the same life.
    pub previous: Stamp,
    /// The newest mark of the key that its maker knew: a newer one elsewhere was written at the same time.
    pub over: Mark,
    /// What it made.
    pub state: KeyState,
}

impl KeyState {
    /// A state that says nothing yet.
    #[must_use]
    pub fn silent(database: u32, key: Bytes) -> Self {
        Self {
            database,
            key,
            mark: Mark::ZERO,
            base: Base::Gone,
            expiry: None,
            elements: Vec::new(),
            shares: Vec::new(),
            extent: Extent::Named,
        }
    }

    /// Every mark in it.
    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        let expiry = self.expiry.iter().map(|expiry| expiry.mark);
        let elements = self.elements.iter().map(|element| element.mark);
        let shares = self.shares.iter().map(|share| share.mark());
        std::iter::once(self.mark).chain(expiry).chain(elements).chain(shares)
    }

    /// The highest of its marks.
    #[must_use]
    pub fn newest(&self) -> Mark {
        self.marks().max().unwrap_or(Mark::ZERO)
    }
}

impl Share {
    /// The mark of its last count.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { stamp: self.stamp, node: self.node }
    }

    /// The mark of its beginning.
    #[must_use]
    pub fn since_mark(&self) -> Mark {
        Mark { stamp: self.since, node: self.node }
    }
}
