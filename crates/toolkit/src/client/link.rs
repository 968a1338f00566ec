//! How a hub is reached: the way to every conversation with it, without a connection of its own.

use std::time::Duration;

use super::connection::Connection;
use super::{Address, Caller, ClientError, Server, Store, Subscription, Watch};
use crate::Environment;

/// How long anything may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect over TCP; default 3 s. (To a Unix socket one connects at once or not at all, unless its queue is full.)
    pub connect: Duration,
    /// For a reply, and for a write; default 6 s: a script may take the hub 5 s unless configured otherwise.
    pub reply: Duration,
    /// A connection that only listens and hears nothing for so long asks whether the hub is still there; default 15 s.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(3), reply: seconds(6), idle: seconds(15) }
    }
}

/// A hub somewhere. Cheap to clone; connections are made when something is asked.
#[derive(Debug, Clone)]
pub struct Hub {
    address: Address,
    timeouts: Timeouts,
}

impl Hub {
    /// The hub at `address`, with the default timeouts.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address, timeouts: Timeouts::default() }
    }

    /// The hub of the Remuda that started this worker (`REDIS_URL`).
    ///
    /// # Errors
    /// [`ClientError::NoHub`], [`ClientError::Address`].
    pub fn from_environment(environment: &Environment) -> Result<Self, ClientError> {
        let url = environment.redis_url.as_deref().ok_or(ClientError::NoHub)?;
        Ok(Self::new(Address::parse(url)?))
    }

    /// With other timeouts.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its keys and values; also publishes.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new(self.clone())
    }

    /// Messages whose topics begin with one of `prefixes`; an empty one stands for all.
    #[must_use]
    pub fn subscribe<'a>(&self, prefixes: impl IntoIterator<Item = &'a [u8]>) -> Subscription {
        Subscription::new(self.clone(), prefixes)
    }

    /// Every change of keys that begin with `prefix`.
    #[must_use]
    pub fn watch(&self, prefix: &[u8]) -> Watch {
        Watch::new(self.clone(), prefix)
    }

    /// Calls services of other workers.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller::new(self.clone())
    }

    /// Answers calls of `service`, up to `capacity` at a time (at least 1).
    #[must_use]
    pub fn serve(&self, service: &[u8], capacity: usize) -> Server {
        Server::new(self.clone(), service, capacity)
    }

    pub(super) fn limits(&self) -> Timeouts {
        self.timeouts
    }

    pub(super) fn connect(&self) -> Result<Connection, ClientError> {
        Connection::open(&self.address, self.timeouts)
    }
}
