//! The words of Remuda.
//!
//! Every other crate speaks in these types: names and ids, what the config asks for ([`ServiceSpec`],
//! [`SocketSpec`]), what happened ([`Event`]), what somebody asks ([`Request`], [`Reply`]), and pictures of the
//! present ([`view`]). Nothing here does I/O, reads a clock or decides.
//!
//! | word | meaning |
//! |---|---|
//! | arbiter | the part that decides which workers should run; the `remuda up` process |
//! | socket | a named listening socket, bound once by the arbiter |
//! | service | a named group of identical workers |
//! | slot | a numbered seat of a service, `0..N`; a worker sits in it |
//! | worker | one running process; has a pid and a generation |
//! | generation | counts the reloads of a service |
//! | hub | the built-in worker through which workers talk: bus and store |
//! | bus, topic | broadcast of messages; a topic is matched by prefix |
//! | store, key | key/value storage |
//! | gateway, route | the built-in HTTP worker; what it does with a request |

mod address;
mod event;
pub mod gateway;
mod glob;
mod hook;
pub mod hub;
mod instance;
pub mod message;
mod name;
mod plan;
mod request;
mod scaling;
mod service;
mod signal;
mod socket;
mod split_mix;
mod tick;
pub mod view;
mod worker;

pub use address::{Address, AddressError};
pub use event::{Event, EventKind, Record};
pub use glob::glob_matches;
pub use hook::{Hook, HookCall, HookFailure, HookOutcome, HookPoint};
pub use instance::{Config, DashboardSpec, InstanceSpec, OnCrash};
pub use name::{HerdName, NameError, NodeName, ServiceName, SocketName, Target, TargetError};
pub use plan::{Change, Plan, ServiceChange, SocketChange};
pub use request::{Refusal, Reply, Request, RequestId};
pub use scaling::{Load, Scaling};
pub use service::{
    Backoff, CgroupLimits, Command, Environment, Identity, Kind, LogFile, NotifyAccess, OnDemand, Overlap,
    Readiness, Recycle, Reload, ReloadMethod, ResourceLimit, Restart, Schedule, ServiceSpec, Session, Stdin,
    Stop, StopScope,
};
pub use signal::{Signal, SignalError};
pub use socket::{Balance, Mode, SocketKind, SocketOptions, SocketSpec, UnixOwner};
pub use split_mix::split_mix;
pub use tick::Tick;
pub use worker::{ExitStatus, NotifyMessage, SpawnFailure, WorkerId, WorkerPhase};
