//! What rings have kept, for those who come late.

use super::Bus;
use crate::frames::Payload;
use crate::member::{Encoding, Ends, MemberId};
use crate::push::{Form, Version, append_gap};
use crate::reserved::Reserved;
use crate::ring::{Replay, Replayed};

/// What [`Bus::catch_up`] has queued.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Messages queued.
    pub messages: u64,
    /// Where something is missing: how many messages at most. See [`Replay::lost`].
    pub lost: Option<u64>,
}

impl Bus {
    /// What is kept of the messages after number `after` with a topic that begins with `prefix`. Of the rings that keep
    /// all such topics, the one that goes back furthest answers. After number 0 is what is kept since the bus began, whatever
    /// number it began with.
    #[must_use]
    pub fn replay<'a>(&'a self, prefix: &'a [u8], after: u64) -> Replay<'a> {
        let last = self.next_sequence - 1;
        let after = if after == 0 { self.began } else { after };
        let covering = self.rings.iter().filter(|ring| ring.covers(prefix));
        match covering.min_by_key(|ring| ring.gone()) {
            Some(ring) => ring.replay(prefix, after, last, &self.pool),
            None => Replay::nothing(after, last, &self.pool),
        }
    }

    /// Queues for a Redis member what is kept of the messages after number `after` with a topic that begins with `prefix`,
    /// as `busmessage`s, and before them a `busgap` where not all is kept. Called right after it has subscribed to
    /// [`Filter::Sequenced`](crate::Filter::Sequenced), and before anything is published, nothing is missing and nothing
    /// comes twice.
    ///
    /// Events of the store are left out for those who do not see them. A ring does not know where its messages came from, so
    /// that a member's own are among them whether it hears itself or not.
    ///
    /// It takes no more than half of the queue's bound; what does not fit is missing, from the oldest on.
    pub fn catch_up(&mut self, id: MemberId, prefix: &[u8], after: u64) -> CaughtUp {
        let Some(seat) = self.members.seat(id) else { return CaughtUp::default() };
        let Some(member) = self.members.at(seat) else { return CaughtUp::default() };
        let version = match member.membership.encoding {
            Encoding::Zmtp => return CaughtUp::default(),
            Encoding::Resp2 => Version::Resp2,
            Encoding::Resp3 => Version::Resp3,
        };
        let sees_store_events = member.membership.sees_store_events;
        let mut room = (member.membership.queue.bytes_max / 2).saturating_sub(member.queue.charged());
        let replay = self.replay(prefix, after);
        let mut lost = replay.lost;
        let sees = |message: &Replayed<'_>| sees_store_events || Reserved::of(message.topic).is_none();
        let kept: Vec<Replayed<'_>> = replay.filter(sees).collect();
        let fits = |message: &&Replayed<'_>| {
            let bytes = message.topic.len() + message.payload.len() + Form::Sequenced.overhead_max();
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        };
        let fitting = kept.iter().rev().take_while(fits).count();
        let (missing, sent) = kept.split_at(kept.len() - fitting);
        if !missing.is_empty() {
            lost = Some(lost.unwrap_or_default().saturating_add(missing.len() as u64));
        }
        let (mut gap, mut encoded, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(lost) = lost {
            append_gap(version, lost, &mut gap);
        }
        for message in sent {
            let payload = Payload::Whole(&message.payload);
            Form::Sequenced.append(version, message.sequence, message.topic, &payload, &mut encoded);
            ends.push(encoded.len());
        }
        self.enqueue(id, &gap);
        if encoded.is_empty() {
            return CaughtUp { messages: 0, lost };
        }
        let messages = u32::try_from(ends.len()).expect("they fit in a queue");
        let segment = self.pool.copy(&encoded, messages);
        ends.iter_mut().for_each(|end| *end += segment.start);
        let (seats, ends) = ([seat], Ends::Listed(&ends));
        let messages = self.members.deliver(&seats, None, segment, ends, &mut self.pool, self.now);
        self.totals.delivered_messages += messages;
        CaughtUp { messages, lost }
    }
}
