//! RESP2: PUBLISH on one connection, SUBSCRIBE on the others.

use super::{Encoded, GreetingError, TOPIC, encoded};
use crate::connection::Connection;

/// `PUBLISH bench PAYLOAD`.
pub(super) fn published(payload_bytes: usize) -> Encoded {
    encoded(&list(&["PUBLISH", TOPIC], payload_bytes), payload_bytes, b"\r\n")
}

/// `message bench PAYLOAD`.
pub(super) fn delivered(payload_bytes: usize) -> Encoded {
    encoded(&list(&["message", TOPIC], payload_bytes), payload_bytes, b"\r\n")
}

/// AUTH, where there is somebody to be.
pub(super) fn log_in(
    connection: &mut Connection,
    login: Option<&(String, String)>,
) -> Result<(), GreetingError> {
    const OK: &[u8] = b"+OK\r\n";
    let Some((user, password)) = login else { return Ok(()) };
    connection.say(&command(&["AUTH", user, password]))?;
    expect(connection, OK)
}

/// SUBSCRIBE or PSUBSCRIBE, with its confirmation.
pub(super) fn subscribe(connection: &mut Connection, verb: &str, channel: &str) -> Result<(), GreetingError> {
    connection.say(&command(&[verb, channel]))?;
    let mut confirmation = format!("*3\r\n${}\r\n{verb}\r\n", verb.len());
    confirmation.push_str(&format!("${}\r\n{channel}\r\n:1\r\n", channel.len()));
    expect(connection, confirmation.as_bytes())
}

fn expect(connection: &mut Connection, wanted: &[u8]) -> Result<(), GreetingError> {
    let mut answer = vec![0; wanted.len()];
    // An error may be shorter than what is waited for, but no error is shorter than its own mark.
    connection.hear(&mut answer[..1])?;
    if answer[0] != wanted[0] {
        let said = connection.read(&mut answer[1..])?.unwrap_or(0);
        answer.truncate(1 + said);
        return Err(GreetingError::Answer(answer));
    }
    connection.hear(&mut answer[1..])?;
    if answer == wanted { Ok(()) } else { Err(GreetingError::Answer(answer)) }
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    bytes.into_bytes()
}

/// An array of `words` and one more string, up to that string's first byte.
fn list(words: &[&str], last_bytes: usize) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len() + 1);
    for word in words {
        bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    bytes.push_str(&format!("${last_bytes}\r\n"));
    bytes.into_bytes()
}
