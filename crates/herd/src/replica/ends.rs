//! Keys that end, among the others: looked at before anything is done to them, as the store does.
//!
//! The store removes a key whose time is over when somebody comes upon it, or a little later; a client that looks sees
//! none from that moment on. So does the replica: what has ended by the clock of this step has ended before the step.

use crate::replica::Replica;
use crate::replica::clock::Now;
use crate::replica::state::{Extent, KeyState};

impl Replica {
    /// Whether a key has a lifetime that is known of.
    pub(super) fn ends(&self, address: &[u8]) -> bool {
        let more = self.table.get(address).and_then(|entry| entry.more);
        more.and_then(|more| more.expiry).is_some_and(|expiry| expiry.at_ms.is_some())
    }

    /// Ends a key whose time is over, as the store does when it comes upon it.
    pub(super) fn end_if_over(&mut self, now: Now, address: &[u8]) {
        let more = self.table.get(address).and_then(|entry| entry.more).filter(|more| !more.is_over);
        let at_ms = more.and_then(|more| more.expiry).and_then(|expiry| expiry.at_ms);
        if at_ms.is_some_and(|at_ms| at_ms <= now.wall_ms) {
            self.end(now, address, false);
        }
    }

    /// Ends what has ended of a key; all that its lifetime ends if the store says that it has.
    pub(super) fn end(&mut self, now: Now, address: &[u8], has_ended: bool) {
        let mut meta = self.table.take(address);
        let joined = meta.end(now.wall_ms, has_ended);
        self.remember_ends(now, address, &meta, &joined);
        self.table.put(address, meta);
    }

    /// A peer has told all it has of a key, and lacks nothing: this server lacks nothing any more either.
    pub(super) fn note_complete(&mut self, address: &[u8], state: &KeyState) {
        let is_told = matches!(state.extent, Extent::Between(_, None));
        if is_told && self.table.get(address).is_some_and(|entry| entry.is_lacking()) {
            let mut meta = self.table.take(address);
            meta.is_complete();
            self.table.put(address, meta);
        }
    }
}
