//! Watching the listeners themselves: a worker that calls `shutdown()` on one closes the door for all.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use remuda_model::{Request, RequestId, ServiceName, SocketName, Target};
use remuda_sys::CallError;
use remuda_sys::event::{Interest, Poller, Token};

use remuda_arbiter::Input;

use crate::daemon::Daemon;
use crate::sockets::{Bound, Revived};
use crate::source::Source;

/// The watch. A listener that is closed here can live on in a worker, where nothing can end the watching of it; so
/// when one has gone, everything is watched anew.
#[derive(Debug)]
pub(crate) struct Doors {
    poller: Poller,
    /// The listeners that are watched, by their cookies.
    watched: BTreeSet<u64>,
    /// Those that are shut down and cannot be helped.
    hopeless: BTreeSet<u64>,
}

impl Doors {
    fn new(hopeless: BTreeSet<u64>) -> Result<Self, CallError> {
        Ok(Self { poller: Poller::new()?, watched: hopeless.clone(), hopeless })
    }
}

impl AsFd for Doors {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}

impl Daemon {
    /// Watches the listeners there are now.
    pub(crate) fn watch_doors(&mut self) {
        let mut now = BTreeSet::new();
        self.sockets.each_listener(|_, cookie, _| now.extend([cookie]));
        let mut hopeless = BTreeSet::new();
        if let Some(doors) = self.doors.take_if(|doors| !doors.watched.is_subset(&now)) {
            hopeless = doors.hopeless.intersection(&now).copied().collect();
        }
        if let Err(error) = self.watch_new_doors(hopeless) {
            self.trouble(format!("watch the listeners: {error}"));
        }
    }

    fn watch_new_doors(&mut self, hopeless: BTreeSet<u64>) -> Result<(), CallError> {
        if self.doors.is_none() {
            let doors = Doors::new(hopeless)?;
            self.poller.get_ref().add(&doors, Source::Doors.token(), Interest::Read)?;
            self.doors = Some(doors);
        }
        let Some(doors) = &mut self.doors else { return Ok(()) };
        let mut failed = None;
        self.sockets.each_listener(|_, cookie, fd| {
            if doors.watched.insert(cookie) {
                failed = failed.take().or(doors.poller.add(fd, Token(cookie), Interest::Nothing).err());
            }
        });
        failed.map_or(Ok(()), Err)
    }

    /// Has the listeners of `service` refuse who comes: nobody will ever accept there again. Those that were passed to us
    /// stay as they are, because others may go on with them, and so do those that another service has too.
    pub(crate) fn refuse_newcomers(&mut self, service: &ServiceName) {
        let Some(spec) = self.config.services.get(service) else { return };
        let is_shared = |name: &SocketName| {
            let mut others = self.config.services.values().filter(|other| other.name != *service);
            others.any(|other| other.sockets.contains(name))
        };
        let own = spec.sockets.iter().filter(|name| !is_shared(name));
        let failures: Vec<String> = own
            .filter_map(|name| self.sockets.get(name))
            .filter_map(|socket| socket.close().err())
            .map(|error| error.to_string())
            .collect();
        failures.into_iter().for_each(|failure| self.trouble(failure));
    }

    /// Somebody has shut down listeners.
    pub(crate) fn doors_closed(&mut self) {
        let Some(doors) = &mut self.doors else { return };
        let shut: Vec<u64> = match doors.poller.wait(Some(std::time::Duration::ZERO)) {
            Ok(news) => news.filter(|news| news.hangup || news.error).map(|news| news.token.0).collect(),
            Err(_) => Vec::new(),
        };
        // One that cannot be helped is not watched again, or it would wake us for ever.
        let mut hopeless = std::mem::take(&mut doors.hopeless);
        for cookie in shut {
            let found = self.sockets.find_listener(cookie);
            if found.is_some_and(|(socket, place)| socket.is_closed() || !self.revive(&socket, place)) {
                hopeless.insert(cookie);
            }
        }
        self.doors = None;
        if let Err(error) = self.watch_new_doors(hopeless) {
            self.trouble(format!("watch the listeners: {error}"));
        }
    }

    /// Whether somebody listens there again.
    fn revive(&mut self, socket: &Arc<Bound>, place: usize) -> bool {
        let holders: Vec<(ServiceName, u32, u32)> = self
            .children
            .values()
            .filter(|child| child.holds(socket))
            .filter(|child| socket.slot_at(place).is_none_or(|slot| slot == child.slot))
            .map(|child| (child.spec.name.clone(), child.slot, child.main_pid()))
            .collect();
        let suspects: Vec<String> =
            holders.iter().map(|(service, slot, pid)| format!("{service}.{slot} (pid {pid})")).collect();
        let suspects = if suspects.is_empty() { "somebody".to_owned() } else { suspects.join(" or ") };
        let what = match socket.slot_at(place) {
            Some(slot) => format!("the listener of slot {slot} of socket {}", socket.name),
            None => format!("socket {}", socket.name),
        };
        let revived = socket.revive(place);
        let then = match &revived {
            Revived::Again => "it listens again".to_owned(),
            Revived::Anew => {
                "it is bound anew, and the workers that have the old one are replaced".to_owned()
            }
            Revived::Not(reason) => format!("it cannot be bound anew: {reason}; connections are refused"),
        };
        self.trouble(format!(
            "{suspects} has shut down {what}: what waited there was reset; {then}; a worker that stops should close \
             a listener, not shut it down"
        ));
        self.slots_changed_of(socket);
        if revived == Revived::Anew {
            let services = holders.into_iter().map(|(service, ..)| service).collect();
            self.reload_services(services);
        }
        !matches!(revived, Revived::Not(_))
    }

    /// Replaces the workers of all services that have a socket.
    pub(crate) fn reload_holders(&mut self, socket: &Bound) {
        let holders = self.children.values().filter(|child| child.holds(socket));
        self.reload_services(holders.map(|child| child.spec.name.clone()).collect());
    }

    fn reload_services(&mut self, services: BTreeSet<ServiceName>) {
        let targets = services.into_iter().map(Target::service).collect();
        let id: RequestId = self.new_request(None);
        self.take(Input::Request { id, request: Request::Reload(targets) });
    }
}
