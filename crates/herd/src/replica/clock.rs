//! The hybrid logical clock: stamps near the wall clock that always rise, whatever the wall clock does.
//!
//! A stamp is the wall's time, or one more than the last stamp given or taken over where that is higher. So a change
//! made after another was seen has a higher stamp than it, on every server. Stamps of others are taken over only up to
//! half a second ahead of the own clock: one server with a wrong clock must not carry all others away with it.
//!
//! "Ahead of the own clock" is measured against the highest reading so far, carried on by the clock that never jumps:
//! if the own wall clock is set back, the others do not all look as if they came from the future.
//!
//! Stamps stay below a bound that is written down before it is reached ([`Clock::reserve`]), so that a restart with a
//! clock set back gives out none twice.

use crate::replica::mark::Stamp;

/// How far the written bound is ahead, in milliseconds: a restart may go on from there, and must not be taken by others
/// for one from the future. It is renewed when half of it is used, by a server that writes.
const RESERVED_MS: u64 = 300;

/// The time of a step, on both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Milliseconds by a clock that never jumps, since an arbitrary start.
    pub tick_ms: u64,
    /// Milliseconds since 1970 by the wall clock.
    pub wall_ms: u64,
}

/// The clock of one server.
#[derive(Debug, Clone)]
pub struct Clock {
    last: Stamp,
    /// The highest reading of the wall, and when it was read.
    high: Now,
    ahead_max_ms: u64,
    bound: Stamp,
}

impl Clock {
    /// A clock that goes on after `bound`, which the life before wrote down; zero in the first life. Stamps of others
    /// may be `ahead_max_ms` ahead.
    #[must_use]
    pub fn new(now: Now, bound: Stamp, ahead_max_ms: u64) -> Self {
        Self { last: bound, high: now, ahead_max_ms, bound }
    }

    /// A new stamp, higher than every one given or taken over before.
    pub fn give(&mut self, now: Now) -> Stamp {
        self.read(now);
        self.last = self.last.next().max(Stamp::at_ms(now.wall_ms));
        self.last
    }

    /// Takes over the stamp of another server. False when it lies too far ahead: then nothing was taken over.
    #[must_use]
    pub fn take(&mut self, now: Now, stamp: Stamp) -> bool {
        let is_near = self.is_near(now, stamp);
        if is_near {
            self.last = self.last.max(stamp);
        }
        is_near
    }

    /// Whether a stamp could be taken over.
    #[must_use]
    pub fn is_near(&mut self, now: Now, stamp: Stamp) -> bool {
        stamp.ms() <= self.read(now).saturating_add(self.ahead_max_ms)
    }

    /// When, by the clock that never jumps, a stamp that is too far ahead will be near enough.
    #[must_use]
    pub fn near_at_tick_ms(&mut self, now: Now, stamp: Stamp) -> u64 {
        let ahead = stamp.ms().saturating_sub(self.ahead_max_ms).saturating_sub(self.read(now));
        now.tick_ms.saturating_add(ahead)
    }

    /// A higher bound to write down before anything more is told of; none as long as the last one is far enough.
    #[must_use]
    pub fn reserve(&mut self, now: Now) -> Option<Stamp> {
        let high = self.last.ms().max(now.wall_ms);
        if Stamp::at_ms(high.saturating_add(RESERVED_MS / 2)) < self.bound {
            return None;
        }
        self.bound = Stamp::at_ms(high.saturating_add(RESERVED_MS));
        Some(self.bound)
    }

    /// The highest stamp given or taken over.
    #[must_use]
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// Goes on after `stamp`, which was found on the disk.
    pub(crate) fn resume_after(&mut self, stamp: Stamp) {
        self.last = self.last.max(stamp);
    }

    /// The own time: the wall's highest reading, carried on.
    fn read(&mut self, now: Now) -> u64 {
        let carried = self.high.wall_ms.saturating_add(now.tick_ms.saturating_sub(self.high.tick_ms));
        if now.wall_ms > carried {
            self.high = now;
        }
        carried.max(now.wall_ms)
    }
}
