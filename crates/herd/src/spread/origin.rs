//! One node's messages as they are known here, and how far each link is with them.
//!
//! A node numbers what it spreads. Every other node takes the numbers in order and only so: [`Origin::next`] is the one
//! that comes next, all before it are known (had, skipped or lost). So one comparison tells what is new from what was
//! seen, however many ways it came. What came is kept for a while, and each link has a [`Position`] in it: a link that is
//! slow, or comes back, goes on from where it is. The position is the link's queue; nothing is copied for it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::input::LinkId;
use super::message::{Payload, Skip, Update};
use crate::{Epoch, NodeId};

/// As many of the newest are looked at before what is kept is searched; 4, as much as a link's window has room for.
const LOOKED_AT_FIRST: usize = 4;

/// What is known of one origin's life.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) id: NodeId,
    pub(crate) epoch: Epoch,
    /// The number that comes next.
    pub(crate) next: u64,
    /// For how long it had been speaking at a moment of this node's clock.
    pub(crate) age_at: (Duration, Duration),
    /// When something new came.
    pub(crate) heard: Duration,
    /// The link the tree brings it over.
    pub(crate) parent: Option<LinkId>,
    /// Links the newest came over.
    pub(crate) hops: u16,
    pub(crate) missing: Option<Missing>,
    /// Links that have lost what comes next.
    pub(crate) barren: Vec<LinkId>,
    /// Whether nothing has come yet: what was before the first is nobody's loss.
    pub(crate) is_fresh: bool,
    /// Where links stand that nothing is known of.
    base: u64,
    /// All numbers below have been dropped from what is kept.
    floor: u64,
    kept: VecDeque<Kept>,
    /// Numbers before `next`, after the newest kept, that are lost.
    tail_lost: u64,
    positions: BTreeMap<LinkId, Position>,
}

/// What came at once, kept for those who have not got it.
#[derive(Debug)]
struct Kept {
    /// Its first number.
    sequence: u64,
    /// Numbers before it, after the one kept before, that are lost; the others there were skipped.
    lost: u64,
    hops: u16,
    payload: Payload,
}

/// How far a link is with an origin.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    /// The first number that the peer has neither been sent nor told of.
    pub(crate) at: u64,
    /// Numbers before it that were skipped since something was sent.
    skipped: u64,
    /// And those that are lost.
    lost: u64,
    /// The number up to which the peer says it has all.
    pub(crate) told: u64,
    /// Links the newest came over until it was at the peer, by its word.
    pub(crate) hops: u16,
    /// Whether the peer waits for an answer, even that there is nothing for it.
    is_asked: bool,
}

/// What was announced and has not come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missing {
    /// Once this number comes next nothing is missing.
    pub(crate) target: u64,
    /// Who announced it first.
    pub(crate) first: LinkId,
    /// How often it was asked for since anything came.
    pub(crate) asked: usize,
    /// The number that came next when it was last looked at.
    pub(crate) seen: u64,
}

/// What goes to a link next.
#[derive(Debug)]
pub(crate) enum Item {
    Update(Update),
    Skip(Skip),
}

impl Origin {
    /// A life of `id` whose messages from `next` on are followed. `age`: how long it has been speaking.
    pub(crate) fn new(id: NodeId, epoch: Epoch, next: u64, now: Duration, age: Duration) -> Self {
        Self {
            id,
            epoch,
            next,
            age_at: (age, now),
            heard: now,
            parent: None,
            hops: 0,
            missing: None,
            barren: Vec::new(),
            is_fresh: true,
            base: next,
            floor: next,
            kept: VecDeque::new(),
            tail_lost: 0,
            positions: BTreeMap::new(),
        }
    }

    /// How long it has been speaking, in milliseconds.
    pub(crate) fn age_ms(&self, now: Duration) -> u64 {
        let (age, at) = self.age_at;
        u64::try_from((age + now.saturating_sub(at)).as_millis()).unwrap_or(u64::MAX)
    }

    /// Keeps the message `sequence`, of the numbers before which `lost` are lost.
    pub(crate) fn push(&mut self, sequence: u64, lost: u64, hops: u16, payload: Payload) {
        let end = sequence.saturating_add(payload.numbers());
        self.kept.push_back(Kept { sequence, lost: lost.saturating_add(self.tail_lost), hops, payload });
        self.tail_lost = 0;
        self.advance_to(end);
        self.hops = hops;
    }

    /// Takes it that nothing comes before `next`, and that `lost` of what would have come is lost.
    pub(crate) fn pass(&mut self, next: u64, lost: u64) {
        self.tail_lost = self.tail_lost.saturating_add(lost);
        self.advance_to(next);
    }

    fn advance_to(&mut self, next: u64) {
        self.next = next;
        self.is_fresh = false;
        self.barren.clear();
    }

    /// Drops what is kept up to the number `sequence`, the last of what came together.
    pub(crate) fn drop_up_to(&mut self, sequence: u64) {
        while self.kept.front().is_some_and(|kept| kept.sequence <= sequence) {
            self.kept.pop_front();
        }
        self.floor = self.floor.max(sequence.saturating_add(1));
    }

