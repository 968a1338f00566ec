//! Connections of others who have not shown who they are: they have places of their own, so that those who never say take
//! none of the members'.
//!
//! When there are too many one has to go. It is one of the source that has the most of them, so that a crowd from one
//! place costs others nothing; of these the one that has waited longest without a word, since a server that calls begins
//! to speak at once; if all have spoken, the one that has waited longest.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::stream::Remote;
use crate::table::Key;

/// Handshakes of those who called, under way at once. One takes some milliseconds; each costs 32 KiB at most.
const STRANGERS_MAX: usize = 64;
/// As many of them may be from one source: more servers than stand behind one address call at once.
const FROM_ONE_MAX: usize = 32;

/// From where somebody calls: an address, of the longer ones the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source(u64);

/// One of them.
#[derive(Debug)]
struct Stranger {
    key: Key,
    source: Source,
    has_spoken: bool,
}

/// Those who are there, by the order they came in.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    all: BTreeMap<u64, Stranger>,
    next: u64,
}

impl Source {
    fn of(remote: &Remote) -> Self {
        let Remote::Internet(address) = remote else { return Self(u64::MAX) };
        match address.ip().to_canonical() {
            IpAddr::V4(address) => Self(u64::from(address.to_bits())),
            // Whoever has one address of a network has all of it.
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                let bits = [a, b, c, d].into_iter().fold(0, |bits, part| bits << 16 | u64::from(part));
                Self(bits)
            }
        }
    }
}

impl Strangers {
    /// Somebody has connected. Says who has to go for that.
    pub(crate) fn came(&mut self, key: Key, remote: &Remote) -> Option<Key> {
        let source = Source::of(remote);
        let mut counts: BTreeMap<Source, usize> = BTreeMap::new();
        for stranger in self.all.values() {
            *counts.entry(stranger.source).or_default() += 1;
        }
        let from_here = counts.get(&source).copied().unwrap_or_default();
        let crowded = if from_here >= FROM_ONE_MAX {
            Some(source)
        } else if self.all.len() >= STRANGERS_MAX {
            counts.into_iter().max_by_key(|(_, count)| *count).map(|(source, _)| source)
        } else {
            None
        };
        let leaves = crowded.and_then(|crowded| {
            let candidates = self.all.iter().filter(|(_, stranger)| stranger.source == crowded);
            candidates.min_by_key(|(number, stranger)| (stranger.has_spoken, **number))
        });
        let leaves = leaves.map(|(number, stranger)| (*number, stranger.key));
        if let Some((number, _)) = leaves {
            self.all.remove(&number);
        }
        self.next += 1;
        self.all.insert(self.next, Stranger { key, source, has_spoken: false });
        leaves.map(|(_, key)| key)
    }

    /// Somebody said something.
    pub(crate) fn spoke(&mut self, key: Key) {
        if let Some(stranger) = self.all.values_mut().find(|stranger| stranger.key == key) {
            stranger.has_spoken = true;
        }
    }

    /// Somebody is known now, or gone.
    pub(crate) fn left(&mut self, key: Key) {
        self.all.retain(|_, stranger| stranger.key != key);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests;
