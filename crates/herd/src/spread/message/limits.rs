//! What a message may hold, and what it weighs.

use remuda_model::message::Span;

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
    /// Messages that are spread at once; 4,096: what is said of where they lie has 80 KiB then.
    pub const MESSAGES_MAX: usize = 4_096;
    /// Bytes of messages that are spread at once, where it is more than one; 64 KiB. A link has room for four of them, so
    /// that origins get their turns.
    pub const TOGETHER_MAX: usize = 64 << 10;

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Messages(batch) => batch.bytes.len(),
            Self::Change(bytes) => bytes.len(),
        }
    }

    /// How many numbers it takes: one for each message, or one.
    #[must_use]
    pub fn numbers(&self) -> u64 {
        match self {
            Self::Messages(batch) => u64::try_from(batch.messages.len()).unwrap_or(u64::MAX),
            Self::Change(_) => 1,
        }
    }

    /// Bytes that keeping it takes.
    pub(crate) fn held(&self) -> usize {
        let places = match self {
            Self::Messages(batch) => batch.messages.len() * size_of::<Span>(),
            Self::Change(_) => 0,
        };
        self.bytes().saturating_add(places)
    }

    pub(crate) fn is_within_limits(&self, bytes_max: usize) -> bool {
        let are_some = match self {
            Self::Messages(batch) => (1..=Self::MESSAGES_MAX).contains(&batch.messages.len()),
            Self::Change(_) => true,
        };
        are_some && self.bytes() <= bytes_max
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
            Self::Update(update) => 56 + update.payload.bytes(),
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
