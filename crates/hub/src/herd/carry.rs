//! What the machine orders, carried out.

use bytes::BytesMut;
use remuda_herd::spread::{Disconnected, Event, Input, LinkId, Message, Order};
use remuda_herd::{NodeId, replica};
use remuda_model::message::Batch;

use super::peer::Part;
use super::topics::{Gathered, SHARED_MIN};
use crate::complaints::Complaint;
use crate::connection::Protocol;
use crate::core::Core;
use crate::engine::ELSEWHERE;
use crate::hub::Hub;
use crate::table::Key;
use crate::timers::Due;

/// Bytes that wait for a link beyond which no answers about shared keys are added.
const ROOM_BYTES: usize = 256 << 10;
/// Messages of others that are given to subscribers at once; 256 KiB, as much as is read from a connection in a turn.
const HEARD_BYTES: usize = 256 << 10;
/// What is left to write when a link is closed has so long to go.
pub(super) const CLOSE_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

impl Hub {
    /// Carries out what the machine ordered, and what comes of it.
    pub(super) fn carry_out_orders(&mut self) {
        let mut scratch = BytesMut::new();
        let mut heard = Gathered::default();
        loop {
            if let Some(herd) = &mut self.core.herd {
                herd.tell_published(self.core.moment.tick);
            }
            let inside = self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut());
            let orders = inside.map(|inside| std::mem::take(&mut inside.orders)).unwrap_or_default();
            for order in orders {
                if !matches!(order, Order::Deliver(_) | Order::Send { .. }) || heard.len() > HEARD_BYTES {
                    // What a message and a change of one origin say comes in the order they were made.
                    self.core.give_heard(&mut heard);
                }
                self.carry_out(order, &mut scratch, &mut heard);
            }
            self.core.give_heard(&mut heard);
            self.deliver_letters(&mut scratch);
            self.pass_relays_on(&mut scratch);
            self.grant_room();
            if !self.core.herd.as_ref().is_some_and(super::Herd::has_orders) {
                return;
            }
        }
    }

    fn carry_out(&mut self, order: Order, scratch: &mut BytesMut, heard: &mut Gathered) {
        match order {
            Order::Send { link, message } => self.send_over(link, &message, scratch),
            Order::Deliver(delivery) => self.core.hear(&delivery.batch, heard),
            Order::Apply { change, .. } => self.core.step_keys(replica::Input::Change(change)),
            Order::Connect { node, addresses } => {
                let herd = self.core.herd.as_mut().filter(|herd| !herd.rival.has_won());
                let inside = herd.and_then(|herd| herd.inside.as_mut());
                if let (Some(inside), Some(address)) = (inside, addresses.into_iter().next())
                    && !inside.dials.seeks(node)
                {
                    inside.dials.add(address, Some(node), true);
                }
            }
            Order::Disconnect { link, reason } => self.let_go(Key::from_number(link.0), reason),
            Order::Tell(event) => self.tell_event(&event),
        }
    }

    fn send_over(&mut self, link: LinkId, message: &Message, scratch: &mut BytesMut) {
        let key = Key::from_number(link.0);
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Protocol::Herd(peer) = &mut connection.protocol else { return };
        if connection.closing {
            // Its last words go out, and why it ends is known.
            return;
        }
        match peer.send(message, scratch) {
            Ok(()) => self.mark(key),
            Err(error) => {
                peer.trouble = Some(error.to_string());
                self.end(key);
            }
        }
    }

    /// Says to other servers what there is to say about shared keys.
    fn deliver_letters(&mut self, scratch: &mut BytesMut) {
        let inside = self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut());
        let Some(inside) = inside else { return };
        let Some(keys) = &mut inside.keys else { return };
        for (node, message) in std::mem::take(&mut keys.letters) {
            scratch.clear();
            let kind = remuda_wire::herd::replica::encode(&message, scratch);
            let Some(key) = inside_link(&self.core, node) else {
                self.core.say_afar(node, kind, scratch);
                continue;
            };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            let Protocol::Herd(peer) = &mut connection.protocol else { continue };
            if connection.closing {
                continue;
            }
            match peer.send_frame(kind, scratch) {
                Ok(()) => self.mark(key),
                Err(error) => {
                    peer.trouble = Some(error.to_string());
                    self.end(key);
                }
            }
        }
    }

    /// Lets answers about shared keys go to links that have little to write: messages go first.
    fn grant_room(&mut self) {
        let Some(herd) = &mut self.core.herd else { return };
        herd.is_awake = false;
        let Some(inside) = self.core.herd.as_ref().and_then(|herd| herd.inside.as_ref()) else { return };
        let Some(keys) = inside.keys.as_ref().filter(|keys| !keys.has_held_letters()) else { return };
        let owed: Vec<(Key, NodeId)> = inside
            .links
            .iter()
            .filter(|(_, node)| keys.replica.owes(**node))
            .map(|(key, node)| (*key, *node))
            .collect();
        let afar = keys.askers.iter().filter(|node| !inside.is_linked(**node) && keys.replica.owes(**node));
        let owed_afar = afar.filter_map(|node| Some((self.core.way_to(*node)?, *node)));
        let owed: Vec<(Key, NodeId)> = owed.into_iter().chain(owed_afar).collect();
        for (key, node) in owed {
            let Some(connection) = self.connections.get(key) else { continue };
            let Protocol::Herd(peer) = &connection.protocol else { continue };
            let room = ROOM_BYTES.saturating_sub(peer.session.waiting());
            if room > 0 {
                self.core.step_keys(replica::Input::Room(node, room));
            }
        }
    }

    /// Closes a link that the machine has dropped, after what waits has been written.
    fn let_go(&mut self, key: Key, reason: Disconnected) {
        let inside = self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut());
        let node = inside.and_then(|inside| inside.links.remove(&key));
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Protocol::Herd(peer) = &mut connection.protocol else { return };
        let why = match reason {
            Disconnected::Silent => "nothing came for too long",
            Disconnected::Stalled => "it took nothing for too long",
            Disconnected::Doubled => "there is another link with it",
            Disconnected::Full => "there are links enough",
            Disconnected::Removed => "it is no member any more",
            Disconnected::Malformed => "it sent what is beyond the limits",
            Disconnected::Leaving => "this server leaves",
        };
        peer.part = Part::Leaving;
        peer.trouble = Some(why.to_owned());
        connection.closing = true;
        let remote = connection.remote.to_string();
        match reason {
            Disconnected::Doubled | Disconnected::Full | Disconnected::Leaving => {
                log::info!("the link with {remote} is closed: {why}");
            }
            _ => log::warn!("the link with {remote} is closed: {why}"),
        }
        self.core.timers.set(key, Due::Greeting, self.core.moment.tick + CLOSE_WITHIN);
        if let (Some(node), Some(inside)) =
            (node, self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut()))
        {
            inside.dials.is_free(node, self.core.moment.tick);
            if !inside.is_linked(node) {
                self.core.keys_reach(node, false);
            }
        }
        self.mark(key);
    }

    fn tell_event(&mut self, event: &Event) {
        if let Event::Suspected(node) | Event::Lost(node) | Event::Left(node) | Event::Removed(node) = event {
            self.core.leave_unchecked(*node, "cut");
        }
        if let Event::Superseded(epoch) = event {
            return self.outbid(*epoch);
        }
        let sort = match event {
            Event::Gap { .. } | Event::TooLarge { .. } => Complaint::HerdMessages,
            _ => Complaint::HerdNodes,
        };
        if !self.core.may_tell(sort) {
            return;
        }
        let name = |node: NodeId| self.core.name_of(node);
        match event {
            Event::Joined(node) => log::info!("{} is there", name(*node)),
            Event::Restarted { node, epoch } => log::info!("{} has begun life {epoch}", name(*node)),
            Event::Suspected(node) => log::warn!("{} is not reached any more", name(*node)),
            Event::Refuted(node) => log::info!("{} is there after all", name(*node)),
            Event::Lost(node) => log::warn!("{} is lost", name(*node)),
            Event::Healed(node) => log::info!("{} is there again", name(*node)),
            Event::Left(node) => log::info!("{} has left", name(*node)),
            Event::Removed(node) => log::warn!("node {node} is no member of the herd any more"),
            Event::Gap { origin, first, count } => log::warn!(
                "{count} messages of {} from number {first} on are missing: no peer has them any more",
                name(*origin)
            ),
            Event::TooLarge { bytes } => {
                log::warn!("a message of {bytes} bytes is too large to be told to other servers");
            }
            Event::Mode { is_tree: true } => log::info!("the herd is large: messages go along trees"),
            Event::Mode { is_tree: false } => log::info!("the herd is small: messages go over all links"),
            Event::Superseded(_) => {}
        }
    }
}

