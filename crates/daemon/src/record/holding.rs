//! Names of the descriptors that outlive an arbiter.

use remuda_model::WorkerId;

use crate::logs::Stream;

/// The record itself.
pub(crate) const RECORD: &str = "record";

/// The lock of the runtime folder. In a will only.
pub(crate) const LOCK: &str = "lock";
/// The control socket. In a will only.
pub(crate) const CONTROL: &str = "control";
/// The link to the keeper, and its handle. In a will only.
pub(crate) const KEEPER_LINK: &str = "keeper/link";
pub(crate) const KEEPER_PID: &str = "keeper/pid";

/// A listener: the number of its socket, and its place among the socket's listeners.
pub(crate) fn listener(socket: u64, index: usize) -> String {
    format!("socket/{socket}/{index}")
}

/// The reading end of a worker's output.
pub(crate) fn log(worker: WorkerId, stream: Stream) -> String {
    format!("log/{}/{stream}", worker.0)
}

/// What an orphaned keeper has read of a worker's output.
pub(crate) fn spill(worker: WorkerId, stream: Stream) -> String {
    format!("spill/{}", log(worker, stream))
}

/// The handle of the process that was spawned.
pub(crate) fn pid(worker: WorkerId) -> String {
    format!("pid/{}", worker.0)
}

/// The handle of the process that a worker declared to be its main one.
pub(crate) fn main(worker: WorkerId) -> String {
    format!("main/{}", worker.0)
}

/// A worker's notify socket.
pub(crate) fn notify(worker: WorkerId) -> String {
    format!("notify/{}", worker.0)
}

/// The reading end of a worker's readiness descriptor.
pub(crate) fn ready(worker: WorkerId) -> String {
    format!("ready/{}", worker.0)
}

/// The pipe that keeps a worker's standard input open.
pub(crate) fn stdin(worker: WorkerId) -> String {
    format!("stdin/{}", worker.0)
}

/// A descriptor that a worker parked.
pub(crate) fn stored(number: u64) -> String {
    format!("stored/{number}")
}

/// Everything that is held for a worker.
pub(crate) fn of_worker(worker: WorkerId) -> Vec<String> {
    let logs = [Stream::Stdout, Stream::Stderr].map(|stream| log(worker, stream));
    let others = [pid(worker), main(worker), notify(worker), ready(worker), stdin(worker)];
    logs.into_iter().chain(others).collect()
}

/// The worker whose process a name stands for.
pub(crate) fn worker_of(name: &str) -> Option<WorkerId> {
    name.strip_prefix("pid/").and_then(|number| number.parse().ok()).map(WorkerId)
}
