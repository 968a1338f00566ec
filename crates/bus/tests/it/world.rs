//! What the tests are made of: batches, members, and reading.

use bytes::{Bytes, BytesMut};
use remuda_bus::{Bus, Encoding, MemberId, Membership, Origin, Overflow, QueueLimits, Role};
use remuda_model::Tick;
use remuda_model::message::{Batch, Span};

/// A batch of messages, each of these frames.
pub(crate) fn batch<M: AsRef<[F]>, F: AsRef<[u8]>>(messages: &[M]) -> Batch {
    let mut bytes = BytesMut::new();
    let mut spans = Vec::new();
    let at = |bytes: &BytesMut| u32::try_from(bytes.len()).unwrap();
    for frames in messages {
        let frames = frames.as_ref();
        let start = at(&bytes);
        let mut body = 0;
        for (place, frame) in frames.iter().enumerate() {
            let frame = frame.as_ref();
            let more = u8::from(place + 1 < frames.len());
            match u8::try_from(frame.len()) {
                Ok(short) => bytes.extend_from_slice(&[more, short]),
                Err(_long) => {
                    bytes.extend_from_slice(&[more | 2]);
                    bytes.extend_from_slice(&(frame.len() as u64).to_be_bytes());
                }
            }
            if place == 0 {
                body = at(&bytes);
            }
            bytes.extend_from_slice(frame);
        }
        let body_len = u32::try_from(frames[0].as_ref().len()).unwrap();
        spans.push(Span { start, end: at(&bytes), body, body_len, single: frames.len() == 1 });
    }
    Batch { bytes: bytes.freeze(), messages: spans }
}

/// A batch of one message in one frame.
pub(crate) fn one(frame: &str) -> Batch {
    batch(&[[frame]])
}

/// A subscriber of its own origin, which hears itself and sees no events of the store.
pub(crate) fn subscriber(encoding: Encoding, origin: u64) -> Membership {
    Membership {
        encoding,
        origin: Origin(origin),
        hears_itself: true,
        sees_store_events: false,
        role: Role::Subscriber,
        queue: QueueLimits::new(if encoding == Encoding::Zmtp {
            Overflow::DropOldest
        } else {
            Overflow::Disconnect
        }),
    }
}

/// Writes up to `bytes` of what waits for a member, and returns them.
pub(crate) fn read(bus: &mut Bus, id: u64, bytes: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    for slice in bus.slices(MemberId(id)) {
        taken.extend_from_slice(&slice[..slice.len().min(bytes - taken.len())]);
    }
    bus.written(MemberId(id), taken.len());
    taken
}

/// All that waits for a member, as text.
pub(crate) fn read_text(bus: &mut Bus, id: u64) -> String {
    String::from_utf8(read(bus, id, usize::MAX)).unwrap()
}

/// The frames of messages without `MORE` and `LONG`, and what is left of the last one.
pub(crate) fn parse(mut bytes: &[u8]) -> (Vec<Bytes>, &[u8]) {
    let mut bodies = Vec::new();
    while let [0, length, rest @ ..] = bytes {
        let Some((body, further)) = rest.split_at_checked(usize::from(*length)) else { break };
        bodies.push(Bytes::copy_from_slice(body));
        bytes = further;
    }
    (bodies, bytes)
}

/// A moment.
pub(crate) fn at(millis: u64) -> Tick {
    Tick(millis)
}
