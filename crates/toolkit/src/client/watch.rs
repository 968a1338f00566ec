//! Every change of some keys, none missed: what is there, then what happens, over restarts and lost connections.
//!
//! The store numbers its changes and remembers the last of them (65,536 by default). A watch subscribes to the events of
//! its keys, notes the revision, reads the keys, and from then on asks for the changes after the last revision it saw
//! whenever an event says that there are any; so an event may be lost, or come twice, without harm. Where the store has
//! forgotten what lies between, the watch says so and reads the keys anew.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use remuda_wire::resp::Value;

use super::connection::Connection;
use super::scan::{Cursor, pattern_of};
use super::subscription::Pause;
use super::{ClientError, Hub, deadline};

/// Changes are asked for so often where no event tells of them: the config switches events off (`[store] events = false`),
/// or the hub does not know who we are.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Values asked for in one go.
const VALUES_AT_ONCE: usize = 256;

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number; each change of the store has one more than the change before.
    pub revision: u64,
    /// The key; `None`: all keys of the database at once (`flushdb`, `swapdb`).
    pub key: Option<Vec<u8>>,
    /// What happened, in Redis' words: `set`, `del`, `expired`, `evicted`, `hset` …
    pub event: String,
    /// The revision of the key before; `None` where there was no such key.
    pub previous: Option<u64>,
    /// The key is gone.
    pub is_deleted: bool,
    /// The string the key held when the change was told: that of a later change, which is told next, if there was one.
    /// `None` for what is gone by then, and for what is no string.
    pub value: Option<Vec<u8>>,
}

/// What a watch sees.
#[derive(Debug)]
pub enum Seen {
    /// A key that is there, read at the beginning or after [`Seen::Forgotten`].
    Key {
        /// Its name.
        key: Vec<u8>,
        /// Its value, if it is a string.
        value: Option<Vec<u8>>,
    },
    /// All keys were read. Changes after this revision come next.
    Complete(u64),
    /// A change.
    Change(Change),
    /// The store does not remember the changes since the last one that was seen: all keys come again, and those that do
    /// not come are gone.
    Forgotten,
    /// The connection is lost; others are tried.
    Away(ClientError),
    /// It is there again, and nothing was missed unless [`Seen::Forgotten`] follows.
    Back,
}

/// Every change of the keys that begin with a prefix.
#[derive(Debug)]
pub struct Watch {
    hub: Hub,
    prefix: Vec<u8>,
    connection: Option<Connection>,
    pause: Pause,
    /// The last revision seen; `None`: the keys have to be read first.
    revision: Option<u64>,
    /// How far the reading of keys is.
    reading: Option<Cursor>,
    /// There may be changes.
    is_stale: bool,
    /// Whether events say when there are.
    is_told: bool,
    looked: Instant,
    /// Which hub it was, where its store does not outlive it.
    run: Option<String>,
    was_there: bool,
    seen: VecDeque<Seen>,
}

/// What a watch has to know of the hub it begins at.
#[derive(Debug)]
struct Standing {
    revision: u64,
    /// Which contents of a store, where they do not outlive the hub that has them.
    run: Option<String>,
    is_told: bool,
}

impl Watch {
    pub(super) fn new(hub: Hub, prefix: &[u8]) -> Self {
        Self {
            hub,
            prefix: prefix.to_vec(),
            connection: None,
            pause: Pause::new(),
            revision: None,
            reading: None,
            is_stale: true,
            is_told: false,
            looked: Instant::now(),
            run: None,
            was_there: false,
            seen: VecDeque::new(),
        }
    }

