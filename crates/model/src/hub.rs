//! What the config asks of the hub, and what its worker is told when it starts.
//!
//! The hub is the built-in worker through which workers talk: the bus speaks ZeroMQ, the store speaks the protocol of
//! Redis, both work on the same data. To the arbiter it is a service named [`HUB`] like any other: its sockets are bound
//! once, it is reloaded with the old and the new one side by side, and it is restarted when it dies. `[bus]`, `[store]`
//! or `[herd]` in a config makes one; it always has the first two.
//!
//! A [`HubSpec`] is part of the config and no secret. [`HubSettings`] is what the worker reads from its standard input: a
//! sealed memory file, because arguments and variables of a process can be read by others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ServiceName;

mod access;
mod bus;
mod engine;
mod herd;
mod herd_view;
mod locks;
mod metrics;
mod secret;
mod socket;
mod store;

pub use access::Access;
pub use bus::{BusAuth, BusSpec, ReplaySpec, SlowPolicy};
pub use engine::{Engine, EngineKind, EngineUrl, EngineUrlError};
pub use herd::{HerdSpec, Spreading};
pub use herd_view::{
    HerdCall, HerdCheck, HerdCounters, HerdDifference, HerdKeys, HerdLink, HerdMember, HerdUnreached,
    HerdView,
};
pub use locks::LocksSpec;
pub use metrics::{
    BusMetrics, CallMetrics, ConnectionMetrics, EngineMetrics, HubMetrics, JournalMetrics, LockMetrics,
    MemberMetrics, SERVICES_MAX, ScriptMetrics, ServiceMetrics, StoreMetrics, WORST_MAX,
};
pub(crate) use secret::from_hex;
pub use secret::{Secret, SecretError, is_token, to_hex, token};
pub use socket::HubSocket;
pub use store::{Events, Fsync, FullPolicy, ScriptSpec, StoreAuth, StoreSpec};

/// Name of the hub's service, reserved where there is a hub.
pub const HUB: &str = "hub";

/// File of the secret, in the state folder, mode 0600: 64 hexadecimal digits and a newline.
pub const SECRET_FILE: &str = "hub.secret";

/// Longest [`HubSettings`] as JSON, bytes: 10,000 access rules of some hundred bytes, and room.
pub const SETTINGS_BYTES_MAX: usize = 8 << 20;

/// What the config asks of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubSpec {
    /// The bus.
    pub bus: BusSpec,
    /// The store.
    pub store: StoreSpec,
    /// Other servers, if there are any.
    pub herd: Option<HerdSpec>,
    /// The locks.
    #[serde(default)]
    pub locks: LocksSpec,
    /// Folder of what outlives the worker, absolute; it belongs to the hub's user and has mode 0700. Default
    /// `/var/lib/remuda/NAME/hub` for root, else `$XDG_STATE_HOME/remuda/NAME/hub`,
    /// `$HOME/.local/state/remuda/NAME/hub` or `/var/tmp/remuda-UID/NAME/hub`.
    pub state_dir: PathBuf,
    /// Users, besides the arbiter's own, as whom services run that may use the hub; names or numbers, as written.
    pub users: BTreeSet<String>,
    /// Users as whom services run that may not do everything, as written; the arbiter's own is not among them.
    #[serde(default)]
    pub limited_users: BTreeSet<String>,
    /// What services may do that may not do everything. A service with `hub = false` is here with [`Access::none`].
    pub accesses: BTreeMap<ServiceName, Access>,
}

/// All that a hub's worker is told, as JSON on its standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubSettings {
    /// What the config asks.
    pub spec: HubSpec,
    /// Name of the instance.
    pub instance: String,
    /// Name of this machine.
    pub node: String,
    /// The runtime folder of the instance. The worker may run as a user who cannot write there.
    pub runtime_dir: PathBuf,
    /// A Unix socket on which a new generation asks the old one for what it has. It lies in a folder of mode 0700 that
    /// belongs to the hub's user, and has room for it: the path is at most 107 bytes long.
    pub handover: PathBuf,
    /// Counts the reloads of the hub. A worker that died is followed by one of the same generation.
    pub generation: u64,
    /// Users whose connections on the Unix sockets are served, by number: the arbiter's, root, the hub's and those of
    /// [`HubSpec::users`]. Connections of others are to be closed (`SO_PEERCRED`).
    pub peer_uids: BTreeSet<u32>,
    /// Those of `peer_uids` as whom some service runs that may not do everything. The kernel does not say which service a
    /// process belongs to, so they show a token; the others may do everything.
    #[serde(default)]
    pub limited_uids: BTreeSet<u32>,
    /// What the tokens of services are made of.
    pub secret: Secret,
    /// The services that may use the hub, as of this worker's start. One that is added later is not among them and has
    /// a valid token all the same: a new service is no reason for another hub.
    pub services: BTreeSet<ServiceName>,
}

impl HubSettings {
    /// What `service` may do.
    #[must_use]
    pub fn access(&self, service: &str) -> Access {
        self.spec.accesses.get(service).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
