//! What the config asks of the herd (`[herd]`).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Address;

/// Where a hub listens for other servers, whom it calls, and what it shares with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HerdSpec {
    /// TCP addresses for other servers. Default none: this one calls, and is not called.
    pub listen: Vec<Address>,
    /// How other servers reach this one, `HOST:PORT`. Default the first of `listen` that names an interface.
    pub advertise: Option<String>,
    /// Servers to call, `HOST:PORT`: the edges of the topology that begin here.
    pub peers: Vec<String>,
    /// Whether it links with servers that it only heard of, too. Default false: the topology is what is written.
    pub discover: bool,
    /// How messages spread. Default [`Spreading::Auto`].
    pub mode: Spreading,
    /// Whether topics that nobody beyond a link wants are kept back. Default true.
    pub filter: bool,
    /// Topics that begin so stay on this server. Default none.
    pub local_topics: Vec<String>,
    /// Keys that begin so are shared; all others stay on this server. Default none.
    pub keys: Vec<String>,
    /// Room of each link's queue, bytes. Default 64 MiB.
    pub queue: u64,
    /// A link is asked for a sign of life this often. Default 1 s.
    pub heartbeat: Duration,
    /// A change whose time is further ahead of our clock than this is not taken. Default 500 ms.
    pub future_max: Duration,
    /// So long it is remembered that a key was deleted. Default 24 h.
    pub tombstones: Duration,
    /// So often stores are compared with those of the peers, at least. Default 60 s.
    pub compare_every: Duration,
}

/// How messages spread from server to server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spreading {
    /// By the size of the herd: flood while it is small, then trees.
    #[default]
    Auto,
    /// Over every link but the one of arrival.
    Flood,
    /// Along trees that grow by themselves, with digests over the other links.
    Tree,
}
