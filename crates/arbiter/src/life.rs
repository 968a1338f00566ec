//! The life of one worker, as a table: for each phase and each cause, one move.

use remuda_model::WorkerPhase;

/// What can befall a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its `before_spawn` hook passed, or there is none.
    Passed,
    /// Its `before_spawn` hook refused.
    Refused,
    /// No process could be made for it.
    NotSpawned,
    /// Its process could not be set up and is about to exit.
    SetupFailed,
    /// Its program runs.
    Running,
    /// It says, or shows, that it serves.
    Ready,
    /// It was not ready in time.
    TooLate,
    /// It missed its watchdog, or declared itself broken.
    Hung,
    /// Its slot is no longer wanted, and connections may wait for it there.
    Retire,
    /// Nothing waits for it any more, or it has taken too long.
    Drained,
    /// Its slot is wanted again.
    Recall,
    /// It should stop.
    Stop,
    /// It should be gone at once.
    Kill,
    /// It had its time to stop.
    GraceOver,
    /// Its main process ended.
    Exited,
    /// Its `before_reap` hook ended, or there is none.
    Released,
}

/// All causes, in the order of a life.
pub(crate) const CAUSES: [Cause; 16] = [
    Cause::Passed,
    Cause::Refused,
    Cause::NotSpawned,
    Cause::SetupFailed,
    Cause::Running,
    Cause::Ready,
    Cause::TooLate,
    Cause::Hung,
    Cause::Retire,
    Cause::Drained,
    Cause::Recall,
    Cause::Stop,
    Cause::Kill,
    Cause::GraceOver,
    Cause::Exited,
    Cause::Released,
];

/// All phases, in the order of a life.
pub(crate) const PHASES: [WorkerPhase; 8] = [
    WorkerPhase::Preparing,
    WorkerPhase::Spawning,
    WorkerPhase::Starting,
    WorkerPhase::Ready,
    WorkerPhase::Draining,
    WorkerPhase::Stopping,
    WorkerPhase::Killing,
    WorkerPhase::Ended,
];

/// What is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Nothing: it comes too late, or twice, or cannot be.
    Ignore,
    /// Order its process; it is `spawning`.
    Spawn,
    /// Forget it: it never had a process.
    Drop,
    /// Remember why its process is about to exit.
    Note,
    /// Begin to probe; it is `starting`.
    Await,
    /// It is `ready`.
    Serve,
    /// Have what waits for it served, and nothing new given to it; it is `draining`.
    Drain,
    /// Give it connections again; it is `ready`.
    Resume,
    /// Tell it to stop; it is `stopping`.
    Signal,
    /// Make it dump core and die; it is `stopping`.
    Abort,
    /// Kill its tree; it is `killing`.
    Kill,
    /// It is `ended`.
    End,
    /// Reap it and forget it.
    Bury,
}

impl Move {
    /// The phase it leads to; `None` stays or forgets.
    pub(crate) fn leads_to(self) -> Option<WorkerPhase> {
        match self {
            Self::Ignore | Self::Note | Self::Drop | Self::Bury => None,
            Self::Spawn => Some(WorkerPhase::Spawning),
            Self::Await => Some(WorkerPhase::Starting),
            Self::Serve | Self::Resume => Some(WorkerPhase::Ready),
            Self::Drain => Some(WorkerPhase::Draining),
            Self::Signal | Self::Abort => Some(WorkerPhase::Stopping),
            Self::Kill => Some(WorkerPhase::Killing),
            Self::End => Some(WorkerPhase::Ended),
        }
    }
}

/// The table.
pub(crate) fn react(phase: WorkerPhase, cause: Cause) -> Move {
    use Cause as C;
    match phase {
        WorkerPhase::Preparing => match cause {
            C::Passed => Move::Spawn,
            C::Refused | C::Retire | C::Stop | C::Kill => Move::Drop,
            C::NotSpawned | C::SetupFailed | C::Running | C::Ready | C::TooLate | C::Drained => Move::Ignore,
            C::Hung | C::Recall | C::GraceOver | C::Exited | C::Released => Move::Ignore,
        },
        WorkerPhase::Spawning => match cause {
            C::NotSpawned => Move::Drop,
            C::SetupFailed => Move::Note,
            C::Running => Move::Await,
            // The word of a fast worker can overtake the news that it runs.
            C::Ready => Move::Serve,
            // What runs so far is our own trampoline: there is nobody to ask.
            C::TooLate | C::Retire | C::Stop | C::Kill => Move::Kill,
            C::Exited => Move::End,
            C::Passed | C::Refused | C::Hung | C::Drained | C::Recall => Move::Ignore,
            C::GraceOver | C::Released => Move::Ignore,
        },
        WorkerPhase::Starting => match cause {
            C::Ready => Move::Serve,
            C::TooLate | C::Kill => Move::Kill,
            C::Hung => Move::Abort,
            // It serves nobody yet, so there is nothing to drain.
            C::Retire | C::Stop => Move::Signal,
            C::Exited => Move::End,
            C::Passed | C::Refused | C::NotSpawned | C::SetupFailed | C::Running => Move::Ignore,
            C::Drained | C::Recall | C::GraceOver | C::Released => Move::Ignore,
        },
        WorkerPhase::Ready => match cause {
            C::Hung => Move::Abort,
            C::Retire => Move::Drain,
            C::Stop => Move::Signal,
            C::Kill => Move::Kill,
            C::Exited => Move::End,
            C::Passed | C::Refused | C::NotSpawned | C::SetupFailed | C::Running => Move::Ignore,
            C::Ready | C::TooLate | C::Drained | C::Recall | C::GraceOver | C::Released => Move::Ignore,
        },
        WorkerPhase::Draining => match cause {
            C::Hung => Move::Abort,
            C::Drained | C::Stop => Move::Signal,
            C::Recall => Move::Resume,
            C::Kill => Move::Kill,
            C::Exited => Move::End,
            C::Passed | C::Refused | C::NotSpawned | C::SetupFailed | C::Running => Move::Ignore,
            C::Ready | C::TooLate | C::Retire | C::GraceOver | C::Released => Move::Ignore,
        },
        WorkerPhase::Stopping => match cause {
            C::Kill | C::GraceOver => Move::Kill,
            C::Exited => Move::End,
            C::Passed | C::Refused | C::NotSpawned | C::SetupFailed | C::Running => Move::Ignore,
            C::Ready | C::TooLate | C::Hung | C::Retire | C::Drained | C::Recall => Move::Ignore,
            C::Stop | C::Released => Move::Ignore,
        },
        WorkerPhase::Killing => match cause {
            // Stuck in the kernel: the next try may find it unstuck.
            C::GraceOver => Move::Kill,
            // It was to be killed before it was known that there is nothing to kill.
            C::NotSpawned => Move::Drop,
            C::Exited => Move::End,
            C::Passed | C::Refused | C::SetupFailed | C::Running | C::Ready | C::TooLate => Move::Ignore,
            C::Hung | C::Retire | C::Drained | C::Recall | C::Stop | C::Kill | C::Released => Move::Ignore,
        },
        WorkerPhase::Ended => match cause {
            C::Released => Move::Bury,
            C::Passed | C::Refused | C::NotSpawned | C::SetupFailed | C::Running | C::Ready => Move::Ignore,
            C::TooLate | C::Hung | C::Retire | C::Drained | C::Recall | C::Stop => Move::Ignore,
            C::Kill | C::GraceOver | C::Exited => Move::Ignore,
        },
    }
}
