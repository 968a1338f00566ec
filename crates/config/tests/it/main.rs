//! What the crate promises, seen from outside.
#![allow(clippy::panic, reason = "a test that cannot set itself up has failed")]
#![allow(clippy::too_many_lines, reason = "snapshots stand where they are asserted")]

mod support;

mod environment;
mod foreign;
mod gateway;
mod hub;
mod mistakes;
mod native;
mod placeholders;
mod properties;
mod reference;
mod schedule;
