//! The bus's engine: what members publish goes there, and is heard when it comes back.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use remuda_bus::{Bus, Filter, Origin};
use remuda_model::Tick;
use remuda_model::message::Batch;
use remuda_sys::event::{Poller, Readiness, Token};
use remuda_wire::resp;
use remuda_wire::zmtp::frames_of;

use super::bus_news::{Held, LinkFigures, News, Options, Outgoing, Waiter};
use super::envelope::{Packing, Parcel, Shape};
use super::interest::Interest;
use super::line::{Heard, Line};
use super::nats_bus::NatsBus;
use super::redis_bus::RedisBus;
use crate::core::broadcast::Pair;
use crate::table::Key;
use crate::zeromq::batch_of;
use remuda_model::hub::{EngineKind, EngineUrl};

/// Bytes read from the engine before connections have their turn.
const READ_PER_TURN: usize = 1 << 20;
/// What keeping a message costs beside its bytes: its place in the queue, and what the allocator adds to its memory. Of
/// small messages it is the most.
const HELD_BYTES: usize = size_of::<Held>() + 32;

#[derive(Debug)]
enum Tongue {
    Redis(RedisBus),
    Nats(Box<NatsBus>),
}

/// The connection to it, and what is known of it.
#[derive(Debug)]
pub(crate) struct BusLink {
    pub(crate) line: Line,
    tongue: Tongue,
    interest: Interest,
    waiters: VecDeque<(u64, Waiter)>,
    /// Messages of ZeroMQ peers, who hear no refusal: they wait while the engine is away.
    held: VecDeque<Held>,
    held_bytes: usize,
    bytes_max: usize,
    message_max: usize,
    every: Duration,
    /// How long publishers are held for a slow engine, before their messages are dropped.
    patience: Duration,
    /// Since when it takes less than is published; `None` while all is well.
    strained: Option<Tick>,
    packing: Packing,
    own_name: String,
    connections: u64,
    pub(crate) figures: LinkFigures,
}

impl BusLink {
    /// `bytes_max`: what may wait for the engine; `own_name`: names this hub among all of the engine's.
    pub(crate) fn new(address: EngineUrl, token: Token, options: Options, seed: u64) -> Self {
        let Options { bytes_max, message_max, every, patience, rings, own_name } = options;
        let mut interest = Interest::default();
        for prefix in rings {
            // What a ring keeps for those who come late is heard even when nobody listens.
            interest.change(&Filter::Prefix(prefix.into()), true, |_, _| {});
        }
        let tongue = match address.kind {
            EngineKind::Redis => Tongue::Redis(RedisBus::default()),
            // The config lets no other kind in; it would not greet as a NATS does.
            EngineKind::Nats | EngineKind::Postgres | EngineKind::Etcd => {
                Tongue::Nats(Box::new(NatsBus::new(own_name.clone(), message_max)))
            }
        };
        Self {
            line: Line::new(address, token, "bus", seed),
            tongue,
            interest,
            waiters: VecDeque::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            bytes_max,
            message_max,
            every,
            patience,
            strained: None,
            packing: Packing::default(),
            own_name,
            connections: 0,
            figures: LinkFigures::default(),
        }
    }

