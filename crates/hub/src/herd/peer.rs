//! One connection with another server: a session, and what of it the machine knows.
//!
//! Who listens does not know yet whether a node speaks or somebody who wants to become one: the session tells. A node is a
//! link of the machine from then on until one of the two lets go; somebody who asks is answered once, and that is all.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf as _, BytesMut};
use remuda_herd::NodeId;
use remuda_herd::spread::{LinkId, Message};
use remuda_trust::Session;
use remuda_trust::session::SendError;

use crate::stream::Stream;
use crate::table::Key;

/// The connection as the machine numbers it: keys of connections are never used twice.
pub(crate) fn link_of(key: Key) -> LinkId {
    LinkId(key.number())
}

/// The number of a hub's last question to its peers; the machine's count from 1.
pub(super) const LAST_PING: u64 = u64::MAX;

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// It has not said who it is.
    Unknown,
    /// A node, which the machine has a link with.
    Node(NodeId),
    /// Somebody who asks a signer, and whether the question has come.
    Asker {
        /// Whether it is being answered.
        has_asked: bool,
    },
    /// To be closed when what waits is written.
    Leaving,
}

/// A connection with another server.
#[derive(Debug)]
pub(crate) struct PeerSession {
    pub(crate) session: Session,
    pub(crate) part: Part,
    /// Which of our own attempts it comes from.
    pub(crate) dial: Option<u64>,
    /// Why it ends, once that is known.
    pub(crate) trouble: Option<String>,
    /// Whether that is a removal, of either side.
    pub(super) is_removal: bool,
    /// Bytes of frames given to the session so far.
    queued: u64,
    /// Where each message ends among them, and what it weighs.
    unsent: VecDeque<(u64, usize)>,
    has_closed: bool,
    /// Whether the last question was asked and is not answered.
    pub(super) is_asked: bool,
}

impl PeerSession {
    pub(crate) fn new(session: Session, dial: Option<u64>) -> Self {
        Self {
            session,
            part: Part::Unknown,
            dial,
            trouble: None,
            is_removal: false,
            queued: 0,
            unsent: VecDeque::new(),
            has_closed: false,
            is_asked: false,
        }
    }

    /// Whether it is a link.
    pub(crate) fn is_link(&self) -> bool {
        matches!(self.part, Part::Node(_))
    }

    /// Queues a message of the machine.
    pub(crate) fn send(&mut self, message: &Message, scratch: &mut BytesMut) -> Result<(), SendError> {
        scratch.clear();
        let kind = remuda_wire::herd::encode(message, scratch);
        self.send_frame(kind, scratch)?;
        self.unsent.push_back((self.queued, message.weight()));
        Ok(())
    }

    /// Queues a frame.
    pub(crate) fn send_frame(&mut self, kind: u8, payload: &[u8]) -> Result<(), SendError> {
        let before = self.session.waiting();
        self.session.send(kind, payload)?;
        let more = self.session.waiting().saturating_sub(before);
        self.queued += u64::try_from(more).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Writes what waits, and says how many bytes went and whether that was all.
    pub(crate) fn write(&mut self, stream: &mut Stream) -> io::Result<(usize, bool)> {
        let mut written = self.session.write_to(stream)?;
        if self.part == Part::Leaving && self.session.waiting() == 0 && !self.has_closed {
            self.has_closed = true;
            self.session.close();
            written += self.session.write_to(stream)?;
        }
        Ok((written, !self.session.wants_write()))
    }

    /// What the messages weigh that have been written since this was asked last.
    pub(crate) fn take_sent(&mut self) -> usize {
        let waiting = u64::try_from(self.session.waiting()).unwrap_or(u64::MAX);
        let gone = self.queued.saturating_sub(waiting);
        let mut weight = 0;
        while let Some((_, each)) = self.unsent.pop_front_if(|(end, _)| *end <= gone) {
            weight += each;
        }
        weight
    }

    /// Whether all is said and written.
    pub(crate) fn is_over(&self) -> bool {
        self.has_closed && !self.session.wants_write()
    }

    /// Gives the session what came in, as far as it takes it now.
    pub(crate) fn feed(&mut self, input: &mut BytesMut) -> Result<bool, String> {
        let taken = self.session.feed(input).map_err(|error| {
            self.is_removal = error.is_removal();
            error.to_string()
        })?;
        input.advance(taken);
        Ok(taken > 0)
    }
}

/// What another node may be given beside the machine's messages.
pub(crate) mod kind {
    /// Removals that the sender knows of, as [`Removals::encode`](remuda_trust::Removals::encode) writes them.
    pub(crate) const REMOVALS: u8 = 64;
}
