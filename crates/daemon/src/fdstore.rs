//! Descriptors that workers park with the arbiter (`FDSTORE=1`), and get back in the next life of their slot.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use remuda_model::ServiceName;
use remuda_sys::event::{Interest, Poller};

use crate::source::Source;

/// The parked descriptors of all slots.
#[derive(Debug, Default)]
pub(crate) struct FdStore {
    by_number: BTreeMap<u64, Stored>,
    next: u64,
}

#[derive(Debug)]
struct Stored {
    service: ServiceName,
    slot: u32,
    name: String,
    fd: OwnedFd,
}

impl FdStore {
    /// Parks descriptors for a slot that may have `limit`. Returns how many were refused.
    pub(crate) fn store(
        &mut self,
        poller: &Poller,
        (service, slot, limit): (&ServiceName, u32, u32),
        name: &str,
        polled: bool,
        descriptors: Vec<OwnedFd>,
    ) -> usize {
        let mut refused = 0;
        for fd in descriptors {
            let kept = self.of_slot(service, slot).count();
            if kept >= usize::try_from(limit).unwrap_or(usize::MAX) {
                refused += 1;
                continue;
            }
            self.next += 1;
            if polled {
                // What cannot be watched (a plain file) cannot be hung up on either.
                let _ = poller.add(&fd, Source::Stored(self.next).token(), Interest::Nothing);
            }
            let stored = Stored { service: service.clone(), slot, name: name.to_owned(), fd };
            self.by_number.insert(self.next, stored);
        }
        refused
    }

    /// Names and descriptors of a slot, in the order they were parked.
    pub(crate) fn of_slot<'a>(
        &'a self,
        service: &'a ServiceName,
        slot: u32,
    ) -> impl Iterator<Item = (String, BorrowedFd<'a>)> {
        self.by_number
            .values()
            .filter(move |stored| stored.service == *service && stored.slot == slot)
            .map(|stored| (stored.name.clone(), stored.fd.as_fd()))
    }

    /// Lets go what a slot parked under a name.
    pub(crate) fn remove(&mut self, poller: &Poller, service: &ServiceName, slot: u32, name: &str) {
        self.drop_where(poller, |stored| {
            stored.service == *service && stored.slot == slot && stored.name == name
        });
    }

    /// The other side of a parked descriptor has hung up.
    pub(crate) fn hung_up(&mut self, poller: &Poller, number: u64) {
        if let Some(stored) = self.by_number.remove(&number) {
            let _ = poller.remove(&stored.fd);
        }
    }

    /// Lets go what a service parked.
    pub(crate) fn forget(&mut self, poller: &Poller, service: &ServiceName) {
        self.drop_where(poller, |stored| stored.service == *service);
    }

    fn drop_where(&mut self, poller: &Poller, goes: impl Fn(&Stored) -> bool) {
        self.by_number.retain(|_, stored| {
            let going = goes(stored);
            if going {
                // Its worker may still hold it, so closing ours would not end the watch. It may not be watched.
                let _ = poller.remove(&stored.fd);
            }
            !going
        });
    }
}
