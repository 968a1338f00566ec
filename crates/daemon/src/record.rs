//! What the next arbiter needs to go on where this one was: written as it happens, read after a crash or by a new image.
//!
//! A file of lines, each JSON, which describe themselves. The first is a heading; then comes a whole picture, and then
//! every fact the machine was given, before it acts on it. The machine is deterministic, so the picture and the facts
//! give its state at the last moment, whenever that was. When the facts grow long, a new picture replaces them.
//!
//! Descriptors are not in it: they are held by the [keeper](crate::keeper), or pass through `execve`, under the names
//! of [`holding`].

pub(crate) mod holding;
pub(crate) mod journal;
pub(crate) mod replay;

use std::borrow::Cow;
use std::sync::Arc;

use remuda_arbiter::{Input, Snapshot};
use remuda_model::{Config, Mode, Record, ServiceName, SocketName, SocketSpec, Tick, WorkerId};
use remuda_sys::socket::SocketFile;
use serde::{Deserialize, Serialize};

use crate::logs::{LogLine, Stream};

/// The format that this build writes. It reads this one and all older ones: a key that is added has a default, and a
/// key whose meaning changes gets another name.
pub(crate) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heading {
    /// The oldest format whose readers understand what follows.
    pub(crate) format: u32,
    /// The version of the build that wrote it.
    pub(crate) version: String,
    /// The boot it belongs to: after another one no pid, no clock and no descriptor means the same.
    pub(crate) boot: String,
    /// The instance's name.
    pub(crate) instance: String,
    /// The arbiter that wrote it.
    pub(crate) pid: u32,
}

/// Any other line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Entry<'a> {
    /// All there is.
    Picture(Box<Picture<'a>>),
    /// The machine is given a fact.
    Step { at: Tick, input: Cow<'a, Input> },
    /// A worker has a process.
    Hatched(ChildRecord),
    /// The listeners have changed: these are all.
    Sockets(Vec<SocketRecord>),
    /// What workers parked has changed: this is all.
    Stored(Vec<StoredRecord>),
    /// Everybody was told.
    Told(Cow<'a, Record>),
}

/// All that is needed to go on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Picture<'a> {
    pub(crate) arbiter: Snapshot<'a>,
    pub(crate) config: Cow<'a, Config>,
    pub(crate) children: Vec<ChildRecord>,
    pub(crate) sockets: Vec<SocketRecord>,
    pub(crate) stored: Vec<StoredRecord>,
    pub(crate) events: Vec<Record>,
    pub(crate) next_event: u64,
    pub(crate) next_request: u64,
    /// When the first arbiter of this line started: ticks of `CLOCK_BOOTTIME`.
    pub(crate) started: Tick,
    /// Beginnings of lines that workers have not ended yet. Known in an upgrade only.
    #[serde(default)]
    pub(crate) begun_lines: Vec<BegunLine>,
    /// Lines that are kept in memory. Known in an upgrade only.
    #[serde(default)]
    pub(crate) lines: Vec<Arc<LogLine>>,
}

/// What the shell knows of a worker's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChildRecord {
    pub(crate) worker: WorkerId,
    pub(crate) pid: u32,
    /// Clock ticks since boot at its start: with the pid, its identity.
    pub(crate) start_time: u64,
    pub(crate) user: u32,
    /// Numbers of the sockets it was spawned with, in their order.
    pub(crate) sockets: Vec<u64>,
    /// The wanted number of workers when it was spawned, for placeholders.
    pub(crate) workers: u32,
    /// It has a control group of its own, named by its number.
    pub(crate) cgroup: bool,
}

/// A socket with its listeners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SocketRecord {
    pub(crate) id: u64,
    pub(crate) name: SocketName,
    pub(crate) mode: Mode,
    pub(crate) spec: SocketSpec,
    pub(crate) listeners: Vec<ListenerRecord>,
    /// The listeners in the kernel's order, by their places; in theirs if empty.
    #[serde(default)]
    pub(crate) order: Vec<usize>,
    /// The config in force has it, under this name.
    pub(crate) in_force: bool,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListenerRecord {
    /// `SO_COOKIE`: it is the same socket, and not one that got its number.
    pub(crate) cookie: u64,
    /// Its real address: where it is bound again if it is lost.
    pub(crate) address: String,
    pub(crate) file: Option<SocketFile>,
}

/// A descriptor that a worker parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredRecord {
    pub(crate) number: u64,
    pub(crate) service: ServiceName,
    pub(crate) slot: u32,
    pub(crate) name: String,
    pub(crate) polled: bool,
}

/// The beginning of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BegunLine {
    pub(crate) worker: WorkerId,
    pub(crate) stream: Stream,
    pub(crate) bytes: Vec<u8>,
}
