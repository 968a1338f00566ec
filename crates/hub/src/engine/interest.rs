//! What an engine is asked for: all that members of the bus subscribed to, each thing once.

use std::collections::BTreeMap;

use bytes::Bytes;
use remuda_bus::{Filter, Reserved};

/// Something to ask an engine for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    /// Topics that begin so.
    Prefix(Bytes),
    /// Exactly this topic.
    Channel(Bytes),
    /// Topics this glob stands for.
    Pattern(Bytes),
    /// Exactly this shard channel.
    Shard(Bytes),
}

/// How often each thing is wanted.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    counts: BTreeMap<Ask, u64>,
}

impl Interest {
    /// A member got or lost a filter; `tell` hears what is wanted for the first time (true) or no more.
    pub(crate) fn change(&mut self, filter: &Filter, is_added: bool, mut tell: impl FnMut(&Ask, bool)) {
        // What the hub itself publishes comes from no engine.
        if Reserved::of(filter.text()).is_some() {
            return;
        }
        for ask in asks_of(filter).into_iter().flatten() {
            let count = self.counts.entry(ask.clone()).or_default();
            if is_added {
                *count += 1;
                if *count == 1 {
                    tell(&ask, true);
                }
            } else {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.counts.remove(&ask);
                    tell(&ask, false);
                }
            }
        }
    }

    /// All that is wanted.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Ask> {
        self.counts.keys()
    }
}

/// What has to be asked for so that `filter` gets everything. A message in one frame has its topic before the first
/// blank, so that a prefix with a blank in it is such a topic and something more.
fn asks_of(filter: &Filter) -> [Option<Ask>; 2] {
    match filter {
        Filter::Prefix(prefix) => {
            let topic = memchr::memchr(b' ', prefix).map(|blank| Ask::Channel(prefix.slice(..blank)));
            [Some(Ask::Prefix(prefix.clone())), topic]
        }
        Filter::Sequenced(prefix) => [Some(Ask::Prefix(prefix.clone())), None],
        Filter::Channel(channel) => [Some(Ask::Channel(channel.clone())), None],
        Filter::Shard(channel) => [Some(Ask::Shard(channel.clone())), None],
        Filter::Pattern(pattern) => match prefix_of(pattern) {
            Some(prefix) => [Some(Ask::Prefix(prefix.into())), None],
            None => [Some(Ask::Pattern(pattern.clone())), None],
        },
    }
}

/// The prefix that `pattern` is another way to write, if it is one: `news.*`.
fn prefix_of(pattern: &[u8]) -> Option<Vec<u8>> {
    let fixed = pattern.strip_suffix(b"*")?;
    let mut prefix = Vec::with_capacity(fixed.len());
    let mut bytes = fixed.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' | b']' => return None,
            b'\\' => prefix.push(*bytes.next()?),
            byte => prefix.push(*byte),
        }
    }
    Some(prefix)
}

/// What all names begin with that `pattern` stands for.
pub(crate) fn beginning_of(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    &pattern[..end]
}

/// The glob for names that begin with `prefix`.
pub(crate) fn glob_of(prefix: &[u8]) -> Vec<u8> {
    let mut glob = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix {
        if b"*?[]\\^-".contains(byte) {
            glob.push(b'\\');
        }
        glob.push(*byte);
    }
    glob.push(b'*');
    glob
}

#[cfg(test)]
mod tests;
