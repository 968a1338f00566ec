//! What all connections of a process share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use tokio::sync::Notify;

use super::buffers::Buffers;
use super::clock::Clock;
use super::patience::Patience;
use super::{Drain, Figures, Limits, Peer, RequestId};

/// Limits, figures, buffers, and the end.
#[derive(Debug)]
pub struct Server {
    pub(super) limits: Limits,
    pub(super) figures: Figures,
    pub(super) patience: Patience,
    pub(crate) buffers: Buffers,
    pub(super) clock: Clock,
    pub(super) drain: Drain,
    /// Connections of each address, where that is limited.
    by_address: RefCell<HashMap<IpAddr, u32>>,
    open: Cell<usize>,
    /// Rung when a connection ends.
    pub(super) freed: Notify,
    requests: Cell<u64>,
}

/// Makes numbers of requests that follow each other look unlike: no number of one worker is soon another's.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

impl Server {
    /// With `limits`, `routes` to count requests under (the first is for none), and a random `seed` that tells this
    /// process' requests from others'.
    #[must_use]
    pub fn new(limits: Limits, routes: Vec<String>, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            limits,
            figures: Figures::new(routes),
            patience: Patience::default(),
            buffers: Buffers::default(),
            clock: Clock::new(),
            drain: Drain::default(),
            by_address: RefCell::default(),
            open: Cell::new(0),
            freed: Notify::new(),
            requests: Cell::new(seed),
        })
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it has counted.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Whether it is about to end.
    #[must_use]
    pub fn drain(&self) -> &Drain {
        &self.drain
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.get()
    }

    /// A number for the next request.
    #[must_use]
    pub fn next_id(&self) -> RequestId {
        let next = self.requests.get().wrapping_add(STRIDE);
        self.requests.set(next);
        RequestId(next)
    }

    /// Takes a connection of `peer` in, if it may have one more.
    pub(super) fn admit(&self, peer: &Peer) -> bool {
        if let Some(key) = self.counted(peer) {
            let mut by_address = self.by_address.borrow_mut();
            let count = by_address.entry(key).or_insert(0);
            if *count >= self.limits.connections_per_address_max {
                return false;
            }
            *count += 1;
        }
        self.open.set(self.open.get() + 1);
        self.figures.opened();
        true
    }

    /// Takes a connection in that another process has accepted; limits were held there.
    pub(super) fn passed_on(&self, peer: &Peer) {
        if let Some(key) = self.counted(peer) {
            *self.by_address.borrow_mut().entry(key).or_insert(0) += 1;
        }
        self.open.set(self.open.get() + 1);
        self.figures.opened();
    }

    /// A connection of `peer` is gone.
    pub(super) fn closed(&self, peer: &Peer) {
        if let Some(key) = self.counted(peer) {
            let mut by_address = self.by_address.borrow_mut();
            if let Some(count) = by_address.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    by_address.remove(&key);
                }
            }
        }
        self.open.set(self.open.get() - 1);
        self.figures.closed();
        self.freed.notify_waiters();
    }

    /// What connections of `peer` are counted under, if they are: the address, or the network of 64 bits that one
    /// customer of IPv6 has.
    fn counted(&self, peer: &Peer) -> Option<IpAddr> {
        let address = peer.address?.ip().to_canonical();
        let limits = &self.limits;
        if limits.connections_per_address_max == 0
            || limits.uncounted.iter().any(|range| range.contains(address))
        {
            return None;
        }
        Some(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        })
    }
}
