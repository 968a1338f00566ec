//! Who waits for which lock: first come, first served; until when; and gone with its client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;

use super::{Asker, LOCK_WAITERS_MAX, LockAsk, LockError};

/// One who waits.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) who: Asker,
    pub(super) ttl: Duration,
    pub(super) owner: Arc<[u8]>,
    pub(super) is_session: bool,
    /// It asked for what is now, and does not wait.
    pub(super) is_once: bool,
    pub(super) until: Tick,
}

impl Waiter {
    pub(super) fn new(ask: &LockAsk<'_>, now: Tick) -> Self {
        Self {
            who: ask.who,
            ttl: ask.ttl,
            owner: ask.owner.into(),
            is_session: ask.is_session,
            is_once: ask.wait.is_zero(),
            until: now + ask.wait,
        }
    }
}

/// A lock's name, and the number in which somebody came to wait for it.
type Place = (Arc<[u8]>, u64);

/// All who wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiters {
    next: u64,
    at: BTreeMap<Place, Waiter>,
    late: BTreeSet<(Tick, u64, Arc<[u8]>)>,
    of_client: BTreeSet<(u64, u64, Arc<[u8]>)>,
    counts: BTreeMap<Arc<[u8]>, usize>,
}

impl Waiters {
    pub(super) fn add(&mut self, name: Arc<[u8]>, waiter: Waiter) -> Result<(), LockError> {
        if self.at.len() >= LOCK_WAITERS_MAX {
            return Err(LockError::TooManyWaiters);
        }
        self.next += 1;
        self.late.insert((waiter.until, self.next, Arc::clone(&name)));
        self.of_client.insert((waiter.who.client, self.next, Arc::clone(&name)));
        *self.counts.entry(Arc::clone(&name)).or_default() += 1;
        self.at.insert((name, self.next), waiter);
        Ok(())
    }

    /// The first who waits for `name`, who does so no more.
    pub(super) fn pop(&mut self, name: &Arc<[u8]>) -> Option<Waiter> {
        let from = (Arc::clone(name), 0);
        let (place, _) = self.at.range(from..).next().filter(|((other, _), _)| other == name)?;
        let place = place.clone();
        self.remove(&place)
    }

    /// The first who waits for `name`.
    pub(super) fn first(&self, name: &Arc<[u8]>) -> Option<&Waiter> {
        self.of(name).next().map(|(_, waiter)| waiter)
    }

    fn of(&self, name: &Arc<[u8]>) -> impl Iterator<Item = (&Place, &Waiter)> {
        let from = (Arc::clone(name), 0);
        self.at.range(from..).take_while(move |((other, _), _)| other == name)
    }

    /// This question about `name`, which does not wait any more.
    pub(super) fn take(&mut self, name: &Arc<[u8]>, who: Asker) -> Option<Waiter> {
        let place = self.of(name).find(|(_, waiter)| waiter.who == who).map(|(place, _)| place.clone())?;
        self.remove(&place)
    }

    /// Those who do not wait for `name` but asked, and ask no more.
    pub(super) fn take_once(&mut self, name: &Arc<[u8]>) -> Vec<Asker> {
        let once = self.of(name).filter(|(_, waiter)| waiter.is_once);
        let places: Vec<Place> = once.map(|(place, _)| place.clone()).collect();
        places.iter().filter_map(|place| self.remove(place)).map(|waiter| waiter.who).collect()
    }

    /// The first whose time is over.
    pub(super) fn pop_late(&mut self, now: Tick) -> Option<Waiter> {
        self.pop_late_of(now).map(|(_, waiter)| waiter)
    }

    /// The same, with the name that it waited for.
    pub(super) fn pop_late_of(&mut self, now: Tick) -> Option<(Arc<[u8]>, Waiter)> {
        let (_, number, name) = self.late.first().filter(|(until, ..)| *until <= now)?;
        let place = (Arc::clone(name), *number);
        let waiter = self.remove(&place)?;
        Some((place.0, waiter))
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        self.late.first().map(|(until, ..)| *until)
    }

    /// Nothing of this client waits any more.
    pub(super) fn forget(&mut self, client: u64) {
        let from = (client, 0, Arc::from(&[][..]));
        let of_it = self.of_client.range(from..).take_while(|(other, ..)| *other == client);
        for place in of_it.map(|(_, number, name)| (Arc::clone(name), *number)).collect::<Vec<_>>() {
            self.remove(&place);
        }
    }

    pub(super) fn count(&self, name: &[u8]) -> usize {
        self.counts.get(name).copied().unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    pub(super) fn in_order(&self) -> Vec<Asker> {
        let mut all: Vec<_> = self.at.iter().map(|((_, number), waiter)| (*number, waiter.who)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, who)| who).collect()
    }

    fn remove(&mut self, place: &Place) -> Option<Waiter> {
        let waiter = self.at.remove(place)?;
        let (name, number) = place;
        self.late.remove(&(waiter.until, *number, Arc::clone(name)));
        self.of_client.remove(&(waiter.who.client, *number, Arc::clone(name)));
        if let Some(count) = self.counts.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(name);
            }
        }
        Some(waiter)
    }
}
