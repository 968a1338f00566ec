//! How a batch comes to those who asked for it.
//!
//! The batch is cut into runs of messages that go the same way. Of each run every queue gets one place in memory: the
//! batch's own bytes where it is large, else a copy in the open chunk; and one for each Redis encoding, made once for all
//! who share it.

use bytes::Bytes;
use remuda_model::message::{Batch, Span};

use super::Bus;
use crate::bundle::Bundle;
use crate::frames::{Content, append_message};
use crate::member::{Ends, Origin};
use crate::pool::{CHUNK_BYTES, Pool, Segment};
use crate::push::{Form, Version};
use crate::route::{Key, Push, Sight};

/// Batches of so many bytes are kept as they are, smaller ones are copied: a small batch is often part of a far larger
/// buffer, which it would keep.
const SHARED_MIN: usize = 16 * 1024;
/// Whatever the options say, messages made here are no longer, so that their places fit in 32 bits.
const MESSAGE_BYTES_CEILING: usize = 1024 * 1024 * 1024;

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// How often its messages were queued, for all members together.
    pub receivers: u64,
    /// The number of its first message; the others follow without gaps.
    pub first_sequence: u64,
}

/// Why a message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// It is longer than [`BusOptions::message_bytes_max`](crate::BusOptions).
    #[error("cannot publish: {bytes} bytes are more than a message may have ({bytes_max}); nobody got it")]
    TooLong {
        /// Bytes of topic and payload.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
}

/// Messages on their way.
#[derive(Debug)]
struct Source<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    /// The bytes again, where they may be kept as they are.
    shared: Option<&'a Bytes>,
    /// Their chunk, once they are kept; one byte of it is held until all is delivered.
    chunk: Option<u32>,
    origin: Origin,
    first_sequence: u64,
    /// Whether they were published here, so that consumers have work of them.
    is_ours: bool,
}

impl Source<'_> {
    /// Where the bytes of `spans` are kept; the caller has them to release.
    fn place(&mut self, spans: &[Span], pool: &mut Pool) -> Segment {
        let (start, end) = (spans[0].start as usize, spans[spans.len() - 1].end as usize);
        let messages = count(spans);
        let segment = match self.shared {
            None => pool.copy(&self.bytes[start..end], messages),
            Some(shared) => {
                let chunk = *self.chunk.get_or_insert_with(|| {
                    let chunk = pool.share(shared.clone());
                    pool.hold(chunk, 1);
                    chunk
                });
                Segment { chunk, messages, start, end }
            }
        };
        pool.hold(segment.chunk, segment.len());
        segment
    }
}

impl Bus {
    /// Gives the messages of `batch` to all who asked for them.
    pub fn publish(&mut self, origin: Origin, batch: &Batch) -> Published {
        self.publish_batch(origin, batch, true)
    }

    /// Gives messages that were published elsewhere to those who subscribed here. Consumers get none: work stays where it
    /// was given.
    pub fn hear(&mut self, origin: Origin, batch: &Batch) -> Published {
        self.publish_batch(origin, batch, false)
    }

    fn publish_batch(&mut self, origin: Origin, batch: &Batch, is_ours: bool) -> Published {
        let shared = (batch.bytes.len() >= SHARED_MIN).then_some(&batch.bytes);
        let first_sequence = self.next_sequence;
        let source = Source {
            bytes: &batch.bytes,
            spans: &batch.messages,
            shared,
            chunk: None,
            origin,
            first_sequence,
            is_ours,
        };
        Published { receivers: self.publish_all(source), first_sequence }
    }

    /// Gives each message of `batch` to one consumer, and to nobody else, where others hear it when it comes back
    /// ([`BusOptions::is_relayed`](crate::BusOptions)). Returns how many were given.
    pub fn give_work(&mut self, batch: &Batch) -> u64 {
        let mut given = 0;
        if !self.consumers.is_kept {
            return given;
        }
        for span in &batch.messages {
            let work = self.pool.copy(&batch.bytes[span.start as usize..span.end as usize], 1);
            self.pool.hold(work.chunk, work.len());
            given += u64::from(self.consumers.give(work, &mut self.members, &mut self.pool));
            self.pool.release(work.chunk, work.len());
        }
        self.totals.delivered_messages += given;
        given
    }

    /// Whether work is given, or kept for consumers to come.
    #[must_use]
    pub fn keeps_work(&self) -> bool {
        self.consumers.is_kept
    }

