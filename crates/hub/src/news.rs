//! Changes of the store on their way to the bus: gathered while commands run, published in one go.
//!
//! They are published before anything else is, and at the end of each turn at the latest, so that whoever watches sees
//! a client's writes and messages in the order the client made them. Where nobody listens, nothing is made.

use std::ops::Range;

use remuda_bus::{Bundle, Bus, Origin, Reserved};
use remuda_model::hub::Events;
use remuda_store::{Class, Digits, Glance, Store};

use crate::events::{self, Notifications, Told};
use crate::herd::touch::Gone;

/// The origin of the hub's own messages; no connection and no process has it.
const HUB: Origin = Origin(0);
/// The longest value that an event carries; who needs a longer one asks for it.
const VALUE_MAX_BYTES: usize = 64 * 1024;

/// Changes that were not published yet.
#[derive(Debug)]
pub(crate) struct News {
    events: Events,
    waiting: Vec<Waiting>,
    /// Keys and values of them.
    bytes: Vec<u8>,
    /// Kept from call to call.
    topic: Vec<u8>,
    payload: String,
    bundle: Bundle,
    /// Changes forgotten before they were taken.
    pub(crate) forgotten: u64,
}

#[derive(Debug)]
struct Waiting {
    told: Told,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
}

impl News {
    pub(crate) fn new(events: Events) -> Self {
        Self {
            events,
            waiting: Vec::new(),
            bytes: Vec::new(),
            topic: Vec::new(),
            payload: String::new(),
            bundle: Bundle::default(),
            forgotten: 0,
        }
    }

    /// Fetches what has changed; with values, if somebody listens and is to have them.
    ///
    /// Keys that went by themselves are put down in `gone` besides.
    pub(crate) fn take(&mut self, store: &mut Store, bus: &Bus, mut gone: Option<&mut Vec<Gone>>) {
        let (waiting, names) = (&mut self.waiting, &mut self.bytes);
        let first = waiting.len();
        self.forgotten += store.take_changes(&mut |change| {
            let place = change.key.map(|key| append(names, key));
            let has_lapsed = change.class == Class::Expired;
            if let (Some(gone), Some(key), None) = (&mut gone, change.key, change.origin)
                && (has_lapsed || change.class == Class::Evicted)
            {
                let key = bytes::Bytes::copy_from_slice(key);
                gone.push(Gone { database: change.database, key, has_lapsed });
            }
            waiting.push(Waiting { told: Told::of(change), key: place, value: None });
        });
        if self.events != Events::WithValues || !bus.is_heard(Reserved::Store) {
            return;
        }
        for change in waiting[first..].iter_mut().filter(|change| !change.told.deleted) {
            let Some(key) = change.key.clone() else { continue };
            let bytes = &mut self.bytes;
            let mut digits = Digits::default();
            if let Some(Glance::Text(value)) = store.glance(change.told.database, &bytes[key], &mut digits)
                && value.len() <= VALUE_MAX_BYTES
            {
                change.value = Some(append(bytes, value));
            }
        }
    }

    /// Publishes what was gathered.
    pub(crate) fn publish(&mut self, bus: &mut Bus, wanted: &Notifications) {
        if self.waiting.is_empty() {
            return;
        }
        let (store, redis) = (bus.is_heard(Reserved::Store), bus.is_heard(Reserved::Keyspace));
        for change in &self.waiting {
            let key = change.key.clone().map(|key| &self.bytes[key]);
            if store && self.events != Events::Off {
                let value = change.value.clone().map(|value| &self.bytes[value]);
                events::topic(change.told.database, key, &mut self.topic);
                events::payload(&change.told, key, value, &mut self.payload);
                // Too long for the bus: it is in the log of changes all the same.
                let _ = bus.bundle(HUB, &mut self.bundle, &self.topic, self.payload.as_bytes());
            }
            if redis && let Some(key) = key {
                events::notifications(wanted, &change.told, key, &mut self.topic, |topic, payload| {
                    let _ = bus.bundle(HUB, &mut self.bundle, topic, payload);
                });
            }
        }
        bus.publish_bundle(HUB, &mut self.bundle);
        self.waiting.clear();
        self.bytes.clear();
        self.bytes.shrink_to(VALUE_MAX_BYTES);
    }
}

fn append(bytes: &mut Vec<u8>, more: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(more);
    start..bytes.len()
}
