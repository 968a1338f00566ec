//! All keys of the herd by name, and the digest over them.
//!
//! A key's hash says its leaf, one of 65,536; a leaf is a page of keys. The digest is a tree of sixteen branches each
//! over the leaves: a node is the exclusive or of the fingerprints of all keys below it, so that a change of one key
//! changes five numbers, and two servers find where they differ by comparing from the top.

use std::collections::BTreeMap;

use crate::NodeId;
use crate::replica::fold;
use crate::replica::mark::Mark;
use crate::replica::meta::{Meta, More, fingerprint, shape};
use crate::replica::page::{Ground, Page, Record};
use crate::replica::state::Shape;

/// Branches of a node of the tree.
pub const BRANCHES: usize = 16;
/// Levels below the root: level 4 has the leaves.
pub const LEVELS: u8 = 4;
/// Leaves.
pub const LEAVES: usize = 65_536;
/// Longest name of a key the herd keeps, in bytes; its database takes two more.
pub const KEY_MAX_BYTES: usize = 65_000;

/// A key's database and name in one piece.
pub(crate) type Address = Box<[u8]>;

/// A key as it is kept, for reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) base: Mark,
    pub(crate) ground: Ground,
    pub(crate) more: Option<&'a More>,
}

/// The keys.
#[derive(Debug)]
pub(crate) struct Table {
    pages: Vec<Page>,
    /// The sums of the levels, the root's first.
    sums: [Vec<u64>; 5],
    more: BTreeMap<Address, Box<More>>,
    /// Servers by the number they have in pages, and those numbers.
    nodes: Vec<NodeId>,
    numbers: BTreeMap<NodeId, u16>,
    /// Keys that are there, and keys of which only the end is known.
    pub(crate) live: usize,
    pub(crate) ended: usize,
}

impl Entry<'_> {
    pub(crate) fn shape(&self) -> Option<Shape> {
        shape(self.ground, self.more)
    }

    /// Whether others may have of it what is not here and was not deleted.
    pub(crate) fn is_lacking(&self) -> bool {
        self.more.is_some_and(More::is_lacking)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.shape().is_some()
    }

    pub(crate) fn fingerprint(&self, name: &[u8]) -> u64 {
        fingerprint(fold::bytes(name), self.base, self.ground, self.more)
    }
}

impl Table {
    pub(crate) fn new() -> Self {
        let sums = [1, 16, 256, 4096, LEAVES].map(|nodes| vec![0; nodes]);
        let pages = (0..LEAVES).map(|_| Page::default()).collect();
        Self {
            pages,
            sums,
            more: BTreeMap::new(),
            // Marks that no server made have the number 0: a full table has room for them too.
            nodes: vec![Mark::ZERO.node],
            numbers: BTreeMap::from([(Mark::ZERO.node, 0)]),
            live: 0,
            ended: 0,
        }
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<Entry<'_>> {
        let record = self.pages[leaf(name)].get(name)?;
        Some(self.entry(name, record))
    }

    /// A key for changing; [`put`](Self::put) has to follow. A new one if there is none.
    pub(crate) fn take(&mut self, name: &[u8]) -> Meta {
        let Some(record) = self.pages[leaf(name)].get(name) else { return Meta::default() };
        self.count(name, record, false);
        let more = if record.has_more { self.more.remove(name) } else { None };
        Meta { base: record.mark(&self.nodes), ground: record.ground, more }
    }

    /// Puts a key that was taken.
    pub(crate) fn put(&mut self, name: &[u8], meta: Meta) {
        let node = self.number(meta.base.node);
        let record =
            Record { ground: meta.ground, has_more: meta.more.is_some(), node, stamp: meta.base.stamp };
        if let Some(more) = meta.more {
            self.more.insert(name.into(), more);
        }
        self.pages[leaf(name)].set(name, record);
        self.count(name, record, true);
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, name: &[u8]) {
        if let Some(record) = self.pages[leaf(name)].get(name) {
            self.count(name, record, false);
            self.pages[leaf(name)].remove(name);
            self.more.remove(name);
        }
    }

    /// Whether marks of another server can be kept: there is room for 65,535.
    pub(crate) fn has_room_for(&self, node: NodeId) -> bool {
        self.nodes.len() < usize::from(u16::MAX) || self.numbers.contains_key(&node)
    }

    /// The keys of a leaf.
    pub(crate) fn leaf(&self, leaf: u16) -> impl Iterator<Item = (&[u8], Entry<'_>)> {
        self.pages[usize::from(leaf)].iter().map(|(name, record)| (name, self.entry(name, record)))
    }

    /// The names with that short hash: one, as a rule.
    pub(crate) fn with_hash(&self, hash: u64) -> impl Iterator<Item = &[u8]> {
        let names = self.pages[leaf_of(hash)].iter().map(|(name, _)| name);
        names.filter(move |name| fold::short(name) == hash)
    }

    /// The sums of the branches of a node; none if there is no such node.
    pub(crate) fn branches(&self, level: u8, node: u32) -> Option<[u64; BRANCHES]> {
        let below = self.sums.get(usize::from(level) + 1)?;
        let start = usize::try_from(node).ok()?.checked_mul(BRANCHES)?;
        below.get(start..start.checked_add(BRANCHES)?)?.try_into().ok()
    }

    pub(crate) fn root(&self) -> u64 {
        self.sums[0][0]
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let pages: usize = self.pages.iter().map(Page::memory_bytes).sum();
        pages + LEAVES * size_of::<Page>() + self.sums.iter().map(|sums| sums.len() * 8).sum::<usize>()
    }

    fn entry(&self, name: &[u8], record: Record) -> Entry<'_> {
        let more = if record.has_more { self.more.get(name).map(AsRef::as_ref) } else { None };
        Entry { base: record.mark(&self.nodes), ground: record.ground, more }
    }

    fn number(&mut self, node: NodeId) -> u16 {
        if let Some(&number) = self.numbers.get(&node) {
            return number;
        }
        let number = u16::try_from(self.nodes.len()).expect("a full table refuses new servers");
        self.nodes.push(node);
        self.numbers.insert(node, number);
        number
    }

    /// Adds a key to the sums, or takes it out.
    fn count(&mut self, name: &[u8], record: Record, is_added: bool) {
        let entry = self.entry(name, record);
        let (is_live, print) = (entry.is_live(), entry.fingerprint(name));
        let count = if is_live { &mut self.live } else { &mut self.ended };
        *count = if is_added { *count + 1 } else { *count - 1 };
        let mut at = leaf(name);
        for sums in self.sums.iter_mut().rev() {
            sums[at] ^= print;
            at /= BRANCHES;
        }
    }
}

/// The address of a key.
pub(crate) fn address(database: u32, key: &[u8]) -> Option<Address> {
    let database = u16::try_from(database).ok()?;
    (key.len() <= KEY_MAX_BYTES).then(|| [&database.to_be_bytes(), key].concat().into())
}

/// Database and key of an address.
pub(crate) fn parts_of(address: &[u8]) -> (u32, &[u8]) {
    let (database, key) = address.split_at(2);
    (u32::from(u16::from_be_bytes([database[0], database[1]])), key)
}

fn leaf(name: &[u8]) -> usize {
    leaf_of(fold::bytes(name))
}

fn leaf_of(hash: u64) -> usize {
    usize::try_from(hash >> 48).expect("sixteen bits")
}