    /// Gives the message of two frames, `topic` and `payload`, to all who asked for it; as Redis' `PUBLISH`. Returns how
    /// often it was queued: a member with the channel and a pattern that fits counts twice, as in Redis.
    ///
    /// # Errors
    /// [`PublishError::TooLong`].
    pub fn publish_one(&mut self, origin: Origin, topic: &[u8], payload: &[u8]) -> Result<u64, PublishError> {
        self.check_length(topic, payload)?;
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        let span = append_message(topic, payload, &mut frames);
        let receivers = self.publish_all(Source {
            bytes: &frames,
            spans: std::slice::from_ref(&span),
            shared: None,
            chunk: None,
            origin,
            first_sequence: self.next_sequence,
            is_ours: true,
        });
        // A large message should not leave its memory behind.
        frames.shrink_to(CHUNK_BYTES);
        self.frames = frames;
        Ok(receivers)
    }

    /// Adds the message of two frames, `topic` and `payload`, to `bundle`; what that has is published first if it is full.
    ///
    /// # Errors
    /// [`PublishError::TooLong`]; the bundle is as it was.
    pub fn bundle(
        &mut self,
        origin: Origin,
        bundle: &mut Bundle,
        topic: &[u8],
        payload: &[u8],
    ) -> Result<(), PublishError> {
        self.check_length(topic, payload)?;
        if bundle.is_full() {
            self.publish_bundle(origin, bundle);
        }
        bundle.add(topic, payload);
        Ok(())
    }

    /// Gives the messages of `bundle` to all who asked for them, each numbered and counted as if it came alone, and
    /// empties it.
    pub fn publish_bundle(&mut self, origin: Origin, bundle: &mut Bundle) -> Published {
        let first_sequence = self.next_sequence;
        let receivers = self.publish_all(Source {
            bytes: &bundle.bytes,
            spans: &bundle.spans,
            shared: None,
            chunk: None,
            origin,
            first_sequence,
            is_ours: true,
        });
        bundle.clear();
        Published { receivers, first_sequence }
    }

    /// Gives a message to those who asked for the shard channel; as Redis' `SPUBLISH`. It has no number and is kept in no
    /// ring. Returns how often it was queued.
    ///
    /// # Errors
    /// [`PublishError::TooLong`].
    pub fn publish_shard(
        &mut self,
        origin: Origin,
        channel: &[u8],
        payload: &[u8],
    ) -> Result<u64, PublishError> {
        self.check_length(channel, payload)?;
        let Some(listeners) = self.subscriptions.shards.get(channel) else { return Ok(0) };
        let payload = crate::frames::Payload::Whole(payload);
        let mut receivers = 0;
        for version in [Version::Resp2, Version::Resp3] {
            let seats = listeners.speaking(version);
            if seats.is_empty() {
                continue;
            }
            let bytes = channel.len() + payload.len() + Form::ShardMessage.overhead_max();
            let (chunk, out) = self.pool.room(bytes);
            let start = out.len();
            Form::ShardMessage.append(version, 0, channel, &payload, out);
            let segment = Segment { chunk, messages: 1, start, end: out.len() };
            let ends = [segment.end];
            let (origin, ends) = (Some(origin), Ends::Listed(&ends));
            receivers += self.members.deliver(seats, origin, segment, ends, &mut self.pool, self.now);
        }
        self.totals.delivered_messages += receivers;
        Ok(receivers)
    }

    fn check_length(&self, topic: &[u8], payload: &[u8]) -> Result<(), PublishError> {
        let bytes_max = self.options.message_bytes_max.min(MESSAGE_BYTES_CEILING);
        let bytes = topic.len().saturating_add(payload.len());
        if bytes > bytes_max { Err(PublishError::TooLong { bytes, bytes_max }) } else { Ok(()) }
    }

