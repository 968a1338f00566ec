//! A wire between two nodes, and the connection on it.

use std::time::Duration;

use crate::spread::LinkId;

/// How a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireState {
    /// It carries.
    Whole,
    /// It does not, and both ends know at once.
    Cut,
    /// It does not, and nobody is told.
    Silent,
}

#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) nodes: [usize; 2],
    pub(crate) delay: Duration,
    pub(crate) state: WireState,
    /// Counts the connections made on it: what belongs to an earlier one does not arrive.
    pub(crate) generation: u64,
    /// The link each end has, while it has one.
    pub(crate) ends: [Option<LinkId>; 2],
    /// When the last that was sent to each side arrives, or has: nothing overtakes it.
    pub(crate) last: [Duration; 2],
    /// Until when each side is busy writing.
    pub(crate) busy: [Duration; 2],
    /// Whether it is tried again when its connection is gone.
    pub(crate) is_lasting: bool,
    pub(crate) is_dialling: bool,
    /// Whether its connection carries nothing any more, though its ends may believe in it.
    pub(crate) is_dead: bool,
}

impl Wire {
    pub(crate) fn new(nodes: [usize; 2], delay: Duration, is_lasting: bool) -> Self {
        Self {
            nodes,
            delay,
            state: WireState::Whole,
            generation: 0,
            ends: [None; 2],
            last: [Duration::ZERO; 2],
            busy: [Duration::ZERO; 2],
            is_lasting,
            is_dialling: false,
            is_dead: false,
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.ends == [None; 2]
    }
}
