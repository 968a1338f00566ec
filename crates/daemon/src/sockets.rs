//! The sockets of the config and their listeners.
//!
//! The table holds one reference of every listener, so a queue never dies with a worker. A worker holds another one
//! of the sockets it was spawned with: a socket that is replaced or removed stays open until the last worker that
//! knows it is gone.

mod changes;
pub(crate) mod records;
mod revival;
mod slots;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use remuda_model::{Change, Config, Mode, Plan, SocketKind, SocketName, SocketSpec, view};
use remuda_sys::socket::{self, Activation, AdoptError, BindError, ChangeError, Listener};

use crate::socket_files::SocketFiles;
use changes::Changes;
pub(crate) use revival::Revived;

/// A socket with its listeners.
#[derive(Debug)]
pub(crate) struct Bound {
    /// Its number in the life of the arbiter.
    pub(crate) id: u64,
    pub(crate) name: SocketName,
    mode: Mode,
    state: Mutex<State>,
    changes: Changes,
}

#[derive(Debug)]
struct State {
    spec: SocketSpec,
    /// One, or in per-worker mode one for each slot that has ever had a worker.
    listeners: Vec<Listener>,
    /// The kernel's order of the group, by places among the listeners: it fills a gap with the last one.
    order: Vec<usize>,
    /// How the slots are steered; not at all before the first worker serves.
    course: Option<slots::Course>,
    /// Everything ends: nobody listens there again.
    is_closed: bool,
}

/// Why a socket is not there.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// It cannot be bound.
    #[error("socket {name}: {source}")]
    Bind {
        /// Which.
        name: SocketName,
        /// Why.
        #[source]
        source: Box<BindError>,
    },
    /// It is to be adopted and was not passed, or is no socket.
    #[error("socket {name}: {source}")]
    Adopt {
        /// Which.
        name: SocketName,
        /// Why.
        #[source]
        source: Box<AdoptError>,
    },
    /// An option cannot be changed on it while it lives.
    #[error("socket {name}: {source}")]
    Change {
        /// Which.
        name: SocketName,
        /// Why.
        #[source]
        source: Box<ChangeError>,
    },
    /// A per-worker socket was passed fewer descriptors than there are slots.
    #[error(
        "socket {name} was passed {passed} descriptors by the service manager; slot {slot} needs one more"
    )]
    TooFew {
        /// Which.
        name: SocketName,
        /// How many there are.
        passed: usize,
        /// Which slot has none.
        slot: u32,
    },
}

impl Bound {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `use_it` with the listener of `slot`, binding it if the slot never had one.
    pub(crate) fn with_listener<T>(
        &self,
        slot: u32,
        use_it: impl FnOnce(&Listener) -> T,
    ) -> Result<T, SocketError> {
        let mut state = self.lock();
        let index = match self.mode {
            Mode::Shared => 0,
            Mode::PerWorker => usize::try_from(slot).unwrap_or(usize::MAX),
        };
        while state.listeners.len() <= index {
            if !state.spec.listen.is_bound_here() {
                let passed = state.listeners.len();
                return Err(SocketError::TooFew { name: self.name.clone(), passed, slot });
            }
            let failed = |source| SocketError::Bind { name: self.name.clone(), source: Box::new(source) };
            state.grow(|state| socket::bind_slot(&state.spec, state.listeners.first()).map_err(failed))?;
            self.changes.mark();
        }
        let listener = state.listeners.get(index).expect("the loop above has filled it up to the index");
        Ok(use_it(listener))
    }

    /// The real address.
    pub(crate) fn address(&self) -> String {
        let state = self.lock();
        state
            .listeners
            .first()
            .map_or_else(|| state.spec.listen.to_string(), |listener| listener.address.clone())
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.lock().listeners.first().and_then(Listener::port)
    }

    /// Established and queued connections.
    pub(crate) fn connections(&self) -> u32 {
        self.lock().listeners.first().map_or(0, socket::connections)
    }

