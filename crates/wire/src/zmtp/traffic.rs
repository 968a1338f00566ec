//! The walk over what comes after the handshake: where messages begin and end, and what is not a message.
//!
//! Only headers are looked at. Whole messages at the front of the input leave as one batch that shares the input's
//! memory; of a message that is not whole yet it is remembered how far it was walked, so that no byte is walked twice
//! however small the pieces are in which it comes. A fault behind whole messages is reported after them.
//!
//! libzmq sends a heartbeat when its timer fires, also between two frames of one message. Such a command is taken out
//! of the input, by moving the smaller of what stands before and behind it.

use bytes::{Buf as _, Bytes, BytesMut};
use remuda_model::message::{Batch, Span};

use super::frame::{Header, LONG, MORE};
use super::{Limits, ProtocolError, SocketType};

/// Commands between the frames of one message. One comes with each heartbeat, and a message is sent in less than many.
const COMMANDS_MAX: u32 = 16;

/// Bytes of the header of a frame whose length has eight.
const LONG_HEADER: u32 = 9;

/// Messages of one batch: bounds the list of spans where messages are tiny.
const MESSAGES_MAX: usize = 8192;

/// What stood at the front of the input.
#[derive(Debug)]
pub(super) enum Found {
    Messages(Batch),
    /// The body of a command.
    Command(Bytes),
    Subscribe(Bytes),
    Cancel(Bytes),
}

/// How far the input was walked.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// Bytes of the message at the front that whole frames make up.
    walked: usize,
    /// Those frames.
    parts: u32,
    /// Commands that were taken from between them.
    commands: u32,
    /// Bytes that were missing when the input was last found incomplete.
    pub(super) missing: usize,
    /// Messages of the last batch: what to make room for in the next.
    expected: usize,
}

/// One message, or why there is none at some place.
enum Walked {
    Message { end: usize },
    Subscription { body: usize, end: usize },
    Command { at: usize, body: usize, end: usize },
    Incomplete,
}

impl Traffic {
    /// Takes what stands at the front of `input`; `None`: nothing whole. Between two calls that return `None`, bytes
    /// may only be added to the end.
    pub(super) fn next(
        &mut self,
        input: &mut BytesMut,
        peer: SocketType,
        limits: &Limits,
    ) -> Result<Option<Found>, ProtocolError> {
        let mut spans = Vec::new();
        let mut end = 0;
        let stopped = loop {
            if sends_plain_data(peer) && self.walked == 0 && limits.admits_short_frames() {
                if spans.capacity() == 0 && input.len() > 2 {
                    spans.reserve(self.expected);
                }
                end = walk_plain_messages(input, end, limits, &mut spans);
            }
            if spans.len() >= MESSAGES_MAX || end >= limits.batch_max as usize {
                break None;
            }
            match self.message(input, end, peer, limits) {
                Ok(Walked::Message { end: after })
                    if spans.is_empty() || after <= limits.batch_max as usize =>
                {
                    spans.push(span(input, end, after));
                    end = after;
                }
                Ok(Walked::Incomplete) => break Some(Ok(Walked::Incomplete)),
                Ok(Walked::Message { .. }) => break None,
                other => break Some(other),
            }
        };
        if spans.is_empty() {
            return match stopped {
                Some(other) => self.take(other?, input),
                None => Ok(None),
            };
        }
        if !matches!(stopped, Some(Ok(Walked::Incomplete))) {
            self.forget();
        }
        self.expected = spans.len();
        Ok(Some(Found::Messages(Batch { bytes: input.split_to(end).freeze(), messages: spans })))
    }

