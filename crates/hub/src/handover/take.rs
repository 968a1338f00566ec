//! The new hub's side.

use std::os::fd::OwnedFd;
use std::path::Path;

use remuda_bus::{Services, ServicesOptions};
use remuda_sys::memfd;
use remuda_sys::socket::{Arrival, Link};

use super::arriving::Arriving;
use super::book::{Record, records};
use super::machines::{KEYS, Machines, Remembered};
use super::{BOOK, BOOK_MAX_BYTES, FORMAT, HandoverError, Keeping, MORE, REFUSED, TAKEN, WITHIN, name};
use crate::core::Core;
use crate::hub::Hub;
use crate::table::Key;
use crate::timers::Due;

/// What a former hub handed over.
#[derive(Debug)]
pub(crate) struct Taken {
    link: Link,
    records: Vec<Record>,
    descriptors: Vec<OwnedFd>,
}

impl Taken {
    /// Whether the whole store came along, so that what the disk has is old.
    pub(crate) fn has_keys(&self) -> bool {
        self.records.iter().any(|record| record.what() == KEYS)
    }
}

/// Whether a former hub serves, which could be asked.
pub(crate) fn is_there(path: &Path) -> bool {
    matches!(Link::connect(&name(path), WITHIN), Ok(Some(_)))
}

/// Asks the former hub that listens at `path` for what it has, if there is one; ours is to keep its store as `keeping` says.
pub(crate) fn take(path: &Path, keeping: &Keeping) -> Result<Option<Taken>, HandoverError> {
    let Some(link) = Link::connect(&name(path), WITHIN)? else { return Ok(None) };
    let uid = link.peer()?.uid;
    if uid != 0 && uid != remuda_sys::users::effective_user() {
        return Err(HandoverError::Stranger(uid));
    }
    link.send(&keeping.question(), &[], WITHIN)?;
    let book = match link.receive(WITHIN)? {
        Arrival::Message { bytes, descriptors } if bytes == BOOK => descriptors,
        Arrival::Message { bytes, .. } => match bytes.strip_prefix(REFUSED) {
            Some(why) => return Err(HandoverError::Refused(String::from_utf8_lossy(why).into_owned())),
            None => return Err(HandoverError::Protocol("it did not send its book")),
        },
        Arrival::Closed => return Err(HandoverError::Protocol("it ended, or did not believe this one")),
    };
    let Some(book) = book.first() else {
        return Err(HandoverError::Protocol("it sent its book without a descriptor"));
    };
    let records = records(memfd::content(book, BOOK_MAX_BYTES)?)?;
    let format = records.first().filter(|record| record.what() == b"hub");
    if format.is_none_or(|record| record.field(1).map_or(true, |format| format != FORMAT)) {
        return Err(HandoverError::Protocol("its book has another format"));
    }
    let connections = records.iter().filter(|record| record.what() == b"connection").count();
    let mut descriptors = Vec::new();
    while descriptors.len() < connections {
        match link.receive(WITHIN)? {
            Arrival::Message { bytes, descriptors: more } if bytes == MORE && !more.is_empty() => {
                descriptors.extend(more);
            }
            Arrival::Message { .. } => return Err(HandoverError::Protocol("it sent something unknown")),
            Arrival::Closed => return Err(HandoverError::Protocol("it ended while it sent its connections")),
        }
    }
    Ok(Some(Taken { link, records, descriptors }))
}