    /// Begins with the changes after `revision` instead of the keys that are there.
    #[must_use]
    pub fn after(mut self, revision: u64) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The last revision seen: where another watch goes on. `None` as long as keys are read.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.revision.filter(|_| self.reading.is_none())
    }

    /// What is seen next; `None` when nothing was for so long.
    ///
    /// # Errors
    /// The first connection cannot be made; or the hub refuses what is asked of it, which no other try would change.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Seen>, ClientError> {
        let deadline = deadline(timeout);
        loop {
            if let Some(seen) = self.seen.pop_front() {
                return Ok(Some(seen));
            }
            if self.connection.is_none() && !self.pause.wait(deadline) {
                return Ok(None);
            }
            match self.step(deadline) {
                Ok(true) => {}
                Ok(false) => return Ok(self.seen.pop_front()),
                Err(error) if self.was_there && error.is_passing() => {
                    if self.connection.take().is_some() {
                        self.seen.push_back(Seen::Away(error));
                    }
                    self.pause.begin();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Does the next thing; says whether there is time for another.
    fn step(&mut self, deadline: Instant) -> Result<bool, ClientError> {
        let Some(connection) = &mut self.connection else {
            self.connect()?;
            return Ok(true);
        };
        if let Some(cursor) = self.reading.take() {
            // Cut off here, what is known is no revision's whole: all has to be read anew.
            let revision = self.revision.take();
            let (keys, cursor) = cursor.page(|command| connection.ask(command))?;
            let values = values(connection, keys.iter().map(Vec::as_slice))?;
            self.seen.extend(keys.into_iter().map(|key| {
                let value = values.get(&key).cloned();
                Seen::Key { key, value }
            }));
            // Events that come meanwhile say no more than that there are changes.
            while connection.kept_push().is_some() {}
            (self.reading, self.revision) = (cursor, revision);
            if self.reading.is_none() {
                self.seen.extend(self.revision.map(Seen::Complete));
            }
            return Ok(true);
        }
        // Where events tell of changes it is a sign of life that is asked for, of a hub that has nothing to say.
        let every = if self.is_told { self.hub.limits().idle } else { LOOK_EVERY };
        if self.is_stale || self.looked.elapsed() >= every {
            self.look()?;
            return Ok(true);
        }
        let until = deadline.min(self.looked.checked_add(every).unwrap_or(deadline));
        if connection.next(until)?.is_some() {
            while connection.kept_push().is_some() {}
            self.is_stale = true;
        }
        Ok(self.is_stale || Instant::now() < deadline)
    }

    fn connect(&mut self) -> Result<(), ClientError> {
        let mut connection = self.hub.connect()?;
        let database = self.hub.address().database;
        let mut topic = b"store.".to_vec();
        if database != 0 {
            topic.extend_from_slice(format!("{database}:").as_bytes());
        }
        // Events of the whole database have a topic without a key.
        connection.add_unanswered(&[b"SUBSCRIBE", &topic])?;
        topic.extend_from_slice(&self.prefix);
        // Keys of database 0 that look like a number and a colon have a topic that tells them from other databases.
        let digits = self.prefix.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if database == 0 && digits > 0 && self.prefix.get(digits).is_none_or(|byte| *byte == b':') {
            connection
                .add_unanswered(&[b"BUS.SUBSCRIBE", &[b"store.0:", self.prefix.as_slice()].concat()])?;
        }
        connection.add_unanswered(&[b"BUS.SUBSCRIBE", &topic])?;
        connection.send()?;
        let standing = standing(&mut connection)?;
        let is_another = self.was_there && self.run != standing.run;
        let is_cut = self.was_there && self.revision.is_none();
        (self.run, self.is_told) = (standing.run, standing.is_told);
        if self.was_there {
            self.seen.push_back(Seen::Back);
        }
        if is_another || is_cut {
            self.seen.push_back(Seen::Forgotten);
        }
        if is_another || self.revision.is_none() {
            self.read_anew(standing.revision);
        }
        self.is_stale = true;
        self.was_there = true;
        self.pause.connected();
        self.connection = Some(connection);
        Ok(())
    }

    fn read_anew(&mut self, revision: u64) {
        self.revision = Some(revision);
        self.is_stale = true;
        self.reading = Some(Cursor::new(pattern_of(&self.prefix)));
    }

    /// Asks for the changes since the last one.
    fn look(&mut self) -> Result<(), ClientError> {
        let (Some(connection), Some(after)) = (&mut self.connection, self.revision) else { return Ok(()) };
        self.is_stale = false;
        self.looked = Instant::now();
        let reply = connection.ask(&[b"CHANGES", after.to_string().as_bytes(), &self.prefix]);
        let changes = match reply {
            Ok(reply) => reply,
            Err(ClientError::Said(text)) if text.starts_with("GAP ") => {
                let revision = standing(connection)?.revision;
                self.seen.push_back(Seen::Forgotten);
                self.read_anew(revision);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let unexpected = || ClientError::Unexpected { command: "CHANGES", expected: "a list of changes" };
        let Value::Array(changes) = changes else { return Err(unexpected()) };
        let mut changes = changes
            .into_iter()
            .map(|entry| change(entry).ok_or_else(unexpected))
            .collect::<Result<Vec<_>, _>>()?;
        let living =
            changes.iter().filter(|change| !change.is_deleted).filter_map(|change| change.key.as_deref());
        let values = values(connection, living)?;
        for change in &mut changes {
            if !change.is_deleted {
                change.value = change.key.as_ref().and_then(|key| values.get(key).cloned());
            }
        }
        if let Some(last) = changes.last() {
            self.revision = Some(last.revision);
        }
        self.seen.extend(changes.into_iter().map(Seen::Change));
        Ok(())
    }
}

fn standing(connection: &mut Connection) -> Result<Standing, ClientError> {
    let unexpected = |command, expected| ClientError::Unexpected { command, expected };
    let revision = match connection.ask(&[b"CHANGES"])? {
        Value::Integer(revision) => u64::try_from(revision).ok(),
        _ => None,
    };
    let revision = revision.ok_or_else(|| unexpected("CHANGES", "a revision"))?;
    let text = match connection.ask(&[b"INFO", b"server", b"persistence"])? {
        Value::Bulk(text) | Value::Verbatim { text, .. } => String::from_utf8_lossy(&text).into_owned(),
        _ => return Err(unexpected("INFO", "a text")),
    };
    let said = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let run = said("store_epoch").filter(|_| said("aof_enabled") != Some("1")).map(str::to_owned);
    let is_told = said("store_events").is_some_and(|events| events != "off");
    Ok(Standing { revision, run, is_told })
}

/// The strings that keys hold; those that hold none are left out.
fn values<'a>(
    connection: &mut Connection,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, ClientError> {
    let mut wanted: Vec<&[u8]> = keys.collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut values = BTreeMap::new();
    for some in wanted.chunks(VALUES_AT_ONCE) {
        for key in some {
            connection.add(&[b"GET", key])?;
        }
        connection.send()?;
        for key in some {
            match connection.next_reply() {
                Ok(Value::Bulk(value)) => {
                    values.insert(key.to_vec(), value);
                }
                // It is gone, or holds no string.
                Ok(_) | Err(ClientError::Said(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(values)
}

/// `[revision, key, event, previous, deleted]`.
fn change(entry: Value) -> Option<Change> {
    let Value::Array(parts) = entry else { return None };
    let [revision, key, event, previous, deleted] = <[Value; 5]>::try_from(parts).ok()?;
    let number = |value: &Value| match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    };
    let key = match key {
        Value::Bulk(key) => Some(key),
        Value::Null => None,
        _ => return None,
    };
    let Value::Bulk(event) = event else { return None };
    Some(Change {
        revision: number(&revision)?,
        key,
        event: String::from_utf8(event).ok()?,
        previous: number(&previous),
        is_deleted: number(&deleted)? != 0,
        value: None,
    })
}
