//! Starting programs.
//!
//! The arbiter never forks: it starts its own executable again (`posix_spawn`, which shares memory until the exec and
//! so costs the same however big the arbiter is), as a *trampoline*. That is an ordinary single-threaded process
//! which reads its [`SpawnPlan`] from a memory file, sets itself up stage by stage ([`Stage`]), and executes the
//! program. A failing stage comes back over a close-on-exec pipe by name and error number; when the program has been
//! executed, the pipe just ends.
//!
//! Who starts many programs has a [`Spawner`] do it, which spares every one of them the execution of the trampoline.

mod cgroup;
mod code;
mod descriptors;
mod launch;
mod plan;
mod program;
mod shared;
mod spawner;
mod stage;
mod status;
mod trampoline;

pub use launch::{SpawnError, Spawned, spawn};
pub use plan::{Credentials, EnvironmentValue, SpawnPlan};
pub(crate) use program::pidfd_id;
pub use remuda_model::Session;
pub use spawner::{SPAWNER_WORD, Spawner, SpawnerError, run_spawner_if_asked};
pub use stage::{Stage, is_permanent};
pub use status::{StatusReport, read_status};
pub use trampoline::{EXEC_WORD, run_trampoline, run_trampoline_if_asked};
