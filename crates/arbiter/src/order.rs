//! What the machine wants done.

use std::sync::Arc;

use remuda_model::{
    Event, Hook, HookCall, Reply, RequestId, ServiceName, ServiceSpec, Signal, StopScope, WorkerId,
};

/// An order. The shell carries it out, and tells the outcome as an [`Input`](crate::Input) where there is one.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Start a worker. Answered by `Spawned` then `Running` or `SetupFailed`, or by `NotSpawned`.
    Spawn {
        /// Its id.
        worker: WorkerId,
        /// Its slot.
        slot: u32,
        /// Its generation.
        generation: u64,
        /// Wanted number of workers of its service, for placeholders.
        workers: u32,
        /// What to run.
        spec: Arc<ServiceSpec>,
    },
    /// Everything ends, and the workers of a gateway have been told so: refuse who comes now to sockets that nobody else
    /// has.
    Refuse {
        /// Whose.
        service: ServiceName,
    },
    /// Find out when a worker is ready; answered by `Ready`, or never.
    Probe {
        /// Which.
        worker: WorkerId,
    },
    /// No longer.
    StopProbe {
        /// Which.
        worker: WorkerId,
    },
    /// Send a signal.
    Signal {
        /// To which worker.
        worker: WorkerId,
        /// Which signal.
        signal: Signal,
        /// To which of its processes.
        scope: StopScope,
    },
    /// Kill its whole tree.
    Kill {
        /// Whose.
        worker: WorkerId,
    },
    /// It has ended: kill what is left of its tree, reap it, forget it.
    Bury {
        /// Which.
        worker: WorkerId,
    },
    /// Run a hook; answered by `HookDone`.
    RunHook {
        /// Which run.
        call: HookCall,
        /// What to run.
        hook: Hook,
    },
    /// Tell by `Demand` when a connection comes for a service.
    Watch {
        /// Which.
        service: ServiceName,
    },
    /// No longer.
    Unwatch {
        /// Which.
        service: ServiceName,
    },
    /// Count the connections of a service; answered by `Connections`.
    CountConnections {
        /// Which.
        service: ServiceName,
    },
    /// Measure the load of a service; answered by `Measured`, or never.
    Measure {
        /// Which.
        service: ServiceName,
    },
    /// Give the slot's own listeners new connections, or give them to other slots. Until a slot is named for the
    /// first time it gets none while others do.
    Steer {
        /// Whose.
        service: ServiceName,
        /// Which slot.
        slot: u32,
        /// To the others: nobody there accepts.
        away: bool,
    },
    /// Tell when no connection waits at the slot's own listeners any more, after it was steered away from; answered
    /// by `Drained`, unless the slot is steered to again or its worker goes first.
    Drain {
        /// Whose.
        service: ServiceName,
        /// Which slot.
        slot: u32,
    },
    /// Tell by `Due` when the next run of a scheduled service is due.
    Arm {
        /// Which.
        service: ServiceName,
    },
    /// No longer.
    Disarm {
        /// Which.
        service: ServiceName,
    },
    /// A service is gone from the config and has no worker left.
    Forget {
        /// Which.
        service: ServiceName,
    },
    /// Tell everybody.
    Tell(Event),
    /// Answer a request.
    Reply {
        /// Which.
        id: RequestId,
        /// How.
        reply: Reply,
    },
    /// All is gone: end.
    Exit {
        /// The exit code.
        code: i32,
    },
}
