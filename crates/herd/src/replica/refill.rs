//! Comparisons that do not wait for their turn.
//!
//! Two things leave servers unequal that news alone do not mend: a key that had ended here and was given more time elsewhere
//! (its elements are known here, so nobody tells them again), and whatever went wrong before a link came up. Both are
//! looked for a second later, at all peers, as comparing what is equal costs two short messages. What several servers lack
//! comes a hop with each comparison, so they are repeated, at growing distances.

use crate::NodeId;
use crate::replica::Replica;
use crate::replica::clock::Now;
use crate::replica::order::Order;

/// Time until a comparison that does not wait for its turn.
pub(crate) const REFILL_MS: u64 = 1_000;

impl Replica {
    /// Has all peers be compared with soon: for what had ended here and has not after all, and for whatever the news of a
    /// link that came up have left unequal. And again after `pause_ms`, after twice that, and so on, as long as that is
    /// sooner than it would be done anyway.
    pub(super) fn plan_refill(&mut self, now: Now, pause_ms: u64) {
        let (due, pause) = self.refill.unwrap_or((u64::MAX, u64::MAX));
        self.refill = Some((due.min(now.tick_ms.saturating_add(REFILL_MS)), pause.min(pause_ms)));
    }

    pub(super) fn refill(&mut self, now: Now, orders: &mut Vec<Order>) {
        let Some((_, pause)) = self.refill.take_if(|&mut (due, _)| due <= now.tick_ms) else { return };
        for peer in self.free_peers() {
            self.begin_pull(now, peer, true, false, orders);
        }
        if pause < self.options.compare_ms {
            self.refill = Some((now.tick_ms.saturating_add(pause), pause.saturating_mul(2)));
        }
    }

    /// Peers that can be asked.
    pub(super) fn free_peers(&self) -> Vec<NodeId> {
        let free = self.peers.iter().filter(|(_, peer)| peer.is_up && peer.pull.is_none());
        free.map(|(&id, _)| id).collect()
    }
}
