//! ZMTP 3.0 with the NULL mechanism: a PUSH or PUB that sends, SUBs that receive.
//!
//! 3.0 and not 3.1, because then a subscription is a message and nobody sends pings; data is framed alike in both.

use std::io;

use super::{Encoded, GreetingError, Interlude, TOPIC, encoded};
use crate::connection::Connection;

/// Signature, version, mechanism, role and filler.
const GREETING_BYTES: usize = 64;
/// Flag of a frame whose length has 8 bytes.
const LONG: u8 = 0x02;
/// Flag of a command.
const COMMAND: u8 = 0x04;
/// The longest body of a frame whose length has one byte.
const SHORT_MAX_BYTES: usize = 255;

/// One frame of topic, space and payload.
pub(super) fn message(payload_bytes: usize) -> Encoded {
    let body = TOPIC.len() + 1 + payload_bytes;
    let mut head = match u8::try_from(body) {
        Ok(short) => vec![0, short],
        Err(_) => {
            let mut long = vec![LONG];
            long.extend_from_slice(&u64::try_from(body).unwrap_or(u64::MAX).to_be_bytes());
            long
        }
    };
    head.extend_from_slice(TOPIC.as_bytes());
    head.push(b' ');
    encoded(&head, payload_bytes, b"")
}

/// Both greetings, both READYs.
pub(super) fn greet(connection: &mut Connection, socket_type: &str) -> Result<(), GreetingError> {
    let mut greeting = [0_u8; GREETING_BYTES];
    greeting[0] = 0xFF;
    greeting[9] = 0x7F;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    connection.say(&greeting)?;
    let mut answer = [0_u8; GREETING_BYTES];
    connection.hear(&mut answer)?;
    if answer[0] != 0xFF || answer[10] < 3 || &answer[12..17] != b"NULL\0" {
        return Err(GreetingError::Answer(answer.to_vec()));
    }
    connection.say(&ready(socket_type)?)?;
    let mut head = [0_u8; 2];
    connection.hear(&mut head)?;
    let mut body = vec![0; usize::from(head[1])];
    connection.hear(&mut body)?;
    if head[0] == COMMAND && body.starts_with(b"\x05READY") {
        return Ok(());
    }
    Err(GreetingError::Answer(body))
}

/// A subscription to the topic, as a message.
pub(super) fn subscribe(connection: &mut Connection) -> Result<(), GreetingError> {
    let mut frame = vec![0, short(1 + TOPIC.len())?, 1];
    frame.extend_from_slice(TOPIC.as_bytes());
    Ok(connection.say(&frame)?)
}

/// Commands are passed over.
pub(super) fn interlude(bytes: &[u8]) -> Interlude {
    match bytes {
        [flags, ..] if *flags != COMMAND => Interlude::Foreign,
        [_, length, rest @ ..] if rest.len() >= usize::from(*length) => {
            Interlude::Skip { bytes: 2 + usize::from(*length), answer: b"" }
        }
        _ => Interlude::Unfinished,
    }
}

fn ready(socket_type: &str) -> io::Result<Vec<u8>> {
    let mut body = b"\x05READY\x0bSocket-Type\0\0\0".to_vec();
    body.push(short(socket_type.len())?);
    body.extend_from_slice(socket_type.as_bytes());
    let mut frame = vec![COMMAND, short(body.len())?];
    frame.append(&mut body);
    Ok(frame)
}

fn short(length: usize) -> io::Result<u8> {
    u8::try_from(length).map_err(|_too_long| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{length} bytes are more than {SHORT_MAX_BYTES}"))
    })
}
