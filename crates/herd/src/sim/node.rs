//! A simulated server: its machine while it runs, and a clock of its own.

use std::time::Duration;

use crate::spread::{Spread, SpreadOptions, Summary};
use crate::{Epoch, NodeId};

/// How far a node's clock is from the world's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockSkew {
    /// What it shows when the world begins.
    pub start: Duration,
    /// How much faster it runs, in millionths; up to a million. Slower: 0, and the others faster.
    pub fast_ppm: u32,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) epoch: Epoch,
    pub(crate) machine: Option<Spread>,
    pub(crate) options: SpreadOptions,
    pub(crate) skew: ClockSkew,
    /// What its subscribers want.
    pub(crate) wanted: Summary,
    /// The soonest wake that is on its way.
    pub(crate) wake: Option<Duration>,
}

impl ClockSkew {
    /// What the clock shows at `now`.
    pub(crate) fn local(self, now: Duration) -> Duration {
        self.start + now + now / 1_000_000 * self.fast_ppm
    }

    /// When the clock shows `local`, or a moment later.
    pub(crate) fn global(self, local: Duration) -> Duration {
        let shown = local.saturating_sub(self.start).as_nanos();
        let nanos = shown * 1_000_000 / (1_000_000 + u128::from(self.fast_ppm));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)) + Duration::from_micros(2)
    }
}
