//! The hub's figures: every queue, every drop, every lag, as counts since the worker began and as a picture of now.
//!
//! Counters end in `_total` and only grow during one run of a worker; another worker begins at 0. The lists have a bound
//! ([`WORST_MAX`], [`SERVICES_MAX`]) so that figures of ten thousand subscribers are no burden.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Members of the bus that are told of one by one: those that are furthest behind.
pub const WORST_MAX: usize = 20;
/// Called services told of one by one, by name.
pub const SERVICES_MAX: usize = 200;

/// All of the hub's figures; the answer to `HUB.METRICS`, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HubMetrics {
    /// Another one for each run of a worker: where it changes, counters began anew, but for those
    /// of the bus, which go on over a reload.
    pub run_id: String,
    /// Milliseconds since the worker began.
    pub uptime_ms: u64,
    /// Who is connected.
    pub connections: ConnectionMetrics,
    /// The bus.
    pub bus: BusMetrics,
    /// Members of the bus that are furthest behind, the worst first; at most [`WORST_MAX`].
    pub worst_members: Vec<MemberMetrics>,
    /// Calls between workers.
    pub calls: CallMetrics,
    /// Services that workers answer for; at most [`SERVICES_MAX`].
    pub services: Vec<ServiceMetrics>,
    /// The store.
    pub store: StoreMetrics,
    /// What keeps the store on disk.
    pub journal: JournalMetrics,
    /// Lua.
    pub scripts: ScriptMetrics,
    /// Locks.
    #[serde(default)]
    pub locks: LockMetrics,
    /// Servers that carry the bus or hold the store in place of the hub; at most one of each.
    #[serde(default)]
    pub engines: Vec<EngineMetrics>,
    /// Other servers, where the config asks for a herd.
    #[serde(default)]
    pub herd: Option<super::HerdView>,
}

/// A server that carries the bus or holds the store.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct EngineMetrics {
    /// What it is for: `bus` or `store`.
    pub purpose: String,
    /// Its URL, without name and password.
    pub address: String,
    /// `up`, `connecting` or `away`.
    pub state: String,
    /// Why it is not up; empty while it is.
    pub trouble: String,
    /// How often it was lost.
    pub losses_total: u64,
    /// Messages (bus) or commands (store) sent to it.
    pub sent_total: u64,
    /// Messages that were not sent: there was no room for them while it was away or slow, or it did not take them.
    pub dropped_total: u64,
    /// Messages it was given and lost with it before it answered.
    pub unsure_total: u64,
    /// Messages it brought that are longer than the bus takes.
    pub too_long_total: u64,
    /// Bytes that wait to be sent.
    pub waiting_bytes: u64,
    /// Connections to it, clients' own included.
    pub connections: u64,
}

/// Who is connected, and who could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct ConnectionMetrics {
    /// Redis clients.
    pub redis_clients: u64,
    /// ZeroMQ peers.
    pub zeromq_peers: u64,
    /// Redis clients that wait in a blocking command.
    pub blocked_clients: u64,
    /// Bytes of replies that wait to be read by their clients.
    pub reply_queue_bytes: u64,
    /// Connections taken in.
    pub accepted_total: u64,
    /// Connections turned away: too many, or of nobody we serve.
    pub rejected_total: u64,
    /// How often no connection could be taken in for want of descriptors.
    pub accept_failures_total: u64,
    /// Connections ended for what they sent.
    pub protocol_errors_total: u64,
    /// Wrong tokens, keys, signatures.
    pub refused_total: u64,
    /// Peers given up for silence.
    pub silent_total: u64,
    /// Bytes of ZeroMQ peers' messages that are not whole yet, now.
    #[serde(default)]
    pub half_message_bytes: u64,
    /// Peers cut off in the middle of a message because those of all peers together were too much.
    #[serde(default)]
    pub half_messages_cut_total: u64,
    /// Commands of Redis clients.
    pub commands_total: u64,
    /// Messages of ZeroMQ peers, requests included.
    pub zeromq_messages_total: u64,
}

