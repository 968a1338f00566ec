//! A sorted set: members, each with a score, in the order of their scores.
//!
//! Two structures hold the same members. A hash table with an index answers "what is this member's score" and gives
//! a member by number (scans walk it from its end, random picks draw from it); a [`sequence`] of seats, which name
//! members by that index and so are small, answers everything about order: ranks, ranges by rank, by score, by member.
//! Equal scores are ordered by the members' bytes; `-0` and `0` are equal; NaN never gets in.

use std::cmp::Ordering;
use std::ops::Range;

use indexmap::IndexMap;

use self::bounds::{LexRange, ScoreRange};
use self::score::score_text;
use self::sequence::{Place, Seat, Seats, Sequence};
use crate::value::{DUMP_ITEMS, Hashing};

pub(crate) mod bounds;
pub(crate) mod score;
mod sequence;

/// What a member costs beside its own bytes: a table entry with its slot and spare room, a seat with its chunk's spare
/// room, and the allocator's share.
const MEMBER_OVERHEAD_BYTES: usize = 88;
/// Redis' `zset-max-listpack-entries`: up to here a set is reported as a listpack.
const LISTPACK_ENTRIES_MAX: usize = 128;
/// Redis' `zset-max-listpack-value`.
const LISTPACK_MEMBER_MAX_BYTES: usize = 64;

/// Members in the order of their scores.
#[derive(Debug, Clone)]
pub(crate) struct SortedSet {
    members: IndexMap<Box<[u8]>, f64, Hashing>,
    order: Sequence,
    member_bytes: usize,
    /// Once grown beyond a listpack, Redis never reports one again.
    is_wide: bool,
}

/// Members and scores from one rank to another, from both ends.
#[derive(Debug, Clone)]
pub(crate) struct Members<'a> {
    seats: Seats<'a>,
    members: &'a IndexMap<Box<[u8]>, f64, Hashing>,
}

impl SortedSet {
    /// An empty set; `hashing` is the store's seeded hash.
    pub(crate) fn new(hashing: Hashing) -> Self {
        Self {
            members: IndexMap::with_hasher(hashing),
            order: Sequence::default(),
            member_bytes: 0,
            is_wide: false,
        }
    }

