//! The hub's parts against a real kernel.

#![allow(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod journal;
