//! The kernel's edge against a real kernel.

#![allow(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod activation;
mod cgroup;
mod event;
mod files;
mod namespace;
mod notify;
mod passing;
mod process;
mod program;
mod set_up;
mod socket;
mod spawner;
mod steer;
mod support;
mod transfer;
mod unix;
