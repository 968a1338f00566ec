//! What a replica is told, and what it wants done.

use bytes::Bytes;

use crate::NodeId;
use crate::replica::mark::Stamp;
use crate::replica::message::Message;

/// What a command did to a key, as far as the store can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch<'a> {
    /// Anything: the key as it is now counts.
    Whole,
    /// These elements of a collection were set or removed.
    Elements(&'a [&'a [u8]]),
    /// Elements were removed, none was set.
    Fewer,
    /// Added to the integer it holds.
    Counted(i64),
    /// Changed when it ends, and nothing else.
    Expiry,
    /// It ended, because its time was over.
    Lapsed,
}

/// What happens to a replica.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// A client's command changed a key, or the store removed it.
    Local {
        /// The database.
        database: u32,
        /// The key.
        key: &'a [u8],
        /// What was done to it.
        touch: Touch<'a>,
    },
    /// Every key of a database may have changed: it was emptied, swapped, or read from the disk. Keys that are there
    /// and not known are told to the herd; known ones that are not there are told deleted, or if `is_restored` are
    /// asked for again: they lapsed while the server was down, or were lost with its disk.
    All {
        /// The database.
        database: u32,
        /// Whether the store was just read from the disk.
        is_restored: bool,
    },
    /// A change of another server arrived, by whatever way.
    Change(Bytes),
    /// A peer can be reached.
    LinkUp(NodeId),
    /// It can not any more.
    LinkDown(NodeId),
    /// A peer says something.
    Message(NodeId, Message),
    /// So many bytes may be sent to a peer for what it has asked. They never have to wait for live traffic if the shell
    /// grants what live traffic leaves.
    Room(NodeId, usize),
    /// Compare everything with a peer now, rather than when it is due.
    Compare(NodeId),
    /// Somebody wants to know which keys differ from a peer's: nothing is changed.
    Check(NodeId),
    /// The deadline is over.
    Tick,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Write this down before anything that follows is done: stamps may come near it.
    Reserve(Stamp),
    /// Write this down together with the effects on the keys it came with. [`restore`](crate::replica::Replica::restore)
    /// reads it.
    Note(Bytes),
    /// Bring this to every server of the herd.
    Spread(Bytes),
    /// Say this to a peer.
    Send(NodeId, Message),
    /// Tell this to operators.
    Event(ReplicaEvent),
}

/// What operators may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaEvent {
    /// A change came from the future and waits: the clock of that server, or the own one, is wrong.
    Quarantined {
        /// Whose change.
        node: NodeId,
        /// How far it is ahead.
        ahead_ms: u64,
    },
    /// A key is too large to be spread: it stays on this server.
    Oversized {
        /// The database.
        database: u32,
        /// The key.
        key: Bytes,
        /// Its size.
        bytes: usize,
    },
    /// A peer has other rules about which keys are the herd's: they do not become equal.
    ScopesDiffer(NodeId),
    /// What a peer had, this server has.
    Synced {
        /// The peer.
        peer: NodeId,
        /// Keys that were brought up to date.
        keys: u64,
        /// Bytes that came for it.
        bytes: u64,
        /// How long it took.
        took_ms: u64,
    },
    /// A peer did not go on answering.
    Abandoned(NodeId),
    /// A key differs from a peer's, by a [check](Input::Check).
    Differs {
        /// The peer.
        peer: NodeId,
        /// The database.
        database: u32,
        /// The key.
        key: Bytes,
    },
    /// A check is complete.
    Checked {
        /// The peer.
        peer: NodeId,
        /// Keys that differ; of very many only the first ones were told.
        differing: u64,
    },
}
