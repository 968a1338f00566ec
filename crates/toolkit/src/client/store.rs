//! Keys and values, one question at a time.

use std::time::Duration;

use remuda_wire::resp::Value;

use super::connection::Connection;
use super::{ClientError, Hub, Keys};

/// On what a write depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// On nothing.
    #[default]
    Always,
    /// The key must not exist.
    IfAbsent,
    /// The key must exist.
    IfPresent,
}

/// How a key is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetOptions {
    /// The key goes by itself after so long, at least a millisecond; `None`, the default: it stays.
    pub ttl: Option<Duration>,
    /// Whether it is set at all; default: always.
    pub condition: Condition,
}

/// How a lock is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockAsk<'a> {
    /// How long a lease lasts that is not renewed: 100 ms to 24 h; default: 10 s.
    pub ttl: Duration,
    /// How long to wait while another has it: at most 24 h; default: not at all.
    pub wait: Duration,
    /// What the holder calls itself, at most 256 bytes; default: nothing.
    pub owner: &'a [u8],
}

impl Default for LockAsk<'_> {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(10), wait: Duration::ZERO, owner: b"" }
    }
}

/// The hub's store; also publishes, and locks. Connects with the first question, and anew with the one after a failure.
#[derive(Debug)]
pub struct Store {
    hub: Hub,
    connection: Option<Connection>,
}

impl Store {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub, connection: None }
    }

    /// The value of a key; `None` when there is no such key.
    ///
    /// # Errors
    /// [`ClientError`]; `WRONGTYPE` where the key holds something else than a string. A lost connection is tried once
    /// more: reading twice does no harm.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, ClientError> {
        let reply = match self.command(&[b"GET", key]) {
            Err(ClientError::Lost { .. }) => self.command(&[b"GET", key]),
            other => other,
        };
        match reply? {
            Value::Bulk(value) => Ok(Some(value)),
            Value::Null => Ok(None),
            _ => Err(ClientError::Unexpected { command: "GET", expected: "a string" }),
        }
    }

    /// Sets a key, whatever it was.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), ClientError> {
        self.set_with(key, value, SetOptions::default()).map(drop)
    }

    /// Sets a key if the condition holds; says whether it did.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_with(&mut self, key: &[u8], value: &[u8], options: SetOptions) -> Result<bool, ClientError> {
        let ttl = options.ttl.map(|ttl| ttl.as_millis().max(1).to_string());
        let mut command: Vec<&[u8]> = vec![b"SET", key, value];
        if let Some(ttl) = &ttl {
            command.extend([b"PX".as_slice(), ttl.as_bytes()]);
        }
        match options.condition {
            Condition::Always => {}
            Condition::IfAbsent => command.push(b"NX"),
            Condition::IfPresent => command.push(b"XX"),
        }
        match self.command(&command)? {
            Value::Simple(_) => Ok(true),
            Value::Null => Ok(false),
            _ => Err(ClientError::Unexpected { command: "SET", expected: "OK or nothing" }),
        }
    }

    /// Deletes keys; says how many there were.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn delete(&mut self, keys: &[&[u8]]) -> Result<u64, ClientError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut command: Vec<&[u8]> = vec![b"DEL"];
        command.extend(keys);
        count(self.command(&command)?, "DEL")
    }

    /// The keys that a pattern stands for (`*`, `?`, `[a-z]`, as in Redis' `SCAN`), page by page, in no order. Keys that
    /// come or go meanwhile may be there or not; one may come twice.
    pub fn keys(&mut self, pattern: &[u8]) -> Keys<'_> {
        Keys::new(self, pattern)
    }

    /// Publishes; says how many subscribers heard it.
    ///
    /// # Errors
    /// [`ClientError`]; `NOPERM` for topics that are not ours to publish on.
    pub fn publish(&mut self, topic: &[u8], payload: &[u8]) -> Result<u64, ClientError> {
        count(self.command(&[b"PUBLISH", topic, payload])?, "PUBLISH")
    }

    /// Acquires a lock and waits for it as long as `ask` says; says the fence of the acquisition, or `None` where another has
    /// it for so long. A lock whose reply was lost is free when its ttl is over.
    ///
    /// # Errors
    /// [`ClientError`]; `LOCKSELSEWHERE`, `LOCKSDISK` where the hub has none to give.
    pub fn acquire(&mut self, name: &[u8], ask: &LockAsk<'_>) -> Result<Option<u64>, ClientError> {
        let (ttl, wait) = (millis(ask.ttl), millis(ask.wait));
        let command: [&[u8]; 7] =
            [b"LOCK.ACQUIRE", name, ttl.as_bytes(), b"WAIT", wait.as_bytes(), b"OWNER", ask.owner];
        let within = self.hub.limits().reply.saturating_add(ask.wait);
        match self.command_within(&command, within)? {
            Value::Integer(fence) => Ok(u64::try_from(fence).ok()),
            Value::Null => Ok(None),
            _ => Err(ClientError::Unexpected { command: "LOCK.ACQUIRE", expected: "a fence or nothing" }),
        }
    }

    /// Begins the lease of an acquisition anew; says no where it holds the lock no more. The lease lasts for `ttl` from
    /// before this was asked, as far as the caller can know.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn renew(&mut self, name: &[u8], fence: u64, ttl: Duration) -> Result<bool, ClientError> {
        let (fence, ttl) = (fence.to_string(), millis(ttl));
        let reply = self.command(&[b"LOCK.RENEW", name, fence.as_bytes(), ttl.as_bytes()])?;
        count(reply, "LOCK.RENEW").map(|renewed| renewed > 0)
    }

    /// Gives a lock back; says no where this acquisition holds it no more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn release(&mut self, name: &[u8], fence: u64) -> Result<bool, ClientError> {
        let reply = self.command(&[b"LOCK.RELEASE", name, fence.to_string().as_bytes()])?;
        count(reply, "LOCK.RELEASE").map(|released| released > 0)
    }

    /// Any command that is answered at once and by one reply: none that waits for longer than a reply may take, and none
    /// that subscribes.
    ///
    /// # Errors
    /// [`ClientError`]; errors of the hub are [`ClientError::Said`].
    pub fn command(&mut self, command: &[&[u8]]) -> Result<Value, ClientError> {
        self.command_within(command, self.hub.limits().reply)
    }

    fn command_within(&mut self, command: &[&[u8]], within: Duration) -> Result<Value, ClientError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.hub.connect()?,
        };
        let reply = connection.ask_within(command, within);
        if reply.as_ref().err().is_none_or(ClientError::spares_connection) {
            self.connection = Some(connection);
        }
        reply
    }
}

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

/// A reply that counts.
pub(super) fn count(reply: Value, command: &'static str) -> Result<u64, ClientError> {
    match reply {
        Value::Integer(count) => Ok(u64::try_from(count).unwrap_or_default()),
        _ => Err(ClientError::Unexpected { command, expected: "a number" }),
    }
}
