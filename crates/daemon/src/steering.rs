//! Per-worker sockets: new connections go to slots that are served, and a slot that goes is emptied first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use remuda_arbiter::Input;
use remuda_model::{Event, EventKind, ServiceName, ServiceSpec, SocketName, Stdin};
use tokio::time::Instant;

use crate::daemon::Daemon;
use crate::readiness::answers_at_its_socket;
use crate::sockets::Bound;

/// Time between two looks at the queues of slots that are being emptied. The kernel does not tell when a queue is empty.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A queue is empty when so many looks in a row have found it so.
const EMPTY_LOOKS: u32 = 2;

/// Who serves where, and which slots are being emptied.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    served: BTreeMap<ServiceName, BTreeSet<u32>>,
    /// Sockets of which something has changed since they were steered.
    stale: BTreeSet<SocketName>,
    drains: BTreeMap<(ServiceName, u32), Drain>,
    /// When the queues are looked at next; none is being emptied otherwise.
    pub(crate) next_look: Option<Instant>,
}

/// A slot that is being emptied.
#[derive(Debug)]
struct Drain {
    sockets: Vec<Arc<Bound>>,
    since: Instant,
    empty_looks: u32,
}

impl Drain {
    /// One look; whether it was the last.
    fn look(&mut self, slot: u32, now: Instant) -> bool {
        let empty = !self.sockets.iter().any(|socket| socket.waits(slot));
        self.empty_looks = if empty { self.empty_looks + 1 } else { 0 };
        let settles_in = self.sockets.iter().map(|socket| socket.settles_in()).max().unwrap_or_default();
        self.empty_looks >= EMPTY_LOOKS && now.duration_since(self.since) >= settles_in
    }
}

fn uses(spec: &ServiceSpec, socket: &SocketName) -> bool {
    spec.sockets.contains(socket) || matches!(&spec.stdin, Stdin::Socket(name) if name == socket)
}

impl Daemon {
    pub(crate) fn steer(&mut self, service: &ServiceName, slot: u32, away: bool) {
        if away {
            if let Some(slots) = self.steering.served.get_mut(service) {
                slots.remove(&slot);
            }
        } else {
            self.steering.served.entry(service.clone()).or_default().insert(slot);
            self.steering.drains.remove(&(service.clone(), slot));
        }
        self.slots_changed(service);
    }

    /// Begins to empty a slot; the answer at once if it keeps its listeners, for its next worker or another service.
    pub(crate) fn drain(&mut self, service: ServiceName, slot: u32) -> Option<Input> {
        let own = self.steered_sockets(&service);
        let sockets: Vec<_> = own.into_iter().filter(|socket| slot >= self.slots_wanted(socket)).collect();
        if sockets.is_empty() {
            return Some(Input::Drained { service, slot });
        }
        let now = Instant::now();
        self.steering.drains.insert((service, slot), Drain { sockets, since: now, empty_looks: 0 });
        self.steering.next_look.get_or_insert(now + LOOK_EVERY);
        None
    }

    /// Looks at the queues of the slots that are being emptied.
    pub(crate) fn look_at_drains(&mut self) {
        let now = Instant::now();
        let steering = &mut self.steering;
        let emptied = steering.drains.extract_if(.., |(_, slot), drain| drain.look(*slot, now));
        let emptied: Vec<(ServiceName, u32)> = emptied.map(|(place, _)| place).collect();
        steering.next_look = (!steering.drains.is_empty()).then_some(now + LOOK_EVERY);
        // The last listener is closed first.
        for (service, slot) in emptied.into_iter().rev() {
            self.take(Input::Drained { service, slot });
        }
    }

    /// Workers of a service came, went, or are wanted in another number.
    pub(crate) fn slots_changed(&mut self, service: &ServiceName) {
        let names = self.steered_sockets(service).into_iter().map(|socket| socket.name.clone());
        self.steering.stale.extend(names.collect::<Vec<_>>());
    }

    /// The listeners of a socket are others.
    pub(crate) fn slots_changed_of(&mut self, socket: &Bound) {
        if socket.is_steered() {
            self.steering.stale.insert(socket.name.clone());
        }
    }

    /// Another config is in force.
    pub(crate) fn sockets_changed(&mut self) {
        let services: Vec<ServiceName> = self.config.services.keys().cloned().collect();
        services.iter().for_each(|service| self.slots_changed(service));
    }

    /// Steers the sockets of which something has changed. One program is enough for all that one fact brings.
    pub(crate) fn steer_sockets(&mut self) {
        while let Some(name) = self.steering.stale.pop_first() {
            if let Some(socket) = self.sockets.get(&name).cloned() {
                self.steer_socket(&socket);
            }
        }
    }

    fn steer_socket(&mut self, socket: &Bound) {
        let mut taken = 0;
        let mut served = BTreeSet::new();
        for child in self.children.values().filter(|child| child.holds(socket)) {
            taken = taken.max(child.slot + 1);
            let slots = self.steering.served.get(&child.spec.name);
            let serves = slots.is_some_and(|slots| slots.contains(&child.slot));
            // One that is to show at this very socket that it serves has to be reached there.
            if serves || answers_at_its_socket(child) && self.tasks.probes(child.id) {
                served.insert(child.slot);
            }
        }
        let wanted = self.slots_wanted(socket);
        let mut released = Ok(());
        let steered = socket.steer(&served, wanted, taken, |names| released = self.keeping.release(names));
        self.mind_keeper(released);
        match steered {
            Ok(closed) => {
                for closed in closed.into_iter().filter(|closed| closed.lost > 0) {
                    let (name, slot, lost) = (&socket.name, closed.slot, closed.lost);
                    self.trouble(format!(
                        "close the listener of slot {slot} of socket {name}: {lost} connections that no worker \
                         accepted were reset"
                    ));
                }
            }
            Err(error) => {
                let message =
                    format!("socket {}: {error}; connections wait for slots without a worker", socket.name);
                self.tell(Event::instance(EventKind::Trouble { message }));
            }
        }
    }

    /// Sockets of a service whose slots have listeners of their own.
    fn steered_sockets(&self, service: &ServiceName) -> Vec<Arc<Bound>> {
        let Some(spec) = self.specs.get(service) else { return Vec::new() };
        let stdin = match &spec.stdin {
            Stdin::Socket(name) => Some(name),
            Stdin::Null | Stdin::Hold => None,
        };
        let bound = spec.sockets.iter().chain(stdin).filter_map(|name| self.sockets.get(name));
        bound.filter(|socket| socket.is_steered()).cloned().collect()
    }

    /// So many slots of a socket are wanted by some service.
    fn slots_wanted(&self, socket: &Bound) -> u32 {
        let services = self.specs.values().filter(|spec| uses(spec, &socket.name));
        services.map(|spec| self.arbiter.workers_wanted(&spec.name)).max().unwrap_or(0).max(1)
    }
}
