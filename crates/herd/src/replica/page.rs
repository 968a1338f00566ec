//! A page: the keys of one leaf of the digest, packed into one stretch of bytes.
//!
//! There are millions of keys and each has a name, a mark and three bits; as objects of their own they would take three
//! times the bytes. A page holds some dozens of them and is searched from its beginning. What more a key needs (marks
//! of elements, counters) few keys need; that is kept elsewhere and noted here by a bit.

use crate::NodeId;
use crate::replica::mark::{Mark, Stamp};

/// Length of the name, bits, number of the server, stamp.
const HEAD_BYTES: usize = 2 + 1 + 2 + 8;
/// A page grows by an eighth, and at least by this: doubling would leave too much empty.
const GROWTH_MIN_BYTES: usize = 64;

/// What is at the base of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ground {
    /// Nothing.
    Gone,
    /// A whole value, which is not here as its time was over.
    Lapsed,
    /// A whole value.
    Whole,
}

/// A key of a page, its name apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) ground: Ground,
    pub(crate) has_more: bool,
    /// Which of the servers known to the table made the base.
    pub(crate) node: u16,
    pub(crate) stamp: Stamp,
}

/// Keys in no order.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<u8>);

impl Record {
    pub(crate) fn mark(self, nodes: &[NodeId]) -> Mark {
        Mark { stamp: self.stamp, node: nodes[usize::from(self.node)] }
    }

    fn head(self, name_len: usize) -> [u8; HEAD_BYTES] {
        let ground = match self.ground {
            Ground::Gone => 0,
            Ground::Lapsed => 1,
            Ground::Whole => 2,
        };
        let mut head = [0; HEAD_BYTES];
        let len = u16::try_from(name_len).expect("longer names are refused before they come here");
        head[..2].copy_from_slice(&len.to_le_bytes());
        head[2] = ground | u8::from(self.has_more) << 2;
        head[3..5].copy_from_slice(&self.node.to_le_bytes());
        head[5..].copy_from_slice(&self.stamp.0.to_le_bytes());
        head
    }

    fn read(head: &[u8]) -> Self {
        let ground = match head[2] & 3 {
            0 => Ground::Gone,
            1 => Ground::Lapsed,
            _ => Ground::Whole,
        };
        let stamp: [u8; 8] = head[5..HEAD_BYTES].try_into().expect("eight bytes");
        Self {
            ground,
            has_more: head[2] & 4 != 0,
            node: u16::from_le_bytes([head[3], head[4]]),
            stamp: Stamp(u64::from_le_bytes(stamp)),
        }
    }
}

impl Page {
    pub(crate) fn get(&self, name: &[u8]) -> Option<Record> {
        self.find(name).map(|at| Record::read(&self.0[at..]))
    }

    /// Puts a key. Returns what was known of it.
    pub(crate) fn set(&mut self, name: &[u8], record: Record) -> Option<Record> {
        let head = record.head(name.len());
        if let Some(at) = self.find(name) {
            let old = Record::read(&self.0[at..]);
            self.0[at..at + HEAD_BYTES].copy_from_slice(&head);
            return Some(old);
        }
        let needed = HEAD_BYTES + name.len();
        if self.0.capacity() - self.0.len() < needed {
            self.0.reserve_exact(needed.max(self.0.len() / 8).max(GROWTH_MIN_BYTES));
        }
        self.0.extend_from_slice(&head);
        self.0.extend_from_slice(name);
        None
    }

    pub(crate) fn remove(&mut self, name: &[u8]) -> Option<Record> {
        let at = self.find(name)?;
        let old = Record::read(&self.0[at..]);
        self.0.drain(at..at + HEAD_BYTES + name.len());
        if self.0.capacity() > 2 * self.0.len() + GROWTH_MIN_BYTES {
            self.0.shrink_to(self.0.len());
        }
        Some(old)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Record)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (name, next) = self.name_at(at)?;
            let record = Record::read(&self.0[at..]);
            at = next;
            Some((name, record))
        })
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.0.capacity()
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some((other, next)) = self.name_at(at) {
            if other == name {
                return Some(at);
            }
            at = next;
        }
        None
    }

    fn name_at(&self, at: usize) -> Option<(&[u8], usize)> {
        let head = self.0.get(at..at + HEAD_BYTES)?;
        let start = at + HEAD_BYTES;
        let end = start + usize::from(u16::from_le_bytes([head[0], head[1]]));
        Some((&self.0[start..end], end))
    }
}
