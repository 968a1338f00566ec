//! What is written at the end of a turn, and who waits for what then.

use super::Hub;
use crate::connection::{Protocol, Written};
use crate::table::Key;

impl Hub {
    pub(crate) fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.is_dirty = false;
            let (was_full, sent) = (connection.is_full(), connection.sent);
            let flushed = connection.flush(&mut self.core.bus);
            if was_full && connection.sent > sent {
                // The kernel took more only because the peer had read some.
                connection.heard = self.core.moment.tick;
            }
            if let Protocol::Herd(peer) = &mut connection.protocol {
                let weight = peer.take_sent();
                self.core.link_sent(key, weight);
            }
            match flushed {
                Ok(Written::All) if connection.is_finished() => self.end(key),
                Ok(written) => {
                    if connection.is_behind() {
                        connection.digest(&mut self.core);
                        self.mark(key);
                    }
                    match written {
                        Written::Some => self.mark(key),
                        Written::All => self.watch(key, false),
                        Written::Full => self.watch(key, true),
                    }
                }
                Err(error) => {
                    connection.lost(&error);
                    self.end(key);
                }
            }
        }
        // What was marked meanwhile is on the new list.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }

    /// Tells the poller what `key` waits for, where that has changed.
    pub(super) fn watch(&mut self, key: Key, is_full: bool) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let wanted = connection.wants(is_full);
        if wanted == connection.interest {
            return;
        }
        connection.interest = wanted;
        let watched = if connection.is_watched {
            self.poller.modify(&connection.stream, key.token(), wanted)
        } else {
            self.poller.add(&connection.stream, key.token(), wanted)
        };
        connection.is_watched = true;
        if watched.is_err() {
            self.end(key);
        }
    }

    /// Lets those that had to wait for slow readers, or for the disk, go on.
    pub(super) fn relieve(&mut self) {
        if self.stalled.is_empty() || self.core.holds_publishers() {
            return;
        }
        for key in std::mem::take(&mut self.stalled) {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.paused = false;
                let is_full = connection.is_full();
                self.watch(key, is_full);
            }
        }
    }

    /// Lets replies go that waited for the disk.
    pub(super) fn release(&mut self) {
        let settled = self.core.durability.settled();
        // What was held since then waits for more than was settled then.
        if settled == self.settled {
            return;
        }
        self.settled = settled;
        let mut held = std::mem::take(&mut self.held);
        held.retain(|key| {
            let Some(connection) = self.connections.get_mut(*key) else { return false };
            connection.outbox.release(settled);
            if !connection.is_dirty {
                connection.is_dirty = true;
                self.dirty.push(*key);
            }
            connection.is_held = connection.outbox.is_held();
            connection.is_held
        });
        self.held = held;
    }
}
