//! What the hub remembers of one Redis client between its commands.

use std::collections::BTreeSet;
use std::sync::Arc;

use remuda_bus::Origin;
use remuda_model::Tick;
use remuda_store::Transaction;
use remuda_wire::resp::Version;

use crate::access::User;
use crate::core::Places;
use crate::table::Key;

/// The longest name a client may give itself, in bytes.
pub(crate) const NAME_MAX_BYTES: usize = 256;

/// Which replies a client wants (`CLIENT REPLY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replies {
    /// All.
    On,
    /// None, until it says otherwise.
    Off,
    /// All but that of the next command.
    SkipNext,
    /// All but that of the command that is being carried out.
    Skip,
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// A key of the store to be filled.
    Key,
    /// The answer to a call.
    Answer,
    /// A call to answer.
    Call,
    /// A lock, or the disk to note what became of one.
    Lock,
    /// Something about other connections, at the end of the turn.
    Errand,
    /// The disk: the command, which stands in the input still, subscribes, and its confirmation has to come behind
    /// replies that are held.
    Disk,
    /// The bus's engine: to have published something, or to have a subscription in force.
    Engine,
    /// Answers of the store's engine to what was asked before, or room there.
    Upstream,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: Key,
    pub(crate) version: Version,
    pub(crate) database: u32,
    /// Who it is; `None` as long as it has to say so first.
    pub(crate) user: Option<Arc<User>>,
    /// Who it was before it said anything, for `RESET`.
    pub(crate) first_user: Option<Arc<User>>,
    /// Where its messages come from.
    pub(crate) origin: Origin,
    pub(crate) name: String,
    pub(crate) library: String,
    pub(crate) library_version: String,
    pub(crate) transaction: Transaction,
    /// Whether the bus knows it.
    pub(crate) is_member: bool,
    pub(crate) channels: BTreeSet<Vec<u8>>,
    pub(crate) patterns: BTreeSet<Vec<u8>>,
    pub(crate) shards: BTreeSet<Vec<u8>>,
    /// Prefixes it hears with sequence numbers (`BUS.SUBSCRIBE`).
    pub(crate) sequenced: BTreeSet<Vec<u8>>,
    pub(crate) hears_itself: bool,
    /// It has subscribed to something: the confirmation has to be queued before any message.
    pub(crate) is_confirming: bool,
    pub(crate) replies: Replies,
    pub(crate) waiting: Option<Waiting>,
    /// The command it waits with, encoded, so that another hub can carry it out again.
    pub(crate) waits_with: Vec<u8>,
    /// It does not want the reply it waits for (`CLIENT REPLY`).
    pub(crate) is_muted: bool,
    /// Whether something it did was published: only then it is held up with the publishers.
    pub(crate) has_published: bool,
    /// Whether it watches keys for a transaction.
    pub(crate) is_watching: bool,
    /// It watched keys in a former hub: its transaction fails as if one had changed.
    pub(crate) has_lost_watch: bool,
    /// Commands of it stand in the input because replies pile up.
    pub(crate) is_behind: bool,
    /// Its connection to the store's engine.
    pub(crate) upstream: Option<usize>,
    /// The command that is being carried out went to the store's engine.
    pub(crate) is_forwarded: bool,
    /// The command that is being carried out subscribed to something.
    pub(crate) has_subscribed: bool,
    /// Answers of the store's engine that another hub cannot get any more.
    pub(crate) owed: usize,
    /// It has a part of an answer of the store's engine, whose rest another hub cannot get: its connection ends there.
    pub(crate) is_cut: bool,
    /// Places of the arguments of a command that is not whole yet.
    pub(crate) places: Places,
    pub(crate) opened: Tick,
    pub(crate) active: Tick,
    pub(crate) last_command: &'static str,
    pub(crate) commands: u64,
}

impl Session {
    pub(crate) fn new(key: Key, user: Option<Arc<User>>, origin: Origin, now: Tick) -> Self {
        Self {
            key,
            version: Version::Resp2,
            database: 0,
            first_user: user.clone(),
            user,
            origin,
            name: String::new(),
            library: String::new(),
            library_version: String::new(),
            transaction: Transaction::default(),
            is_member: false,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            shards: BTreeSet::new(),
            sequenced: BTreeSet::new(),
            hears_itself: true,
            is_confirming: false,
            replies: Replies::On,
            waiting: None,
            waits_with: Vec::new(),
            is_muted: false,
            has_published: false,
            is_watching: false,
            has_lost_watch: false,
            is_behind: false,
            upstream: None,
            is_forwarded: false,
            has_subscribed: false,
            owed: 0,
            is_cut: false,
            places: Places::new(),
            opened: now,
            active: now,
            last_command: "",
            commands: 0,
        }
    }

    /// What it waited for is there, or given up; says whether it wants to be told.
    #[must_use]
    pub(crate) fn wakes(&mut self) -> bool {
        self.waiting = None;
        self.waits_with = Vec::new();
        !std::mem::take(&mut self.is_muted)
    }

    /// Channels and patterns together, as Redis counts them in its confirmations.
    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether it may only subscribe, unsubscribe, ping and leave: RESP2 has no other way to tell messages from replies.
    pub(crate) fn is_listening_only(&self) -> bool {
        self.version == Version::Resp2
            && !(self.channels.is_empty()
                && self.patterns.is_empty()
                && self.shards.is_empty()
                && self.sequenced.is_empty())
    }
}
