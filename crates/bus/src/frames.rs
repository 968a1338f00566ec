//! What a message says: its topic and its payload, read from its ZMTP data frames.
//!
//! A frame is flags (1 byte), length (1 byte, or 8 where flag `LONG` is set) and body; flag `MORE` says that another
//! follows. The topic of a message with several frames is the first; of one in a single frame, what stands before the
//! first space, or all of it. The payload is the rest: behind that space, or the second frame, or where there are more,
//! all behind the first put together. Bytes that are no frames read as nothing; they never panic.

use remuda_model::message::Span;

/// Another frame of the same message follows.
const MORE: u8 = 1;
/// The length has 8 bytes.
const LONG: u8 = 2;
/// The longest header of a frame.
const HEADER_MAX: usize = 9;

/// Topic and payload of one message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'a> {
    pub(crate) topic: &'a [u8],
    pub(crate) payload: Payload<'a>,
}

/// The payload of a message, where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload<'a> {
    /// In one piece.
    Whole(&'a [u8]),
    /// The bodies of these frames, put together.
    Frames(&'a [u8]),
}

/// The bodies of the frames in some bytes.
#[derive(Debug, Clone)]
pub(crate) struct Bodies<'a>(&'a [u8]);

impl<'a> Content<'a> {
    /// What `message` says, which lies at `span` of `bytes`.
    pub(crate) fn at(bytes: &'a [u8], span: &Span) -> Self {
        let body = span.body as usize;
        let first = &bytes[body..body + span.body_len as usize];
        if span.single {
            return Self::of_one(first);
        }
        Self::of_first(first, &bytes[body + first.len()..span.end as usize])
    }

    /// What the frames of one message say.
    pub(crate) fn of_frames(frames: &'a [u8]) -> Self {
        let mut bodies = Bodies(frames);
        let first = bodies.next().unwrap_or_default();
        if bodies.0.is_empty() { Self::of_one(first) } else { Self::of_first(first, bodies.0) }
    }

    fn of_one(frame: &'a [u8]) -> Self {
        match memchr::memchr(b' ', frame) {
            Some(space) => Self { topic: &frame[..space], payload: Payload::Whole(&frame[space + 1..]) },
            None => Self { topic: frame, payload: Payload::Whole(&[]) },
        }
    }

    fn of_first(topic: &'a [u8], rest: &'a [u8]) -> Self {
        let mut bodies = Bodies(rest);
        let second = bodies.next().unwrap_or_default();
        let payload = if bodies.0.is_empty() { Payload::Whole(second) } else { Payload::Frames(rest) };
        Self { topic, payload }
    }
}

impl Payload<'_> {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Frames(frames) => Bodies(frames).map(<[u8]>::len).sum(),
        }
    }

    /// Puts it behind `out`.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Whole(bytes) => out.extend_from_slice(bytes),
            Self::Frames(frames) => Bodies(frames).for_each(|body| out.extend_from_slice(body)),
        }
    }
}

impl<'a> Iterator for Bodies<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (header, length) = match *self.0 {
            [flags, _, ..] if flags & LONG != 0 => {
                let length = self.0.get(1..HEADER_MAX)?;
                let length = u64::from_be_bytes(length.try_into().expect("eight bytes were taken"));
                (HEADER_MAX, usize::try_from(length).ok()?)
            }
            [_, length, ..] => (2, usize::from(length)),
            _ => return None,
        };
        let body = self.0[header..].get(..length)?;
        self.0 = &self.0[header + length..];
        Some(body)
    }
}

/// Appends the message `[topic][payload]` to `out` and says where it lies.
///
/// Both together are less than 4 GiB; the caller sees to it.
pub(crate) fn append_message(topic: &[u8], payload: &[u8], out: &mut Vec<u8>) -> Span {
    let start = out.len();
    append_header(MORE, topic.len(), out);
    let body = out.len();
    out.extend_from_slice(topic);
    append_header(0, payload.len(), out);
    out.extend_from_slice(payload);
    let place = |at: usize| u32::try_from(at).expect("the caller keeps messages below 4 GiB");
    Span {
        start: place(start),
        end: place(out.len()),
        body: place(body),
        body_len: place(topic.len()),
        single: false,
    }
}

fn append_header(flags: u8, length: usize, out: &mut Vec<u8>) {
    match u8::try_from(length) {
        Ok(short) => out.extend_from_slice(&[flags, short]),
        Err(_long) => {
            out.push(flags | LONG);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
