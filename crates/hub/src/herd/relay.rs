//! Questions and answers about shared keys between servers that have no link: each server on the way passes them on.
//!
//! Only [checks](super::keys) go so, which change nothing; what servers are brought up to date with goes from neighbour to
//! neighbour. Every server passes on to the neighbour with which the shortest way begins, by what it knows of links itself.
//! Where none leads there, or the next link has enough to write, the message is dropped, and whoever asks is told in time
//! that no answer came.

use bytes::{Bytes, BytesMut};
use remuda_herd::NodeId;
use remuda_herd::replica::{Input, Message};
use remuda_trust::session::SessionOptions;
use remuda_wire::herd::relay::{KIND, LINKS_MAX, Relay};

use crate::connection::Protocol;
use crate::core::Core;
use crate::hub::Hub;
use crate::table::Key;

/// Bytes that wait for a link beyond which nothing of others is added to them.
const ROOM_BYTES: usize = 1 << 20;
/// Servers without a link whose questions are kept in mind. One beyond takes the place of the one that came first.
const ASKERS_MAX: usize = 32;

/// What is to be passed on, and what was.
#[derive(Debug, Default)]
pub(crate) struct Relays {
    /// To be sent in this turn; what comes in in one turn is bounded, and so is this.
    waiting: Vec<Relay>,
    pub(super) passed_on: u64,
    pub(super) dropped: u64,
}

impl Core {
    /// A message that others brought: for this server, or to be passed on.
    pub(super) fn hear_relay(&mut self, payload: Bytes) -> Result<(), String> {
        let meaningless = |error| format!("it said what means nothing: {error}");
        let relay = Relay::decode(payload).map_err(meaningless)?;
        let Some(herd) = &mut self.herd else { return Ok(()) };
        let Some(inside) = &herd.inside else { return Ok(()) };
        if relay.to != inside.membership.node.id {
            match relay.links.checked_sub(1) {
                Some(links) => herd.relays.waiting.push(Relay { links, ..relay }),
                None => herd.relays.dropped += 1,
            }
            return Ok(());
        }
        // A neighbour says what it has to say itself, and of a server that nobody has heard of nothing is believed.
        let is_known = inside.spread.next_on_way_to(relay.from).is_some();
        if !is_known || inside.is_linked(relay.from) || relay.from == relay.to {
            return Ok(());
        }
        let bytes_max = SessionOptions::default().frame_max;
        let message = remuda_wire::herd::replica::decode(relay.kind, relay.payload, bytes_max);
        let message = message.map_err(meaningless)?;
        self.remember_asker(relay.from, &message);
        self.step_keys(Input::Message(relay.from, message));
        Ok(())
    }

    fn remember_asker(&mut self, from: NodeId, message: &Message) {
        let Some(keys) = self.keys() else { return };
        if !matches!(message, Message::Begin { .. }) {
            return;
        }
        keys.askers.retain(|asker| *asker != from);
        keys.askers.push_back(from);
        let first = if keys.askers.len() > ASKERS_MAX { keys.askers.pop_front() } else { None };
        if let Some(first) = first
            && !self.is_linked(first)
        {
            self.step_keys(Input::LinkDown(first));
            self.check_again(first);
        }
    }

    fn is_linked(&self, node: NodeId) -> bool {
        let inside = self.herd.as_ref().and_then(|herd| herd.inside.as_ref());
        inside.is_some_and(|inside| inside.is_linked(node))
    }

    /// Says something to a server that there is no link with.
    pub(super) fn say_afar(&mut self, to: NodeId, kind: u8, payload: &[u8]) {
        let Some(herd) = &mut self.herd else { return };
        let Some(inside) = &herd.inside else { return };
        let (from, payload) = (inside.membership.node.id, Bytes::copy_from_slice(payload));
        herd.relays.waiting.push(Relay { to, from, links: LINKS_MAX, kind, payload });
    }
}

impl super::Herd {
    /// Whether there is something to pass on.
    pub(super) fn has_relays(&self) -> bool {
        !self.relays.waiting.is_empty()
    }
}

impl Hub {
    /// Passes on what is not for this server.
    pub(super) fn pass_relays_on(&mut self, scratch: &mut BytesMut) {
        let Some(herd) = &mut self.core.herd else { return };
        for relay in std::mem::take(&mut herd.relays.waiting) {
            scratch.clear();
            relay.encode(scratch);
            let is_own = self.core.is_me(relay.from);
            let is_sent = self.core.way_to(relay.to).is_some_and(|key| self.give(key, scratch));
            let Some(herd) = &mut self.core.herd else { return };
            match is_sent {
                true if is_own => {}
                true => herd.relays.passed_on += 1,
                false => herd.relays.dropped += 1,
            }
            if is_own && !is_sent {
                self.core.leave_unchecked(relay.to, "cut");
            }
        }
    }

    /// Queues a message for a link that has room for it.
    fn give(&mut self, key: Key, payload: &[u8]) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        let Protocol::Herd(peer) = &mut connection.protocol else { return false };
        if peer.session.waiting() > ROOM_BYTES || peer.send_frame(KIND, payload).is_err() {
            return false;
        }
        self.mark(key);
        true
    }
}

impl Core {
    fn is_me(&self, node: NodeId) -> bool {
        let inside = self.herd.as_ref().and_then(|herd| herd.inside.as_ref());
        inside.is_some_and(|inside| inside.membership.node.id == node)
    }

    /// The link with which the way to a server begins.
    pub(super) fn way_to(&self, node: NodeId) -> Option<Key> {
        let inside = self.herd.as_ref()?.inside.as_ref()?;
        let first = inside.spread.next_on_way_to(node)?;
        inside.links.iter().find(|(_, linked)| **linked == first).map(|(key, _)| *key)
    }
}
