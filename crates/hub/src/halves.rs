//! Messages of ZeroMQ peers that are there by half: what one of them may hold is bounded by the longest message, and what
//! all of them hold together is bounded here.
//!
//! Not to read on would help nobody: what was begun would never be whole. So the peer with the longest half is cut off.
//! It is the one who begins large messages and does not end them, if anybody does that on purpose.

use crate::connection::Protocol;
use crate::hub::Hub;

/// All halves together have at least this much room, and at least that of [`LONGEST`] messages of the longest sort: four
/// of the default's, or the tails of two thousand reads.
const ROOM_BYTES: usize = 256 << 20;
/// As many of the longest messages may be on their way at once.
const LONGEST: usize = 4;

/// How much they are.
#[derive(Debug)]
pub(crate) struct Halves {
    bytes: usize,
    bytes_max: usize,
    /// Peers that were cut off.
    pub(crate) cut: u64,
}

impl Halves {
    /// None yet; the longest message has `message_max` bytes.
    pub(crate) fn new(message_max: u64) -> Self {
        let longest = usize::try_from(message_max).unwrap_or(usize::MAX).saturating_mul(LONGEST);
        Self { bytes: 0, bytes_max: longest.max(ROOM_BYTES), cut: 0 }
    }

    /// The half of one peer has changed.
    pub(crate) fn change(&mut self, before: usize, now: usize) {
        self.bytes = self.bytes - before + now;
    }

    /// Of all peers.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_full(&self) -> bool {
        self.bytes > self.bytes_max
    }
}

impl Hub {
    /// Cuts off who has the longest half, if all together are too much.
    pub(crate) fn cut_longest_half(&mut self) {
        if !self.core.halves.is_full() {
            return;
        }
        let peers = self
            .connections
            .iter()
            .filter(|(_, connection)| matches!(connection.protocol, Protocol::ZeroMq(_)));
        let Some((key, connection)) = peers.max_by_key(|(_, connection)| connection.half) else { return };
        let (remote, half) = (connection.remote.clone(), connection.half);
        let text = format!(
            "cut off in the middle of a message, {half} bytes of which are there: those of all peers together are more than {} bytes",
            self.core.halves.bytes_max
        );
        self.core.say_of(&remote, &text);
        self.core.halves.cut += 1;
        self.end(key);
    }
}

#[cfg(test)]
mod tests;
