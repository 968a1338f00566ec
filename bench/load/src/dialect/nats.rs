//! The text protocol of NATS: PUB on one connection, SUB on the others.
//!
//! The server asks with PING soon after a connection is made, in the middle of messages, and ends those that do not
//! answer.

use super::{Encoded, GreetingError, Interlude, TOPIC, encoded};
use crate::connection::Connection;

/// What the server asks.
pub(super) const PING: &[u8] = b"PING\r\n";
/// What it wants to hear.
pub(super) const PONG: &[u8] = b"PONG\r\n";

/// The server's own description of itself is one line of JSON, far below this.
const LINE_MAX_BYTES: usize = 32 * 1024;

/// `PUB bench LENGTH`.
pub(super) fn published(payload_bytes: usize) -> Encoded {
    encoded(format!("PUB {TOPIC} {payload_bytes}\r\n").as_bytes(), payload_bytes, b"\r\n")
}

/// `MSG bench 1 LENGTH`.
pub(super) fn delivered(payload_bytes: usize) -> Encoded {
    encoded(format!("MSG {TOPIC} 1 {payload_bytes}\r\n").as_bytes(), payload_bytes, b"\r\n")
}

/// INFO, CONNECT, the subscription, and a PING whose PONG says that all was taken.
pub(super) fn greet(connection: &mut Connection, subscribes: bool) -> Result<(), GreetingError> {
    let hello = line(connection)?;
    if !hello.starts_with(b"INFO ") {
        return Err(GreetingError::Answer(hello));
    }
    let subscription = if subscribes { format!("SUB {TOPIC} 1\r\n") } else { String::new() };
    let said = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\n{subscription}PING\r\n");
    connection.say(said.as_bytes())?;
    let answer = line(connection)?;
    if answer == PONG { Ok(()) } else { Err(GreetingError::Answer(answer)) }
}

/// PING is answered, INFO passed over.
pub(super) fn interlude(bytes: &[u8]) -> Interlude {
    let Some(end) = bytes.iter().take(LINE_MAX_BYTES).position(|byte| *byte == b'\n') else {
        return if bytes.len() < LINE_MAX_BYTES { Interlude::Unfinished } else { Interlude::Foreign };
    };
    match &bytes[..=end] {
        PING => Interlude::Skip { bytes: end + 1, answer: PONG },
        said if said.starts_with(b"INFO ") => Interlude::Skip { bytes: end + 1, answer: b"" },
        _ => Interlude::Foreign,
    }
}

/// Byte by byte: what follows the line must stay in the socket, and it is two lines a connection.
fn line(connection: &mut Connection) -> Result<Vec<u8>, GreetingError> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') && line.len() < LINE_MAX_BYTES {
        let mut byte = [0];
        connection.hear(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(line)
}
