//! Signs of life over a link, and when their absence means something.
//!
//! Only who has a link with a node listens for it: its word goes to everybody by its facts. A link that is silent is first
//! suspect, then given up. How long that takes depends on others: when nodes that also have a link with the peer have lost
//! it, the wait shrinks with each of them, as the logarithm of Lifeguard (Dadgar, Phillips, Currey 2017) does; and it
//! grows when this node's own loop has come late, since then it may be this node that is unwell. That many links are silent
//! at once is no sign of that: an accusation goes over links that work, and who has none had better look for others.

use std::time::Duration;

use super::input::LinkId;
use super::machine::Spread;
use super::message::{LinkState, Message};
use super::order::{Disconnected, Order};
use super::timers::Timer;
use crate::NodeId;

/// Lateness of the loop from which a node counts itself as unwell.
const LATE: Duration = Duration::from_millis(100);
/// The worst a node thinks of its own health.
const AILMENT_MAX: u32 = 8;
/// Of the span between the longest and the shortest wait, how many hundredths are left with 0, 1, 2 and 3 or more others
/// who have lost the peer: 1 - log(n + 1) / log(4).
const LEFT: [u32; 4] = [100, 50, 21, 0];

impl Spread {
    /// Looks at a link that it is time to look at.
    pub(crate) fn pulse(&mut self, id: LinkId, orders: &mut Vec<Order>) {
        let Some(link) = self.links.get(&id) else { return };
        let silence = self.now.saturating_sub(link.heard);
        let stall = self.now.saturating_sub(link.moved);
        let (peer, is_waiting, state) = (link.peer, link.in_flight > 0, link.state);
        let patience = self.patience_with(peer);
        if silence >= patience {
            self.close(id, None, Disconnected::Silent, orders);
            return;
        }
        // A peer that reads nothing while it sends is as good as gone.
        if is_waiting && stall >= self.options.down_after * (1 + self.ailment) {
            self.close(id, None, Disconnected::Stalled, orders);
            return;
        }
        if state == LinkState::Up && silence >= self.options.suspect_after * (1 + self.ailment) {
            if let Some(link) = self.links.get_mut(&id) {
                link.state = LinkState::Suspect;
            }
            self.tie(peer, LinkState::Suspect);
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.pings += 1;
            let number = link.pings;
            // A ping that is still out keeps its time: the round trip is that of the one that is answered.
            if link.ping.is_none() || silence >= self.options.ping_every {
                link.ping = Some((number, self.now));
            }
            self.send(id, Message::Ping(number), orders);
        }
        self.timers.set(Timer::Pulse(id), self.now + self.options.ping_every);
    }

    /// How long a peer may be silent.
    fn patience_with(&self, peer: NodeId) -> Duration {
        let others = self.members.values().filter(|member| {
            let says = |(node, state): &(NodeId, LinkState)| *node == peer && *state != LinkState::Up;
            member.fact.node != self.me && member.fact.links.iter().any(says)
        });
        let confirmed = others.take(LEFT.len() - 1).count();
        let (least, most) =
            (self.options.down_after_least.min(self.options.down_after), self.options.down_after);
        (least + (most - least) * LEFT[confirmed] / 100) * (1 + self.ailment)
    }

    pub(crate) fn take_pong(&mut self, id: LinkId, number: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if let Some((_, at)) = link.ping.take_if(|(out, _)| *out == number) {
            link.measured(self.now.saturating_sub(at));
            self.ailment = self.ailment.saturating_sub(1);
        }
    }

    /// A suspect link gave a sign of life.
    pub(crate) fn recovered(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.state = LinkState::Up;
        let peer = link.peer;
        self.tie(peer, LinkState::Up);
    }

    /// The shell's loop came late: what it did not hear meanwhile was not silence.
    pub(crate) fn lagged(&mut self, late: Duration) {
        if late < LATE {
            return;
        }
        self.counters.lags += 1;
        self.ail();
        for link in self.links.values_mut() {
            link.heard = link.heard.saturating_add(late).min(self.now);
            link.moved = link.moved.saturating_add(late).min(self.now);
        }
    }

    /// This node thinks less of its own judgement.
    fn ail(&mut self) {
        self.ailment = (self.ailment + 1).min(AILMENT_MAX);
    }
}