    /// Calls `each` with every listener's descriptor.
    pub(crate) fn each(&self, mut each: impl FnMut(BorrowedFd<'_>)) {
        self.lock().listeners.iter().for_each(|listener| each(listener.fd.as_fd()));
    }

    pub(crate) fn view(&self, config: &Config, files: &SocketFiles) -> view::Socket {
        let listeners = &self.lock().listeners;
        let pictured = (0_u32..).zip(listeners.iter()).map(|(slot, listener)| {
            let queue = socket::queue(listener).ok().flatten();
            view::Listener {
                slot: (self.mode == Mode::PerWorker).then_some(slot),
                queue: queue.as_ref().map(|queue| queue.depth),
                queue_limit: queue.as_ref().map(|queue| queue.limit),
            }
        });
        let heirs = config.services.values().filter(|service| service.sockets.contains(&self.name));
        view::Socket {
            name: self.name.clone(),
            address: listeners.first().map(|first| first.address.clone()).unwrap_or_default(),
            kind: listeners.first().map_or(SocketKind::Stream, |first| first.kind),
            mode: self.mode,
            listeners: pictured.collect(),
            services: heirs.map(|service| service.name.clone()).collect(),
            file_put_back: files.put_back(self.id),
        }
    }

    /// Removes the spare name of its file: it is not put back any more.
    fn end_spare(&self) {
        for file in self.lock().listeners.iter().filter_map(|listener| listener.file.as_ref()) {
            // It may have none, and a leftover is a dead socket that the next one at this path replaces.
            let _ = file.spare().unlink_if_ours();
        }
    }

    /// Takes up other options on the living listeners.
    fn adjust(&self, spec: &SocketSpec) -> Result<(), SocketError> {
        let mut state = self.lock();
        for listener in &state.listeners {
            socket::apply_in_place(listener, &state.spec.options, &spec.options).map_err(|source| {
                SocketError::Change { name: self.name.clone(), source: Box::new(source) }
            })?;
        }
        state.spec = spec.clone();
        Ok(())
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.changes.mark();
        self.end_spare();
        for file in self.lock().listeners.iter().filter_map(|listener| listener.file.as_ref()) {
            // Somebody may have taken its place or its folder away; then there is nothing of ours to remove.
            let _ = file.unlink_if_ours();
        }
    }
}

/// The sockets of the config in force.
#[derive(Debug, Default)]
pub(crate) struct SocketTable {
    bound: BTreeMap<SocketName, Arc<Bound>>,
    /// Replaced or removed, and open as long as a worker knows them.
    former: Vec<Weak<Bound>>,
    activation: Activation,
    next_id: u64,
    changes: Changes,
}

/// Sockets bound for a config that is not in force yet. Dropping it lets them go.
#[derive(Debug)]
pub(crate) struct Prepared {
    added: Vec<Arc<Bound>>,
}

impl SocketTable {
    pub(crate) fn new(activation: Activation) -> Self {
        Self { activation, next_id: 1, ..Self::default() }
    }

    /// Binds every socket of the first config, all or none.
    pub(crate) fn bind_all(&mut self, config: &Config) -> Result<Vec<Arc<Bound>>, SocketError> {
        let added = config.sockets.values().map(|spec| self.bind(spec)).collect::<Result<Vec<_>, _>>()?;
        self.bound = added.iter().map(|bound| (bound.name.clone(), Arc::clone(bound))).collect();
        Ok(added)
    }

    fn bind(&mut self, spec: &SocketSpec) -> Result<Arc<Bound>, SocketError> {
        let listeners = if spec.listen.is_bound_here() {
            let failed = |source| SocketError::Bind { name: spec.name.clone(), source: Box::new(source) };
            vec![socket::bind(spec).map_err(failed)?]
        } else {
            let failed = |source| SocketError::Adopt { name: spec.name.clone(), source: Box::new(source) };
            self.activation.adopt(&spec.listen).map_err(failed)?
        };
        let id = self.next_id;
        self.next_id += 1;
        let state = Mutex::new(State::new(spec.clone(), listeners));
        self.changes.mark();
        let (name, mode, changes) = (spec.name.clone(), spec.mode, self.changes.clone());
        Ok(Arc::new(Bound { id, name, mode, state, changes }))
    }

    /// Binds what `plan` adds or replaces, and changes what can be changed in place; on an error nothing is changed.
    pub(crate) fn prepare(&mut self, config: &Config, plan: &Plan) -> Result<Prepared, SocketError> {
        let mut added = Vec::new();
        for change in &plan.sockets {
            let Some(spec) = config.sockets.get(&change.name) else { continue };
            if matches!(change.change, Change::Added | Change::Replaced { .. }) {
                added.push(self.bind(spec)?);
            }
        }
        let mut adjusted: Vec<(Arc<Bound>, SocketSpec)> = Vec::new();
        for change in &plan.sockets {
            let (Change::Adjusted { .. }, Some(spec)) = (&change.change, config.sockets.get(&change.name))
            else {
                continue;
            };
            let Some(bound) = self.bound.get(&spec.name) else { continue };
            let before = bound.lock().spec.clone();
            if let Err(error) = bound.adjust(spec) {
                for (changed, before) in adjusted {
                    // What could be changed one way can be changed back.
                    let _ = changed.adjust(&before);
                }
                return Err(error);
            }
            adjusted.push((Arc::clone(bound), before));
        }
        Ok(Prepared { added })
    }

    /// Puts prepared sockets in force, and takes out those that `config` no longer has. Returns the new ones, then the
    /// names of those that are gone.
    pub(crate) fn commit(
        &mut self,
        prepared: Prepared,
        config: &Config,
    ) -> (Vec<Arc<Bound>>, Vec<SocketName>) {
        for bound in &prepared.added {
            let before = self.bound.insert(bound.name.clone(), Arc::clone(bound));
            before.iter().for_each(|bound| bound.end_spare());
            self.former.extend(before.as_ref().map(Arc::downgrade));
        }
        let gone: Vec<SocketName> =
            self.bound.keys().filter(|name| !config.sockets.contains_key(*name)).cloned().collect();
        let removed = gone.iter().filter_map(|name| self.bound.remove(name));
        self.former.extend(removed.inspect(|bound| bound.end_spare()).map(|bound| Arc::downgrade(&bound)));
        self.changes.mark();
        (prepared.added, gone)
    }

    pub(crate) fn get(&self, name: &SocketName) -> Option<&Arc<Bound>> {
        self.bound.get(name)
    }

    pub(crate) fn view(&self, config: &Config, files: &SocketFiles) -> Vec<view::Socket> {
        self.bound.values().map(|bound| bound.view(config, files)).collect()
    }
}
