//! What passes between the bus's engine and the rest of the hub.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use remuda_bus::Origin;

use super::envelope::Parcel;
use crate::table::Key;

/// A message on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) origin: Origin,
    pub(crate) is_shard: bool,
    pub(crate) parcel: Parcel<'a>,
    /// Who is to be told how many heard it.
    pub(crate) answer: Option<Key>,
}

/// What reading came to, besides messages.
#[derive(Debug)]
pub(crate) enum News {
    /// The engine took our greeting.
    Greeted,
    /// Subscriptions are in force.
    Confirmed,
    /// The engine does not let us do something.
    Refused(String),
    /// What somebody published was heard by so many.
    Published { to: Key, count: Result<i64, String> },
    /// What nobody waits for an answer to was not published, for this reason.
    NotPublished(String),
    /// A message that is longer than the bus takes was dropped.
    TooLong,
}

/// A message that waits while the engine is away.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) origin: Origin,
    /// As ZMTP frames.
    pub(crate) frames: Bytes,
}

/// Who waits until all that was asked for is in force.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// A client, with the confirmation it gets then.
    Client(Key, BytesMut),
    /// Peers that wait for this prefix.
    Synced(Bytes),
}

/// Counts, for `INFO`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinkFigures {
    pub(crate) sent: u64,
    /// Dropped: there was no room for them, or the engine did not take them.
    pub(crate) dropped: u64,
    /// Given to an engine that was lost before it answered.
    pub(crate) unsure: u64,
    /// Came from the engine and were too long.
    pub(crate) too_long: u64,
}

/// What bounds it, and its name.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) bytes_max: usize,
    pub(crate) message_max: usize,
    /// How long the engine may be silent before it is asked for a sign of life.
    pub(crate) every: Duration,
    /// How long publishers are held when the engine takes less than they bring.
    pub(crate) patience: Duration,
    /// Prefixes of topics that are kept for those who come late.
    pub(crate) rings: Vec<String>,
    pub(crate) own_name: String,
}
