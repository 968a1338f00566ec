//! `remuda worker`: the workers that are built in. Only the arbiter starts them.
//!
//! A built-in worker is told its settings on standard input: arguments and variables can be read by others.

use std::io::IsTerminal as _;

use remuda_model::gateway::{self, GatewaySettings};
use remuda_model::hub::{self, HubSettings};
use remuda_sys::memfd;
use remuda_toolkit::DaemonError;
use serde::de::DeserializeOwned;

use crate::arguments::{BuiltIn, WorkerArguments};
use crate::exit::{Exit, Failure, Outcome};

/// Runs a built-in worker until it is told to end.
pub(crate) fn run(arguments: &WorkerArguments) -> Outcome {
    match arguments.kind {
        BuiltIn::Hub => hub(),
        BuiltIn::Gateway => gateway(),
    }
}

/// The settings of a built-in worker, which `what` names and `hint` says how to get.
fn settings<T: DeserializeOwned>(what: &str, bytes_max: usize, hint: &str) -> Result<T, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let message = format!("the {what} takes its settings from standard input, which is a terminal");
        return Err(Failure::misuse(message).hint(hint));
    }
    let text = memfd::content(&stdin, bytes_max).map_err(|error| {
        Failure::misuse(format!("the {what}'s settings cannot be read: {error}")).hint(hint)
    })?;
    serde_json::from_slice(&text).map_err(|error| {
        // What the error quotes may be the secret.
        let place = format!("line {}, column {}", error.line(), error.column());
        let message =
            format!("the {what}'s settings on standard input are not what they should be, at {place}");
        Failure::misuse(message).hint(hint)
    })
}

fn hub() -> Outcome {
    const HINT: &str = "the arbiter starts it; [bus] or [store] in remuda.toml asks for one";
    let settings: HubSettings = settings("hub", hub::SETTINGS_BYTES_MAX, HINT)?;
    // Its name would be that of the link by which it was started. It is for people; nothing hangs on it.
    let _ = std::fs::write("/proc/self/comm", "remuda-hub");
    match remuda_hub::serve(settings) {
        Ok(()) => Ok(Exit::Done),
        // The log has just said it.
        Err(DaemonError::Died { stuck: None, .. }) => Ok(Exit::No),
        Err(error) => Err(Failure::new(Exit::No, error.to_string())),
    }
}

fn gateway() -> Outcome {
    const HINT: &str = "the arbiter starts it; a service with kind = \"gateway\" in remuda.toml asks for one";
    let _ = std::fs::write("/proc/self/comm", "remuda-gateway");
    let settings: GatewaySettings = settings("gateway", gateway::SETTINGS_BYTES_MAX, HINT)?;
    match remuda_gateway::serve(settings) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(Failure::new(Exit::No, error.to_string())),
    }
}