    /// Walks on in the message that begins at `start`, until it is whole or something else turns up.
    fn message(
        &mut self,
        bytes: &[u8],
        start: usize,
        peer: SocketType,
        limits: &Limits,
    ) -> Result<Walked, ProtocolError> {
        loop {
            let position = start + self.walked;
            let rest = &bytes[position..];
            let Some(header) = Header::read(rest)? else {
                return Ok(self.incomplete(Header::size_of(rest) - rest.len()));
            };
            if header.is_command() {
                return self.command(rest, position, header, limits);
            }
            let length = self.admit(header, limits)?;
            let (body, end) = (position + header.size, position + header.size + length);
            if self.parts == 0 && !sends_plain_data(peer) {
                match judge_subscriber(header, rest.get(header.size), peer, limits)? {
                    Judged::Subscription if end <= bytes.len() => {
                        return Ok(Walked::Subscription { body, end });
                    }
                    Judged::NotKnown => return Ok(self.incomplete(1)),
                    Judged::Subscription | Judged::Message => {}
                }
            }
            if end > bytes.len() {
                return Ok(self.incomplete(end - bytes.len()));
            }
            self.walked = end - start;
            self.parts += 1;
            if !header.has_more() {
                self.forget();
                return Ok(Walked::Message { end });
            }
        }
    }

    /// Holds a frame of the current message against the limits; answers with its length.
    fn admit(&self, header: Header, limits: &Limits) -> Result<usize, ProtocolError> {
        let too_long = ProtocolError::FrameTooLong { length: header.length, max: limits.frame_max };
        let Ok(length) = usize::try_from(header.length) else { return Err(too_long) };
        if header.length > u64::from(limits.frame_max) {
            return Err(too_long);
        }
        if self.parts >= limits.parts_max {
            return Err(ProtocolError::TooManyParts { max: limits.parts_max });
        }
        let message = (self.walked + header.size + length) as u64;
        if message > u64::from(limits.message_max) {
            return Err(ProtocolError::MessageTooLong { length: message, max: limits.message_max });
        }
        Ok(length)
    }

    fn command(
        &mut self,
        rest: &[u8],
        at: usize,
        header: Header,
        limits: &Limits,
    ) -> Result<Walked, ProtocolError> {
        let max = limits.traffic_command();
        let too_long = ProtocolError::CommandTooLong { length: header.length, max };
        let Ok(length) = usize::try_from(header.length) else { return Err(too_long) };
        if header.length > max {
            return Err(too_long);
        }
        let whole = header.size + length;
        if whole > rest.len() {
            return Ok(self.incomplete(whole - rest.len()));
        }
        Ok(Walked::Command { at, body: at + header.size, end: at + whole })
    }

    /// Takes what is no message out of the input.
    fn take(&mut self, walked: Walked, input: &mut BytesMut) -> Result<Option<Found>, ProtocolError> {
        match walked {
            Walked::Subscription { body, end } => {
                let first = input[body];
                let topic = Bytes::copy_from_slice(&input[body + 1..end]);
                input.advance(end);
                Ok(Some(if first == 1 { Found::Subscribe(topic) } else { Found::Cancel(topic) }))
            }
            Walked::Command { at, body, end } => {
                if at > 0 {
                    self.commands += 1;
                    if self.commands > COMMANDS_MAX {
                        return Err(ProtocolError::TooManyCommands { max: COMMANDS_MAX });
                    }
                }
                // Copied: a topic that is kept must not keep the whole input with it.
                let command = Bytes::copy_from_slice(&input[body..end]);
                cut(input, at, end);
                Ok(Some(Found::Command(command)))
            }
            Walked::Message { .. } | Walked::Incomplete => Ok(None),
        }
    }

    fn incomplete(&mut self, missing: usize) -> Walked {
        self.missing = missing;
        Walked::Incomplete
    }

    fn forget(&mut self) {
        self.walked = 0;
        self.parts = 0;
        self.commands = 0;
    }
}

/// Whether everything the peer sends that is no command is data, and may be.
fn sends_plain_data(peer: SocketType) -> bool {
    !matches!(peer, SocketType::Sub | SocketType::Xsub | SocketType::Pull)
}

/// What a frame of a peer is that takes more than it sends.
enum Judged {
    Subscription,
    Message,
    /// Its first byte is yet to come.
    NotKnown,
}

