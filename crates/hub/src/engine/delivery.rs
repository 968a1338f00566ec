//! A message that came back from an engine, given to the members of the bus.

use bytes::BytesMut;
use remuda_bus::{Bus, Origin};
use remuda_wire::zmtp::encode_message;

use super::envelope::Shape;
use crate::events::is_reserved;
use crate::zeromq::batch_of;

/// The origin of what others published, who are on no bus of ours: no connection, process or hub has it.
pub(crate) const ELSEWHERE: Origin = Origin(1);

/// A message.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) origin: Origin,
    pub(crate) is_shard: bool,
    pub(crate) topic: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) shape: Shape<'a>,
}

/// Gives it to all who asked for it; says whether the bus took it.
pub(crate) fn deliver(bus: &mut Bus, delivery: &Delivery<'_>) -> bool {
    let Delivery { origin, topic, payload, shape, .. } = *delivery;
    if delivery.is_shard {
        return bus.publish_shard(origin, topic, payload).is_ok();
    }
    // Topics that only a hub itself publishes on: whoever hears them knows that it happened here.
    if is_reserved(topic) {
        return true;
    }
    if shape == Shape::Pair {
        return bus.publish_one(origin, topic, payload).is_ok();
    }
    let mut joined = Vec::new();
    let mut frames = BytesMut::new();
    encode_message(&shape.frames(topic, payload, &mut joined), &mut frames);
    if u32::try_from(frames.len()).is_err() {
        return false;
    }
    bus.publish(origin, &batch_of(frames.freeze()));
    true
}
