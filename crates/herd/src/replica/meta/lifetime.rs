//! When a key ends, and what ends with it.
//!
//! A lifetime is one fact of a key, like an element: of two the one with the higher mark counts, and a base that is newer
//! voids it. When it is over, what is not newer than its *end* is not there: the end is the first mark of the
//! millisecond it was set to, or the lifetime's own mark if that is higher. So the end is the same on every server, and
//! whoever hears of it hours later ends the same things, and no others: what was written after it stays.
//!
//! An end is no deletion. A server that hears that the key had been given more time takes that lifetime instead, and gets
//! what it had let go from those who still have it; up to then it knows that it *lacks* what is not newer than the end,
//! so that nobody takes that for deleted. Only who writes to a key that has ended for it, by its own clock, makes
//! the end a deletion for all: that client was told that there was no such key.

use crate::NodeId;
use crate::replica::mark::{Mark, Stamp};
use crate::replica::meta::{Joined, Meta, More, Part, PartMark};
use crate::replica::page::Ground;
use crate::replica::state::{Base, Expiry, KeyState, Share};

impl Expiry {
    /// The mark up to which things end with it; none if it is for ever.
    #[must_use]
    pub fn end(&self) -> Option<Mark> {
        let at = Mark { stamp: Stamp::at_ms(self.at_ms?), node: NodeId(0) };
        Some(at.max(self.mark))
    }
}

impl More {
    /// The end, if it has come.
    pub(crate) fn end(&self) -> Option<Mark> {
        self.expiry.filter(|_| self.is_over).and_then(|expiry| expiry.end())
    }

    /// What servers have counted that has not ended.
    pub(crate) fn counted(&self) -> impl DoubleEndedIterator<Item = &Share> {
        let end = self.end();
        self.shares.values().filter(move |share| end.is_none_or(|end| share.since_mark() > end))
    }

    /// Whether others may have of this key what is not here and was not deleted.
    pub(crate) fn is_lacking(&self) -> bool {
        self.is_over || self.lacks != Mark::ZERO
    }
}

impl Meta {
    /// When the key ends, if it does and has not yet: milliseconds since 1970.
    pub(crate) fn ends_ms(&self) -> Option<u64> {
        let more = self.more.as_deref().filter(|more| !more.is_over)?;
        more.expiry?.at_ms
    }

    /// The end that a client saw who writes to the key now.
    pub(crate) fn seen_end(&self) -> Option<Mark> {
        let more = self.more.as_deref()?;
        let lacks = (self.shape().is_none() && more.lacks != Mark::ZERO).then_some(more.lacks);
        more.end().or(lacks)
    }

    /// What has to be said of the lifetime together with a change that has `mark`: that a key that is made anew has none,
    /// and that a stamp beyond the end, by a clock that others carried ahead, does not mean that the end has come.
    pub(crate) fn lifetime_with(&self, mark: Mark) -> Option<Expiry> {
        if self.shape().is_none() {
            let is_new = self.base == Mark::ZERO && self.more.is_none();
            return (!is_new).then_some(Expiry { mark, at_ms: None });
        }
        let expiry = self.more.as_deref().filter(|more| !more.is_over)?.expiry?;
        (mark > expiry.end()?).then_some(Expiry { mark, ..expiry })
    }

    /// Ends what has ended at a time of the wall clock; all of it if the store says that it did.
    pub(crate) fn end(&mut self, wall_ms: u64, has_ended: bool) -> Joined {
        let mut joined = Joined::default();
        self.settle_end(wall_ms, has_ended, &mut joined);
        joined
    }

    /// Takes a lifetime in.
    pub(super) fn join_expiry(&mut self, state: &KeyState, joined: &mut Joined) {
        let Some(expiry) = state.expiry else { return };
        let came_with_base = expiry.mark == self.base && self.ground != Ground::Gone;
        let own = self.more.as_ref().and_then(|more| more.expiry);
        let is_void = expiry.mark <= self.base && !came_with_base;
        let is_for_ever = came_with_base && expiry.at_ms.is_none();
        if is_void || is_for_ever || own.is_some_and(|own| own.mark >= expiry.mark) {
            return;
        }
        let more = self.more.get_or_insert_default();
        more.undo_end(joined);
        more.expiry = Some(expiry);
        joined.expiry = true;
    }

