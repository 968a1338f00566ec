//! From a frame to its message.

use std::sync::Arc;

use bytes::Bytes;
use remuda_herd::spread::{
    Contact, Fact, Farewell, Graft, Have, HaveOrigin, Interest, Known, KnownNode, LinkState, Message,
    Payload, Sample, Skip, Summary, Update,
};

use super::kind;
use super::reader::Reader;
use crate::zmtp::whole_messages;

/// Why a frame means nothing. Whoever sent it speaks another language; the link is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No version that we speak has this kind.
    #[error("no message has kind {0}")]
    Kind(u8),
    /// It ends in the middle.
    #[error("the message is cut off")]
    Short,
    /// It goes on behind its end.
    #[error("{left} bytes follow the message")]
    Long {
        /// How many.
        left: usize,
    },
    /// A number that is too large, or is written with more bytes than it takes.
    #[error("a number is too large or not written as it should be")]
    Number,
    /// A list, or a text, that is longer than it may be.
    #[error("{count} is more than the {max} that {what} may have")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are claimed.
        count: u64,
        /// How many may be.
        max: usize,
    },
    /// A text that is not UTF-8.
    #[error("{what} is no text")]
    Text {
        /// Which.
        what: &'static str,
    },
    /// What should be messages for subscribers, and is none or too many.
    #[error("it has no messages for subscribers, or more than may go together")]
    Messages,
    /// A byte that means nothing where it stands.
    #[error("{byte} is not {what}")]
    Choice {
        /// What it should be.
        what: &'static str,
        /// What it is.
        byte: u8,
    },
    /// A message that holds more than its kind may.
    #[error("the message holds more than it may")]
    Limits,
}

/// The message of a frame. `update_bytes_max`: bytes that the payload of an update may have.
///
/// # Errors
/// [`DecodeError`]; what is returned otherwise is within the limits its type names, and takes no more memory than the
/// frame and a small multiple of it.
pub fn decode(kind: u8, payload: Bytes, update_bytes_max: usize) -> Result<Message, DecodeError> {
    let mut reader = Reader::new(payload);
    let message = read(kind, &mut reader)?;
    reader.end()?;
    if message.is_within_limits(update_bytes_max) { Ok(message) } else { Err(DecodeError::Limits) }
}

fn read(kind: u8, reader: &mut Reader) -> Result<Message, DecodeError> {
    Ok(match kind {
        kind::KNOWN => Message::Known(known(reader)?),
        kind::FACT => Message::Fact(Arc::new(fact(reader)?)),
        kind::INTEREST => Message::Interest(Arc::new(interest(reader)?)),
        kind::HAVE => Message::Have(have(reader)?),
        kind::MESSAGES | kind::CHANGE => Message::Update(update(kind, reader)?),
        kind::SKIP => Message::Skip(Skip {
            origin: reader.node()?,
            epoch: reader.epoch()?,
            next: reader.number()?,
            lost: reader.number()?,
        }),
        kind::GRAFT => {
            Message::Graft(Graft { origin: reader.node()?, epoch: reader.epoch()?, next: reader.number()? })
        }
        kind::PRUNE => Message::Prune(reader.node()?),
        kind::PING => Message::Ping(reader.number()?),
        kind::PONG => Message::Pong(reader.number()?),
        kind::SAMPLE => Message::Sample(sample(reader)?),
        kind::BYE => Message::Bye(match reader.byte()? {
            0 => Farewell::Leaving,
            1 => Farewell::Full,
            2 => Farewell::Doubled,
            3 => Farewell::Removed,
            byte => return Err(DecodeError::Choice { what: "a reason to leave", byte }),
        }),
        other => return Err(DecodeError::Kind(other)),
    })
}

fn known(reader: &mut Reader) -> Result<Known, DecodeError> {
    let entry = |reader: &mut Reader| {
        Ok(KnownNode {
            node: reader.node()?,
            epoch: reader.epoch()?,
            fact: reader.number()?,
            interest: reader.number()?,
        })
    };
    let entries = reader.list("a list of nodes", Known::ENTRIES_MAX, entry)?;
    Ok(Known { entries, is_last: reader.flag()? })
}

fn fact(reader: &mut Reader) -> Result<Fact, DecodeError> {
    Ok(Fact {
        node: reader.node()?,
        epoch: reader.epoch()?,
        version: reader.number()?,
        name: reader.text("a name", Fact::NAME_MAX)?,
        addresses: addresses(reader)?,
        protocol: reader.narrow()?,
        links: links(reader)?,
        is_leaving: reader.flag()?,
    })
}

fn addresses(reader: &mut Reader) -> Result<Vec<String>, DecodeError> {
    reader.texts("an address", Fact::ADDRESSES_MAX, Fact::ADDRESS_MAX)
}

fn links(reader: &mut Reader) -> Result<Vec<(remuda_herd::NodeId, LinkState)>, DecodeError> {
    let link = |reader: &mut Reader| {
        let peer = reader.node()?;
        let state = match reader.byte()? {
            0 => LinkState::Up,
            1 => LinkState::Suspect,
            2 => LinkState::Down,
            byte => return Err(DecodeError::Choice { what: "a state of a link", byte }),
        };
        Ok((peer, state))
    };
    reader.list("a list of links", Fact::LINKS_MAX, link)
}

fn interest(reader: &mut Reader) -> Result<Interest, DecodeError> {
    let (node, epoch, version) = (reader.node()?, reader.epoch()?, reader.number()?);
    let is_everything = reader.flag()?;
    let prefix = |reader: &mut Reader| reader.bytes("a prefix", Summary::BYTES_MAX);
    let prefixes = reader.list("a list of prefixes", Summary::PREFIXES_MAX, prefix)?;
    let summary = if is_everything { Summary::Everything } else { Summary::of(prefixes) };
    Ok(Interest { node, epoch, version, summary })
}

fn have(reader: &mut Reader) -> Result<Have, DecodeError> {
    let entry = |reader: &mut Reader| {
        Ok(HaveOrigin {
            origin: reader.node()?,
            epoch: reader.epoch()?,
            next: reader.number()?,
            hops: reader.narrow()?,
            age_ms: reader.number()?,
        })
    };
    let entries = reader.list("a list of origins", Have::ENTRIES_MAX, entry)?;
    Ok(Have { entries, is_standing: reader.flag()? })
}

fn update(kind: u8, reader: &mut Reader) -> Result<Update, DecodeError> {
    let (origin, epoch, sequence) = (reader.node()?, reader.epoch()?, reader.number()?);
    let (skipped, lost, hops) = (reader.number()?, reader.number()?, reader.narrow()?);
    let payload = if kind == kind::CHANGE {
        Payload::Change(reader.rest())
    } else {
        let batch = whole_messages(reader.rest(), Payload::MESSAGES_MAX).ok_or(DecodeError::Messages)?;
        Payload::Messages(Arc::new(batch))
    };
    Ok(Update { origin, epoch, sequence, skipped, lost, hops, payload })
}

fn sample(reader: &mut Reader) -> Result<Sample, DecodeError> {
    let contact = |reader: &mut Reader| Ok(Contact { node: reader.node()?, addresses: addresses(reader)? });
    let contacts = reader.list("a list of nodes", Sample::CONTACTS_MAX, contact)?;
    Ok(Sample { contacts, is_question: reader.flag()? })
}
