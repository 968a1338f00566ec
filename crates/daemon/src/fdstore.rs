//! Descriptors that workers park with the arbiter (`FDSTORE=1`), and get back in the next life of their slot.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use remuda_model::ServiceName;
use remuda_sys::event::{Interest, Poller};

use crate::record::{StoredRecord, holding};
use crate::source::Source;

/// The parked descriptors of all slots.
#[derive(Debug, Default)]
pub(crate) struct FdStore {
    by_number: BTreeMap<u64, Stored>,
    next: u64,
    /// Something came or went since the record was told.
    changed: bool,
}

#[derive(Debug)]
struct Stored {
    service: ServiceName,
    slot: u32,
    name: String,
    polled: bool,
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
            let stored = Stored { service: service.clone(), slot, name: name.to_owned(), polled, fd };
            self.by_number.insert(self.next, stored);
            self.changed = true;
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

    /// Whether something came or went since the last call.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Everything parked, with its descriptor.
    pub(crate) fn records(&self) -> impl Iterator<Item = (StoredRecord, BorrowedFd<'_>)> {
        self.by_number.iter().map(|(number, stored)| {
            let (service, slot, name) = (stored.service.clone(), stored.slot, stored.name.clone());
            let record = StoredRecord { number: *number, service, slot, name, polled: stored.polled };
            (record, stored.fd.as_fd())
        })
    }

    /// What was parked with another arbiter, as far as its descriptors were held.
    pub(crate) fn restore(
        poller: &Poller,
        records: Vec<StoredRecord>,
        descriptors: &mut BTreeMap<String, OwnedFd>,
    ) -> Self {
        let mut store = Self { changed: true, ..Self::default() };
        for record in records {
            let StoredRecord { number, service, slot, name, polled } = record;
            store.next = store.next.max(number);
            let Some(fd) = descriptors.remove(&holding::stored(number)) else { continue };
            if polled {
                // What could be watched then can be now.
                let _ = poller.add(&fd, Source::Stored(number).token(), Interest::Nothing);
            }
            store.by_number.insert(number, Stored { service, slot, name, polled, fd });
        }
        store
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
            self.changed = true;
            let _ = poller.remove(&stored.fd);
        }
    }

    /// Lets go what a service parked.
    pub(crate) fn forget(&mut self, poller: &Poller, service: &ServiceName) {
        self.drop_where(poller, |stored| stored.service == *service);
    }

    fn drop_where(&mut self, poller: &Poller, goes: impl Fn(&Stored) -> bool) {
        let changed = &mut self.changed;
        self.by_number.retain(|_, stored| {
            let going = goes(stored);
            if going {
                *changed = true;
                // Its worker may still hold it, so closing ours would not end the watch. It may not be watched.
                let _ = poller.remove(&stored.fd);
            }
            !going
        });
    }
}