    fn publish_all(&mut self, mut source: Source<'_>) -> u64 {
        let topic_bytes = self.subscriptions.topic_bytes_seen().filter(|_| self.rings.is_empty());
        let sight = Sight {
            frame_bytes: self.subscriptions.longest_prefix(),
            topic_bytes: topic_bytes.unwrap_or(usize::MAX),
        };
        let spans = source.spans;
        self.next_sequence += spans.len() as u64;
        let mut receivers = 0;
        let mut at = 0;
        while let Some(first) = spans.get(at) {
            let key = Key::of(source.bytes, first, sight);
            let same = |span: &&Span| Key::of(source.bytes, span, sight) == key;
            let run = 1 + spans[at + 1..].iter().take_while(same).count();
            let message = (source.bytes, first);
            let route = self.routes.find(&key, message, &self.subscriptions, &self.members, &self.rings);
            let reached = self.deliver_run(&mut source, at, &spans[at..at + run], route);
            if reached == 0 {
                self.totals.unheard_messages += run as u64;
            }
            receivers += reached;
            at += run;
        }
        if let Some(chunk) = source.chunk {
            self.pool.release(chunk, 1);
        }
        self.totals.published_messages += spans.len() as u64;
        self.totals.published_bytes += source.bytes.len() as u64;
        self.totals.delivered_messages += receivers;
        self.tidy();
        receivers
    }

    /// Delivers messages of one route, the first of which is number `at` of the batch.
    fn deliver_run(&mut self, source: &mut Source<'_>, at: usize, spans: &[Span], route: usize) -> u64 {
        let route = self.routes.at(route);
        let sequence = source.first_sequence + at as u64;
        let origin = Some(source.origin);
        let mut receivers = 0;
        let is_work =
            self.consumers.is_kept && route.reserved.is_none() && !self.options.is_relayed && source.is_ours;
        if is_work || !route.frames.is_empty() || !route.rings.is_empty() {
            let whole = source.place(spans, &mut self.pool);
            let from = spans[0].start as usize;
            let ends = Ends::Moved { spans, from, to: whole.start };
            receivers += self.members.deliver(&route.frames, origin, whole, ends, &mut self.pool, self.now);
            if is_work || !route.rings.is_empty() {
                for (sequence, span) in (sequence..).zip(spans) {
                    let start = span.start as usize - from + whole.start;
                    let end = span.end as usize - from + whole.start;
                    let frames = Segment { chunk: whole.chunk, messages: 1, start, end };
                    for ring in &route.rings {
                        self.rings[*ring].keep(sequence, frames, &mut self.pool);
                    }
                    if is_work {
                        receivers +=
                            u64::from(self.consumers.give(frames, &mut self.members, &mut self.pool));
                    }
                }
            }
            self.pool.release(whole.chunk, whole.len());
        }
        // Who gets several forms of a message gets them message by message, as Redis sends them.
        let step = if route.is_interleaved { 1 } else { spans.len() };
        for (sequence, spans) in (sequence..).step_by(step).zip(spans.chunks(step)) {
            for push in &route.pushes {
                let mut rest = spans;
                let mut sequence = sequence;
                while !rest.is_empty() {
                    let taken = push.fitting(rest);
                    let segment =
                        push.encode(source.bytes, &rest[..taken], sequence, &mut self.pool, &mut self.ends);
                    let (seats, ends) = (route.listeners(push), Ends::Listed(&self.ends));
                    receivers += self.members.deliver(seats, origin, segment, ends, &mut self.pool, self.now);
                    sequence += taken as u64;
                    rest = &rest[taken..];
                }
            }
        }
        receivers
    }
}

impl Push {
    /// How many of `spans`, one at least, surely fit in a chunk when encoded.
    fn fitting(&self, spans: &[Span]) -> usize {
        let mut bytes = 0;
        let fits = |span: &&Span| {
            bytes += self.bytes_max(span);
            bytes <= CHUNK_BYTES
        };
        spans.iter().take_while(fits).count().max(1)
    }

    fn bytes_max(&self, span: &Span) -> usize {
        (span.end - span.start) as usize + self.form.overhead_max()
    }

    /// Encodes `spans` of `bytes`, and notes in `ends` where each ends.
    fn encode(
        &self,
        bytes: &[u8],
        spans: &[Span],
        first_sequence: u64,
        pool: &mut Pool,
        ends: &mut Vec<usize>,
    ) -> Segment {
        ends.clear();
        let (chunk, out) = pool.room(spans.iter().map(|span| self.bytes_max(span)).sum());
        let start = out.len();
        for (sequence, span) in (first_sequence..).zip(spans) {
            let content = Content::at(bytes, span);
            self.form.append(self.version, sequence, content.topic, &content.payload, out);
            ends.push(out.len());
        }
        Segment { chunk, messages: count(spans), start, end: out.len() }
    }
}

fn count(spans: &[Span]) -> u32 {
    u32::try_from(spans.len()).expect("a batch has less than 4 GiB, and a message at least two bytes")
}
