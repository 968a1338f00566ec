//! The shell around the arbiter: one loop that turns the world into inputs and carries out the machine's orders.
//!
//! [`Daemon::start`] takes an instance's folder and binds its sockets; [`Daemon::run`] is the loop. It waits for one
//! cause at a time: a descriptor (signals, ended workers, notify datagrams, trampolines' reports, waiting
//! connections), the machine's deadline, a command of a surface, or a task that ends. Surfaces hold a [`Handle`].
//!
//! Two threads stand beside the loop: one drains the pipes of all workers into the [`LogStore`], one writes log
//! files. Neither can hold up the loop, and the loop cannot hold up them.

mod ask;
mod boot;
mod child;
mod daemon;
mod doors;
mod einhorn;
mod einhorn_server;
mod environment;
mod event_log;
mod fdstore;
mod gateway;
mod handle;
mod happen;
mod helper;
mod hook;
mod hub;
mod instance;
mod keeper;
mod keeping;
mod load;
mod logs;
mod manager;
mod perform;
mod probe;
mod readiness;
mod record;
mod recovery;
mod resumption;
mod schedule;
mod socket_files;
mod sockets;
mod source;
mod spawner;
mod start;
mod steering;
mod succession;
mod tasks;
mod tracking;
mod upgrade;

pub use boot::{Beginning, Boot, BootError, ConfigSource};
pub use daemon::{Daemon, Started};
pub use event_log::{EventLog, EventReader, Next};
pub use handle::{Gone, Handle};
pub use hub::HubError;
pub use instance::{InstanceError, PidFileError};
pub use keeper::{
    Holding, Holdings, KEEP_WORD, Keeper, KeeperError, OnCrash, Orphans, Policy, State, Taken, keeper_name,
    run_keeper_if_asked,
};
pub use logs::{LogLine, LogNext, LogQuery, LogReader, LogStore, Stream};
pub use recovery::{RecoveryError, Strays};
pub use sockets::SocketError;
pub use succession::{SUCCESSION_VARIABLES, Succession, SuccessionError};
pub use upgrade::{Fitness, PREFLIGHT_WORD, look_at};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
