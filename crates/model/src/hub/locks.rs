//! `[locks]`: who keeps the locks of several servers.

use serde::{Deserialize, Serialize};

use super::Engine;

/// What the config asks of the locks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LocksSpec {
    /// What keeps them: the hub itself, a PostgreSQL, an etcd, or a Redis. Default: the hub.
    #[serde(default)]
    pub engine: Engine,
    /// The node whose hub has all locks, by its name; the hubs of others refuse them. Default: none is named, and a hub
    /// that shares its bus or its store with others, or is in a herd, refuses locks, since each would give the same lock
    /// away once.
    pub home: Option<String>,
}
