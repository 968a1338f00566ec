//! Subscribers that do nothing, for as long as somebody looks at the server.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::failure::LoadError;
use crate::stage::Stage;

/// Says that everybody is connected, and holds the connections until stdin ends.
pub(crate) fn run(stage: &Stage) -> Result<Value, LoadError> {
    announce();
    wait_for_end()?;
    Ok(json!({ "subscribers": stage.subscribers.len() }))
}

/// A line on stdout, for a script that waits for it.
pub(crate) fn announce() {
    let mut out = std::io::stdout();
    // A script that went away is noticed at the end of stdin.
    let _ = writeln!(out, "ready").and_then(|()| out.flush());
}

/// Blocks until whoever started this closes its end.
pub(crate) fn wait_for_end() -> Result<(), LoadError> {
    let mut ignored = [0_u8; 64];
    loop {
        match std::io::stdin().read(&mut ignored) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(source) => return Err(LoadError::Read { what: "stdin", source }),
        }
    }
}
