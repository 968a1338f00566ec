//! Which topics the herd tells apart, and so which messages can go together.
//!
//! Messages that one publisher sent one after the other are spread as one, if the same nodes want all of them: whatever
//! link they come to on their way, all of them are wanted behind it, or none. Two topics are of the same kind if the same
//! nodes' summaries want them. The longest prefix that any node told and that a topic begins with says who wants it: those
//! who told it, and those who told one that it begins with itself. A node tells no two prefixes of which one begins with
//! the other, so nobody is counted twice, and who they are is told by the sum of a random number for each.
//!
//! What is known here may be old. Then something goes over a link together with what is wanted there, and no subscriber
//! hears it: each node asks anew whether *one* of the messages is wanted.

use std::ops::Range;

use bytes::Bytes;
use remuda_model::message::Batch;

use super::message::Payload;
use super::random::Random;
use super::routes::PREFIXES_MAX;
use super::summary::Summary;
use crate::NodeId;

/// Prefixes that nodes told.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    /// In order, each with the kind of the topics of which it is the longest.
    prefixes: Vec<(Bytes, u64)>,
    /// Whether there are too many prefixes to look at: each topic is a kind of its own.
    is_crowded: bool,
}

impl Kinds {
    /// By what these nodes want.
    pub(crate) fn of<'a>(wanted: impl Iterator<Item = (NodeId, &'a Summary)>) -> Self {
        let mut told: Vec<(Bytes, u64)> = Vec::new();
        for (node, summary) in wanted {
            let number = Random::new(node.0).next();
            told.extend(summary.prefixes().iter().map(|prefix| (prefix.clone(), number)));
            if told.len() > PREFIXES_MAX {
                return Self { prefixes: Vec::new(), is_crowded: true };
            }
        }
        told.sort_unstable();
        let mut prefixes: Vec<(Bytes, u64)> = Vec::with_capacity(told.len());
        // The prefixes that the one at hand begins with, by their places.
        let mut open: Vec<usize> = Vec::new();
        for (prefix, number) in told {
            if let Some((last, kind)) = prefixes.last_mut()
                && *last == prefix
            {
                *kind = kind.wrapping_add(number);
                continue;
            }
            while open.pop_if(|place| !prefix.starts_with(&prefixes[*place].0)).is_some() {}
            let shorter = open.last().map_or(0, |place| prefixes[*place].1);
            open.push(prefixes.len());
            prefixes.push((prefix, shorter.wrapping_add(number)));
        }
        Self { prefixes, is_crowded: false }
    }

    fn kind(&self, topic: &[u8]) -> u64 {
        let mut beginning = topic;
        loop {
            let after = self.prefixes.partition_point(|(prefix, _)| prefix.as_ref() <= beginning);
            let Some(at) = after.checked_sub(1) else { return 0 };
            let (prefix, kind) = &self.prefixes[at];
            let common = prefix.iter().zip(beginning).take_while(|(one, other)| one == other).count();
            if common == prefix.len() {
                return *kind;
            }
            // Whatever prefix the topic has, it has in common with this one, which lies behind it.
            beginning = &beginning[..common];
        }
    }

    /// Where the messages from `first` on lie that can go together; empty at the end.
    fn run(&self, batch: &Batch, first: usize) -> Range<usize> {
        let Some(head) = batch.messages.get(first) else { return first..first };
        let mut topic = batch.matched(head);
        let mut kind = None;
        let rest = batch.messages[first..].iter().take(Payload::MESSAGES_MAX).skip(1);
        let together = rest.take_while(|span| {
            let before = std::mem::replace(&mut topic, batch.matched(span));
            let bytes = usize::try_from(span.end - head.start).unwrap_or(usize::MAX);
            if bytes > Payload::TOGETHER_MAX || before == topic || self.is_crowded {
                return bytes <= Payload::TOGETHER_MAX && before == topic;
            }
            let next = self.kind(topic);
            *kind.get_or_insert_with(|| self.kind(before)) == next
        });
        first..first + 1 + together.count()
    }

    /// Where in a batch messages lie that can go together, all of it in order.
    pub(crate) fn runs(&self, batch: &Batch) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut next = self.run(batch, 0);
        while !next.is_empty() {
            let end = next.end;
            runs.push(next);
            next = self.run(batch, end);
        }
        runs
    }
}

#[cfg(test)]
mod tests;