/// The bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct BusMetrics {
    /// Number of the last message.
    pub sequence: u64,
    /// Subscribers and consumers.
    pub members: u64,
    /// Their subscriptions.
    pub subscriptions: u64,
    /// Messages published.
    pub published_messages_total: u64,
    /// Their bytes.
    pub published_bytes_total: u64,
    /// How often messages were queued, for all members together.
    pub delivered_messages_total: u64,
    /// Messages nobody got.
    pub unheard_messages_total: u64,
    /// Messages whose sender may not publish on their topic.
    pub refused_messages_total: u64,
    /// Messages dropped because a queue was full.
    pub dropped_messages_total: u64,
    /// Their bytes.
    pub dropped_bytes_total: u64,
    /// Members whose queue has been more than half full, and not below a quarter since.
    pub members_behind: u64,
    /// Messages that waited for members when these left.
    pub left_messages_total: u64,
    /// Their bytes.
    pub left_bytes_total: u64,
    /// Messages that wait in all queues together.
    pub queued_messages: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// Messages that the member furthest behind is behind.
    pub lag_messages_max: u64,
    /// Bytes kept for queues and rings, each counted once.
    pub retained_bytes: u64,
    /// Work that waits for a consumer, in messages.
    pub backlog_messages: u64,
    /// Its bytes.
    pub backlog_bytes: u64,
    /// Work that found no room, in messages.
    pub backlog_dropped_messages_total: u64,
    /// Its bytes.
    pub backlog_dropped_bytes_total: u64,
    /// Messages kept for those who come late.
    pub ring_messages: u64,
    /// Their bytes.
    pub ring_bytes: u64,
    /// Publishers are held because somebody is slow.
    pub is_congested: bool,
}

/// One member of the bus.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct MemberMetrics {
    /// Number of its connection.
    pub id: u64,
    /// Who it is: the service, and what it calls itself.
    pub name: String,
    /// `redis` or `zeromq`.
    pub protocol: String,
    /// Bytes that wait for it.
    pub queued_bytes: u64,
    /// Messages it is behind.
    pub lag_messages: u64,
    /// Messages it got.
    pub sent_messages_total: u64,
    /// Messages dropped that were for it.
    pub dropped_messages_total: u64,
}

/// Calls between workers, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct CallMetrics {
    /// Calls made.
    pub calls_total: u64,
    /// Answered by a worker.
    pub answered_total: u64,
    /// Timed out.
    pub timed_out_total: u64,
    /// Failed because the worker went.
    pub worker_gone_total: u64,
    /// Refused at once.
    pub refused_total: u64,
    /// Given up by their callers.
    pub caller_gone_total: u64,
    /// Answers that came too late.
    pub late_answers_total: u64,
    /// Answers to no call of that worker.
    pub unknown_answers_total: u64,
    /// Bytes of calls that wait for a worker.
    #[serde(default)]
    pub waiting_bytes: u64,
}

/// One service that is called.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct ServiceMetrics {
    /// Its name.
    pub name: String,
    /// Its workers.
    pub workers: u64,
    /// Calls they work on.
    pub outstanding: u64,
    /// Calls that wait for a worker.
    pub waiting: u64,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct StoreMetrics {
    /// Keys in all databases.
    pub keys: u64,
    /// Those that have a deadline.
    pub expiring_keys: u64,
    /// Keys by database, those that have any.
    pub databases: Vec<(u32, u64)>,
    /// Bytes of keys and values, estimated.
    pub used_bytes: u64,
    /// What they may be; 0 for no limit.
    pub limit_bytes: u64,
    /// Revision of the last change.
    pub revision: u64,
    /// The life of what is in it: as long as this is the same, revisions mean the same. A hub that takes the store over
    /// from another has that one's, and one that begins has a new one, even if the keys come from disk.
    #[serde(default)]
    pub epoch: String,
    /// Keys whose time was over.
    pub expired_total: u64,
    /// Keys that gave way to others.
    pub evicted_total: u64,
    /// Changes that came to no event because one command made too many.
    pub untold_changes_total: u64,
    /// Whether it outlives the worker.
    pub is_durable: bool,
}

/// The store's journal; zeros where nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct JournalMetrics {
    /// Records appended.
    pub records_total: u64,
    /// Bytes of the base.
    pub base_bytes: u64,
    /// Bytes of the logs behind it.
    pub log_bytes: u64,
    /// Bytes that wait for the disk.
    pub pending_bytes: u64,
    /// Successful calls of fdatasync(2).
    pub syncs_total: u64,
    /// Calls to the disk that failed, retries included.
    pub failures_total: u64,
    /// How often writers had to wait for the disk.
    pub congestions_total: u64,
    /// Writes are refused because the disk does not take them.
    pub is_failing: bool,
}

/// Locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct LockMetrics {
    /// Locks held.
    pub held: u64,
    /// Clients that wait for one.
    pub waiting: u64,
    /// Locks given.
    pub acquired_total: u64,
    /// Leases that ended by themselves.
    pub expired_total: u64,
    /// Questions refused: out of range, too many, not given here, or the disk did not take them.
    pub refused_total: u64,
}

/// Scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct ScriptMetrics {
    /// Scripts run.
    pub runs_total: u64,
    /// Scripts kept compiled.
    pub cached: u64,
}
