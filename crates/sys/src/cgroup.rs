//! Control groups: every worker's processes in one place that none of them can leave by forking.
//!
//! Wherever a version 2 hierarchy can be written (a delegated unit, a container with its own, root; also beside
//! version 1 hierarchies), each worker gets a leaf below `remuda-INSTANCE`. Elsewhere trees are found by descent
//! ([`kill_tree`], [`kill_trees`]), which is best effort.

mod detect;
mod kill;
mod limits;
mod worker;

pub use detect::{Cgroups, Unavailable};
pub use kill::{KillReport, KillWay, Killed, Leader, kill_tree, kill_trees};
pub use limits::LimitRefusal;
pub use worker::WorkerCgroup;
