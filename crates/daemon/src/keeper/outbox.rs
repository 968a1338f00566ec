//! Orders on their way to the keeper, and those that have to wait.
//!
//! So many may be under way that the kernel always has room for them and for their receipts; the others wait here, with
//! duplicates of their descriptors. A receipt is therefore the one thing that lets waiting orders go.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use remuda_sys::socket::{Link, LinkError, Sent};

use super::policy::Policy;
use super::protocol::{BATCH, Numbered, Order, encode};

/// Most orders that wait.
pub(super) const WAITING_LIMIT: usize = 8192;
/// Most messages under way: so many receipts fit the smallest socket buffer.
const MESSAGES_UNDER_WAY: usize = 32;
/// From so many descriptors under way on, no more are sent. A user without privileges may have no more of them in all
/// sockets than one process may open.
const DESCRIPTORS_UNDER_WAY: usize = 512;

/// An order for one thing.
#[derive(Debug)]
pub(super) enum Waiting {
    Keep(String, OwnedFd),
    Forget(String),
    Policy(Policy),
}

/// A message without receipt.
#[derive(Debug)]
struct UnderWay {
    number: u64,
    descriptors: usize,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
    under_way: VecDeque<UnderWay>,
    last: u64,
}

/// What came of sending.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// As far as it may go for now.
    Fine,
    /// Nothing is under way, and still nothing can be sent.
    Stuck,
}

impl Outbox {
    /// Adds orders; the caller minds [`WAITING_LIMIT`].
    pub(super) fn add(&mut self, orders: Vec<Waiting>) {
        self.waiting.extend(orders);
    }

    /// How many orders wait for receipts of earlier ones.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether everything has been carried out.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// A receipt came: of order `number` and of all before it.
    pub(super) fn settle(&mut self, number: u64) {
        while self.under_way.front().is_some_and(|message| message.number <= number) {
            self.under_way.pop_front();
        }
    }

    /// Sends what may be sent; never waits.
    pub(super) fn send(&mut self, link: &Link) -> Result<Progress, LinkError> {
        while !self.waiting.is_empty() && self.may_send() {
            let (order, descriptors) = self.next_message();
            let (orders, count) = match &order {
                Order::Keep(names) => (names.len(), descriptors.len()),
                Order::Forget(names) => (names.len(), 0),
                Order::Policy(_) | Order::Farewell => (1, 0),
            };
            let bytes = encode(Numbered { number: self.last + 1, order });
            match link.send_now(&bytes, &descriptors)? {
                Sent::Passed => {}
                Sent::WouldBlock if self.under_way.is_empty() => return Ok(Progress::Stuck),
                Sent::WouldBlock => break,
            }
            self.last += 1;
            self.under_way.push_back(UnderWay { number: self.last, descriptors: count });
            self.waiting.drain(..orders);
        }
        Ok(Progress::Fine)
    }

    fn may_send(&self) -> bool {
        let descriptors: usize = self.under_way.iter().map(|message| message.descriptors).sum();
        self.under_way.len() < MESSAGES_UNDER_WAY && descriptors < DESCRIPTORS_UNDER_WAY
    }

    /// As many of the first orders as are alike and fit one message.
    fn next_message(&self) -> (Order, Vec<BorrowedFd<'_>>) {
        let first = self.waiting.iter().take(BATCH);
        match self.waiting.front() {
            Some(Waiting::Policy(policy)) => (Order::Policy(policy.clone()), Vec::new()),
            Some(Waiting::Forget(_)) | None => {
                let names = first.map_while(|order| match order {
                    Waiting::Forget(name) => Some(name.clone()),
                    _ => None,
                });
                (Order::Forget(names.collect()), Vec::new())
            }
            Some(Waiting::Keep(..)) => {
                let (names, descriptors) = first
                    .map_while(|order| match order {
                        Waiting::Keep(name, fd) => Some((name.clone(), fd.as_fd())),
                        _ => None,
                    })
                    .unzip();
                (Order::Keep(names), descriptors)
            }
        }
    }
}
