//! Daemons as real processes: signalled, watched, and with sockets passed on.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: a failure has to end the test")]

mod adoption;
mod life;
mod logging;
mod supervisor;
mod support;
