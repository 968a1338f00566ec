//! How the frames of a message survive a system that knows a topic and a payload only.
//!
//! `[topic][payload]` is what such a system carries anyway, and travels as it is. Of any other message the payload is
//! what a Redis client of ours would get (all behind the topic put together, or what stands behind the first blank of a
//! single frame), and beside it travels its [`Shape`] as text: as a header where there are headers, else as a trailer
//! behind the payload, between two zero bytes. So whoever else listens sees the payload, with that trailer at worst.

/// How a message was cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// `[topic][payload]`.
    Pair,
    /// One frame, the topic.
    Bare,
    /// One frame: topic, a blank, payload.
    Joined,
    /// The topic, and frames whose lengths are written here, with commas; together as long as the payload.
    Frames(&'a [u8]),
}

/// What stands before the shape in a trailer.
const MARK: &[u8] = b"\0remuda-frames=";
/// What stands behind it.
const END: u8 = 0;
/// Longest shape that is looked for, in bytes: 10,000 frames with lengths of six digits.
const SHAPE_MAX_BYTES: usize = 70_000;

impl<'a> Shape<'a> {
    /// As text; nothing for a pair.
    pub(crate) fn text(self) -> &'a [u8] {
        match self {
            Self::Pair => b"",
            Self::Bare => b"bare",
            Self::Joined => b"joined",
            Self::Frames(lengths) => lengths,
        }
    }

    /// The shape that `text` says, if it fits a payload of `length` bytes.
    pub(crate) fn read(text: &'a [u8], length: usize) -> Option<Self> {
        match text {
            b"" => Some(Self::Pair),
            b"bare" => (length == 0).then_some(Self::Bare),
            b"joined" => Some(Self::Joined),
            lengths if lengths.len() <= SHAPE_MAX_BYTES => {
                let mut sum = 0_usize;
                for number in lengths_of(lengths) {
                    sum = sum.checked_add(number?)?;
                }
                (sum == length).then_some(Self::Frames(lengths))
            }
            _ => None,
        }
    }

    /// The frames of the message, the topic's first.
    pub(crate) fn frames(self, topic: &'a [u8], payload: &'a [u8], joined: &'a mut Vec<u8>) -> Vec<&'a [u8]> {
        match self {
            Self::Pair => vec![topic, payload],
            Self::Bare => vec![topic],
            Self::Joined => {
                joined.clear();
                joined.extend_from_slice(topic);
                joined.push(b' ');
                joined.extend_from_slice(payload);
                vec![joined.as_slice()]
            }
            Self::Frames(lengths) => {
                let mut frames = vec![topic];
                let mut rest = payload;
                for length in lengths_of(lengths) {
                    let (frame, after) = rest.split_at(length.unwrap_or(0).min(rest.len()));
                    frames.push(frame);
                    rest = after;
                }
                frames
            }
        }
    }
}

fn lengths_of(text: &[u8]) -> impl Iterator<Item = Option<usize>> {
    text.split(|byte| *byte == b',').map(|number| {
        let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        is_number.then(|| std::str::from_utf8(number).ok()?.parse().ok()).flatten()
    })
}

/// A message as such a system has it.
#[derive(Debug)]
pub(crate) struct Parcel<'a> {
    pub(crate) topic: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) shape: Shape<'a>,
}

/// Memory that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    payload: Vec<u8>,
    shape: Vec<u8>,
}

impl Packing {
    /// What a message with these frames is. Without frames it is an empty one.
    pub(crate) fn pack<'a>(&'a mut self, mut frames: impl Iterator<Item = &'a [u8]> + Clone) -> Parcel<'a> {
        let count = frames.clone().count();
        let first = frames.next().unwrap_or_default();
        match count {
            0 | 1 => match memchr::memchr(b' ', first) {
                None => Parcel { topic: first, payload: b"", shape: Shape::Bare },
                Some(blank) => {
                    Parcel { topic: &first[..blank], payload: &first[blank + 1..], shape: Shape::Joined }
                }
            },
            2 => Parcel { topic: first, payload: frames.next().unwrap_or_default(), shape: Shape::Pair },
            _ => {
                self.payload.clear();
                self.shape.clear();
                for frame in frames {
                    if !self.shape.is_empty() {
                        self.shape.push(b',');
                    }
                    self.shape.extend_from_slice(frame.len().to_string().as_bytes());
                    self.payload.extend_from_slice(frame);
                }
                Parcel { topic: first, payload: &self.payload, shape: Shape::Frames(&self.shape) }
            }
        }
    }
}

/// Puts a payload with its shape behind it where there is no other place for that: what a trailer needs, if any. A pair
/// whose payload ends like a trailer gets one too, so that nothing is taken for one that is none.
pub(crate) fn trailer(parcel: &Parcel<'_>) -> Option<Vec<u8>> {
    let length;
    let shape = match parcel.shape {
        Shape::Pair if find(parcel.payload).is_none() => return None,
        Shape::Pair => {
            length = parcel.payload.len().to_string();
            length.as_bytes()
        }
        shape => shape.text(),
    };
    Some([MARK, shape, &[END]].concat())
}

/// Payload and shape of what such a system brought.
pub(crate) fn split(content: &[u8]) -> (&[u8], Shape<'_>) {
    find(content).unwrap_or((content, Shape::Pair))
}

fn find(content: &[u8]) -> Option<(&[u8], Shape<'_>)> {
    let inner = content.strip_suffix(&[END])?;
    let searched = &inner[inner.len().saturating_sub(SHAPE_MAX_BYTES + MARK.len())..];
    let from_end = searched.len() - memchr::memrchr(MARK[0], searched)?;
    let (payload, trailer) = inner.split_at(inner.len() - from_end);
    let text = trailer.strip_prefix(MARK)?;
    match Shape::read(text, payload.len())? {
        Shape::Pair => None,
        // One frame behind the topic: a pair that looked like something else.
        Shape::Frames(lengths) if !lengths.contains(&b',') => Some((payload, Shape::Pair)),
        shape => Some((payload, shape)),
    }
}

#[cfg(test)]
mod tests;
