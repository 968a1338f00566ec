//! "I am here", said on the bus.
//!
//! A daemon publishes a [`Heartbeat`] every few seconds; whoever subscribes feeds a [`Grace`](crate::Grace) with them and
//! learns who vanished and who came back. [`Heartbeats`] is the sending side: a body for
//! [`Daemon::resilient_loop`](crate::Daemon::resilient_loop) that asks nothing of the bus but a function that publishes.

use std::error::Error;
use std::time::Duration;

use remuda_sys::clock::realtime;
use serde::{Deserialize, Serialize};

use crate::Quit;
use crate::environment::Seat;

#[cfg(test)]
mod tests;

/// Longest heartbeat that is read, in bytes; ours have about a hundred.
pub const HEARTBEAT_LIMIT_BYTES: usize = 4096;
/// Pause between two heartbeats unless told otherwise.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// One sign of life; travels as a JSON object. Unknown fields are ignored, so that others may say more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Name of the service.
    pub service: String,
    /// Slot, counted from 0.
    pub slot: u32,
    /// The process. Two pids in one seat are an old and a new worker.
    pub pid: u32,
    /// When it was sent, by the sender's clock, in milliseconds since 1970-01-01 UTC. To be shown, not compared: clocks
    /// differ.
    pub at: u64,
}

/// The bytes are no heartbeat.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// Longer than [`HEARTBEAT_LIMIT_BYTES`].
    #[error("a heartbeat of {0} bytes is longer than {HEARTBEAT_LIMIT_BYTES}")]
    Long(usize),
    /// Not the JSON of one.
    #[error("read a heartbeat: {0}")]
    Json(#[from] serde_json::Error),
}

impl Heartbeat {
    /// The heartbeat as it is published.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers are always JSON")
    }

    /// A published heartbeat.
    ///
    /// # Errors
    /// The bytes are too many, or no JSON object with these fields.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeartbeatError> {
        if bytes.len() > HEARTBEAT_LIMIT_BYTES {
            return Err(HeartbeatError::Long(bytes.len()));
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Sends heartbeats of this process.
#[derive(Debug, Clone)]
pub struct Heartbeats {
    topic: String,
    interval: Duration,
    service: String,
    slot: u32,
}

impl Heartbeats {
    /// Heartbeats of the worker in `seat`, on the topic `heartbeat.<service>.<slot>`, every [`INTERVAL`].
    #[must_use]
    pub fn new(seat: &Seat) -> Self {
        let (service, slot) = (seat.service.clone(), seat.slot);
        Self { topic: format!("heartbeat.{service}.{slot}"), interval: INTERVAL, service, slot }
    }

    /// Publishes on another topic.
    #[must_use]
    pub fn topic(mut self, topic: &str) -> Self {
        self.topic = topic.into();
        self
    }

    /// Another pause between two heartbeats.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The pause between two heartbeats, for the loop that sends them.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.interval
    }

    /// A heartbeat of this moment.
    #[must_use]
    pub fn beat(&self) -> Heartbeat {
        Heartbeat {
            service: self.service.clone(),
            slot: self.slot,
            pid: std::process::id(),
            at: u64::try_from(realtime().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The body of a resilient loop: one heartbeat per round, given to `publish` as topic and payload. What `publish`
    /// cannot send is the loop's error, and the next heartbeat comes after its backoff.
    pub fn sender<E>(
        self,
        mut publish: impl FnMut(&str, &[u8]) -> Result<(), E> + Send + 'static,
    ) -> impl FnMut(&Quit) -> Result<(), E> + Send + 'static
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        move |_| publish(&self.topic, &self.beat().encode())
    }
}
