//! Messages for everybody: by the hub's own bus, or by the engine that carries it.

use bytes::BytesMut;
use remuda_bus::{FilterKind, Origin};
use remuda_model::message::Batch;
use remuda_wire::zmtp::encode_message;

use super::Core;
use crate::engine::Held;
use crate::redis::session::{Session, Waiting};
use crate::table::Key;
use crate::zeromq::batch_of;

/// A message of a Redis client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    /// By `SPUBLISH`.
    pub(crate) is_shard: bool,
    pub(crate) topic: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl Core {
    /// Publishes for a Redis client; says how many heard it, on this hub at least.
    pub(crate) fn publish(&mut self, session: &mut Session, pair: Pair<'_>) -> Result<u64, String> {
        self.tell_changes();
        session.has_published = true;
        if self.engines.bus.is_some() {
            self.relay(session.origin, pair, None)?;
            self.give_pair(pair);
            return Ok(self.listeners(pair));
        }
        let published = if pair.is_shard {
            self.bus.publish_shard(session.origin, pair.topic, pair.payload)
        } else {
            self.bus.publish_one(session.origin, pair.topic, pair.payload)
        };
        if published.is_ok() && !pair.is_shard {
            self.spread_pair(session.origin, pair.topic, pair.payload);
        }
        published.map_err(|error| error.to_string())
    }

    /// Has the bus's engine publish for a Redis client, who waits for how many heard it. `None`: the bus is our own, or
    /// its engine does not count.
    pub(crate) fn publish_counted(
        &mut self,
        session: &mut Session,
        pair: Pair<'_>,
    ) -> Option<Result<(), String>> {
        self.engines.bus.as_ref().filter(|link| link.counts())?;
        self.tell_changes();
        session.has_published = true;
        let relayed = self.relay(session.origin, pair, Some(session.key));
        if relayed.is_ok() {
            self.give_pair(pair);
            session.waiting = Some(Waiting::Engine);
        }
        Some(relayed)
    }

    fn relay(&mut self, origin: Origin, pair: Pair<'_>, answer: Option<Key>) -> Result<(), String> {
        self.ask_engine();
        match &mut self.engines.bus {
            Some(link) => link.publish_pair(origin, pair, answer),
            None => Ok(()),
        }
    }

    /// Work stays on this hub, whatever carries the bus: each message is for one consumer.
    fn give_pair(&mut self, pair: Pair<'_>) {
        if !pair.is_shard && self.bus.keeps_work() {
            let mut frames = BytesMut::new();
            encode_message(&[pair.topic, pair.payload], &mut frames);
            self.bus.give_work(&batch_of(frames.freeze()));
        }
    }

    /// Clients of this hub that asked for exactly this topic.
    fn listeners(&self, pair: Pair<'_>) -> u64 {
        let kind = if pair.is_shard { FilterKind::Shard } else { FilterKind::Channel };
        self.bus.listeners(kind, pair.topic) as u64
    }

    /// Publishes what a former hub took, gave to those who do the work, and held for an engine that was away.
    pub(crate) fn publish_held(&mut self, held: Held) {
        let Held { origin, frames } = held;
        let batch = batch_of(frames);
        // Who listens here is told to the engine first.
        self.ask_engine();
        match &mut self.engines.bus {
            Some(link) => link.send(origin, &batch),
            None => drop(self.bus.hear(origin, &batch)),
        }
    }

    /// Publishes what a ZeroMQ peer sent; says how many heard it here.
    pub(crate) fn broadcast(&mut self, origin: Origin, batch: &Batch) -> u64 {
        if self.engines.bus.is_none() {
            self.spread_batch(batch);
            return self.bus.publish(origin, batch).receivers;
        }
        self.ask_engine();
        let given = self.bus.give_work(batch);
        if let Some(link) = &mut self.engines.bus {
            link.send(origin, batch);
        }
        given
    }
}
