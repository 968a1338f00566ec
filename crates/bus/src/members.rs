//! The members at their seats, and what the shell is to be told of them.
//!
//! A seat is a small number: what matches a topic is a list of seats, and a delivery finds its member without hashing.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use remuda_model::Tick;

use crate::member::{Ends, Member, MemberId, Membership, Origin};
use crate::pool::{Pool, Segment};

/// All members.
#[derive(Debug)]
pub(crate) struct Members {
    seats: Vec<Option<Member>>,
    free: Vec<u32>,
    by_id: HashMap<MemberId, u32, FixedState>,
    awake: Vec<MemberId>,
    doomed: Vec<MemberId>,
    /// Seats of those for whom publishers are held.
    strained: Vec<u32>,
}

impl Members {
    pub(crate) fn new(hash_seed: u64) -> Self {
        Self {
            seats: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::with_hasher(FixedState::with_seed(hash_seed)),
            awake: Vec::new(),
            doomed: Vec::new(),
            strained: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn seat(&self, id: MemberId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Who sits there; seats of lists are taken, since leaving takes a member off all lists.
    pub(crate) fn at(&self, seat: u32) -> Option<&Member> {
        self.seats.get(seat as usize)?.as_ref()
    }

    pub(crate) fn at_mut(&mut self, seat: u32) -> Option<&mut Member> {
        self.seats.get_mut(seat as usize)?.as_mut()
    }

    pub(crate) fn get(&self, id: MemberId) -> Option<&Member> {
        self.at(self.seat(id)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Member)> {
        (0..).zip(&self.seats).filter_map(|(seat, member)| Some((seat, member.as_ref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.seats.iter_mut().flatten()
    }

    pub(crate) fn add(&mut self, id: MemberId, membership: Membership) -> u32 {
        let member = Some(Member::new(id, membership));
        let seat = match self.free.pop() {
            Some(free) => {
                self.seats[free as usize] = member;
                free
            }
            None => {
                self.seats.push(member);
                u32::try_from(self.seats.len() - 1).expect("members are bounded far below that")
            }
        };
        self.by_id.insert(id, seat);
        seat
    }

    pub(crate) fn remove(&mut self, id: MemberId) -> Option<(u32, Member)> {
        let seat = self.by_id.remove(&id)?;
        let member = self.seats[seat as usize].take()?;
        self.free.push(seat);
        self.strained.retain(|strained| *strained != seat);
        self.awake.retain(|awake| *awake != id);
        self.doomed.retain(|doomed| *doomed != id);
        Some((seat, member))
    }

    /// Offers `segment`, which the caller holds, to those at `seats` who hear `origin`; says how many messages were queued
    /// in all.
    pub(crate) fn deliver(
        &mut self,
        seats: &[u32],
        origin: Option<Origin>,
        segment: Segment,
        ends: Ends<'_>,
        pool: &mut Pool,
        now: Tick,
    ) -> u64 {
        let size = segment.len();
        pool.hold(segment.chunk, size * seats.len());
        let mut messages = 0;
        let mut refused = 0;
        for seat in seats {
            let Some(member) = self.seats[*seat as usize].as_mut() else { continue };
            if member.is_doomed || (origin.is_some() && member.muted == origin) {
                refused += size;
                continue;
            }
            let offered = member.offer(segment, ends, pool, now);
            messages += offered.messages;
            if !member.is_awake {
                member.is_awake = true;
                self.awake.push(member.id);
            }
            if offered.is_strained {
                self.strained.push(*seat);
            }
            if offered.is_doomed {
                self.doomed.push(member.id);
                self.strained.retain(|strained| strained != seat);
            }
        }
        if refused > 0 {
            pool.release(segment.chunk, refused);
        }
        messages
    }

    /// Says that something waits for who sits there.
    pub(crate) fn wake(&mut self, seat: u32) {
        if let Some(member) = self.seats[seat as usize].as_mut()
            && !member.is_awake
        {
            member.is_awake = true;
            self.awake.push(member.id);
        }
    }

    /// Ends the membership of who sits there as far as the bus is concerned; the shell is told.
    pub(crate) fn doom(&mut self, seat: u32, pool: &mut Pool) {
        let Some(member) = self.seats[seat as usize].as_mut() else { return };
        if !member.is_doomed {
            member.doom(pool);
            self.doomed.push(member.id);
            self.strained.retain(|strained| *strained != seat);
        }
    }

    pub(crate) fn written(&mut self, seat: u32, bytes: usize, pool: &mut Pool) {
        let Some(member) = self.seats[seat as usize].as_mut() else { return };
        if member.written(bytes, pool) {
            self.strained.retain(|strained| *strained != seat);
        }
        if member.queue.is_empty() {
            member.is_awake = false;
        }
    }

    pub(crate) fn is_congested(&self) -> bool {
        !self.strained.is_empty()
    }

    pub(crate) fn tick(&mut self, now: Tick) {
        let seats = &mut self.seats;
        self.strained.retain(|seat| {
            let Some(member) = seats[*seat as usize].as_mut() else { return false };
            let is_patient = member.patience_ends().is_some_and(|end| now < end);
            if !is_patient {
                member.lose_patience();
            }
            is_patient
        });
    }

    pub(crate) fn deadline(&self) -> Option<Tick> {
        self.strained.iter().filter_map(|seat| self.at(*seat)?.patience_ends()).min()
    }

    pub(crate) fn take_awake(&mut self, out: &mut Vec<MemberId>) {
        out.append(&mut self.awake);
    }

    pub(crate) fn take_doomed(&mut self, out: &mut Vec<MemberId>) {
        out.append(&mut self.doomed);
    }
}
