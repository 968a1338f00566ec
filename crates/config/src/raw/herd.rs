//! `[herd]`.

use remuda_model::hub::Spreading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Field, Listen, Located, Size};

/// Other servers, with which the hub shares messages and keys: `[herd]`. It makes a hub, as `[bus]` and `[store]` do. Who
/// belongs to the herd is said by certificates: `remuda herd init`, `invite` and `join`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Herd {
    /// TCP addresses for other servers: one, or a list. What is spoken there is TLS 1.3, by servers that both have a
    /// certificate of the herd. Default: none; it calls, and is not called.
    pub listen: Field<Listen>,
    /// How other servers reach this one, as "HOST:PORT". Default: the first address of `listen` that names an interface.
    pub advertise: Field<String>,
    /// Servers to call, as "HOST:PORT". One end of a link is enough. Default: none.
    pub peers: Field<Vec<Located<String>>>,
    /// Link with servers that peers know, too. Default: false.
    pub discover: Field<bool>,
    /// How messages spread: `flood` (over every link but the one of arrival), `tree` (along trees that grow by
    /// themselves), or `auto`, by the size of the herd. Default: `auto`.
    pub mode: Field<Spreading>,
    /// Keep back what nobody beyond a link has subscribed to. Default: true.
    pub filter: Field<bool>,
    /// Topics that begin so stay on this server. Default: none.
    pub local_topics: Field<Vec<Located<String>>>,
    /// Keys that begin so are shared with all servers. Default: none.
    pub keys: Field<Vec<Located<String>>>,
    /// Room of each link's queue, at least 64 KiB. Default: "64MiB".
    pub queue: Field<Size>,
    /// A link is asked for a sign of life this often, from 100 ms to 1 min. Default: "1s".
    pub heartbeat: Field<Duration>,
    /// Changes of keys whose time is further ahead of this server's clock are not taken; at most 1 min. Default: "500ms".
    pub future_max: Field<Duration>,
    /// So long it is remembered that a key was deleted: as long as a new server, or one that has lost what it knew, may bring
    /// no deleted key back. At least 1 min. Default: "24h".
    pub tombstones: Field<Duration>,
    /// So often stores are compared, besides each time that a link comes up; at least 1 s. Default: "1m".
    pub compare_every: Field<Duration>,
}
