//! What is written, how, and for how long.

use std::time::Duration;

/// Pairs loaded in one group.
pub(crate) const LOAD_GROUP: usize = 256;
/// Between two syncs of writes that do not wait for them.
pub(crate) const SYNC_PERIOD: Duration = Duration::from_secs(1);

/// One way of overwriting keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// Pairs in a transaction, or in a turn of the hub's loop.
    pub(crate) group: usize,
    pub(crate) promise: Promise,
    /// How long it goes on.
    pub(crate) time: Duration,
}

/// What a write has when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// It is on the disk.
    Durable,
    /// It will be after [`SYNC_PERIOD`].
    Soon,
}

/// In this order.
pub(crate) const STEPS: [Step; 5] = [
    durable("durable, one by one", 1),
    durable("durable, 16 a sync", 16),
    durable("durable, 256 a sync", 256),
    soon("synced each second, one by one", 1),
    soon("synced each second, 16 at once", 16),
];

const fn durable(name: &'static str, group: usize) -> Step {
    Step { name, group, promise: Promise::Durable, time: Duration::from_millis(1300) }
}

const fn soon(name: &'static str, group: usize) -> Step {
    Step { name, group, promise: Promise::Soon, time: Duration::from_millis(2200) }
}