impl Core {
    /// Whether a line about the herd may be said now: what others do may be done a thousand times a second.
    pub(super) fn may_tell(&mut self, sort: Complaint) -> bool {
        let left_out = self.complaints.admit(sort, self.moment.tick);
        if let Some(left_out @ 1..) = left_out {
            log::warn!("{left_out} lines about the herd were left out here");
        }
        left_out.is_some()
    }

    /// Messages of another node for those who subscribed here.
    fn hear(&mut self, batch: &Batch, heard: &mut Gathered) {
        if batch.bytes.len() < SHARED_MIN {
            heard.add(batch);
            return;
        }
        self.give_heard(heard);
        self.tell_changes();
        self.bus.hear(ELSEWHERE, batch);
    }

    /// Gives what was heard to those who subscribed here.
    fn give_heard(&mut self, heard: &mut Gathered) {
        if let Some(batch) = heard.take() {
            self.tell_changes();
            self.bus.hear(ELSEWHERE, &batch);
        }
    }

    /// A connection of a link has written something.
    pub(crate) fn link_sent(&mut self, key: Key, weight: usize) {
        if let Some(herd) = &mut self.herd
            && weight > 0
        {
            herd.step(self.moment.tick, Input::Sent { link: super::peer::link_of(key), weight });
        }
        if let Some(herd) = &mut self.herd
            && let Some(inside) = &herd.inside
            && let (Some(node), Some(keys)) = (inside.links.get(&key), &inside.keys)
        {
            herd.is_awake |=
                keys.replica.owes(*node) || keys.askers.iter().any(|node| keys.replica.owes(*node));
        }
    }
}

/// A link with a node.
fn inside_link(core: &Core, node: NodeId) -> Option<Key> {
    let inside = core.herd.as_ref()?.inside.as_ref()?;
    inside.links.iter().find(|(_, linked)| **linked == node).map(|(key, _)| *key)
}
