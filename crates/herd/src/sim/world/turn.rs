//! One happening after the other.

use std::time::Duration;

use super::World;
use crate::sim::happening::What;
use crate::sim::record::{Heard, Record};
use crate::sim::wire::WireState;
use crate::spread::{Delivery, Disconnected, Input, LinkId, Message, Order, Up};

impl World {
    pub(super) fn happen(&mut self, what: What) {
        match what {
            What::Wake { node } => {
                let is_due = self.nodes[node].wake.is_some_and(|wake| wake <= self.now);
                if is_due {
                    self.nodes[node].wake = None;
                    self.tell(node, Input::Tick);
                }
            }
            What::Arrive { wire, generation, side, message } => {
                let Some((node, link)) = self.end(wire, generation, side) else { return };
                let is_update = matches!(message, Message::Update(_));
                *(if is_update { &mut self.record.updates } else { &mut self.record.others }) += 1;
                self.record.bytes += u64::try_from(message.weight()).unwrap_or(u64::MAX);
                self.tell(node, Input::Received { link, message });
            }
            What::Close { wire, generation, side } => {
                if self.end(wire, generation, side).is_some() {
                    self.hang_up(wire, side);
                }
            }
            What::Written { wire, generation, side, weight } => {
                if let Some((node, link)) = self.end(wire, generation, side) {
                    self.tell(node, Input::Sent { link, weight });
                }
            }
            What::Dial { wire } => self.dial(wire),
            What::Unreachable { node, target } => {
                let target = self.nodes[target].id;
                self.tell(node, Input::Unreachable(target));
            }
        }
    }

    /// The node and its link at one side of a wire, while this connection stands there.
    fn end(&self, wire: usize, generation: u64, side: usize) -> Option<(usize, LinkId)> {
        let wire = &self.wires[wire];
        let link = wire.ends[side].filter(|_| wire.generation == generation)?;
        Some((wire.nodes[side], link))
    }

    /// Does what a node's machine ordered; what was written at once is returned, to be told.
    pub(super) fn carry_out(&mut self, place: usize, orders: &mut Vec<Order>) -> Vec<(LinkId, usize)> {
        let mut written: Vec<(LinkId, usize)> = Vec::new();
        for order in orders.drain(..) {
            match order {
                Order::Send { link, message } => {
                    if let Some(weight) = self.send(link, message) {
                        match written.last_mut() {
                            Some(last) if last.0 == link => last.1 += weight,
                            _ => written.push((link, weight)),
                        }
                    }
                }
                Order::Deliver(delivery) => {
                    let Delivery { origin, epoch, hops, batch, .. } = delivery;
                    for (span, sequence) in batch.messages.iter().zip(delivery.sequence..) {
                        if !self.nodes[place].wanted.wants(batch.matched(span)) {
                            self.record.unwanted += 1;
                            continue;
                        }
                        let heard = Heard { epoch, sequence, hops, at: self.now };
                        self.record.heard[place].entry(origin).or_default().push(heard);
                    }
                }
                Order::Apply { .. } => self.record.changes[place] += 1,
                Order::Connect { node, .. } => self.connect(place, node),
                Order::Disconnect { link, reason } => {
                    self.record.malformed += u64::from(reason == Disconnected::Malformed);
                    self.disconnect(link);
                }
                Order::Tell(event) => {
                    if self.record.events.len() < Record::EVENTS_MAX {
                        self.record.events.push((self.now, place, event));
                    }
                }
            }
        }
        written
    }

    /// Puts a message on its wire; its weight when it has been written at once.
    fn send(&mut self, link: LinkId, message: Message) -> Option<usize> {
        let (wire, side) = *self.by_link.get(&link)?;
        let jitter = self.chance(self.weather.jitter);
        let (weight, rate) = (message.weight(), self.weather.bytes_per_second);
        let line = &mut self.wires[wire];
        let (generation, other) = (line.generation, 1 - side);
        let nanos = u64::try_from(weight).unwrap_or(u64::MAX).saturating_mul(1_000_000_000);
        let writing = nanos.checked_div(rate).map(Duration::from_nanos);
        let left = writing.map_or(self.now, |span| line.busy[side].max(self.now) + span);
        line.busy[side] = left;
        let at = (left + line.delay + jitter).max(line.last[other]);
        line.last[other] = at;
        let is_swallowed = line.is_dead || line.ends[other].is_none();
        if !is_swallowed {
            self.schedule(at, What::Arrive { wire, generation, side: other, message });
        }
        if writing.is_none() {
            return Some(weight);
        }
        self.schedule(left, What::Written { wire, generation, side, weight });
        None
    }