impl Hub {
    /// Goes on where the former hub stopped.
    pub(crate) fn take_over(&mut self, taken: Taken) -> Result<Link, HandoverError> {
        let has_keys = taken.has_keys();
        let Taken { link, records, descriptors } = taken;
        let mut machines = Machines::default();
        let mut arriving: Vec<Arriving> = Vec::new();
        for record in &records {
            if record.what() == b"connection" {
                arriving.push(Arriving::new(record)?);
            }
            machines.read(record, &self.core)?;
            if let Some(last) = arriving.last_mut() {
                last.read(record, &self.core)?;
            }
        }
        let last_turn = machines.last_turn;
        let members: Vec<Key> =
            machines.bus.members.iter().map(|member| Key::from_number(member.id.0)).collect();
        let held = std::mem::take(&mut machines.held);
        let locks = std::mem::take(&mut machines.locks);
        let waiting = locks.waiting.clone();
        let tied: Vec<u64> = locks.held.iter().filter_map(|(_, held)| held.session).collect();
        self.core.restore(machines);
        self.core.locks.take_over(self.core.moment.tick, locks).map_err(HandoverError::KeepLocks)?;
        if has_keys {
            let Core { durability, store, herd, moment, .. } = &mut self.core;
            let shared = |sink: &mut dyn FnMut(&[&[u8]])| herd.iter().for_each(|herd| herd.write_keys(sink));
            durability.write_anew(store, *moment, WITHIN / 2, shared).map_err(HandoverError::Keep)?;
        }
        let now = self.core.moment.tick;
        for (half, fd) in arriving.into_iter().zip(descriptors) {
            let key = half.key;
            let endpoint =
                self.endpoints.iter().position(|endpoint| endpoint.name == half.endpoint).unwrap_or(0);
            let sync = half.sync();
            let Some(connection) = half.arrive(fd, endpoint, &self.core, now) else { continue };
            self.connections.restore(key, connection);
            if self.enter(key)
                && let Some((prefix, at)) = sync
            {
                self.core.syncing.entry(prefix).or_default().push(key);
                self.core.timers.set(key, Due::Sync, at);
            }
        }
        self.connections.restored(last_turn);
        self.forget_the_lost(&members);
        for client in
            tied.into_iter().filter(|client| self.connections.get(Key::from_number(*client)).is_none())
        {
            self.core.locks.gone(self.core.moment.tick, client);
        }
        link.send(TAKEN, &[], WITHIN)?;
        // Not before: what is done now is ours alone.
        for held in held {
            self.core.publish_held(held);
        }
        // Who waited for a lock has its place in the queue again.
        for key in waiting {
            self.go_on(key);
        }
        for key in self.connections.keys() {
            self.go_on(key);
        }
        Ok(link)
    }

    /// A connection that ended while it was passed on leaves nothing in the machines.
    fn forget_the_lost(&mut self, members: &[Key]) {
        let serving: Vec<Key> = self.core.serving.keys().map(|(key, _)| *key).collect();
        for key in members.iter().filter(|key| self.connections.get(**key).is_none()) {
            self.core.bus.leave(key.member());
        }
        for key in serving {
            if self.connections.get(key).is_none() {
                self.core.stop_serving(key);
            }
        }
    }
}

impl Core {
    /// Takes in what was read of the machines.
    fn restore(&mut self, machines: Machines) {
        let spec = &self.settings.spec;
        let seed = self.moment.wall_ms;
        let options = crate::limits::bus(spec, machines.bus.next_sequence, seed);
        let (bus, errors) = remuda_bus::Bus::restore(options, machines.bus);
        self.bus = bus;
        self.bus.tick(self.moment.tick);
        for error in errors {
            self.say(&error);
        }
        let first_call = machines.next_call.max(1);
        self.services = Services::new(ServicesOptions { first_call, ..ServicesOptions::default() });
        for (key, service, capacity) in machines.serving {
            match self.services.register(key.peer(), &service, capacity, &mut self.orders) {
                Ok(()) => drop(self.serving.insert((key, service), capacity)),
                Err(error) => self.say(&error),
            }
        }
        if let Some(flags) = machines.notifications {
            self.notifications.set(&flags);
        }
        if let Some(time) = machines.forgotten_ms {
            self.window.forget_until(time);
        }
        for (time, key, nonce) in machines.nonces {
            self.window.remember(time, key, nonce);
        }
        if let Some(scripts) = &mut self.scripts {
            for source in machines.scripts {
                // It was loaded before; where the config gives scripts less memory now it may be one too many, and
                // whoever runs it is told to load it.
                let _ = scripts.load(&source);
            }
        }
        if let Some(herd) = &mut self.herd {
            herd.resume_from(machines.standing, machines.lived);
            if machines.has_keys {
                herd.saved = machines.shared;
            }
        }
        for (database, command) in machines.store {
            let words: Vec<&[u8]> = command.iter().map(AsRef::as_ref).collect();
            if let Err(error) = self.store.replay(self.moment, database, &words) {
                self.say(&error);
            }
        }
        if let Some(complete_after) = machines.complete_after {
            let changes = machines.changes.iter().map(Remembered::change);
            self.store.go_on_with_changes(complete_after, changes);
        }
        if let Some(epoch) = machines.epoch {
            self.epoch = epoch;
        }
    }
}
