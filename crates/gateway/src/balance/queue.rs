//! Who waits for a member to be free: first come, first served.

use std::collections::BTreeMap;

use super::Moment;

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Tickets in the order they were given out, each with the moment until which it waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<Ticket, Moment>,
    given: u64,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A place at the end.
    pub(super) fn join(&mut self, until: Moment) -> Ticket {
        self.given += 1;
        let ticket = Ticket(self.given);
        self.waiting.insert(ticket, until);
        ticket
    }

    /// Whose turn it is.
    pub(super) fn next(&mut self) -> Option<Ticket> {
        self.waiting.pop_first().map(|(ticket, _)| ticket)
    }

    /// Leaves the queue; `false`: it was its turn already.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        self.waiting.remove(&ticket).is_some()
    }

    /// When the first has waited too long: all wait equally long, so it is the first in order.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.waiting.first_key_value().map(|(_, until)| *until)
    }

    /// Takes out one that has waited too long.
    pub(super) fn expire(&mut self, now: Moment) -> Option<Ticket> {
        self.deadline().filter(|until| *until <= now)?;
        self.next()
    }
}
