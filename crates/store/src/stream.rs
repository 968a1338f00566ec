//! A stream: a log of entries that are only added at the end, and groups of consumers that read it.
//!
//! Groups are changed through [`Stream::change_group`], which keeps the count of their bytes.

use std::collections::BTreeMap;

use crate::value::ALLOCATION_BYTES;

mod dump;
pub(crate) mod entries;
pub(crate) mod entry;
pub(crate) mod group;
pub(crate) mod id;
pub(crate) mod log;

use self::group::Group;
use self::log::Log;

/// What a group takes beside its name and what it holds.
const GROUP_BYTES: usize = size_of::<Group>() + size_of::<Box<[u8]>>() + ALLOCATION_BYTES;

/// Entries, and who reads them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    /// The entries.
    pub(crate) log: Log,
    groups: BTreeMap<Box<[u8]>, Group>,
    groups_bytes: usize,
}

impl Stream {
    /// An empty stream.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The groups by name.
    pub(crate) fn groups(&self) -> &BTreeMap<Box<[u8]>, Group> {
        &self.groups
    }

    /// Makes a group; whether there was none of this name.
    pub(crate) fn create_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        self.groups_bytes += GROUP_BYTES + name.len() + group.memory_bytes();
        self.groups.insert(name.into(), group);
        true
    }

    /// Removes a group; whether there was one.
    pub(crate) fn destroy_group(&mut self, name: &[u8]) -> bool {
        let Some(group) = self.groups.remove(name) else {
            return false;
        };
        self.groups_bytes -= GROUP_BYTES + name.len() + group.memory_bytes();
        true
    }

    /// Lets `change` have a group and the log; none when there is no such group.
    pub(crate) fn change_group<R>(
        &mut self,
        name: &[u8],
        change: impl FnOnce(&mut Group, &Log) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(name)?;
        let before = group.memory_bytes();
        let result = change(group, &self.log);
        self.groups_bytes = self.groups_bytes - before + group.memory_bytes();
        Some(result)
    }

    /// Bytes on the heap, estimated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.log.entries().memory_bytes() + self.groups_bytes
    }
}

#[cfg(test)]
mod tests;
