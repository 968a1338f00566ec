//! One member of a group.

use std::time::Duration;

use super::pick::hash_of;
use super::{Ejection, Health, MemberOptions, Moment, PeakEwma};

/// A member's place in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub usize);

/// What is known of a member.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: u64,
    pub(super) weight: u32,
    /// Requests in hand.
    pub(super) in_flight: u32,
    /// Requests it may have at once; 0 is no limit.
    pub(super) room: u32,
    pub(super) latency: PeakEwma,
    pub(super) ejection: Ejection,
    pub(super) health: Health,
    pub(super) is_draining: bool,
    /// Since when it gets requests (again), if it is to be given less at first.
    pub(super) warming_since: Option<Moment>,
    /// Of the smooth round robin.
    pub(super) turn: i64,
    pub(super) served: u64,
    pub(super) failed: u64,
    pub(super) ejected: u64,
}

impl Member {
    pub(super) fn new(options: MemberOptions, concurrency: u32) -> Self {
        let weight = options.weight.clamp(1, 1000);
        Self {
            key: hash_of(options.name.as_bytes()),
            name: options.name,
            weight,
            in_flight: 0,
            room: concurrency.saturating_mul(weight),
            latency: PeakEwma::default(),
            ejection: Ejection::default(),
            health: Health::default(),
            is_draining: false,
            warming_since: None,
            turn: 0,
            served: 0,
            failed: 0,
            ejected: 0,
        }
    }

    /// Whether one request more fits in.
    pub(super) fn has_room(&self) -> bool {
        self.room == 0 || self.in_flight < self.room
    }

    /// Whether nobody says that it should get no requests.
    pub(super) fn is_well(&self, now: Moment) -> bool {
        !self.health.is_ill() && self.ejection.admits(now)
    }

    /// Its share as of `now`, in thousandths: less of it at first.
    pub(super) fn share(&self, now: Moment, slow_start: Duration) -> u32 {
        let whole = 1000 * self.weight;
        let Some(since) = self.warming_since else { return whole };
        let warm = now.since(since).as_micros().saturating_mul(1000) / slow_start.as_micros().max(1);
        let warm = u32::try_from(warm).unwrap_or(u32::MAX);
        if warm >= 1000 { whole } else { self.weight * warm.max(COLD) }
    }
}

/// The share at the beginning of a slow start, in thousandths: some, or it would never be known how it does.
const COLD: u32 = 100;
