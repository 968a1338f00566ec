//! Clients that wait in blocking commands: in line for each key, in the order they came.
//!
//! A command that fills a key serves nobody itself. It marks the key as ready, and after it (after the whole transaction
//! or script) the hub takes the clients one by one, and each runs its command again. So a client that waits for a list
//! is served while there is an element, one that waits for a stream is asked once for each change, and an element goes
//! to whoever waits longest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use remuda_model::Tick;

use crate::client::ClientId;
use crate::value::Kind;

/// Bytes of a command that may wait: it is copied, and names keys, not values.
pub(crate) const COMMAND_MAX_BYTES: usize = 1 << 20;

/// What a command waits for.
#[derive(Debug)]
pub(crate) struct Wait {
    /// The keys it is in line for.
    pub(crate) keys: Vec<Box<[u8]>>,
    /// The type that serves it; keys of another type are passed by.
    pub(crate) kind: Kind,
    /// When it stops waiting; none for never.
    pub(crate) deadline: Option<Tick>,
    /// Whether it wants to run again too when the key is removed or of another type.
    pub(crate) wakes_when_gone: bool,
    /// What to run then, when it is not the command as it was sent.
    pub(crate) command: Option<Vec<Box<[u8]>>>,
}

/// A client that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) database: u32,
    pub(crate) command: Vec<Box<[u8]>>,
    keys: Vec<Box<[u8]>>,
    kind: Kind,
    wakes_when_gone: bool,
    deadline: Option<Tick>,
    serial: u64,
}

/// The line before a key.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeMap<u64, ClientId>,
    /// How many of them are to be asked when the key is gone too.
    mourners: usize,
    is_ready: bool,
}

/// A key that was filled, and how far down its line clients were asked.
#[derive(Debug)]
struct Ready {
    database: u32,
    key: Box<[u8]>,
    asked: u64,
}

/// All that wait.
#[derive(Debug, Default)]
pub(crate) struct Blocked {
    clients: BTreeMap<ClientId, Waiter>,
    lines: BTreeMap<u32, BTreeMap<Box<[u8]>, Line>>,
    deadlines: BTreeSet<(Tick, u64, ClientId)>,
    ready: VecDeque<Ready>,
    serial: u64,
}

impl Blocked {
    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(crate) fn add(&mut self, client: ClientId, database: u32, wait: Wait, command: &[&[u8]]) {
        self.remove(client);
        self.serial += 1;
        let serial = self.serial;
        let lines = self.lines.entry(database).or_default();
        for key in &wait.keys {
            let line = lines.entry(key.clone()).or_default();
            if line.waiting.insert(serial, client).is_none() {
                line.mourners += usize::from(wait.wakes_when_gone);
            }
        }
        if let Some(deadline) = wait.deadline {
            self.deadlines.insert((deadline, serial, client));
        }
        let command = wait.command.unwrap_or_else(|| command.iter().map(|&each| each.into()).collect());
        let Wait { keys, kind, deadline, wakes_when_gone, .. } = wait;
        self.clients
            .insert(client, Waiter { database, command, keys, kind, wakes_when_gone, deadline, serial });
    }

    /// Takes the client out of every line.
    pub(crate) fn remove(&mut self, client: ClientId) -> Option<Waiter> {
        let waiter = self.clients.remove(&client)?;
        if let Some(deadline) = waiter.deadline {
            self.deadlines.remove(&(deadline, waiter.serial, client));
        }
        if let Some(lines) = self.lines.get_mut(&waiter.database) {
            for key in &waiter.keys {
                let Some(line) = lines.get_mut(key) else { continue };
                if line.waiting.remove(&waiter.serial).is_some() {
                    line.mourners -= usize::from(waiter.wakes_when_gone);
                }
                if line.waiting.is_empty() {
                    lines.remove(key);
                }
            }
            if lines.is_empty() {
                self.lines.remove(&waiter.database);
            }
        }
        Some(waiter)
    }

    pub(crate) fn waiter(&self, client: ClientId) -> Option<&Waiter> {
        self.clients.get(&client)
    }

    /// Notes that a key changed: whoever waits for it may have to be served.
    pub(crate) fn mark(&mut self, database: u32, key: &[u8]) {
        let line = self.lines.get_mut(&database).and_then(|lines| lines.get_mut(key));
        let Some(line) = line.filter(|line| !line.is_ready) else { return };
        line.is_ready = true;
        self.ready.push_back(Ready { database, key: key.into(), asked: 0 });
    }

    /// Notes that any key of a database may have changed.
    pub(crate) fn mark_all(&mut self, database: u32) {
        for (key, line) in self.lines.get_mut(&database).into_iter().flatten() {
            if !std::mem::replace(&mut line.is_ready, true) {
                self.ready.push_back(Ready { database, key: key.clone(), asked: 0 });
            }
        }
    }

    /// The next client to be asked again; `kind_of` says what a key holds now.
    pub(crate) fn next_ready(&mut self, kind_of: impl Fn(u32, &[u8]) -> Option<Kind>) -> Option<ClientId> {
        while let Some(ready) = self.ready.front_mut() {
            let line = self.lines.get_mut(&ready.database).and_then(|lines| lines.get_mut(&ready.key));
            if let Some(line) = line {
                let kind = kind_of(ready.database, &ready.key);
                let fits = |client: &ClientId| {
                    let waiter = self.clients.get(client);
                    waiter.is_some_and(|waiter| waiter.wakes_when_gone || kind == Some(waiter.kind))
                };
                // Nobody is looked for in vain: of a queue that was emptied again, thousands may wait.
                let may_fit = kind.is_some() || line.mourners > 0;
                let mut rest = line.waiting.range(ready.asked + 1..);
                if may_fit && let Some((&serial, &client)) = rest.find(|(_, client)| fits(client)) {
                    ready.asked = serial;
                    return Some(client);
                }
                line.is_ready = false;
            }
            self.ready.pop_front();
        }
        None
    }

    /// A client that has waited long enough.
    pub(crate) fn timed_out(&self, now: Tick) -> Option<ClientId> {
        self.deadlines.first().filter(|(deadline, ..)| *deadline <= now).map(|&(.., client)| client)
    }

    /// When the next client has waited long enough.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.deadlines.first().map(|&(deadline, ..)| deadline)
    }
}
