//! Messages with their numbers, from where one was: a subscription that outlives its connection.
//!
//! The hub numbers messages and keeps the last of some topics (`[bus] replay`). A subscription remembers the last number
//! it heard of each prefix; when its connection is lost it comes back with growing delays, asks for what came after, and
//! tells how many messages may be missing where the hub does not have them any more. What is kept is at the hub, so that
//! a subscriber that is slow or away takes no memory here.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use remuda_wire::resp::Value;

use super::connection::Connection;
use super::{ClientError, Hub, deadline};
use crate::Backoff;

/// The longest pause between two tries to come back.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A message of the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number: each message's is greater than that of those before. After a restart of the hub numbers go on far above.
    pub sequence: u64,
    /// Its topic.
    pub topic: Vec<u8>,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// What a subscription hears.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Message(Message),
    /// Messages are missing that the hub does not have any more: at most so many, and after a restart of the hub, where
    /// numbers jump, far less. It may be that none of them had one of our topics.
    Missed(u64),
    /// The connection is lost; others are tried.
    Away(ClientError),
    /// It is there again. What was missed meanwhile comes next, or [`Heard::Missed`].
    Back,
}

/// Messages whose topics begin with one of some prefixes.
#[derive(Debug)]
pub struct Subscription {
    hub: Hub,
    /// The last number heard of each prefix.
    positions: BTreeMap<Vec<u8>, Option<u64>>,
    connection: Option<Connection>,
    pause: Pause,
    was_there: bool,
}

/// When the next try to come back is.
#[derive(Debug)]
pub(super) struct Pause {
    backoff: Backoff,
    until: Option<Instant>,
    since: Instant,
}

impl Pause {
    pub(super) fn new() -> Self {
        let backoff = Backoff::new(RandomState::new().hash_one(0)).cap(PAUSE_MAX);
        Self { backoff, until: None, since: Instant::now() }
    }

    /// A connection was lost, or could not be made.
    pub(super) fn begin(&mut self) {
        self.until = Some(Instant::now() + self.backoff.failed(self.since.elapsed()));
        self.since = Instant::now();
    }

    /// A connection is there.
    pub(super) fn connected(&mut self) {
        self.since = Instant::now();
    }

    /// Waits until it is over; false when `deadline` comes first.
    pub(super) fn wait(&mut self, deadline: Instant) -> bool {
        let Some(until) = self.until else { return true };
        std::thread::sleep(until.min(deadline).saturating_duration_since(Instant::now()));
        let is_over = until <= deadline;
        if is_over {
            self.until = None;
        }
        is_over
    }
}

