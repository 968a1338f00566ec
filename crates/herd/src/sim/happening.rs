//! What is going to happen, and when.

use std::cmp::Ordering;
use std::time::Duration;

use crate::spread::Message;

/// Something that is going to happen.
#[derive(Debug)]
pub(crate) struct Happening {
    pub(crate) at: Duration,
    /// Of what happens at the same time, what was decided first comes first.
    pub(crate) ticket: u64,
    pub(crate) what: What,
}

/// What happens.
#[derive(Debug)]
pub(crate) enum What {
    /// A node's machine asked to be woken.
    Wake { node: usize },
    /// A message comes to one side of a wire.
    Arrive { wire: usize, generation: u64, side: usize, message: Message },
    /// One side of a wire sees that the other has closed it.
    Close { wire: usize, generation: u64, side: usize },
    /// What one side wrote has left it.
    Written { wire: usize, generation: u64, side: usize, weight: usize },
    /// The ends of a wire try to make a connection.
    Dial { wire: usize },
    /// An attempt of `node` to reach a node that is not there is given up.
    Unreachable { node: usize, target: usize },
}

impl PartialEq for Happening {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Happening {}

impl PartialOrd for Happening {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Happening {
    /// The soonest is the greatest, as a heap has the greatest on top.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.ticket).cmp(&(self.at, self.ticket))
    }
}
