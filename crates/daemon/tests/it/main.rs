//! The shell around the arbiter, against real processes.

#![allow(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod farewell;
mod hand_over;
mod limits;
mod orphan;
mod support;
mod trust;