impl Subscription {
    pub(super) fn new<'a>(hub: Hub, prefixes: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut positions: BTreeMap<Vec<u8>, Option<u64>> = BTreeMap::new();
        let mut sorted: Vec<&[u8]> = prefixes.into_iter().collect();
        sorted.sort_unstable();
        for prefix in sorted {
            // One that begins with another adds nothing, and after a pause its messages would come twice.
            let is_covered = positions.keys().any(|other| prefix.starts_with(other));
            if !is_covered {
                positions.insert(prefix.to_vec(), None);
            }
        }
        Self { hub, positions, connection: None, pause: Pause::new(), was_there: false }
    }

    /// Begins with what the hub still has of the messages after number `sequence`.
    #[must_use]
    pub fn after(mut self, sequence: u64) -> Self {
        self.positions.values_mut().for_each(|position| *position = Some(sequence));
        self
    }

    /// The least number that is the last heard of a prefix: where another subscription to the same goes on without a gap.
    /// `None` before the first connection.
    #[must_use]
    pub fn position(&self) -> Option<u64> {
        self.positions.values().copied().min().flatten()
    }

    /// Connects, so that what is published from now on is heard.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(&mut self) -> Result<(), ClientError> {
        if self.connection.is_none() {
            self.connection = Some(self.begin()?);
            self.was_there = true;
            self.pause.connected();
        }
        Ok(())
    }

    /// What is heard next; `None` when nothing was for so long.
    ///
    /// # Errors
    /// The first connection cannot be made; or the hub refuses what is asked of it, which no other try would change.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Heard>, ClientError> {
        let deadline = deadline(timeout);
        loop {
            let Some(connection) = &mut self.connection else {
                match self.come_back(deadline)? {
                    None => return Ok(None),
                    Some(false) => continue,
                    Some(true) => return Ok(Some(Heard::Back)),
                }
            };
            let limits = self.hub.limits();
            let is_asked = connection.owed > 0;
            let patience = if is_asked { limits.reply } else { limits.idle };
            let until = deadline.min(super::deadline(patience));
            match connection.next(until) {
                Ok(Some(value)) => {
                    if let Some(heard) = self.hear(value)? {
                        return Ok(Some(heard));
                    }
                }
                Ok(None) if until == deadline => return Ok(None),
                Ok(None) if is_asked => {
                    let late = connection.late(patience);
                    return Ok(Some(self.lose(late)));
                }
                Ok(None) => {
                    if let Err(error) = connection.add(&[b"PING"]).and_then(|()| connection.send()) {
                        return Ok(Some(self.lose(error)));
                    }
                }
                Err(error) => return Ok(Some(self.lose(error))),
            }
        }
    }

    /// Tries once to connect again: `None` when the time for it has not come before `deadline`, else whether it worked
    /// and is to be told.
    fn come_back(&mut self, deadline: Instant) -> Result<Option<bool>, ClientError> {
        if !self.pause.wait(deadline) {
            return Ok(None);
        }
        let was_there = self.was_there;
        match self.connect() {
            Ok(()) => Ok(Some(was_there)),
            Err(error) if was_there && error.is_passing() => {
                self.pause.begin();
                Ok(Some(false))
            }
            Err(error) => Err(error),
        }
    }

    fn lose(&mut self, error: ClientError) -> Heard {
        self.connection = None;
        self.pause.begin();
        Heard::Away(error)
    }

    fn begin(&self) -> Result<Connection, ClientError> {
        let mut connection = self.hub.connect()?;
        for (prefix, position) in &self.positions {
            match position {
                None => connection.add_unanswered(&[b"BUS.SUBSCRIBE", prefix])?,
                Some(after) => {
                    let after = after.to_string();
                    connection.add_unanswered(&[b"BUS.SUBSCRIBE", prefix, b"AFTER", after.as_bytes()])?;
                }
            }
        }
        connection.send()?;
        Ok(connection)
    }

    fn hear(&mut self, value: Value) -> Result<Option<Heard>, ClientError> {
        let parts = match value {
            Value::Push(parts) => parts,
            Value::Error(text) => return Err(ClientError::Said(String::from_utf8_lossy(&text).into_owned())),
            _ => return Ok(None),
        };
        let mut parts = parts.into_iter();
        let Some(Value::Bulk(kind)) = parts.next() else { return Ok(None) };
        let number = |value: Option<Value>| match value {
            Some(Value::Integer(number)) => u64::try_from(number).ok(),
            _ => None,
        };
        match kind.as_slice() {
            b"busmessage" => {
                let sequence = number(parts.next());
                let (Some(sequence), Some(Value::Bulk(topic)), Some(Value::Bulk(payload))) =
                    (sequence, parts.next(), parts.next())
                else {
                    return Ok(None);
                };
                for (prefix, position) in &mut self.positions {
                    if topic.starts_with(prefix) {
                        *position = (*position).max(Some(sequence));
                    }
                }
                Ok(Some(Heard::Message(Message { sequence, topic, payload })))
            }
            b"bussubscribe" => {
                let (Some(Value::Bulk(prefix)), Some(last)) = (parts.next(), number(parts.next())) else {
                    return Ok(None);
                };
                if let Some(position) = self.positions.get_mut(&prefix) {
                    // What was asked to be caught up with comes behind, and moves it.
                    position.get_or_insert(last);
                }
                Ok(None)
            }
            b"busgap" => Ok(number(parts.next()).map(Heard::Missed)),
            _ => Ok(None),
        }
    }
}
