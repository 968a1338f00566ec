//! `[bus]`.

use remuda_model::hub::{BusAuth, SlowPolicy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Field, Listen, Located, Size};

/// Messages between workers, in the protocol of ZeroMQ: `[bus]`. Any of `[bus]`, `[store]` and `[herd]` makes a
/// service named `hub`, which has bus and store, and whose addresses workers find in their variables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bus {
    /// Addresses besides `bus.sock` in the runtime folder: one, or a list. Default: `127.0.0.1:0`, a free port; `[]` is
    /// none.
    pub listen: Field<Listen>,
    /// An address that only sends (a PUB socket): the one to subscribe to where publishers have another. Default: none.
    pub pub_listen: Field<remuda_model::Address>,
    /// An address that only takes (a PULL socket): the one to publish to by PUSH. Default: none.
    pub pull_listen: Field<remuda_model::Address>,
    /// How peers of TCP addresses show who they are: `none`, `plain` (name and token of a service) or `curve` (keys, and
    /// encryption). An address that other machines can reach needs one of the latter two. Default: `none`.
    pub auth: Field<BusAuth>,
    /// The file of keys for `auth = "curve"`. Default: none.
    pub curve_keys: Field<String>,
    /// Room of each subscriber's queue. Default: "8MiB".
    pub queue: Field<Size>,
    /// What becomes of messages to a subscriber whose queue is full: `drop-oldest`, `drop-newest` (both are counted) or
    /// `disconnect`. Default: `drop-oldest`.
    pub slow: Field<SlowPolicy>,
    /// So long publishers wait for a subscriber whose queue fills before `slow` applies to it; at most 10 s. Default:
    /// "100ms".
    pub patience: Field<Duration>,
    /// Largest message, at most 1 GiB. Default: "64MiB".
    pub message_max: Field<Size>,
    /// Peers at once, at most 1000000. Default: 10000.
    pub peers_max: Field<u32>,
    /// A silent peer is asked for a sign of life this often, and is gone when it gives none for as long. Default: "30s".
    pub heartbeat: Field<Duration>,
    /// Topics whose last messages are kept for late subscribers, at most 64: [{ prefix = "chat." }]. Default: none.
    pub replay: Field<Vec<Located<Replay>>>,
    /// What carries the messages: `embedded`, or the URL of a server: `redis://host:6379`, `nats://host:4222`. A password
    /// may stand in it, best as `${NAME}`. Default: `embedded`.
    pub engine: Field<String>,
}

/// The last messages of some topics, kept for late subscribers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Of topics that begin so. Required.
    pub prefix: Field<String>,
    /// At most so many. Default: 1000.
    pub messages: Field<u64>,
    /// At most so many bytes. Default: "8MiB".
    pub bytes: Field<Size>,
}
