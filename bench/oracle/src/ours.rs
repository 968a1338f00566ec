//! The herd's machine as a node of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_herd::sim::messages_of;
use remuda_herd::spread::{Input, LinkId, Message, Mode, Order, Spread, SpreadOptions, Up};
use remuda_herd::{Epoch, NodeId};

use crate::node::{Deed, Node, Place, Told};

/// The one life of each node.
const EPOCH: Epoch = Epoch(1);
/// What messages are about.
const TOPIC: &[u8] = b"trial";

/// A node, in mode `tree`.
#[derive(Debug)]
pub struct Ours {
    machine: Spread,
    me: Place,
    links: BTreeMap<Place, LinkId>,
    peers: BTreeMap<LinkId, Place>,
    made: u64,
    orders: Vec<Order>,
}

impl Ours {
    fn input(&mut self, now: Duration, input: Input, from: Option<Place>, deeds: &mut Vec<Deed<Message>>) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.machine.step(now, input, &mut self.orders);
            for order in std::mem::take(&mut self.orders) {
                match order {
                    Order::Send { link, message } => {
                        let Some(peer) = self.peers.get(&link) else { continue };
                        // The world's links take all there is.
                        inputs.push(Input::Sent { link, weight: message.weight() });
                        deeds.push(Deed::Send(*peer, message));
                    }
                    Order::Deliver(delivery) => {
                        let number = delivery.batch.bytes.last_chunk().copied();
                        if let (Some(number), Some(from)) = (number.map(u64::from_be_bytes), from) {
                            deeds.push(Deed::Deliver { number, from });
                        }
                    }
                    Order::Connect { node, .. } => deeds.push(Deed::Link(place(node))),
                    Order::Disconnect { link, .. } => {
                        if let Some(peer) = self.drop_link(link) {
                            deeds.push(Deed::Part(peer));
                        }
                    }
                    Order::Apply { .. } | Order::Tell(_) => {}
                }
            }
        }
    }

    fn drop_link(&mut self, link: LinkId) -> Option<Place> {
        let peer = self.peers.remove(&link)?;
        self.links.remove(&peer);
        Some(peer)
    }
}

impl Node for Ours {
    type Message = Message;

    const LINKS_BY_SENDING: bool = false;

    fn new(me: Place, seed: u64, has_links: bool) -> Self {
        // As `herd::sim` has it for herds in which nobody knows all the others.
        let options = SpreadOptions {
            mode: Mode::Tree,
            is_discovering: !has_links,
            members_max: 0,
            ping_every: Duration::from_secs(2),
            suspect_after: Duration::from_secs(5),
            ..SpreadOptions::default()
        };
        let machine = Spread::new(id(me), EPOCH, options, seed);
        Self { machine, me, links: BTreeMap::new(), peers: BTreeMap::new(), made: 0, orders: Vec::new() }
    }

    fn step(&mut self, now: Duration, told: Told<Message>, deeds: &mut Vec<Deed<Message>>) {
        let (input, from) = match told {
            Told::Linked { peer, is_ours } => {
                self.made += 1;
                let link = LinkId(self.made);
                self.links.insert(peer, link);
                self.peers.insert(link, peer);
                let up = Up { link, peer: id(peer), epoch: EPOCH, version: 1, is_dialled: is_ours };
                (Input::Up(up), None)
            }
            Told::Parted(peer) => {
                let Some(link) = self.links.get(&peer).copied() else { return };
                self.drop_link(link);
                (Input::Down { link }, None)
            }
            Told::Unreachable(peer) => (Input::Unreachable(id(peer)), None),
            Told::Heard(peer, message) => {
                let Some(link) = self.links.get(&peer).copied() else { return };
                (Input::Received { link, message }, Some(peer))
            }
            Told::Introduced(peer) => (Input::Introduce { node: id(peer), addresses: Vec::new() }, None),
            Told::Say(number) => {
                (Input::Publish(messages_of(&[(TOPIC, &number.to_be_bytes())])), Some(self.me))
            }
            Told::Woken => (Input::Tick, None),
        };
        self.input(now, input, from, deeds);
    }

    fn deadline(&self) -> Option<Duration> {
        self.machine.deadline()
    }

    fn is_payload(message: &Message) -> bool {
        matches!(message, Message::Update(_))
    }

    fn peers(&self) -> Vec<Place> {
        self.links.keys().copied().collect()
    }
}

/// Numbers are spread, as groups of trees are chosen by them.
fn id(place: Place) -> NodeId {
    let number = u64::try_from(place).unwrap_or(u64::MAX) + 1;
    NodeId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The inverse: the multiplier is odd.
fn place(id: NodeId) -> Place {
    let number = id.0.wrapping_mul(0xf1de_83e1_9937_733d);
    usize::try_from(number - 1).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