fn judge_subscriber(
    header: Header,
    first: Option<&u8>,
    peer: SocketType,
    limits: &Limits,
) -> Result<Judged, ProtocolError> {
    let unexpected = ProtocolError::UnexpectedData { peer };
    let max = limits.subscription_max;
    let is_empty = header.length == 0;
    if peer == SocketType::Pull || (peer == SocketType::Sub && (is_empty || header.has_more())) {
        return Err(unexpected);
    }
    let is_long = header.length > u64::from(max) + 1;
    let too_long = ProtocolError::SubscriptionTooLong { length: header.length.saturating_sub(1), max };
    match first {
        _ if is_empty || header.has_more() => Ok(Judged::Message),
        None if is_long && peer == SocketType::Sub => Err(too_long),
        None => Ok(Judged::NotKnown),
        Some(0 | 1) if is_long => Err(too_long),
        Some(0 | 1) => Ok(Judged::Subscription),
        Some(_) if peer == SocketType::Sub => Err(unexpected),
        Some(_) => Ok(Judged::Message),
    }
}

/// The hot loop: messages of one frame, or of a short one and another, from `start` on, as long as they are whole and
/// within the limits. What is rarer, or wrong, is left to [`Traffic::message`].
#[inline]
fn walk_plain_messages(bytes: &[u8], start: usize, limits: &Limits, spans: &mut Vec<Span>) -> usize {
    // Keeps the sums below from leaving 32 bits.
    let max = limits.batch_max.min(u32::MAX - 512);
    let limit = u32::try_from(bytes.len()).map_or(max, |len| len.min(max));
    let bytes = &bytes[..limit as usize];
    let Ok(mut start) = u32::try_from(start) else { return start };
    while let Some(&[flags, length]) = bytes.get(start as usize..).and_then(|rest| rest.first_chunk::<2>()) {
        let body_len = u32::from(length);
        let body = start + 2;
        let (end, body, body_len) = match flags {
            0 => (body + body_len, body, body_len),
            MORE if limits.parts_max > 1 => match last_frame(bytes, body + body_len, limits) {
                Some((_, end)) if end - start <= limits.message_max => (end, body, body_len),
                _ => break,
            },
            LONG => match last_frame(bytes, start, limits) {
                Some((body, end)) if end - start <= limits.message_max => (end, body, end - body),
                _ => break,
            },
            _ => break,
        };
        if end > limit || spans.len() >= MESSAGES_MAX {
            break;
        }
        spans.push(Span { start, end, body, body_len, single: flags != MORE });
        start = end;
    }
    start as usize
}

/// Where the body of the frame at `at` begins and ends, if no other frame follows it and it is within the limit of
/// frames. It need not be whole.
#[inline]
fn last_frame(bytes: &[u8], at: u32, limits: &Limits) -> Option<(u32, u32)> {
    let rest = bytes.get(at as usize..)?;
    match *rest.first_chunk::<2>()? {
        [0, length] => Some((at + 2, at + 2 + u32::from(length))),
        [LONG, _] => {
            let length = u64::from_be_bytes(*rest[1..].first_chunk::<8>()?);
            let length = u32::try_from(length).ok().filter(|length| *length <= limits.frame_max)?;
            let body = at.checked_add(LONG_HEADER)?;
            Some((body, body.checked_add(length)?))
        }
        _ => None,
    }
}

/// Where the message from `start` to `end` has its parts. Both are within 32 bits: so are the limits of batches and
/// messages, and only the first message of a batch may end behind the former.
fn span(bytes: &[u8], start: usize, end: usize) -> Span {
    let narrow = |place: usize| u32::try_from(place).expect("the limits are of 32 bits");
    let header = Header::read(&bytes[start..]).ok().flatten().expect("the message was walked");
    let body_len = u32::try_from(header.length).expect("the limits are of 32 bits");
    let body = narrow(start + header.size);
    Span { start: narrow(start), end: narrow(end), body, body_len, single: !header.has_more() }
}

/// Removes the bytes from `at` to `end`.
fn cut(input: &mut BytesMut, at: usize, end: usize) {
    let removed = end - at;
    if at <= input.len() - end {
        input.copy_within(..at, removed);
        input.advance(removed);
    } else {
        input.copy_within(end.., at);
        input.truncate(input.len() - removed);
    }
}
