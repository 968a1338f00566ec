//! What bounds the hub's connections, made of what the config asks.

use std::time::Duration;

use bytes::Bytes;
use remuda_bus::{BusOptions, Overflow, QueueLimits, RingSpec};
use remuda_model::hub::{Fsync, FullPolicy, HubSpec, SlowPolicy};
use remuda_store::{Eviction, StoreOptions};
use remuda_wire::{resp, zmtp};

use crate::core::Core;
use crate::{journal, script};

/// A peer has so long to say what it is, a client to say who it is. As long as libzmq's own limit (`ZMQ_HANDSHAKE_IVL`
/// is 30 s) lets it, and short enough that idle sockets do not fill the table.
pub(crate) const GREETING_WITHIN: Duration = Duration::from_secs(10);
/// What a slow Redis subscriber may be behind, as in Redis' `client-output-buffer-limit pubsub 32mb`.
const REDIS_QUEUE_BYTES: usize = 32 << 20;

/// How much waits for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queues {
    pub(crate) zeromq: QueueLimits,
    pub(crate) redis: QueueLimits,
}

impl Core {
    /// Queues as the config wants them.
    pub(crate) fn limits(&self) -> Queues {
        let bus = &self.settings.spec.bus;
        let overflow = match bus.slow {
            SlowPolicy::DropOldest => Overflow::DropOldest,
            SlowPolicy::DropNewest => Overflow::DropNewest,
            SlowPolicy::Disconnect => Overflow::Disconnect,
        };
        let bytes_max = usize::try_from(bus.queue).unwrap_or(usize::MAX);
        Queues {
            zeromq: QueueLimits { bytes_max, overflow, patience: bus.patience },
            // A Redis client cannot be told that something is missing: it is cut off, and comes back.
            redis: QueueLimits {
                bytes_max: bytes_max.max(REDIS_QUEUE_BYTES),
                overflow: Overflow::Disconnect,
                patience: bus.patience,
            },
        }
    }
}

pub(crate) fn bus(spec: &HubSpec, first_sequence: u64, hash_seed: u64) -> BusOptions {
    let bus = &spec.bus;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    BusOptions {
        members_max: size(u64::from(bus.peers_max) + u64::from(spec.store.clients_max)),
        message_bytes_max: size(bus.message_max),
        backlog_bytes_max: size(bus.queue),
        first_sequence,
        rings: bus
            .replay
            .iter()
            .map(|ring| RingSpec {
                prefix: Bytes::copy_from_slice(ring.prefix.as_bytes()),
                messages_max: size(ring.messages),
                bytes_max: size(ring.bytes),
            })
            .collect(),
        hash_seed,
        is_relayed: bus.engine.external().is_some(),
        is_shared: spec.herd.is_some(),
        ..BusOptions::default()
    }
}

pub(crate) fn store(spec: &HubSpec, seed: u64) -> StoreOptions {
    let store = &spec.store;
    StoreOptions {
        databases: store.databases,
        memory_max_bytes: Some(store.memory),
        eviction: match store.full {
            FullPolicy::Refuse => Eviction::Refuse,
            FullPolicy::LeastRecentlyUsed => Eviction::LeastRecentlyUsed,
            FullPolicy::SoonestExpiry => Eviction::SoonestExpiry,
        },
        seed,
        keeps_effects: store.durable || spec.herd.as_ref().is_some_and(|herd| !herd.keys.is_empty()),
        ..StoreOptions::default()
    }
}

/// Whether there is a journal: what another server holds is not kept here.
pub(crate) fn keeps_journal(spec: &HubSpec) -> bool {
    spec.store.durable && spec.store.engine.external().is_none()
}

pub(crate) fn journal(spec: &HubSpec) -> journal::Options {
    journal::Options { fsync: fsync(spec), ..journal::Options::default() }
}

pub(crate) fn fsync(spec: &HubSpec) -> journal::Fsync {
    match spec.store.fsync {
        Fsync::Always => journal::Fsync::Always,
        Fsync::Every(time) => journal::Fsync::Every(time),
        Fsync::Never => journal::Fsync::Never,
    }
}

/// As Redis names it, which knows one time only.
pub(crate) fn fsync_name(spec: &HubSpec) -> &'static str {
    match spec.store.fsync {
        Fsync::Always => "always",
        Fsync::Every(_) => "everysec",
        Fsync::Never => "no",
    }
}

pub(crate) fn zmtp(spec: &HubSpec) -> zmtp::Limits {
    let message_max = u32::try_from(spec.bus.message_max).unwrap_or(u32::MAX / 2);
    let default = zmtp::Limits::default();
    zmtp::Limits {
        frame_max: message_max,
        message_max: message_max.saturating_add(default.message_max - default.frame_max),
        ..default
    }
}

pub(crate) fn resp() -> resp::Limits {
    resp::Limits::default()
}

pub(crate) fn scripts(spec: &HubSpec) -> script::Limits {
    script::Limits {
        time_max: spec.store.script.time,
        memory_max_bytes: usize::try_from(spec.store.script.memory).unwrap_or(usize::MAX),
        ..script::Limits::default()
    }
}
