//! The pure machines of the store: keys, types, expiry, revisions, events, transactions; and locks.
//!
//! [`Store::execute`] runs a command of Redis on the keys and answers as Redis does. What follows from a command is
//! fetched after it: [`Store::take_changes`] for those who watch, [`Store::drain_effects`] for the log,
//! [`Store::next_ready`] for clients whose wait may be over. There is no clock, no I/O, and no chance but from a seed. [`Locks`] stands beside it: leases with fencing
//! tokens, on a disk of their own; or [`SharedLocks`], where an engine keeps them.

mod answer;
mod blocked;
mod call;
mod change;
mod client;
mod command;
mod commands;
mod effects;
mod failure;
mod keys;
mod locks;
mod moment;
mod name;
mod number;
mod options;
mod random;
mod sorted_set;
mod space;
mod store;
mod stream;
mod table;
mod timers;
mod touched;
mod transaction;
mod value;
mod watched;

pub use answer::{Answer, Unread};
pub use call::Mode;
pub use change::{Change, Class, Gap};
pub use client::ClientId;
pub use command::{CommandSpec, Flag, Flags, KeyPositions, KeyRule};
pub use locks::{
    Asker, EngineAnswer, EngineAsk, Held, LOCK_NAME_MAX_BYTES, LOCK_OWNER_MAX_BYTES, LOCK_TTL_MAX,
    LOCK_TTL_MIN, LOCK_WAIT_MAX, LOCK_WAITERS_MAX, LOCKS_MAX, LockAsk, LockError, LockEvent, LockOrder,
    LockRecord, Locks, SharedLocks, SharedOrder,
};
pub use moment::{Deadline, Moment};
pub use options::{Eviction, StoreOptions};
pub use store::{Digits, Glance, Outcome, Remote, RemoteError, ReplayError, Store};
pub use table::{commands, lookup};
pub use touched::{Touched, touched};
pub use transaction::{Queued, TRANSACTION_BYTES_MAX, TRANSACTION_COMMANDS_MAX, Transaction};
pub use value::Kind;