    /// The number of members.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no member.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score of `member`.
    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.members.get(member).copied()
    }

    /// Gives `member` this score, which must not be NaN; the score it had before.
    pub(crate) fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        debug_assert!(!score.is_nan(), "NaN has no place in an order");
        // There is one zero: -0 + 0 is 0.
        let score = score + 0.0;
        let Some((index, _, &old)) = self.members.get_full(member) else {
            let place = self.place_of(member, score);
            let (index, _) = self.members.insert_full(member.into(), score);
            self.order.insert(place, Seat { score, index });
            self.member_bytes += member.len();
            self.is_wide |= member.len() > LISTPACK_MEMBER_MAX_BYTES || self.len() > LISTPACK_ENTRIES_MAX;
            return None;
        };
        if old != score {
            let place = self.place_of(member, old);
            self.order.remove(place);
            let place = self.place_of(member, score);
            self.order.insert(place, Seat { score, index });
            self.members[index] = score;
        }
        Some(old)
    }

    /// Removes `member`; the score it had.
    pub(crate) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let (index, _, &score) = self.members.get_full(member)?;
        let place = self.place_of(member, score);
        self.order.remove(place);
        self.forget(index);
        Some(score)
    }

    /// How many members come before `member`.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.order.rank(self.place_of(member, score)))
    }

    /// The members with these ranks; those beyond the end are left out.
    pub(crate) fn range(&self, ranks: Range<usize>) -> Members<'_> {
        Members { seats: self.order.range(ranks), members: &self.members }
    }

    /// All members in order.
    pub(crate) fn iter(&self) -> Members<'_> {
        self.range(0..self.len())
    }

    /// The ranks of the members whose score is in `range`.
    pub(crate) fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        let start = self.order.place(|seat| range.is_above(seat.score));
        let end = self.order.place(|seat| !range.is_below(seat.score));
        self.ranks_between(start, end)
    }

    /// The ranks of the members in `range`; what Redis promises too: only when all scores are equal.
    pub(crate) fn ranks_by_lex(&self, range: &LexRange<'_>) -> Range<usize> {
        let start = self.order.place(|seat| range.is_above(self.member_of(*seat)));
        let end = self.order.place(|seat| !range.is_below(self.member_of(*seat)));
        self.ranks_between(start, end)
    }

    /// Removes the members with these ranks, one after the other; how many there were.
    pub(crate) fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        for _ in 0..count {
            self.remove_rank(ranks.start);
        }
        count
    }

    /// Removes the member with the lowest score.
    pub(crate) fn pop_first(&mut self) -> Option<(Box<[u8]>, f64)> {
        self.remove_rank(0)
    }

    /// Removes the member with the highest score.
    pub(crate) fn pop_last(&mut self) -> Option<(Box<[u8]>, f64)> {
        self.remove_rank(self.len().checked_sub(1)?)
    }

    /// The member number `index` of the table: all numbers below [`len`](Self::len) have one. A removal moves only the
    /// last member, to a lower number, so a walk from the end down misses no member that stays.
    pub(crate) fn by_index(&self, index: usize) -> Option<(&[u8], f64)> {
        self.members.get_index(index).map(|(member, &score)| (&**member, score))
    }

    /// Bytes on the heap, estimated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.member_bytes + self.len() * MEMBER_OVERHEAD_BYTES
    }

    /// What `OBJECT ENCODING` says, by Redis' default limits.
    pub(crate) fn encoding(&self) -> &'static str {
        if self.is_wide { "skiplist" } else { "listpack" }
    }

    /// Says the commands that make it under the name `key`.
    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        let mut members = self.iter();
        while members.len() > 0 {
            let pairs: Vec<_> = members
                .by_ref()
                .take(DUMP_ITEMS)
                .map(|(member, score)| (score_text(score), member))
                .collect();
            let mut command: Vec<&[u8]> = vec![b"ZADD", key];
            for (score, member) in &pairs {
                command.extend([score.as_bytes(), member]);
            }
            sink(&command);
        }
    }

    fn remove_rank(&mut self, rank: usize) -> Option<(Box<[u8]>, f64)> {
        let place = self.order.place_of_rank(rank);
        let seat = self.order.remove(place)?;
        Some(self.forget(seat.index))
    }

    /// Takes the member number `index`, whose seat is gone already, out of the table. The last member gets its number.
    fn forget(&mut self, index: usize) -> (Box<[u8]>, f64) {
        let last = self.members.len() - 1;
        if index != last {
            let (member, &score) = self.members.get_index(last).expect("the table is not empty");
            let place = self.place_of(member, score);
            self.order.get_mut(place).expect("each member has a seat").index = index;
        }
        let (member, score) = self.members.swap_remove_index(index).expect("the seat named a member");
        self.member_bytes -= member.len();
        (member, score)
    }

    /// Where `member` sits, or would sit, with this score.
    fn place_of(&self, member: &[u8], score: f64) -> Place {
        self.order.place(|seat| match seat.score.partial_cmp(&score) {
            Some(Ordering::Less) => true,
            Some(Ordering::Greater) => false,
            Some(Ordering::Equal) | None => self.member_of(*seat) < member,
        })
    }

    fn member_of(&self, seat: Seat) -> &[u8] {
        self.members.get_index(seat.index).map_or(&[], |(member, _)| member)
    }

    fn ranks_between(&self, start: Place, end: Place) -> Range<usize> {
        let start = self.order.rank(start);
        start..self.order.rank(end).max(start)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        let seat = self.seats.next()?;
        self.members.get_index(seat.index).map(|(member, &score)| (&**member, score))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.seats.size_hint()
    }
}

impl DoubleEndedIterator for Members<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let seat = self.seats.next_back()?;
        self.members.get_index(seat.index).map(|(member, &score)| (&**member, score))
    }
}

impl ExactSizeIterator for Members<'_> {}

#[cfg(test)]
mod tests;
