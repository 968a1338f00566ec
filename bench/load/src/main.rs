//! One publisher and many subscribers on one thread, so that what is measured is the server between them.
//!
//! `remuda-load PLAN` takes a [`Plan`] as JSON and prints one line of JSON with what it counted. A client library
//! would cost more for each message than a good server does. So the sockets are raw: the publisher's batch is encoded
//! once and only sequence numbers are written into it, and as every message has the same size on the wire,
//! subscribers walk what they read in steps of that size and look at nothing but head and sequence number. That is
//! enough to count what is lost, repeated or out of order, for each subscriber.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool reports to its caller")]

mod connection;
mod dialect;
mod failure;
mod flood;
mod idle;
mod pace;
mod plan;
mod processor;
mod publisher;
mod saturation;
mod stage;
mod subscriber;
mod tally;
mod watch;

use std::process::ExitCode;

use serde_json::Value;

use crate::failure::LoadError;
use crate::plan::{Plan, Work};
use crate::stage::Stage;

fn main() -> ExitCode {
    let Some(text) = std::env::args().nth(1) else {
        eprintln!("usage: remuda-load PLAN (a JSON object; bench/load/src/plan.rs tells its keys)");
        return ExitCode::from(2);
    };
    match run(&text) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("remuda-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(text: &str) -> Result<Value, LoadError> {
    let plan = Plan::parse(text)?;
    // Where the limit stays too low, the connection that does not fit says so.
    let _ = remuda_sys::limits::raise_nofile();
    // A latency is measured from when a message was due: the kernel's 50 µs of slack would be part of it.
    let _ = std::fs::write("/proc/self/timerslack_ns", "1");
    if let Work::Watch { pattern } = &plan.work {
        return watch::run(&plan, pattern);
    }
    let mut stage = Stage::set(&plan)?;
    match &plan.work {
        Work::Saturate(work) => saturation::run(&mut stage, work, &plan.servers),
        Work::Pace(work) => pace::run(&mut stage, work, &plan.servers),
        Work::Flood(work) => flood::run(&mut stage, work),
        Work::Idle | Work::Watch { .. } => idle::run(&stage),
    }
}
