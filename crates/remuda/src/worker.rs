//! `remuda worker`: the workers that are built in. Only the arbiter starts them.
//!
//! A built-in worker is told its settings on standard input: arguments and variables can be read by others.

use std::io::IsTerminal as _;

use remuda_model::hub::{HubSettings, SETTINGS_BYTES_MAX};
use remuda_sys::memfd;
use remuda_toolkit::DaemonError;

use crate::arguments::{BuiltIn, WorkerArguments};
use crate::exit::{Exit, Failure, Outcome};

/// Runs a built-in worker until it is told to end.
pub(crate) fn run(arguments: &WorkerArguments) -> Outcome {
    match arguments.kind {
        BuiltIn::Hub => hub(settings()?),
    }
}

fn settings() -> Result<HubSettings, Failure> {
    const HINT: &str = "the arbiter starts it; [bus] or [store] in remuda.toml asks for one";
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(
            Failure::misuse("the hub takes its settings from standard input, which is a terminal").hint(HINT)
        );
    }
    let text = memfd::content(&stdin, SETTINGS_BYTES_MAX)
        .map_err(|error| Failure::misuse(format!("the hub's settings cannot be read: {error}")).hint(HINT))?;
    serde_json::from_slice(&text).map_err(|error| {
        // What the error quotes may be the secret.
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::misuse(format!(
            "the hub's settings on standard input are not what they should be, at {place}"
        ))
        .hint(HINT)
    })
}

fn hub(settings: HubSettings) -> Outcome {
    // Its name would be that of the link by which it was started. It is for people; nothing hangs on it.
    let _ = std::fs::write("/proc/self/comm", "remuda-hub");
    match remuda_hub::serve(settings) {
        Ok(()) => Ok(Exit::Done),
        // The log has just said it.
        Err(DaemonError::Died { stuck: None, .. }) => Ok(Exit::No),
        Err(error) => Err(Failure::new(Exit::No, error.to_string())),
    }
}
