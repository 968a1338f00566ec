//! Work for consumers: each message to one of them, in turn.
//!
//! A consumer whose queue is full is passed over. Where none has room a message waits in one backlog, in order, and what
//! does not fit there is dropped and counted: work that waited longest is done first. What a consumer has not begun to
//! read when it leaves goes back to the front of the backlog, to be done by another.

use crate::members::Members;
use crate::pool::{Pool, Segment};
use crate::queue::{Gone, Queue, SEGMENT_COST};

/// The consumers and what waits for them.
#[derive(Debug)]
pub(crate) struct Consumers {
    seats: Vec<u32>,
    /// Whose turn it is, as a place in `seats`.
    turn: usize,
    backlog: Queue,
    backlog_bytes_max: usize,
    /// Whether there is or has been a consumer, or work is to wait for the first.
    pub(crate) is_kept: bool,
    pub(crate) dropped: Gone,
}

impl Consumers {
    pub(crate) fn new(backlog_bytes_max: usize, is_kept: bool) -> Self {
        Self {
            seats: Vec::new(),
            turn: 0,
            backlog: Queue::default(),
            backlog_bytes_max,
            is_kept,
            dropped: Gone::default(),
        }
    }

    pub(crate) fn backlog(&self) -> &Queue {
        &self.backlog
    }

    /// Takes up who sits there, and gives it what waits.
    pub(crate) fn enter(&mut self, seat: u32, members: &mut Members) {
        self.seats.push(seat);
        self.is_kept = true;
        self.hand_out(members);
    }

    /// Lets go of who sat there; `queue` is what it leaves. Returns what of that is lost.
    pub(crate) fn leave(
        &mut self,
        seat: u32,
        mut queue: Queue,
        members: &mut Members,
        pool: &mut Pool,
    ) -> Gone {
        if let Some(place) = self.seats.iter().position(|at| *at == seat) {
            self.seats.remove(place);
            if self.turn > place {
                self.turn -= 1;
            }
            if self.turn >= self.seats.len() {
                self.turn = 0;
            }
        }
        let mut lost = Gone::default();
        if queue.is_begun()
            && let Some(begun) = queue.take_first()
        {
            pool.release(begun.chunk, begun.len());
            lost = Gone { messages: u64::from(begun.messages), bytes: begun.len() as u64 };
        }
        let mut left: Vec<Segment> = std::iter::from_fn(|| queue.take_first()).collect();
        while let Some(segment) = left.pop() {
            if segment.messages == 0 {
                pool.release(segment.chunk, segment.len());
            } else {
                self.backlog.put_first(segment, false);
            }
        }
        self.hand_out(members);
        while self.backlog.charged() > self.backlog_bytes_max
            && let Some(gone) = self.backlog.drop_newest(pool)
        {
            self.dropped.messages += gone.messages;
            self.dropped.bytes += gone.bytes;
        }
        lost
    }

    /// Gives one message, which the caller holds, to the next who has room; says whether one had.
    pub(crate) fn give(&mut self, segment: Segment, members: &mut Members, pool: &mut Pool) -> bool {
        pool.hold(segment.chunk, segment.len());
        if self.backlog.is_empty() && self.give_next(segment, members) {
            return true;
        }
        let size = segment.len() + SEGMENT_COST;
        if self.backlog.charged() + size > self.backlog_bytes_max {
            self.dropped.messages += u64::from(segment.messages);
            self.dropped.bytes += segment.len() as u64;
            pool.release(segment.chunk, segment.len());
        } else {
            self.backlog.append(segment, 0);
        }
        false
    }

    /// Gives what waits to a consumer that has room again, and to others what only stood behind that.
    ///
    /// What waits first found no room anywhere, nor would anything as long: so of many consumers that are behind, one
    /// that has read a little asks nobody else.
    pub(crate) fn hand_to(&mut self, seat: u32, members: &mut Members) {
        let Some(longest) = self.backlog.first_len() else { return };
        let mut shortest_without_room = longest;
        while let Some(bytes) = self.backlog.first_len() {
            let has_room = members.at(seat).is_some_and(|member| member.has_room(bytes));
            if !has_room && bytes >= shortest_without_room {
                return;
            }
            let Some(first) = self.backlog.take_first() else { return };
            if bytes >= shortest_without_room {
                give(seat, first, members);
            } else if !self.give_next(first, members) {
                self.backlog.put_first(first, false);
                return;
            }
            shortest_without_room = shortest_without_room.min(bytes);
        }
    }

    /// Gives what waits to those who have room.
    pub(crate) fn hand_out(&mut self, members: &mut Members) {
        while !self.seats.is_empty()
            && let Some(first) = self.backlog.take_first()
        {
            if !self.give_next(first, members) {
                self.backlog.put_first(first, false);
                return;
            }
        }
    }

    /// Takes up what waited in another image; the caller holds it.
    pub(crate) fn restore(&mut self, segment: Segment) {
        self.backlog.append(segment, 0);
    }

    /// Copies what lies in sparse chunks out of them.
    pub(crate) fn compact(&mut self, pool: &mut Pool) {
        self.backlog.compact(pool);
    }

    fn give_next(&mut self, segment: Segment, members: &mut Members) -> bool {
        for _each in 0..self.seats.len() {
            let seat = self.seats[self.turn];
            self.turn = (self.turn + 1) % self.seats.len();
            if members.at(seat).is_some_and(|member| member.has_room(segment.len())) {
                give(seat, segment, members);
                return true;
            }
        }
        false
    }
}

fn give(seat: u32, segment: Segment, members: &mut Members) {
    if let Some(member) = members.at_mut(seat) {
        member.take(segment);
        members.wake(seat);
    }
}
