//! What the machine knows of one service and its slots.

use std::collections::VecDeque;
use std::sync::Arc;

use remuda_model::{ServiceSpec, Tick, WorkerId};
use serde::{Deserialize, Serialize};

use crate::rollout::Rollout;
use crate::scaling::Trend;
use crate::worker::Why;

/// One service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) spec: Arc<ServiceSpec>,
    /// The config or an operator wants it to run.
    pub(crate) wanted: bool,
    pub(crate) workers_wanted: u32,
    pub(crate) generation: u64,
    pub(crate) stage: Stage,
    /// At least `workers_wanted` while it is up; more while the ones beyond retire.
    pub(crate) slots: Vec<Slot>,
    /// Workers that are not buried, of all roles.
    pub(crate) alive: u32,
    /// Seats whose worker is ready.
    pub(crate) ready: u32,
    /// Failures of workers that were not proven, in a row, over all slots.
    pub(crate) streak: u32,
    /// It cannot boot: one slot tries, the others are held.
    pub(crate) looping: bool,
    /// Words for the last failure.
    pub(crate) trouble: Option<String>,
    pub(crate) rollout: Option<Rollout>,
    /// Slots whose worker is old and waits for its replacement.
    pub(crate) recycle: VecDeque<u32>,
    /// It has been told that it runs, since it went up.
    pub(crate) announced: bool,
    /// All its workers have been ready at once, since it went up.
    pub(crate) started: bool,
    /// It starts again when it is down.
    pub(crate) again: bool,
    /// It leaves the config when it is down.
    pub(crate) removed: bool,
    /// One more scheduled run waits for the present one.
    pub(crate) due: bool,
    /// The hook run whose outcome decides about its way up; what older runs say comes too late.
    pub(crate) gate: Option<u64>,
    /// Since when no connection has been seen, on demand.
    pub(crate) idle_since: Option<Tick>,
    /// What its load was, when its number of workers follows it.
    #[serde(default)]
    pub(crate) trend: Trend,
    #[serde(default)]
    pub(crate) starts_total: u64,
    pub(crate) failures_total: u64,
    /// Exit code of the worker that ended last, as a shell would say it.
    pub(crate) last_code: Option<i32>,
}

/// Where a service is between down and up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// No worker lives.
    Down(Rest),
    /// Others come first.
    Waiting,
    /// Its `before_start` hook runs.
    Opening,
    /// Slots are kept filled.
    Up,
    /// Its `before_stop` hook runs.
    Closing(Why, Rest),
    /// Its workers go.
    Draining(Rest),
}

/// Why a service is down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rest {
    Stopped,
    Failed(String),
    Done,
    /// Its sockets are watched.
    Idle,
    /// Its time is awaited.
    Scheduled,
    /// Connections wait in its queues until it is released.
    Held,
}

/// One slot.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) seat: Option<WorkerId>,
    pub(crate) candidate: Option<WorkerId>,
    /// The shell was told that somebody serves here.
    pub(crate) serves: bool,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// It is not retried until somebody changes something: why.
    pub(crate) held: Option<String>,
    /// Its worker ended for good; `true` if well.
    pub(crate) done: Option<bool>,
}

impl Service {
    pub(crate) fn new(spec: Arc<ServiceSpec>) -> Self {
        Self {
            wanted: false,
            workers_wanted: spec.workers,
            generation: 1,
            stage: Stage::Down(Rest::Stopped),
            slots: Vec::new(),
            alive: 0,
            ready: 0,
            streak: 0,
            looping: false,
            trouble: None,
            rollout: None,
            recycle: VecDeque::new(),
            announced: false,
            started: false,
            again: false,
            removed: false,
            due: false,
            gate: None,
            idle_since: None,
            trend: Trend::default(),
            starts_total: 0,
            failures_total: 0,
            last_code: None,
            spec,
        }
    }

    pub(crate) fn slot(&self, slot: u32) -> Option<&Slot> {
        self.slots.get(usize::try_from(slot).ok()?)
    }

    pub(crate) fn slot_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.slots.get_mut(usize::try_from(slot).ok()?)
    }

    /// Slots with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (0_u32..).zip(&self.slots)
    }

    /// Slots there are.
    pub(crate) fn slot_count(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Wanted slots whose worker has not ended for good.
    pub(crate) fn to_fill(&self) -> u32 {
        let done = self
            .numbered()
            .filter(|(slot, state)| *slot < self.workers_wanted && state.done.is_some())
            .count();
        self.workers_wanted.saturating_sub(u32::try_from(done).unwrap_or(u32::MAX))
    }

    /// No slot has a worker or will get one, though some should.
    pub(crate) fn is_held(&self) -> bool {
        let ends = |slot: &Slot| slot.candidate.is_none() && (slot.held.is_some() || slot.done.is_some());
        self.slots.iter().all(ends) && self.slots.iter().any(|slot| slot.held.is_some())
    }

    pub(crate) fn is_up(&self) -> bool {
        self.stage == Stage::Up
    }

    /// All its workers are yet to come: whatever asks for new ones has them.
    pub(crate) fn starts_anew(&self) -> bool {
        match &self.stage {
            Stage::Closing(..) | Stage::Draining(_) => self.again,
            Stage::Waiting | Stage::Opening => true,
            Stage::Up | Stage::Down(_) => false,
        }
    }

    /// Those that come after it may start.
    pub(crate) fn lets_others_start(&self) -> bool {
        match &self.stage {
            // A oneshot lets others start by its end, not by its beginning.
            Stage::Up => self.announced && (!self.spec.oneshot || self.workers_wanted == 0),
            Stage::Down(Rest::Done | Rest::Idle | Rest::Scheduled) => true,
            Stage::Down(Rest::Stopped) => !self.wanted,
            Stage::Down(Rest::Failed(_) | Rest::Held) => false,
            Stage::Waiting | Stage::Opening | Stage::Closing(..) | Stage::Draining(_) => false,
        }
    }
}
