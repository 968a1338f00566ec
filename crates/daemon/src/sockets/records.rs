//! The sockets as the record tells of them, and their return from it.

use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use remuda_model::{SocketKind, SocketName, SocketSpec};
use remuda_sys::socket::{self, Activation, Listener, SocketFile};

use super::{Bound, Changes, SocketTable, State};
use crate::record::{ListenerRecord, SocketRecord, holding};

/// Sockets that came back, and what is to be told of them.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) table: SocketTable,
    /// Every socket by its number, those included that only workers know.
    pub(crate) by_id: BTreeMap<u64, Arc<Bound>>,
    pub(crate) troubles: Vec<String>,
}

impl Bound {
    fn record(&self, in_force: bool) -> SocketRecord {
        let state = self.lock();
        let listeners = state.listeners.iter().map(|listener| ListenerRecord {
            cookie: listener.cookie,
            address: listener.address.clone(),
            file: listener.file.clone(),
        });
        SocketRecord {
            order: state.order.clone(),
            id: self.id,
            name: self.name.clone(),
            mode: self.mode,
            spec: state.spec.clone(),
            listeners: listeners.collect(),
            in_force,
        }
    }
}

impl SocketTable {
    /// Whether listeners have come or gone since the last call.
    pub(crate) fn take_changed(&mut self) -> bool {
        self.former.retain(|former| former.strong_count() > 0);
        self.changes.take()
    }

    /// The socket with the listener of this cookie, and its place in it.
    pub(crate) fn find_listener(&self, cookie: u64) -> Option<(Arc<Bound>, usize)> {
        let former = self.former.iter().filter_map(std::sync::Weak::upgrade);
        let mut all = self.bound.values().cloned().chain(former);
        all.find_map(|bound| bound.place_of(cookie).map(|place| (bound, place)))
    }

    /// The files of the sockets in force, with the numbers and the names of these.
    pub(crate) fn files(&self) -> Vec<(u64, SocketName, SocketFile)> {
        let file = |bound: &Bound| bound.lock().listeners.first().and_then(|first| first.file.clone());
        let files = self.bound.values().map(|bound| (bound, file(bound)));
        files.filter_map(|(bound, file)| Some((bound.id, bound.name.clone(), file?))).collect()
    }

    /// All sockets that somebody may still use.
    pub(crate) fn records(&self) -> Vec<SocketRecord> {
        let former = self.former.iter().filter_map(std::sync::Weak::upgrade);
        let former: Vec<_> = former.map(|bound| bound.record(false)).collect();
        self.bound.values().map(|bound| bound.record(true)).chain(former).collect()
    }

    /// Calls `each` with the name, the cookie and the descriptor of every listener.
    pub(crate) fn each_listener(&self, mut each: impl FnMut(String, u64, BorrowedFd<'_>)) {
        let former = self.former.iter().filter_map(std::sync::Weak::upgrade);
        for bound in self.bound.values().cloned().chain(former) {
            for (index, listener) in bound.lock().listeners.iter().enumerate() {
                use std::os::fd::AsFd as _;
                each(holding::listener(bound.id, index), listener.cookie, listener.fd.as_fd());
            }
        }
    }

    /// The sockets of a record, from the descriptors that were held. A listener that nobody held is bound again.
    pub(crate) fn restore(
        activation: Activation,
        records: &[SocketRecord],
        descriptors: &mut BTreeMap<String, OwnedFd>,
    ) -> Returned {
        let changes = Changes::default();
        changes.mark();
        let mut returned = Returned {
            table: Self {
                activation,
                next_id: records.iter().map(|record| record.id + 1).max().unwrap_or(1),
                changes,
                ..Self::default()
            },
            by_id: BTreeMap::new(),
            troubles: Vec::new(),
        };
        for record in records {
            returned.take(record, descriptors);
        }
        returned
    }
}

impl Returned {
    fn take(&mut self, record: &SocketRecord, descriptors: &mut BTreeMap<String, OwnedFd>) {
        let mut listeners: Vec<Listener> = Vec::new();
        for (index, known) in record.listeners.iter().enumerate() {
            let held = descriptors.remove(&holding::listener(record.id, index));
            let held = held.and_then(|fd| Listener::inspect(fd).ok());
            // One that was shut down while nobody was there is as good as lost.
            let held = held.filter(|listener| listener.listening || listener.kind == SocketKind::Datagram);
            match held.filter(|listener| listener.cookie == known.cookie) {
                Some(listener) => listeners.push(Listener { file: known.file.clone(), ..listener }),
                None => match rebind(&record.spec, known, listeners.first()) {
                    Ok(listener) => {
                        self.troubles.push(format!(
                            "the listener {index} of socket {} at {} was lost with what waited in it, and is bound \
                             again",
                            record.name, known.address
                        ));
                        listeners.push(listener);
                    }
                    Err(reason) => {
                        self.troubles.push(format!(
                            "the listener {index} of socket {} at {} was lost and cannot be bound again: {reason}",
                            record.name, known.address
                        ));
                        break;
                    }
                },
            }
        }
        // Those that came in its last moment, of which nothing was written down.
        while let Some(held) = descriptors.remove(&holding::listener(record.id, listeners.len())) {
            let Ok(listener) = Listener::inspect(held) else { break };
            listeners.push(listener);
        }
        let bound = Arc::new(Bound {
            id: record.id,
            name: record.name.clone(),
            mode: record.mode,
            state: Mutex::new(State::restored(record, listeners)),
            changes: self.table.changes.clone(),
        });
        if record.in_force {
            self.table.bound.insert(record.name.clone(), Arc::clone(&bound));
        } else {
            self.table.former.push(Arc::downgrade(&bound));
        }
        self.by_id.insert(record.id, bound);
    }
}

/// Binds where the lost listener was, at its real address.
pub(super) fn rebind(
    spec: &SocketSpec,
    known: &ListenerRecord,
    first: Option<&Listener>,
) -> Result<Listener, String> {
    if !spec.listen.is_bound_here() {
        return Err("it was passed by a service manager".to_owned());
    }
    let mut spec = spec.clone();
    if let Ok(address) = known.address.parse() {
        spec.listen = address;
    }
    match first {
        Some(first) => socket::bind_slot(&spec, Some(first)),
        None => socket::bind(&spec),
    }
    .map_err(|error| error.to_string())
}
