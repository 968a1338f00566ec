//! Pictures of the bus, for status and metrics.

use bytes::Bytes;

use remuda_model::glob_matches;

use crate::bus::Bus;
use crate::filter::{Filter, FilterKind};
use crate::member::{Counters, Encoding, MemberId, Membership, Origin, Role};
use crate::reserved::Reserved;
use crate::subscriptions::{Listeners, Table};

/// Counts since the bus began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages published; those to shard channels are not among them.
    pub published_messages: u64,
    /// Their bytes, as ZMTP frames.
    pub published_bytes: u64,
    /// How often messages were queued, for all members together.
    pub delivered_messages: u64,
    /// Messages nobody got.
    pub unheard_messages: u64,
    /// Messages that waited for members when these left.
    pub left_messages: u64,
    /// Their bytes.
    pub left_bytes: u64,
    /// Messages that had been dropped for members that have left since.
    pub left_dropped_messages: u64,
    /// Their bytes.
    pub left_dropped_bytes: u64,
}

/// The bus at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusView {
    /// Counts since the beginning.
    pub totals: Totals,
    /// Number of the last message; 0 before the first.
    pub last_sequence: u64,
    /// Members here.
    pub members: usize,
    /// Their subscriptions.
    pub subscriptions: usize,
    /// Bytes that wait in all queues, what waits in several counted in each.
    pub queued_bytes: usize,
    /// Bytes kept in memory for all queues and rings, each counted once.
    pub retained_bytes: usize,
    /// Work that waits for a consumer, in messages.
    pub backlog_messages: u64,
    /// Its bytes.
    pub backlog_bytes: usize,
    /// Work that found no room, in messages.
    pub backlog_dropped_messages: u64,
    /// Its bytes.
    pub backlog_dropped_bytes: u64,
    /// Messages dropped because queues of members were full, those of members that left included.
    pub dropped_messages: u64,
    /// Their bytes.
    pub dropped_bytes: u64,
    /// Messages in rings.
    pub ring_messages: usize,
    /// Their bytes, each ring's counted for itself.
    pub ring_bytes: usize,
    /// Whether publishers are held.
    pub is_congested: bool,
}

/// A member at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Its number.
    pub id: MemberId,
    /// What it speaks.
    pub encoding: Encoding,
    /// How messages come to it.
    pub role: Role,
    /// Where its own messages come from.
    pub origin: Origin,
    /// Bytes that wait for it.
    pub queued_bytes: usize,
    /// Messages it is behind: those that wait and that which is being written.
    pub lag_messages: u64,
    /// Its subscriptions.
    pub subscriptions: usize,
    /// What it has had.
    pub counters: Counters,
    /// Whether its queue has been more than half full and not below a quarter since.
    pub is_behind: bool,
    /// Whether it is to go.
    pub is_doomed: bool,
}

impl Bus {
    /// The bus as it is now.
    #[must_use]
    pub fn view(&self) -> BusView {
        let dropped = self.work_dropped();
        let counted = |of: fn(&Counters) -> u64| -> u64 {
            self.members.iter().map(|(_, member)| of(&member.counters)).sum()
        };
        BusView {
            totals: self.totals,
            last_sequence: self.last_sequence(),
            members: self.member_count(),
            subscriptions: self.subscriptions.count(),
            queued_bytes: self.members.iter().map(|(_, member)| member.queue.bytes()).sum(),
            retained_bytes: self.pool.retained(),
            backlog_messages: self.consumers.backlog().messages(),
            backlog_bytes: self.consumers.backlog().bytes(),
            backlog_dropped_messages: dropped.messages,
            backlog_dropped_bytes: dropped.bytes,
            dropped_messages: self.totals.left_dropped_messages
                + counted(|counters| counters.dropped_messages),
            dropped_bytes: self.totals.left_dropped_bytes + counted(|counters| counters.dropped_bytes),
            ring_messages: self.rings.iter().map(|ring| ring.kept().count()).sum(),
            ring_bytes: self.rings.iter().map(crate::ring::Ring::bytes).sum(),
            is_congested: self.is_congested(),
        }
    }

    /// Number of the last message; 0 before the first. One look, where [`Bus::view`] goes over all members and rings.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    /// How many members are here; one look, too.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Whether somebody asks for topics of this family: as long as nobody does, none need be published.
    #[must_use]
    pub fn is_heard(&self, family: Reserved) -> bool {
        self.subscriptions.has_reserved(family)
    }

    /// A member as it is now.
    #[must_use]
    pub fn member(&self, id: MemberId) -> Option<MemberView> {
        let seat = self.members.seat(id)?;
        let member = self.members.at(seat)?;
        let Membership { encoding, role, origin, .. } = member.membership;
        Some(MemberView {
            id,
            encoding,
            role,
            origin,
            queued_bytes: member.queue.bytes(),
            lag_messages: member.queue.messages(),
            subscriptions: self.subscriptions.count_of(seat),
            counters: member.counters,
            is_behind: member.is_behind(),
            is_doomed: member.is_doomed,
        })
    }

    /// All members, in no order that means anything.
    pub fn members(&self) -> impl Iterator<Item = MemberView> {
        self.members.iter().filter_map(|(_, member)| self.member(member.id))
    }

    /// What a member has subscribed to, and how often.
    pub fn subscriptions(&self, id: MemberId) -> impl Iterator<Item = (&Filter, u64)> {
        self.members.seat(id).into_iter().flat_map(|seat| self.subscriptions.of(seat))
    }

    /// Channels ([`FilterKind::Channel`]), shard channels or patterns somebody has subscribed to, all or those `pattern`
    /// stands for; as Redis' `PUBSUB CHANNELS` and `PUBSUB SHARDCHANNELS`. Nothing for the other kinds.
    #[must_use]
    pub fn names(&self, kind: FilterKind, pattern: Option<&[u8]>) -> Vec<Bytes> {
        let names = match kind {
            FilterKind::Channel => &self.subscriptions.channels,
            FilterKind::Shard => &self.subscriptions.shards,
            FilterKind::Pattern => &self.subscriptions.patterns,
            FilterKind::Prefix | FilterKind::Sequenced => return Vec::new(),
        };
        let fits = |name: &&Bytes| pattern.is_none_or(|pattern| glob_matches(pattern, name));
        names.keys().filter(fits).cloned().collect()
    }

    /// How many members have subscribed to exactly this name, pattern or prefix; for channels and shard channels as Redis'
    /// `PUBSUB NUMSUB` and `PUBSUB SHARDNUMSUB`.
    #[must_use]
    pub fn listeners(&self, kind: FilterKind, name: &[u8]) -> usize {
        let of = |names: &Table<Bytes, Listeners>| names.get(name).map_or(0, Listeners::len);
        let (subscriptions, mut found) = (&self.subscriptions, 0);
        match kind {
            FilterKind::Channel => found = of(&subscriptions.channels),
            FilterKind::Shard => found = of(&subscriptions.shards),
            FilterKind::Pattern => found = of(&subscriptions.patterns),
            FilterKind::Prefix => subscriptions.prefixes.visit(name, name.len(), |seats| found = seats.len()),
            FilterKind::Sequenced => subscriptions.sequenced.visit(name, name.len(), |all| found = all.len()),
        }
        found
    }

    /// How many different patterns are subscribed to; as Redis' `PUBSUB NUMPAT`.
    #[must_use]
    pub fn patterns(&self) -> usize {
        self.subscriptions.patterns.len()
    }
}
