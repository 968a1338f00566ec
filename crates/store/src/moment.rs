//! The time of one step: two clocks, because clients speak of both.
//!
//! "In ten seconds" is counted on a clock that never jumps; "at noon" is counted on the wall's. A key has one kind of
//! deadline or the other, so that setting the machine's clock cannot end a lease that was taken for ten seconds.

use remuda_model::Tick;

/// Now, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The clock that never jumps, in milliseconds.
    pub tick: Tick,
    /// Milliseconds since 1970 by the wall clock.
    pub wall_ms: u64,
}

/// When a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// When the clock that never jumps says so: the lifetime was given as a duration.
    Tick(Tick),
    /// When the wall clock says so, in milliseconds since 1970: the end was given as a date.
    Wall(u64),
}

impl Deadline {
    /// Whether it has passed.
    #[must_use]
    pub fn is_over(self, moment: Moment) -> bool {
        match self {
            Self::Tick(tick) => tick <= moment.tick,
            Self::Wall(wall_ms) => wall_ms <= moment.wall_ms,
        }
    }

    /// Milliseconds that remain; zero when it is over.
    #[must_use]
    pub fn remaining_ms(self, moment: Moment) -> u64 {
        match self {
            Self::Tick(tick) => tick.0.saturating_sub(moment.tick.0),
            Self::Wall(wall_ms) => wall_ms.saturating_sub(moment.wall_ms),
        }
    }

    /// The date it falls on as the wall clock stands now: milliseconds since 1970.
    #[must_use]
    pub fn wall_ms(self, moment: Moment) -> u64 {
        match self {
            Self::Tick(tick) if tick >= moment.tick => moment.wall_ms.saturating_add(tick.0 - moment.tick.0),
            Self::Tick(tick) => moment.wall_ms.saturating_sub(moment.tick.0 - tick.0),
            Self::Wall(wall_ms) => wall_ms,
        }
    }
}