    /// One end closes its link; the other sees it after all that was sent before.
    fn disconnect(&mut self, link: LinkId) {
        let Some((wire, side)) = self.by_link.remove(&link) else { return };
        let line = &mut self.wires[wire];
        line.ends[side] = None;
        let (generation, other) = (line.generation, 1 - side);
        let at = (self.now + line.delay).max(line.last[other]);
        if line.is_down() || line.is_dead {
            self.dial_soon(wire);
        } else {
            self.schedule(at, What::Close { wire, generation, side: other });
        }
    }

    /// Takes the link from one side of a wire, and tells its node.
    pub(super) fn hang_up(&mut self, wire: usize, side: usize) {
        let Some(link) = self.wires[wire].ends[side].take() else { return };
        self.by_link.remove(&link);
        let node = self.wires[wire].nodes[side];
        self.tell(node, Input::Down { link });
        if self.wires[wire].is_down() {
            self.dial_soon(wire);
        }
    }

    /// Both ends lose the connection at once.
    pub(super) fn snap(&mut self, wire: usize) {
        self.wires[wire].generation += 1;
        self.hang_up(wire, 0);
        self.hang_up(wire, 1);
    }

    pub(super) fn dial_soon(&mut self, wire: usize) {
        if self.wires[wire].is_lasting && !self.wires[wire].is_dialling {
            self.wires[wire].is_dialling = true;
            let half = self.weather.redial / 2;
            let at = self.now + half + self.chance(half);
            self.schedule(at, What::Dial { wire });
        }
    }

    fn dial(&mut self, wire: usize) {
        self.wires[wire].is_dialling = false;
        let line = &self.wires[wire];
        let [one, other] = line.nodes;
        let is_live = |place: usize| self.nodes[place].machine.is_some();
        if line.state != WireState::Whole || !is_live(one) || !is_live(other) {
            return;
        }
        if line.ends != [None; 2] {
            // One side still believes in the connection before: a new one shows it better.
            if line.ends[0].is_some() && line.ends[1].is_some() {
                return;
            }
            self.snap(wire);
            return;
        }
        let line = &mut self.wires[wire];
        line.generation += 1;
        line.is_dead = false;
        line.last = [self.now + line.delay; 2];
        line.busy = [self.now; 2];
        for side in 0..2 {
            self.links += 1;
            let link = LinkId(self.links);
            self.wires[wire].ends[side] = Some(link);
            self.by_link.insert(link, (wire, side));
        }
        for side in 0..2 {
            let line = &self.wires[wire];
            let (node, peer) = (line.nodes[side], line.nodes[1 - side]);
            let Some(link) = line.ends[side] else { continue };
            let (peer, epoch) = (self.nodes[peer].id, self.nodes[peer].epoch);
            let up = Up { link, peer, epoch, version: 1, is_dialled: side == 0 };
            self.tell(node, Input::Up(up));
        }
    }

    /// A node wants a link that no operator named.
    fn connect(&mut self, place: usize, target: crate::NodeId) {
        let Some(target) = self.by_id.get(&target).copied() else { return };
        let wire = self.wire([place, target], false);
        if self.nodes[target].machine.is_none() {
            let at = self.now + Duration::from_millis(500);
            self.schedule(at, What::Unreachable { node: place, target });
        } else if self.wires[wire].is_down() && !self.wires[wire].is_dialling {
            self.wires[wire].is_dialling = true;
            // A TCP and a TLS handshake: two round trips.
            let at = self.now + self.wires[wire].delay * 4;
            self.schedule(at, What::Dial { wire });
        }
    }
}
