//! The order of a sorted set: seats in ascending order, found by place and by rank.
//!
//! A list of sorted chunks instead of a tree of nodes: a chunk is one cache-friendly array, an insertion moves at most
//! one chunk's worth of seats, and a Fenwick tree over the chunks' lengths turns ranks into places and back in
//! O(log n). A chunk that overflows is cut in two (only here the tree is built anew, once in `CHUNK_MAX / 2`
//! insertions); one that is nearly empty joins its neighbour.
//!
//! The sequence does not know how seats compare: the caller asks with a predicate that holds for a prefix of the
//! sequence, as with [`slice::partition_point`].

use std::ops::Range;

use self::counts::Counts;

mod counts;

/// Seats of a chunk; 4 KiB of seats, so that an insertion moves 2 KiB on average.
const CHUNK_MAX: usize = 256;
/// Below this a chunk looks for a neighbour to join.
const CHUNK_MIN: usize = CHUNK_MAX / 4;

/// A member's place in the order: its score, and its index in the table of members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    /// The score; never NaN.
    pub(super) score: f64,
    /// Where the member stands in the set's table.
    pub(super) index: usize,
}

/// Seats in ascending order.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    /// None of them empty.
    chunks: Vec<Vec<Seat>>,
    counts: Counts,
    len: usize,
}

/// A place in the sequence: before the seat at `offset` of `chunk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    chunk: usize,
    offset: usize,
}

/// Seats from one rank to another, from both ends.
#[derive(Debug, Clone)]
pub(super) struct Seats<'a> {
    chunks: &'a [Vec<Seat>],
    front: Place,
    back: Place,
    left: usize,
}

impl Sequence {
    /// The number of seats.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The first place whose seat is not before what is sought; `is_before` must hold for a prefix only.
    pub(super) fn place(&self, is_before: impl Fn(&Seat) -> bool) -> Place {
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(&is_before));
        let offset = self.chunks.get(chunk).map_or(0, |seats| seats.partition_point(&is_before));
        Place { chunk, offset }
    }

    /// How many seats are before `place`.
    pub(super) fn rank(&self, place: Place) -> usize {
        self.counts.before(place.chunk) + place.offset
    }

    /// The seat at `place`, to change its index; its order must stay.
    pub(super) fn get_mut(&mut self, place: Place) -> Option<&mut Seat> {
        self.chunks.get_mut(place.chunk)?.get_mut(place.offset)
    }

    /// The place of the seat number `rank`; behind the last one when there are fewer.
    pub(super) fn place_of_rank(&self, rank: usize) -> Place {
        if rank >= self.len {
            return Place { chunk: self.chunks.len(), offset: 0 };
        }
        let (chunk, offset) = self.counts.find(rank);
        Place { chunk, offset }
    }

    /// Puts `seat` before the seat at `place`.
    pub(super) fn insert(&mut self, place: Place, seat: Seat) {
        self.len += 1;
        let chunk_count = self.chunks.len();
        if place.chunk < chunk_count {
            self.insert_within(place, seat);
            return;
        }
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK_MAX => {
                last.push(seat);
                self.counts.add(chunk_count - 1);
            }
            _ => {
                self.chunks.push(vec![seat]);
                self.count_anew();
            }
        }
    }

    /// Takes the seat at `place` out.
    pub(super) fn remove(&mut self, place: Place) -> Option<Seat> {
        let chunk = self.chunks.get_mut(place.chunk)?;
        if place.offset >= chunk.len() {
            return None;
        }
        let seat = chunk.remove(place.offset);
        self.len -= 1;
        if chunk.len() >= CHUNK_MIN || !self.join(place.chunk) {
            self.counts.subtract(place.chunk);
        }
        Some(seat)
    }

    /// The seats with these ranks; those beyond the end are left out.
    pub(super) fn range(&self, ranks: Range<usize>) -> Seats<'_> {
        let end = ranks.end.min(self.len);
        let start = ranks.start.min(end);
        Seats {
            chunks: &self.chunks,
            front: self.place_of_rank(start),
            back: self.place_of_rank(end),
            left: end - start,
        }
    }

    fn insert_within(&mut self, place: Place, seat: Seat) {
        let chunk = &mut self.chunks[place.chunk];
        chunk.insert(place.offset, seat);
        if chunk.len() <= CHUNK_MAX {
            self.counts.add(place.chunk);
            return;
        }
        let upper = chunk.split_off(CHUNK_MAX / 2);
        self.chunks.insert(place.chunk + 1, upper);
        self.count_anew();
    }

    /// Removes an empty chunk, or puts a small one and its neighbour together; false when it stays as it is.
    fn join(&mut self, chunk: usize) -> bool {
        let len = self.chunks[chunk].len();
        if len == 0 {
            self.chunks.remove(chunk);
            self.count_anew();
            return true;
        }
        let left = if chunk + 1 < self.chunks.len() { chunk } else { chunk.saturating_sub(1) };
        let right = left + 1;
        let fits = |chunks: &[Vec<Seat>]| chunks[left].len() + chunks[right].len() <= CHUNK_MAX / 2;
        if right >= self.chunks.len() || !fits(&self.chunks) {
            return false;
        }
        let mut upper = self.chunks.remove(right);
        self.chunks[left].append(&mut upper);
        self.count_anew();
        true
    }

    fn count_anew(&mut self) {
        self.counts.rebuild(self.chunks.iter().map(Vec::len));
    }
}

impl Iterator for Seats<'_> {
    type Item = Seat;

    fn next(&mut self) -> Option<Seat> {
        self.left = self.left.checked_sub(1)?;
        let seats = &self.chunks[self.front.chunk];
        let seat = seats[self.front.offset];
        self.front.offset += 1;
        if self.front.offset == seats.len() {
            self.front = Place { chunk: self.front.chunk + 1, offset: 0 };
        }
        Some(seat)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl DoubleEndedIterator for Seats<'_> {
    fn next_back(&mut self) -> Option<Seat> {
        self.left = self.left.checked_sub(1)?;
        if self.back.offset == 0 {
            let chunk = self.back.chunk - 1;
            self.back = Place { chunk, offset: self.chunks[chunk].len() };
        }
        self.back.offset -= 1;
        Some(self.chunks[self.back.chunk][self.back.offset])
    }
}

impl ExactSizeIterator for Seats<'_> {}
