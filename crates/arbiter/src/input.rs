//! What the world tells the machine.

use remuda_model::{
    Config, ExitStatus, HookOutcome, NotifyMessage, Plan, Request, RequestId, ServiceName, SpawnFailure,
    WorkerId,
};
use serde::{Deserialize, Serialize};

/// A fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The config the arbiter begins with. Once, first.
    Boot(Box<Config>),
    /// Somebody asks for something.
    Request {
        /// Named in the answer.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// A changed config, checked, with its new sockets already bound.
    Apply {
        /// Named in the answer.
        id: RequestId,
        /// The whole new config.
        config: Box<Config>,
        /// What differs.
        plan: Plan,
    },
    /// A worker's process exists.
    Spawned {
        /// Which.
        worker: WorkerId,
        /// Its pid.
        pid: u32,
    },
    /// A worker's program runs.
    Running {
        /// Which.
        worker: WorkerId,
    },
    /// No process could be made for a worker.
    NotSpawned {
        /// Which.
        worker: WorkerId,
        /// Why.
        failure: SpawnFailure,
    },
    /// A worker's process could not be set up; it is about to exit.
    SetupFailed {
        /// Which.
        worker: WorkerId,
        /// Why.
        failure: SpawnFailure,
    },
    /// A worker's readiness probe succeeded.
    Ready {
        /// Which.
        worker: WorkerId,
    },
    /// A worker told something of itself.
    Notify {
        /// Which.
        worker: WorkerId,
        /// What.
        message: NotifyMessage,
    },
    /// A worker's main process is another one now.
    MainPid {
        /// Which.
        worker: WorkerId,
        /// The pid.
        pid: u32,
    },
    /// A worker's main process ended; its pid is kept until [`Order::Bury`](crate::Order::Bury).
    Exited {
        /// Which.
        worker: WorkerId,
        /// How.
        status: ExitStatus,
    },
    /// A hook ended.
    HookDone {
        /// The call's id.
        id: u64,
        /// How.
        outcome: HookOutcome,
    },
    /// A connection waits on a socket of an on-demand service.
    Demand {
        /// Which.
        service: ServiceName,
    },
    /// The answer to [`Order::CountConnections`](crate::Order::CountConnections).
    Connections {
        /// Whose.
        service: ServiceName,
        /// So many are open or queued.
        count: u32,
    },
    /// The answer to [`Order::Measure`](crate::Order::Measure).
    Measured {
        /// Whose.
        service: ServiceName,
        /// Connections that wait in all queues of its sockets.
        backlog: u32,
        /// Processor time its ready workers used since they were measured last: the average of one, in thousandths of a
        /// core.
        cpu_permille: u32,
        /// The machine itself lacks processors or memory: more workers would not help.
        pressure: bool,
    },
    /// The answer to [`Order::Drain`](crate::Order::Drain): nothing waits there.
    Drained {
        /// Whose.
        service: ServiceName,
        /// Which slot.
        slot: u32,
    },
    /// The time of a scheduled service has come.
    Due {
        /// Which.
        service: ServiceName,
    },
    /// The machine goes on in another process, which has forgotten every order that stands.
    Resumed,
    /// A deadline has passed; nothing else happened.
    Woke,
    /// Stop waiting for anybody: kill what is left.
    KillAll,
}
