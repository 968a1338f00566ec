//! Another hub of this server follows: what this one was told is told on, then its links end.
//!
//! The next one begins a new life and makes links anew. It knows how far this one was with what others tell, so that its
//! subscribers, who are the same, get what they miss meanwhile from what peers keep.

use std::time::Duration;

use bytes::BytesMut;
use remuda_herd::spread::{Input, LinkState, Message};
use remuda_model::Tick;

use super::keys::SharedKeys;
use super::peer::LAST_PING;
use crate::connection::Protocol;
use crate::hub::{Hub, moment};
use crate::table::Key;

/// What waits for links has so long to go; the clients of this server wait meanwhile.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);
/// Taking leave takes one turn of a link; a server that hangs is not waited for.
const LEAVE_WITHIN: Duration = Duration::from_millis(500);

impl Hub {
    /// Has what this server was told taken by those it has links with. That it is written is not enough: once the next
    /// hub has a link, nobody reads the rest of this one's.
    pub(crate) fn settle_herd(&mut self) {
        let until = moment().tick + DRAIN_WITHIN;
        self.drain_links(until);
        self.ask_links(until);
    }

    fn drain_links(&mut self, until: Tick) {
        loop {
            self.core.moment = moment();
            self.core.durability.flush();
            self.drive_herd();
            self.flush();
            let inside = self.core.herd.as_ref().and_then(|herd| herd.inside.as_ref());
            let waits_for_disk =
                inside.and_then(|inside| inside.keys.as_ref()).is_some_and(SharedKeys::is_held);
            let links = inside.map(|inside| inside.spread.view().links);
            let is_busy = waits_for_disk
                || links.is_some_and(|links| {
                    links.iter().any(|link| link.in_flight > 0 || link.waiting_origins > 0)
                });
            let has_orders = self.core.herd.as_ref().is_some_and(super::Herd::has_orders);
            if !(is_busy || has_orders) || self.core.moment.tick >= until {
                return;
            }
            let timeout = if has_orders { Duration::ZERO } else { until.since(self.core.moment.tick) };
            if !self.hear_links(timeout) {
                return;
            }
        }
    }

    /// Waits for an answer over each link that works: it comes behind all that was told.
    fn ask_links(&mut self, until: Tick) {
        let inside = self.core.herd.as_ref().and_then(|herd| herd.inside.as_ref());
        let links = inside.map(|inside| inside.spread.view().links).unwrap_or_default();
        let mut question = BytesMut::new();
        let kind = remuda_wire::herd::encode(&Message::Ping(LAST_PING), &mut question);
        for link in links.iter().filter(|link| link.state == LinkState::Up) {
            let key = Key::from_number(link.link.0);
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if let Protocol::Herd(peer) = &mut connection.protocol {
                peer.is_asked = peer.send_frame(kind, &question).is_ok();
                self.mark(key);
            }
        }
        loop {
            self.flush();
            self.core.moment = moment();
            let now = self.core.moment.tick;
            let is_asked = self.connections.iter().any(|(_, connection)| {
                matches!(&connection.protocol, Protocol::Herd(peer) if peer.is_asked && !connection.closing)
            });
            if !is_asked || now >= until || !self.hear_links(until.since(now)) {
                return;
            }
            self.drive_herd();
        }
    }

    /// Takes leave of the other servers: they need not wait for signs of life.
    pub(crate) fn leave_herd(&mut self) {
        self.core.moment = moment();
        let now = self.core.moment.tick;
        let Some(herd) = &mut self.core.herd else { return };
        herd.step(now, Input::Leave);
        let until = now + LEAVE_WITHIN;
        loop {
            self.carry_out_orders();
            self.flush();
            self.core.moment = moment();
            let now = self.core.moment.tick;
            let has_orders = self.core.herd.as_ref().is_some_and(super::Herd::has_orders);
            if self.core.figures.servers == 0 || now >= until {
                return;
            }
            let timeout = if has_orders { Duration::ZERO } else { until.since(now) };
            if !self.hear_links(timeout) {
                return;
            }
        }
    }

    /// Waits for news of links, of which what came is read, and of the disk; false when that cannot be had.
    fn hear_links(&mut self, timeout: Duration) -> bool {
        let Ok(news) = self.poller.wait(Some(timeout)) else { return false };
        let keys: Vec<Key> = news.map(|news| Key::from_number(news.token.0)).collect();
        self.core.durability.hear();
        for key in keys {
            let connection = self.connections.get(key);
            if connection.is_some_and(|connection| matches!(connection.protocol, Protocol::Herd(_))) {
                self.read(key);
                self.mark(key);
            }
        }
        true
    }

    /// Ends all links: they are another hub's business now.
    pub(crate) fn end_links(&mut self) {
        // Nothing of it is told to the machine, which is over.
        self.core.herd = None;
        for key in self.connections.keys() {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if let Protocol::Herd(peer) = &mut connection.protocol {
                peer.session.close();
                // The successor's links replace it whether or not this goes out.
                let _ = peer.write(&mut connection.stream);
                self.end(key);
            }
        }
    }
}