    /// A base was raised, or lost its value: a lifetime that is not newer is void.
    pub(super) fn void_expiry(&mut self, joined: &mut Joined) {
        let Some(more) = self.more.as_deref_mut() else { return };
        if more.expiry.is_some_and(|expiry| expiry.mark <= self.base) {
            more.undo_end(joined);
            more.expiry = None;
            joined.expiry = true;
        }
        if more.lacks <= self.base {
            more.lacks = Mark::ZERO;
        }
    }

    /// Ends what has ended: by the clock, or since something newer than the end is there.
    pub(super) fn settle_end(&mut self, wall_ms: u64, has_ended: bool, joined: &mut Joined) {
        let Some(more) = self.more.as_deref_mut() else { return };
        let Some((expiry, end)) = more.expiry.and_then(|expiry| Some((expiry, expiry.end()?))) else {
            return;
        };
        let is_over = has_ended || expiry.at_ms.is_some_and(|at_ms| at_ms <= wall_ms);
        if !more.is_over && !is_over && !more.has_newer(end, joined) {
            return;
        }
        let ends_now = !std::mem::replace(&mut more.is_over, true);
        if ends_now {
            joined.expiry = true;
            joined.counted |= !more.shares.is_empty();
        }
        let is_old = |more: &More, part: &Part| {
            more.parts.get(part).is_some_and(|have| have.is_live && have.mark <= end)
        };
        let old: Vec<Part> = if ends_now {
            more.parts.keys().filter(|part| is_old(more, part)).cloned().collect()
        } else {
            joined.taken.iter().filter(|part| is_old(more, part)).cloned().collect()
        };
        for part in old {
            more.remove(&part);
            joined.voided.push(part);
        }
        if self.ground == Ground::Whole {
            self.ground = Ground::Lapsed;
        }
        // It lacks what the end before this one took, and this one does not.
        joined.is_revived &= more.lacks > end;
    }

    /// Takes over from the disk that what is not newer than `end` had ended here, and was lacking then.
    pub(crate) fn lack(&mut self, end: Mark) {
        if end <= self.base || self.more.as_ref().is_some_and(|more| more.lacks >= end) {
            return;
        }
        let more = self.more.get_or_insert_default();
        let is_old = |have: &PartMark| have.is_live && have.mark <= end;
        let old: Vec<Part> =
            more.parts.iter().filter(|(_, have)| is_old(have)).map(|(part, _)| part.clone()).collect();
        for part in old {
            more.remove(&part);
        }
        more.lacks = end;
        if self.ground == Ground::Whole {
            self.ground = Ground::Lapsed;
        }
    }

    /// Nothing is lacking any more: all there is was told.
    pub(crate) fn is_complete(&mut self) {
        if let Some(more) = &mut self.more {
            more.lacks = Mark::ZERO;
        }
        self.tidy();
    }
}

impl More {
    /// The end that has come does not count any more: what it took is lacking.
    fn undo_end(&mut self, joined: &mut Joined) {
        if let Some(end) = self.end() {
            self.lacks = self.lacks.max(end);
            self.is_over = false;
            joined.is_revived = true;
            joined.counted |= !self.shares.is_empty();
        }
    }

    /// Whether there is something newer than an end. What was there before was looked at before.
    fn has_newer(&self, end: Mark, joined: &Joined) -> bool {
        let is_newer = |part: &Part| self.parts.get(part).is_some_and(|have| have.mark > end);
        let has_part = if joined.expiry {
            self.newest_part.is_some_and(|newest| newest > end) && self.parts.keys().any(is_newer)
        } else {
            joined.taken.iter().any(is_newer)
        };
        has_part || self.shares.values().any(|share| share.since_mark() > end)
    }
}

/// The ground that a base is.
pub(super) fn ground_of(base: &Base) -> Ground {
    match base {
        Base::Gone => Ground::Gone,
        Base::Lapsed => Ground::Lapsed,
        Base::Whole(_) => Ground::Whole,
    }
}

/// Which of two bases with one mark counts, the higher one: what was voided since stays void, what has ended on one server
/// may be there on another one.
pub(super) fn rank(ground: Ground) -> u8 {
    match ground {
        Ground::Lapsed => 0,
        Ground::Whole => 1,
        Ground::Gone => 2,
    }
}
