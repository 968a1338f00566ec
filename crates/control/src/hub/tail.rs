//! Messages of the bus as they come, for somebody who looks on.
//!
//! A looker-on is a subscriber like any other: what it does not take in time waits in its queue in the hub, by whose rules
//! it is dropped and counted there.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use remuda_wire::resp::Value;

use super::session::Session;
use super::{HubError, soon, unexpected};
use crate::body::{BusMessage, Text};

/// Bytes of a payload that are told.
const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

/// A subscription.
#[derive(Debug)]
pub(crate) struct Tail {
    session: Session,
}

impl Tail {
    /// Messages whose topic begins with `prefix`, from now on.
    pub(crate) async fn begin(path: &Path, prefix: &str) -> Result<Self, HubError> {
        let pattern = pattern(prefix);
        soon(async {
            let mut session = Session::open(path, 0).await?;
            session.send(&[b"PSUBSCRIBE", pattern.as_bytes()]).await?;
            match session.next().await? {
                Value::Array(_) | Value::Push(_) => Ok(Self { session }),
                other => Err(unexpected(&other)),
            }
        })
        .await
    }

    /// A message that is there already.
    pub(crate) fn try_next(&mut self) -> io::Result<Option<BusMessage>> {
        while let Some(value) = self.session.try_next()? {
            if let Some(message) = message(value) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// The next message; an error when the hub is gone.
    ///
    /// # Cancel safety
    /// No message is lost.
    pub(crate) async fn next(&mut self) -> io::Result<BusMessage> {
        loop {
            if let Some(message) = message(self.session.next().await?) {
                return Ok(message);
            }
        }
    }
}

/// A glob for everything that begins with `prefix`.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for character in prefix.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    pattern
}

fn message(value: Value) -> Option<BusMessage> {
    let (Value::Array(parts) | Value::Push(parts)) = value else { return None };
    let mut parts = parts.into_iter();
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
        (Value::Bulk(kind), _, Value::Bulk(topic), Value::Bulk(payload)) if kind == b"pmessage" => {
            let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
            let shown = shown(&payload);
            Some(BusMessage { time_ms: now_ms(), topic: Text::of(&topic), payload: Text::of(shown), length })
        }
        _ => None,
    }
}

/// The front of a payload; a text is not cut within a character.
fn shown(payload: &[u8]) -> &[u8] {
    let Some(front) = payload.get(..PAYLOAD_BYTES_MAX) else { return payload };
    match std::str::from_utf8(front) {
        Err(error) if error.error_len().is_none() => &front[..error.valid_up_to()],
        _ => front,
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