    /// Whether it says how many heard a message.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.tongue, Tongue::Redis(_))
    }

    /// Whether publishers have to wait: the engine takes less than they bring, and there is patience left for it.
    pub(crate) fn is_congested(&self, now: Tick) -> bool {
        self.strained.is_some_and(|since| now < since + self.patience)
    }

    /// Whether so much waits for it that further messages are dropped.
    pub(crate) fn is_overrun(&self) -> bool {
        self.line.is_up() && self.line.output.len() > self.bytes_max
    }

    /// Notes whether the engine keeps up. Patience with it is had once, until it has caught up.
    fn weigh(&mut self, now: Tick) {
        let waiting = self.line.output.len();
        if !self.line.is_up() || waiting <= self.bytes_max / 4 {
            self.strained = None;
        } else if waiting > self.bytes_max / 2 {
            self.strained.get_or_insert(now);
        }
    }

    /// Bytes that wait for the engine.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.line.output.len() + self.held_bytes
    }

    /// Members got or lost filters.
    pub(crate) fn ask(&mut self, changes: &[(Filter, bool)]) {
        let Self { line, tongue, interest, .. } = self;
        let (is_up, out) = (line.is_up(), &mut line.output);
        for (filter, is_added) in changes {
            interest.change(filter, *is_added, |ask, is_on| match tongue {
                _ if !is_up => {}
                Tongue::Redis(redis) => redis.ask(ask, is_on, out),
                Tongue::Nats(nats) => nats.ask(ask, is_on, out),
            });
        }
        if is_up && let Tongue::Nats(nats) = tongue {
            nats.end_asking(out);
        }
    }

    fn asked(&self) -> u64 {
        match &self.tongue {
            Tongue::Redis(redis) => redis.asked,
            Tongue::Nats(nats) => nats.asked(),
        }
    }

    fn confirmed(&self) -> u64 {
        match &self.tongue {
            Tongue::Redis(redis) => redis.confirmed,
            Tongue::Nats(nats) => nats.confirmed(),
        }
    }

    /// Whether all that was asked for is in force; also while there is nobody to ask.
    pub(crate) fn is_settled(&self) -> bool {
        !self.line.is_up() || self.confirmed() >= self.asked()
    }

    /// Has `waiter` wait until all that was asked for so far is in force.
    pub(crate) fn wait(&mut self, waiter: Waiter) {
        self.waiters.push_back((self.asked(), waiter));
    }

    /// The next who waited long enough.
    pub(crate) fn next_waiter(&mut self) -> Option<Waiter> {
        let (is_up, confirmed) = (self.line.is_up(), self.confirmed());
        let (_, waiter) = self.waiters.pop_front_if(|(serial, _)| !is_up || *serial <= confirmed)?;
        Some(waiter)
    }

    /// The next who waits, whatever is in force.
    pub(crate) fn pop_waiter(&mut self) -> Option<Waiter> {
        self.waiters.pop_front().map(|(_, waiter)| waiter)
    }

    /// Publishes one message of topic and payload. An error says why nobody will hear it.
    pub(crate) fn publish(&mut self, message: &Outgoing<'_>) -> Result<(), String> {
        if !self.line.is_up() {
            return Err(self.line.refusal());
        }
        let bytes = message.parcel.topic.len() + message.parcel.payload.len();
        if bytes > self.message_max {
            return Err(format!("{bytes} bytes are more than a message may have ({})", self.message_max));
        }
        if self.is_overrun() {
            return Err(format!(
                "the bus's engine at {} takes less than is published; try again",
                self.line.address
            ));
        }
        match &mut self.tongue {
            Tongue::Redis(redis) => redis.publish(message, &mut self.line.output),
            Tongue::Nats(nats) => nats.publish(message, &mut self.line.output)?,
        }
        self.figures.sent += 1;
        Ok(())
    }

    /// Publishes a message of topic and payload for somebody who hears why not.
    pub(crate) fn publish_pair(
        &mut self,
        origin: Origin,
        pair: Pair<'_>,
        answer: Option<Key>,
    ) -> Result<(), String> {
        let parcel = Parcel { topic: pair.topic, payload: pair.payload, shape: Shape::Pair };
        self.publish(&Outgoing { origin, is_shard: pair.is_shard, parcel, answer })
    }

    /// Publishes what somebody sent who hears no refusal: it waits, or is dropped and counted.
    pub(crate) fn send(&mut self, origin: Origin, batch: &Batch) {
        for span in &batch.messages {
            if !self.line.is_up() {
                self.hold(origin, batch.frames(span));
                continue;
            }
            let mut packing = std::mem::take(&mut self.packing);
            let parcel = packing.pack(frames_of(batch, span));
            let sent = self.publish(&Outgoing { origin, is_shard: false, parcel, answer: None });
            self.packing = packing;
            self.figures.dropped += u64::from(sent.is_err());
        }
    }

    fn hold(&mut self, origin: Origin, frames: Bytes) {
        let bytes = frames.len() + HELD_BYTES;
        if self.held_bytes + bytes > self.bytes_max {
            self.figures.dropped += 1;
            return;
        }
        self.held_bytes += bytes;
        // A slice of a connection's buffer would keep all of that.
        self.held.push_back(Held { origin, frames: Bytes::copy_from_slice(&frames) });
    }

    /// What waits for an engine that is away, for a successor.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Held> {
        self.held.iter()
    }

    /// News of its socket: whether there is something to be [read](Self::read).
    pub(crate) fn hear(&mut self, news: Readiness, now: Tick, scratch: &mut [u8]) -> Result<bool, String> {
        match self.line.hear(news, now, scratch, READ_PER_TURN)? {
            Heard::Nothing => Ok(false),
            Heard::Something => Ok(true),
            Heard::Connected => {
                self.connections += 1;
                match &mut self.tongue {
                    Tongue::Redis(redis) => {
                        *redis = RedisBus::default();
                        redis.greet(&self.line.address, &mut self.line.output);
                    }
                    Tongue::Nats(nats) => {
                        let own_name = format!("{}-{}", self.own_name, self.connections);
                        **nats = NatsBus::new(own_name, self.message_max);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Reads on, and delivers messages to `bus`, up to something that others have to know.
    pub(crate) fn read(&mut self, bus: &mut Bus) -> Result<Option<News>, String> {
        let Line { input, output, address, .. } = &mut self.line;
        match &mut self.tongue {
            Tongue::Redis(redis) => {
                let bulk_max = self.message_max.saturating_add(1 << 20);
                let limits = resp::Limits {
                    bulk_max,
                    query_max: bulk_max.saturating_mul(2),
                    ..resp::Limits::default()
                };
                redis.read(input, bus, &limits)
            }
            Tongue::Nats(nats) => nats.read(input, output, bus, address),
        }
    }

    /// The engine took our greeting: it is asked for everything, and gets what waited.
    pub(crate) fn greeted(&mut self, now: Tick) {
        self.line.greeted(now);
        let out = &mut self.line.output;
        for ask in self.interest.all() {
            match &mut self.tongue {
                Tongue::Redis(redis) => redis.ask(ask, true, out),
                Tongue::Nats(nats) => nats.ask(ask, true, out),
            }
        }
        if let Tongue::Nats(nats) = &mut self.tongue {
            nats.end_asking(out);
        }
        self.held_bytes = 0;
        for Held { origin, frames } in std::mem::take(&mut self.held) {
            let batch = batch_of(frames);
            self.send(origin, &batch);
        }
    }

    /// The engine is lost. Names those who wait for answers that will not come.
    pub(crate) fn fail(&mut self, why: &str, now: Tick) -> Vec<Key> {
        let (unsure, waiting) = match &self.tongue {
            Tongue::Redis(redis) => redis.unsure(),
            Tongue::Nats(_) => (0, Vec::new()),
        };
        self.figures.unsure += unsure;
        if let Tongue::Redis(redis) = &mut self.tongue {
            *redis = RedisBus::default();
        }
        self.line.fail(why, now);
        waiting
    }

    /// Asks for a sign of life when there was none for long; an error when there is none even so.
    pub(crate) fn check(&mut self, now: Tick) -> Result<(), String> {
        self.weigh(now);
        if self.line.asks(now, self.every)? {
            match &mut self.tongue {
                Tongue::Redis(redis) => redis.ping(&mut self.line.output),
                Tongue::Nats(nats) => nats.ping(&mut self.line.output),
            }
        }
        Ok(())
    }

    /// When [`Self::check`] or the line has something to do, or publishers are held no longer.
    pub(crate) fn due(&self, now: Tick) -> Option<Tick> {
        let line = self.line.due(self.every);
        let held = self.strained.map(|since| since + self.patience).filter(|until| *until > now);
        line.into_iter().chain(held).min()
    }

    /// Has the engine answer behind everything that it was given, where that is not its way.
    pub(crate) fn ask_for_an_echo(&mut self) {
        if self.line.is_up()
            && let Tongue::Nats(nats) = &mut self.tongue
        {
            nats.ping(&mut self.line.output);
        }
    }

    /// Whether answers are still to come, or something is to be written.
    pub(crate) fn is_busy(&self) -> bool {
        let outstanding = match &self.tongue {
            Tongue::Redis(redis) => redis.outstanding(),
            Tongue::Nats(_) => 0,
        };
        self.line.is_up() && (outstanding > 0 || !self.line.output.is_empty() || !self.is_settled())
    }

    /// Another hub takes over: what the engine has not taken yet is lost. Says how many bytes that are, and of how many
    /// messages it is not known whether the engine has them; a NATS does not answer each, and they are not counted there.
    pub(crate) fn leaves_unsent(&mut self) -> Option<(usize, u64)> {
        let bytes = self.line.output.len();
        let unsure = match &self.tongue {
            Tongue::Redis(redis) => redis.unsure().0,
            Tongue::Nats(_) => 0,
        };
        if !self.line.is_up() || (bytes == 0 && unsure == 0) {
            return None;
        }
        self.figures.unsure += unsure;
        Some((bytes, unsure))
    }

    pub(crate) fn flush(&mut self, poller: &Poller) -> Result<(), String> {
        self.line.flush(poller)
    }
}
