//! Messages of the bus as the herd carries them, and what of the herd's this server wants.
//!
//! Messages travel as they are on the bus, ZMTP frames: what one publisher sent at once is read, sent on, kept for repairs
//! and given to subscribers as one piece of memory.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use remuda_bus::{Filter, Reserved};
use remuda_herd::spread::Summary;
use remuda_model::message::{Batch, Span};
use remuda_wire::zmtp::encode_message;

use crate::engine::beginning_of;

/// Batches of so many bytes are passed on as they are. Smaller ones are copied: they are often part of a far larger buffer,
/// which they would keep, and what is heard from many servers in one turn is given to the bus at once. 16 KiB.
pub(crate) const SHARED_MIN: usize = 16 << 10;

/// Messages that are gathered to one batch.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    bytes: BytesMut,
    messages: Vec<Span>,
}

impl Gathered {
    /// Adds the message of two frames. Less than 4 GiB are ever gathered: the caller takes them before.
    pub(crate) fn add_pair(&mut self, topic: &[u8], payload: &[u8]) {
        let start = self.bytes.len();
        encode_message(&[topic, payload], &mut self.bytes);
        let body = start + if topic.len() <= usize::from(u8::MAX) { 2 } else { 9 };
        let place = |number: usize| u32::try_from(number).expect("less than 4 GiB are gathered");
        self.messages.push(Span {
            start: place(start),
            end: place(self.bytes.len()),
            body: place(body),
            body_len: place(topic.len()),
            single: false,
        });
    }

    /// Adds messages; the limit is that of [`Gathered::add_pair`].
    pub(crate) fn add(&mut self, batch: &Batch) {
        let start = u32::try_from(self.bytes.len()).expect("less than 4 GiB are gathered");
        self.bytes.extend_from_slice(&batch.bytes);
        self.messages.extend(batch.messages.iter().map(|span| Span {
            start: span.start + start,
            end: span.end + start,
            body: span.body + start,
            ..*span
        }));
    }

    /// Bytes of the messages that were added.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// All that was added, if anything was.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let messages = std::mem::take(&mut self.messages);
        (!messages.is_empty()).then(|| Batch { bytes: self.bytes.split().freeze(), messages })
    }
}

/// What of a batch does not stay on this server: where its messages lie, in order.
pub(crate) fn travelling(batch: &Batch, kept: &[String]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut last: Option<(&[u8], bool)> = None;
    for (place, span) in batch.messages.iter().enumerate() {
        let topic = batch.matched(span);
        let stays = match last {
            Some((before, stays)) if before == topic => stays,
            _ => is_local(topic, kept),
        };
        last = Some((topic, stays));
        match stretches.last_mut() {
            _ if stays => {}
            Some(stretch) if stretch.end == place => stretch.end += 1,
            _ => stretches.push(place..place + 1),
        }
    }
    stretches
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
