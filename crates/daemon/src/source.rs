//! What the poller's tokens mean.

use remuda_model::WorkerId;
use remuda_sys::event::Token;

/// What a descriptor that the loop watches is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Signals for the arbiter.
    Signals,
    /// The wall clock: a scheduled run is due, or somebody set the clock.
    WallClock,
    /// The trampoline of a worker reports.
    Status(WorkerId),
    /// A worker's first process has ended.
    Exit(WorkerId),
    /// A worker's main process, which is not its first, has ended.
    MainExit(WorkerId),
    /// A worker says something on its notify socket.
    Notify(WorkerId),
    /// A worker writes to, or closes, its readiness descriptor.
    ReadyDescriptor(WorkerId),
    /// A connection waits on a watched socket (its number in the table).
    Demand(u64),
    /// Somebody connects to the einhorn socket.
    Einhorn,
    /// Somebody says something on an einhorn connection (its number).
    EinhornClient(u64),
    /// A stored descriptor was hung up on by its other side.
    Stored(u64),
    /// The keeper has ended.
    KeeperExit,
    /// The keeper has carried something out.
    KeeperLink,
    /// Somebody has shut down a listener.
    Doors,
    /// Something has happened to the file of a socket.
    Files,
    /// The spawner has ended.
    SpawnerExit,
}

const KIND_SHIFT: u32 = 56;

impl Source {
    /// The token that stands for it.
    pub(crate) fn token(self) -> Token {
        let (kind, id) = match self {
            Self::Signals => (1, 0),
            Self::WallClock => (2, 0),
            Self::Status(worker) => (3, worker.0),
            Self::Exit(worker) => (4, worker.0),
            Self::MainExit(worker) => (5, worker.0),
            Self::Notify(worker) => (6, worker.0),
            Self::ReadyDescriptor(worker) => (7, worker.0),
            Self::Demand(socket) => (8, socket),
            Self::Einhorn => (9, 0),
            Self::EinhornClient(client) => (10, client),
            Self::Stored(descriptor) => (11, descriptor),
            Self::KeeperExit => (12, 0),
            Self::KeeperLink => (13, 0),
            Self::Doors => (14, 0),
            Self::SpawnerExit => (15, 0),
            Self::Files => (16, 0),
        };
        Token(kind << KIND_SHIFT | id)
    }

    /// What a token stands for.
    pub(crate) fn of(token: Token) -> Option<Self> {
        let id = token.0 & ((1 << KIND_SHIFT) - 1);
        Some(match token.0 >> KIND_SHIFT {
            1 => Self::Signals,
            2 => Self::WallClock,
            3 => Self::Status(WorkerId(id)),
            4 => Self::Exit(WorkerId(id)),
            5 => Self::MainExit(WorkerId(id)),
            6 => Self::Notify(WorkerId(id)),
            7 => Self::ReadyDescriptor(WorkerId(id)),
            8 => Self::Demand(id),
            9 => Self::Einhorn,
            10 => Self::EinhornClient(id),
            11 => Self::Stored(id),
            12 => Self::KeeperExit,
            13 => Self::KeeperLink,
            14 => Self::Doors,
            15 => Self::SpawnerExit,
            16 => Self::Files,
            _ => return None,
        })
    }
}
