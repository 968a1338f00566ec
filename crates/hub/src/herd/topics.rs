//! Messages of the bus as the herd carries them, and what of the herd's this server wants.
//!
//! A message of the bus is one or more ZMTP frames, and its first frame is what subscriptions look at. What spreads is that
//! frame as the topic and the others as they are, with one frame in front that says which of two forms it was: of a message
//! in one frame (`topic payload`) the topic may be only the beginning, since that frame can be as long as a message.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use remuda_bus::{Filter, Reserved};
use remuda_herd::spread::{Payload, Summary};
use remuda_model::message::{Batch, Span};
use remuda_wire::zmtp::encode_message;

use crate::engine::beginning_of;

/// The topic is the first of several frames, the others follow.
const PARTS: &[u8] = b"m";
/// The topic and what follows are one frame.
const SINGLE: &[u8] = b"s";

/// A message to spread.
pub(crate) type Parcel = (Bytes, Arc<[Bytes]>);

/// One message of a batch; `None` when it has more frames, or a longer topic, than spread.
pub(crate) fn pack(batch: &Batch, span: &Span) -> Option<Parcel> {
    let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let first = batch.bytes.slice(at(span.body)..at(span.body) + at(span.body_len));
    if span.single {
        let mut topic = first;
        let rest = topic.split_off(topic.len().min(Payload::TOPIC_MAX));
        return Some((topic, Arc::from([Bytes::from_static(SINGLE), rest])));
    }
    if first.len() > Payload::TOPIC_MAX {
        return None;
    }
    let mut frames = vec![Bytes::from_static(PARTS)];
    let mut rest = batch.bytes.slice(at(span.body) + at(span.body_len)..at(span.end));
    while !rest.is_empty() {
        let header = if rest[0] & 2 == 0 { 2 } else { 9 };
        let digits = rest.get(1..header)?;
        let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
        let mut frame = rest.split_to(header.checked_add(length).filter(|end| *end <= rest.len())?);
        frames.push(frame.split_off(header));
        if frames.len() > Payload::FRAMES_MAX {
            return None;
        }
    }
    Some((first, frames.into()))
}

/// A message of two frames.
pub(crate) fn pack_pair(topic: &[u8], payload: &[u8]) -> Option<Parcel> {
    let frames = [Bytes::from_static(PARTS), Bytes::copy_from_slice(payload)];
    (topic.len() <= Payload::TOPIC_MAX).then(|| (Bytes::copy_from_slice(topic), Arc::from(frames)))
}

/// Messages of others on their way to subscribers, as one batch: what is heard in one turn is given to the bus at once.
#[derive(Debug, Default)]
pub(crate) struct Unpacked {
    bytes: BytesMut,
    messages: Vec<Span>,
}

impl Unpacked {
    /// Adds a message; `false` when it is none that [`pack`] made.
    pub(crate) fn add(&mut self, topic: &[u8], frames: &[Bytes]) -> bool {
        let Some((form, rest)) = frames.split_first() else { return false };
        let (start, single) = (self.bytes.len(), form.as_ref() == SINGLE);
        match (form.as_ref(), rest) {
            (PARTS, [_, ..]) => {
                let parts: Vec<&[u8]> =
                    std::iter::once(topic).chain(rest.iter().map(AsRef::as_ref)).collect();
                encode_message(&parts, &mut self.bytes);
            }
            (SINGLE, [rest]) if rest.is_empty() => encode_message(&[topic], &mut self.bytes),
            (SINGLE, [rest]) => encode_message(&[&[topic, rest].concat()], &mut self.bytes),
            _ => return false,
        }
        let body_len = topic.len() + if single { rest[0].len() } else { 0 };
        // The header has 9 bytes for a long body, else 2.
        let body = start + if self.bytes[start] & 2 == 0 { 2 } else { 9 };
        let place = |number: usize| u32::try_from(number).ok();
        let (Some(start_at), Some(end), Some(body), Some(body_len)) =
            (place(start), place(self.bytes.len()), place(body), place(body_len))
        else {
            self.bytes.truncate(start);
            return false;
        };
        self.messages.push(Span { start: start_at, end, body, body_len, single });
        true
    }

    /// Bytes of the messages that were added.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// All that was added, if anything was.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let messages = std::mem::take(&mut self.messages);
        (!messages.is_empty()).then(|| Batch { bytes: self.bytes.split().freeze(), messages })
    }
}

/// Whether a topic stays on this server: the hub's own, those whose first sign is `$` (of a system itself, by the custom
/// of brokers), and those the config keeps here.
pub(crate) fn is_local(topic: &[u8], kept: &[String]) -> bool {
    Reserved::of(topic).is_some()
        || topic.first() == Some(&b'$')
        || kept.iter().any(|prefix| topic.starts_with(prefix.as_bytes()))
}

/// What members of the bus want, each beginning of topics with how often it is wanted.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    counts: BTreeMap<Bytes, u64>,
    /// Whether it is another set than was told last.
    pub(crate) is_news: bool,
}

impl Wanted {
    /// Nobody has asked yet; what is kept for those who come late is wanted anyway.
    pub(crate) fn new<'a>(rings: impl Iterator<Item = &'a str>) -> Self {
        let counts = rings.map(|prefix| (Bytes::copy_from_slice(prefix.as_bytes()), 1)).collect();
        Self { counts, is_news: true }
    }

    /// A member got or lost a filter.
    pub(crate) fn change(&mut self, filter: &Filter, is_added: bool) {
        if Reserved::of(filter.text()).is_some() {
            return;
        }
        let beginning = match filter {
            Filter::Prefix(text) | Filter::Channel(text) | Filter::Sequenced(text) => text.clone(),
            Filter::Pattern(pattern) => Bytes::copy_from_slice(beginning_of(pattern)),
            // A shard's messages stay on its server.
            Filter::Shard(_) => return,
        };
        let count = self.counts.entry(beginning.clone()).or_default();
        *count = if is_added { *count + 1 } else { count.saturating_sub(1) };
        let count = *count;
        self.is_news |= count == u64::from(is_added);
        if count == 0 {
            self.counts.remove(&beginning);
        }
    }

    /// All of it, in short.
    pub(crate) fn summary(&self) -> Summary {
        Summary::of(self.counts.keys().cloned())
    }
}

#[cfg(test)]
mod tests;
