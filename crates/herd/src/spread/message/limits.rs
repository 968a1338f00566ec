//! What a message may hold, and what it weighs.

use bytes::Bytes;

use super::{Contact, Fact, Have, Known, Message, Payload, Sample};

/// The greatest number of a message: more than any node will ever spread, and far enough from the end to be added to.
const SEQUENCE_MAX: u64 = 1 << 62;

impl Known {
    /// Entries in one message; 512, about 16 KiB.
    pub const ENTRIES_MAX: usize = 512;
}

impl Have {
    /// Entries in one message; 512, about 20 KiB.
    pub const ENTRIES_MAX: usize = 512;
}

impl Fact {
    /// Bytes of a name; 255.
    pub const NAME_MAX: usize = 255;
    /// Addresses of a node; 8.
    pub const ADDRESSES_MAX: usize = 8;
    /// Bytes of an address; 255, as a host name has at most.
    pub const ADDRESS_MAX: usize = 255;
    /// Links of a node that are told of; 256. With more, those that are up are told first.
    pub const LINKS_MAX: usize = 256;
}

impl Payload {
    /// Bytes of a topic; 64 KiB.
    pub const TOPIC_MAX: usize = 64 << 10;
    /// Frames of a message; 1,024.
    pub const FRAMES_MAX: usize = 1_024;

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Topic { topic, frames } => {
                frames.iter().map(Bytes::len).fold(topic.len(), usize::saturating_add)
            }
            Self::Change(bytes) => bytes.len(),
        }
    }

    fn weight(&self) -> usize {
        let frames = match self {
            Self::Topic { frames, .. } => frames.len(),
            Self::Change(_) => 0,
        };
        self.bytes().saturating_add(4 * frames)
    }

    pub(crate) fn is_within_limits(&self, bytes_max: usize) -> bool {
        let parts = match self {
            Self::Topic { topic, frames } => {
                topic.len() <= Self::TOPIC_MAX && frames.len() <= Self::FRAMES_MAX
            }
            Self::Change(_) => true,
        };
        parts && self.bytes() <= bytes_max
    }
}

impl Sample {
    /// Nodes in one sample; 8.
    pub const CONTACTS_MAX: usize = 8;
}

impl Message {
    /// What it counts for in a link's window, in bytes: about what it takes on the wire.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Update(update) => 56 + update.payload.weight(),
            Self::Known(known) => 8 + 32 * known.entries.len(),
            Self::Have(have) => 8 + 40 * have.entries.len(),
            Self::Fact(fact) => {
                let addresses: usize = fact.addresses.iter().map(|address| 2 + address.len()).sum();
                40 + fact.name.len() + addresses + 9 * fact.links.len()
            }
            Self::Interest(interest) => {
                32 + interest.summary.prefixes().iter().map(|prefix| 4 + prefix.len()).sum::<usize>()
            }
            Self::Sample(sample) => sample.contacts.iter().map(Contact::weight).sum::<usize>() + 8,
            Self::Skip(_) | Self::Graft(_) => 40,
            Self::Prune(_) | Self::Ping(_) | Self::Pong(_) | Self::Bye(_) => 16,
        }
    }

    /// Whether it holds no more than its type says; a payload may have `update_bytes_max` bytes.
    #[must_use]
    pub fn is_within_limits(&self, update_bytes_max: usize) -> bool {
        match self {
            Self::Known(known) => known.entries.len() <= Known::ENTRIES_MAX,
            Self::Have(have) => {
                have.entries.len() <= Have::ENTRIES_MAX
                    && have.entries.iter().all(|entry| entry.next <= SEQUENCE_MAX)
            }
            Self::Fact(fact) => {
                fact.name.len() <= Fact::NAME_MAX
                    && fact.links.len() <= Fact::LINKS_MAX
                    && are_addresses(&fact.addresses)
            }
            Self::Sample(sample) => {
                sample.contacts.len() <= Sample::CONTACTS_MAX
                    && sample.contacts.iter().all(|contact| are_addresses(&contact.addresses))
            }
            Self::Update(update) => {
                (1..SEQUENCE_MAX).contains(&update.sequence)
                    && update.payload.is_within_limits(update_bytes_max)
            }
            Self::Skip(skip) => skip.next <= SEQUENCE_MAX,
            Self::Graft(graft) => graft.next <= SEQUENCE_MAX,
            // A summary cannot be made longer than it may be.
            Self::Interest(_) | Self::Prune(_) | Self::Ping(_) | Self::Pong(_) | Self::Bye(_) => true,
        }
    }
}

impl Contact {
    fn weight(&self) -> usize {
        10 + self.addresses.iter().map(|address| 2 + address.len()).sum::<usize>()
    }
}

pub(crate) fn are_addresses(addresses: &[String]) -> bool {
    addresses.len() <= Fact::ADDRESSES_MAX
        && addresses.iter().all(|address| address.len() <= Fact::ADDRESS_MAX)
}
