//! What a key holds: one of six types.
//!
//! Each type keeps count of its own bytes, so that the store's memory is known without a walk, and can say itself in
//! commands, which is what a snapshot is made of.

mod hash;
mod list;
mod set;
mod text;

pub(crate) use hash::Hash;
pub(crate) use list::{End, List};
pub(crate) use set::Set;
pub use text::Digits;
pub(crate) use text::Text;

use crate::sorted_set::SortedSet;
use crate::stream::Stream;

/// The hash functions of keyspaces, hashes and sets: seeded, the same in one store.
pub(crate) type Hashing = foldhash::fast::FixedState;

/// What an allocation costs beyond its bytes, on average: the allocator's header and rounding.
pub(crate) const ALLOCATION_BYTES: usize = 16;

/// Items in one command of a snapshot, as in the logs Redis rewrites.
pub(crate) const DUMP_ITEMS: usize = 64;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A string.
    Text,
    /// A list.
    List,
    /// A hash.
    Hash,
    /// A set.
    Set,
    /// A sorted set.
    SortedSet,
    /// A stream.
    Stream,
}

impl Kind {
    /// Its name in the answer of `TYPE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::List => "list",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Stream => "stream",
        }
    }
}

/// A value. All but strings are behind a pointer, which keeps the table of keys dense.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Text),
    List(Box<List>),
    Hash(Box<Hash>),
    Set(Box<Set>),
    SortedSet(Box<SortedSet>),
    Stream(Box<Stream>),
}

/// A type that can be asked for by its Rust type.
pub(crate) trait Kept: Sized {
    /// It, if `value` is of this type.
    fn of(value: &Value) -> Option<&Self>;
    /// It, for changing, if `value` is of this type.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// An empty one.
    fn fresh(hashing: Hashing) -> Value;
}

impl Value {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Hash(_) => Kind::Hash,
            Self::Set(_) => Kind::Set,
            Self::SortedSet(_) => Kind::SortedSet,
            Self::Stream(_) => Kind::Stream,
        }
    }

    /// Whether the key has to go: a collection without elements does not exist. Strings and streams may be empty.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::Text(_) | Self::Stream(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::SortedSet(set) => set.is_empty(),
        }
    }

    /// An estimate of the bytes it takes, without the entry that holds it.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.memory_bytes(),
            Self::List(list) => size_of::<List>() + list.memory_bytes(),
            Self::Hash(hash) => size_of::<Hash>() + hash.memory_bytes(),
            Self::Set(set) => size_of::<Set>() + set.memory_bytes(),
            Self::SortedSet(set) => size_of::<SortedSet>() + set.memory_bytes(),
            Self::Stream(stream) => size_of::<Stream>() + stream.memory_bytes(),
        }
    }

    /// Says the commands that make it under the name `key`, at most [`DUMP_ITEMS`] items in each.
    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        match self {
            Self::Text(text) => text.dump(key, sink),
            Self::List(list) => list.dump(key, sink),
            Self::Hash(hash) => hash.dump(key, sink),
            Self::Set(set) => set.dump(key, sink),
            Self::SortedSet(set) => set.dump(key, sink),
            Self::Stream(stream) => stream.dump(key, sink),
        }
    }
}

macro_rules! kept {
    ($type:ident, $value:ident, $inner:ident => $borrowed:expr, $hashing:ident => $fresh:expr) => {
        impl Kept for $type {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$value($inner) = value { Some($borrowed) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$value($inner) = value { Some($borrowed) } else { None }
            }
            fn fresh($hashing: Hashing) -> Value {
                Value::$value($fresh)
            }
        }
    };
}

kept!(Text, Text, text => text, _hashing => Text::new(b""));
kept!(List, List, list => list, _hashing => Box::new(List::new()));
kept!(Hash, Hash, hash => hash, hashing => Box::new(Hash::new(hashing)));
kept!(Set, Set, set => set, hashing => Box::new(Set::new(hashing)));
kept!(SortedSet, SortedSet, set => set, hashing => Box::new(SortedSet::new(hashing)));
kept!(Stream, Stream, stream => stream, _hashing => Box::new(Stream::new()));