    pub(crate) fn position(&mut self, link: LinkId) -> &mut Position {
        let base = self.base;
        self.positions.entry(link).or_insert(Position { at: base, ..Position::default() })
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = (LinkId, &Position)> {
        self.positions.iter().map(|(link, position)| (*link, position))
    }

    /// The link is up: its peer is told of everything there is, all at once.
    pub(crate) fn open(&mut self, link: LinkId) {
        self.positions.insert(link, Position { at: self.next, ..Position::default() });
    }

    pub(crate) fn close(&mut self, link: LinkId) {
        self.positions.remove(&link);
        self.barren.retain(|each| *each != link);
    }

    /// The next message for a link, or the word that there is none. What the link has not got and is not kept any more
    /// adds to `dropped`.
    pub(crate) fn take(
        &mut self,
        link: LinkId,
        wants: impl Fn(&Payload) -> bool,
        dropped: &mut u64,
    ) -> Option<Item> {
        let mut position = *self.position(link);
        let was_asked = position.is_asked;
        let found = self.walk(&mut position, wants, dropped);
        let (origin, epoch) = (self.id, self.epoch);
        let item = match found {
            Some(kept) => {
                position.is_asked = false;
                Some(Item::Update(Update {
                    origin,
                    epoch,
                    sequence: kept.sequence,
                    skipped: std::mem::take(&mut position.skipped),
                    lost: std::mem::take(&mut position.lost),
                    hops: kept.hops,
                    payload: kept.payload.clone(),
                }))
            }
            None if was_asked && position.skipped + position.lost > 0 => {
                position.is_asked = false;
                position.skipped = 0;
                let lost = std::mem::take(&mut position.lost);
                Some(Item::Skip(Skip { origin, epoch, next: self.next, lost }))
            }
            None => None,
        };
        *self.position(link) = position;
        item
    }

    /// Takes it that a link is told of everything there is: the number after the last that it wants, if any is new.
    pub(crate) fn announce(
        &mut self,
        link: LinkId,
        wants: impl Fn(&Payload) -> bool,
        dropped: &mut u64,
    ) -> Option<u64> {
        let mut position = *self.position(link);
        let mut next = None;
        while let Some(kept) = self.walk(&mut position, &wants, dropped) {
            next = Some(kept.end());
            (position.skipped, position.lost) = (0, 0);
        }
        *self.position(link) = position;
        next.filter(|next| *next > position.told)
    }

    /// Moves a position behind the next message that is wanted.
    fn walk(
        &self,
        position: &mut Position,
        wants: impl Fn(&Payload) -> bool,
        dropped: &mut u64,
    ) -> Option<&Kept> {
        if position.at < self.floor {
            let gone = self.floor - position.at;
            position.lost = position.lost.saturating_add(gone);
            position.at = self.floor;
            if !position.is_asked {
                *dropped = dropped.saturating_add(gone);
            }
        }
        for kept in self.kept.range(self.first_kept_from(position.at)..) {
            position.pass(kept.sequence, kept.lost);
            position.at = kept.end();
            if wants(&kept.payload) {
                return Some(kept);
            }
            position.skipped = position.skipped.saturating_add(kept.payload.numbers());
        }
        position.pass(self.next, self.tail_lost);
        None
    }

    /// The place of the first that is kept and does not lie before `at`. Most links stand at the end: a search through what
    /// is kept reads memory that nothing else needs.
    fn first_kept_from(&self, at: u64) -> usize {
        let is_behind = |kept: &Kept| kept.end() <= at;
        for from_end in 0..LOOKED_AT_FIRST {
            let place = self.kept.len().saturating_sub(from_end);
            if place == 0 || is_behind(&self.kept[place - 1]) {
                return place;
            }
        }
        // Where each has one number, it says the place.
        let behind = usize::try_from(self.next - at).unwrap_or(usize::MAX);
        let likely = self.kept.len().saturating_sub(behind);
        if self.kept.get(likely).is_some_and(|kept| kept.sequence == at) {
            return likely;
        }
        self.kept.partition_point(is_behind)
    }
}

impl Kept {
    /// The number that follows it.
    fn end(&self) -> u64 {
        self.sequence.saturating_add(self.payload.numbers())
    }
}

impl Position {
    /// Goes on to `next`; of the numbers on the way `lost` are lost at most.
    fn pass(&mut self, next: u64, lost: u64) {
        let gap = next.saturating_sub(self.at);
        let lost = lost.min(gap);
        self.lost = self.lost.saturating_add(lost);
        self.skipped = self.skipped.saturating_add(gap - lost);
        self.at = self.at.max(next);
    }

    /// The peer has all before `next`.
    pub(crate) fn heard(&mut self, next: u64) {
        self.told = self.told.max(next);
        if next > self.at {
            (self.at, self.skipped, self.lost) = (next, 0, 0);
        }
    }

    /// The peer has all before `next` and no more: goes back there.
    pub(crate) fn rewind(&mut self, next: u64, is_asked: bool) {
        (self.at, self.skipped, self.lost) = (next, 0, 0);
        self.is_asked = is_asked;
    }
}
