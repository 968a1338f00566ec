//! The herd as one hub sees it: the answer to `HUB.HERD`, as JSON, and what monitors are told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The herd at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdView {
    /// The herd's name; empty while this server is no member.
    pub herd: String,
    /// This node's number, 16 hexadecimal digits.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Which of its lives.
    pub epoch: u64,
    /// `flood` or `tree`.
    pub mode: String,
    /// Why this server takes no part; empty while it does. Of a member: another server has its number.
    pub trouble: String,
    /// Nodes that are known, this one among them.
    pub members: Vec<HerdMember>,
    /// Links that are up.
    pub links: Vec<HerdLink>,
    /// Servers that are called.
    pub calls: Vec<HerdCall>,
    /// Counts since this life began.
    pub counters: HerdCounters,
    /// Messages kept for repairs.
    pub kept_messages: u64,
    /// Their bytes.
    pub kept_bytes: u64,
    /// Shared keys; absent where none are.
    pub keys: Option<HerdKeys>,
}

/// A node that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdMember {
    /// Its number, 16 hexadecimal digits.
    pub node: String,
    /// Its name; empty while it is not known.
    pub name: String,
    /// Which of its lives.
    pub epoch: u64,
    /// `here`, `suspected`, `lost` or `left`.
    pub state: String,
    /// For how long it has been so, milliseconds.
    pub lasting_ms: u64,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Links on the shortest way to it; 0 for this node.
    pub distance: u32,
    /// Number of its last message that was taken.
    pub sequence: u64,
}

/// A link that is up.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdLink {
    /// The node at the other end.
    pub node: String,
    /// Its name.
    pub name: String,
    /// The address at the other end.
    pub address: String,
    /// Whether this side made it.
    pub dialled: bool,
    /// `up`, `suspect` or `down`.
    pub state: String,
    /// The version of the protocol spoken.
    pub version: u16,
    /// How long it has been up, milliseconds.
    pub age_ms: u64,
    /// How long nothing has come, milliseconds.
    pub silence_ms: u64,
    /// The round trip, microseconds; absent until measured.
    pub round_trip_us: Option<u64>,
    /// Bytes on their way that the kernel has not taken.
    pub waiting_bytes: u64,
    /// Nodes whose messages it is behind with.
    pub waiting_origins: u64,
    /// Messages sent.
    pub sent_messages_total: u64,
    /// Messages that came.
    pub received_messages_total: u64,
    /// Those of them that had come before.
    pub duplicates_total: u64,
    /// Bytes sent, before encryption.
    pub sent_bytes_total: u64,
    /// Bytes that came.
    pub received_bytes_total: u64,
    /// Messages it was too far behind for.
    pub dropped_total: u64,
}

/// A server that is called.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdCall {
    /// Where.
    pub address: String,
    /// Who answered there last; empty while nobody has.
    pub node: String,
    /// `linked`, `connecting` or `away`.
    pub state: String,
    /// Why it is away.
    pub trouble: String,
    /// How often it was tried.
    pub attempts_total: u64,
}

/// Counts of one life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdCounters {
    /// Messages and changes of this node.
    pub published_total: u64,
    /// Those of others that came, each once.
    pub received_total: u64,
    /// Messages given to subscribers here.
    pub delivered_total: u64,
    /// What came again.
    pub duplicates_total: u64,
    /// What was not sent here, as nobody here or behind wanted it.
    pub skipped_total: u64,
    /// What will not come any more.
    pub lost_total: u64,
    /// What links were too far behind for.
    pub dropped_total: u64,
    /// Messages of this node that were too large, or had too many frames.
    pub kept_here_total: u64,
    /// Links that came up.
    pub links_up_total: u64,
    /// Links that went.
    pub links_down_total: u64,
    /// Connections of strangers that were refused.
    pub refused_total: u64,
    /// Questions and answers of other servers' checks that went on from here.
    #[serde(default)]
    pub relayed_total: u64,
    /// Those for which the next link had no room, or to which no way leads.
    #[serde(default)]
    pub relays_dropped_total: u64,
}

/// Shared keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdKeys {
    /// How many there are.
    pub keys: u64,
    /// Deleted ones that are remembered.
    pub deleted: u64,
    /// Equal on two servers where the keys are.
    pub digest: String,
    /// Changes from the future that wait.
    pub waiting: u64,
    /// Changes made here.
    pub made_total: u64,
    /// Changes of others that were taken.
    pub taken_total: u64,
    /// Writes of this server that another one's at the same time overwrote.
    pub concurrent_overwrites_total: u64,
    /// Changes that came from the future.
    pub quarantined_total: u64,
    /// Changes that were refused.
    pub refused_total: u64,
    /// Keys too large to be shared, each time they were written.
    pub oversized_total: u64,
    /// Comparisons with peers that were completed.
    pub synced_total: u64,
    /// Keys that they brought up to date.
    pub repaired_total: u64,
}

/// What a comparison of shared keys with all other servers of the herd has found so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdCheck {
    /// Servers that are compared with, whether there is a link with them or others lead there.
    pub peers: u64,
    /// Those of them that are not done.
    pub pending: u64,
    /// Servers that are known and were not compared with.
    pub unreached: Vec<HerdUnreached>,
    /// Keys that differ, of each server.
    pub differing_keys: u64,
    /// Which; of very many the first ones.
    pub differing: Vec<HerdDifference>,
}

impl HerdCheck {
    /// Servers that were compared with: those that were to be, less those that are not done and those that were asked and
    /// gave no answer that can be compared.
    #[must_use]
    pub fn compared(&self) -> u64 {
        let in_vain = self.unreached.iter().filter(|one| one.was_asked()).count();
        self.peers.saturating_sub(self.pending).saturating_sub(u64::try_from(in_vain).unwrap_or(u64::MAX))
    }
}

/// A server that was not compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdUnreached {
    /// Its number.
    pub node: String,
    /// Its name; empty when it is not known.
    pub name: String,
    /// Why: `left` when it left in good order, else `suspected`, `lost`, `silent` when no answer came, `cut` when the way
    /// there broke meanwhile, `shares other keys`.
    pub why: String,
}

impl HerdUnreached {
    /// Whether it is missed: one that left on purpose is not.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.why != "left"
    }

    /// Whether it was there when the comparison began, and so is one of [`HerdCheck::peers`].
    fn was_asked(&self) -> bool {
        matches!(self.why.as_str(), "silent" | "cut" | "shares other keys")
    }
}

/// A key that two servers have differently.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct HerdDifference {
    /// The other server.
    pub node: String,
    /// Its name; empty when it is not known.
    pub name: String,
    /// The database.
    pub database: u32,
    /// The key; bytes that are no text are written as U+FFFD.
    pub key: String,
}
