//! Who vanished, and who came back.
//!
//! A member of a group is present as long as it is heard. Silence alone says little: a network hiccups, a process is
//! busy. So a member is gone only when it was silent for the whole *grace period*, and then somebody may start
//! another in its place. When the silent one is heard again after that, there are two where there should be one: that
//! is a [`Heard::Returned`], and the caller's duty is to end one of them. Whatever is watched this way has to bear
//! running twice for a while; nothing that listens to a network can promise more.
//!
//! The machine is pure: beats and times go in, changes come out. Its memory is bounded: so many members, and who has
//! been gone for long is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Members known at once, present and gone, unless told otherwise: one server's herd of workers several times over.
pub const MEMBERS_LIMIT: usize = 10_000;
/// A member gone for this long is forgotten, unless told otherwise: longer than a night's partition is not a return.
pub const FORGET_AFTER: Duration = Duration::from_secs(12 * 3600);

/// What a beat meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A member not known before.
    Arrived,
    /// One who is present anyway.
    Present,
    /// One who was told to have vanished, after `absent` of silence: whoever took its place has a double now.
    Returned {
        /// From its last beat to this one.
        absent: Duration,
    },
    /// A stranger who was not taken in: as many members as the limit allows are present.
    Full,
}

/// A member whose grace period is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished<K> {
    /// Who.
    pub member: K,
    /// Silent for so long; at least the grace period.
    pub silent: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    last: Instant,
    present: bool,
}

/// Watches members, known by a key `K` such as (service, slot).
#[derive(Debug, Clone)]
pub struct Grace<K> {
    period: Duration,
    forget_after: Duration,
    limit: usize,
    members: BTreeMap<K, Member>,
    /// Present members by their last beat.
    present: BTreeSet<(Instant, K)>,
    /// Gone members by their last beat.
    gone: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Clone> Grace<K> {
    /// Nobody is known; a member is gone after `period` of silence. Three times the interval of the beats bears the
    /// loss of two.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self {
            period,
            forget_after: FORGET_AFTER,
            limit: MEMBERS_LIMIT,
            members: BTreeMap::new(),
            present: BTreeSet::new(),
            gone: BTreeSet::new(),
        }
    }

    /// Members known at once. Default [`MEMBERS_LIMIT`]. A newcomer takes the place of who has been gone longest.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// After so much silence a gone member is forgotten: heard again, it has `Arrived`. Default [`FORGET_AFTER`]; less
    /// than the grace period forgets as soon as the member has been told to have vanished.
    #[must_use]
    pub fn forget_after(mut self, forget_after: Duration) -> Self {
        self.forget_after = forget_after;
        self
    }

    /// `member` gave a sign of life at `now`. A time before its last beat counts as that last beat.
    pub fn heard(&mut self, now: Instant, member: K) -> Heard {
        let Some(known) = self.members.get_mut(&member) else { return self.arrived(now, member) };
        let queue = if known.present { &mut self.present } else { &mut self.gone };
        let place = (known.last, member);
        queue.remove(&place);
        let (last, member) = place;
        let heard = match known.present {
            true => Heard::Present,
            false => Heard::Returned { absent: now.saturating_duration_since(last) },
        };
        *known = Member { last: now.max(last), present: true };
        self.present.insert((known.last, member));
        heard
    }

    fn arrived(&mut self, now: Instant, member: K) -> Heard {
        if self.members.len() >= self.limit {
            let Some((_, forgotten)) = self.gone.pop_first() else { return Heard::Full };
            self.members.remove(&forgotten);
        }
        self.members.insert(member.clone(), Member { last: now, present: true });
        self.present.insert((now, member));
        Heard::Arrived
    }

    /// `member` said good-bye: it is forgotten, neither vanished nor to return. Says whether it was known.
    pub fn left(&mut self, member: &K) -> bool {
        let Some(known) = self.members.remove(member) else { return false };
        let queue = if known.present { &mut self.present } else { &mut self.gone };
        queue.remove(&(known.last, member.clone()))
    }

    /// Who has vanished by `now`, each told once, the longest silent first.
    pub fn step(&mut self, now: Instant) -> Vec<Vanished<K>> {
        let mut vanished = Vec::new();
        while let Some((last, _)) = self.present.first()
            && now.saturating_duration_since(*last) >= self.period
            && let Some((last, member)) = self.present.pop_first()
        {
            if let Some(known) = self.members.get_mut(&member) {
                known.present = false;
            }
            self.gone.insert((last, member.clone()));
            vanished.push(Vanished { member, silent: now.saturating_duration_since(last) });
        }
        while let Some((last, _)) = self.gone.first()
            && now.saturating_duration_since(*last) >= self.forget_after
            && let Some((_, member)) = self.gone.pop_first()
        {
            self.members.remove(&member);
        }
        vanished
    }

    /// When [`step`](Self::step) has something to do next, if nobody is heard until then. `None`: nobody is known, or
    /// that moment is beyond what a clock can show.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let vanishes = self.present.first().and_then(|(last, _)| last.checked_add(self.period));
        let forgotten = self.gone.first().and_then(|(last, _)| last.checked_add(self.forget_after));
        [vanishes, forgotten].into_iter().flatten().min()
    }

    /// Who is present, in order.
    pub fn present(&self) -> impl Iterator<Item = &K> {
        self.members.iter().filter(|(_, member)| member.present).map(|(key, _)| key)
    }

    /// Who is gone and not forgotten, in order.
    pub fn gone(&self) -> impl Iterator<Item = &K> {
        self.members.iter().filter(|(_, member)| !member.present).map(|(key, _)| key)
    }
}
