//! `[locks]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Field;

/// Locks that workers and `remuda lock` share, where there is a `[bus]`, a `[store]` or a `[herd]`: `[locks]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Locks {
    /// What keeps them: `embedded`, the hub of one node, or the URL of a server: `postgres://user@host:5432/database`,
    /// `etcd://host:2379`, `redis://host:6379` (best effort). A password may stand in it, best as `${NAME}`. Default:
    /// `embedded`.
    pub engine: Field<String>,
    /// The name of the node whose hub keeps the locks of all that share this config; hubs of other nodes refuse them.
    /// One of `home` and an engine is required where there are several hubs: in a herd, and where the bus or the store has
    /// an engine; each would give the same lock away. Default: none.
    pub home: Field<String>,
}
