//! Changes and states as bytes, as they travel and as they are written down.
//!
//! Numbers are little endian groups of seven bits (LEB128); bytes have their length before them. What comes from outside
//! is read with every length checked against what is there, so that memory is bounded by the message's own size. The
//! first byte says what it is and in which version; another one is refused.

use bytes::{BufMut, Bytes, BytesMut};

use crate::NodeId;
use crate::replica::known::{Known, Stretch};
use crate::replica::mark::{Mark, Stamp};
use crate::replica::state::{Base, Body, Change, Collection, Element, Expiry, Extent, KeyState, Share};

/// Version 1 of each thing.
const CHANGE: u8 = 1;
const STATE: u8 = 2;
const KNOWLEDGE: u8 = 3;
/// The least an element takes, and a share: what bounds their number by the bytes that are there.
const ELEMENT_MIN_BYTES: usize = 4;

/// Why bytes are not what they should be. Nothing was taken from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It ends too early, or a length in it leads beyond its end.
    #[error("the change is cut off")]
    Short,
    /// There is more after its end.
    #[error("the change has {0} bytes too many")]
    Long(usize),
    /// A number that stands for nothing.
    #[error("the change has {value} as its {what}, which this version does not know")]
    Unknown {
        /// Of what.
        what: &'static str,
        /// The number.
        value: u64,
    },
}

/// Everything that is written down beside keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Knowledge {
    pub(crate) known: Known,
    pub(crate) horizon: Stamp,
    pub(crate) scopes: u64,
}

/// What a note on the disk says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    Change(Change),
    State(KeyState),
    Knowledge(Knowledge),
}

/// A change, to be spread.
#[must_use]
pub fn encode_change(change: &Change) -> Bytes {
    let mut out = BytesMut::with_capacity(96);
    out.put_u8(CHANGE);
    put_mark(&mut out, change.mark);
    put_number(&mut out, change.previous.0);
    put_mark(&mut out, change.over);
    put_state(&mut out, &change.state);
    out.freeze()
}

/// A state, as servers that compare send it.
#[must_use]
pub fn encode_state(state: &KeyState) -> Bytes {
    let mut out = BytesMut::with_capacity(96);
    out.put_u8(STATE);
    put_state(&mut out, state);
    out.freeze()
}

/// Reads a change.
///
/// # Errors
/// When it is none.
pub fn decode_change(bytes: &Bytes) -> Result<Change, CodeError> {
    match decode_note(bytes)? {
        Note::Change(change) => Ok(change),
        _ => Err(CodeError::Unknown { what: "kind", value: u64::from(bytes[0]) }),
    }
}

/// Reads a state.
///
/// # Errors
/// When it is none.
pub fn decode_state(bytes: &Bytes) -> Result<KeyState, CodeError> {
    match decode_note(bytes)? {
        Note::State(state) => Ok(state),
        _ => Err(CodeError::Unknown { what: "kind", value: u64::from(bytes[0]) }),
    }
}

pub(crate) fn encode_knowledge(knowledge: &Knowledge) -> Bytes {
    let mut out = BytesMut::with_capacity(64);
    out.put_u8(KNOWLEDGE);
    put_number(&mut out, knowledge.horizon.0);
    out.put_u64_le(knowledge.scopes);
    put_number(&mut out, knowledge.known.stretches().count() as u64);
    for stretch in knowledge.known.stretches() {
        out.put_u64_le(stretch.node.0);
        put_number(&mut out, stretch.after.0);
        put_number(&mut out, stretch.upto.0);
    }
    out.freeze()
}

pub(crate) fn decode_note(bytes: &Bytes) -> Result<Note, CodeError> {
    let mut input = Input { bytes, at: 0 };
    let note = match input.byte()? {
        CHANGE => {
            let (mark, previous, over) = (input.mark()?, Stamp(input.number()?), input.mark()?);
            Note::Change(Change { mark, previous, over, state: input.state()? })
        }
        STATE => Note::State(input.state()?),
        KNOWLEDGE => Note::Knowledge(input.knowledge()?),
        other => return Err(CodeError::Unknown { what: "kind", value: u64::from(other) }),
    };
    match bytes.len() - input.at {
        0 => Ok(note),
        more => Err(CodeError::Long(more)),
    }
}

fn put_state(out: &mut BytesMut, state: &KeyState) {
    put_number(out, u64::from(state.database));
    put_bytes(out, &state.key);
    let (base, body) = match &state.base {
        Base::Gone if state.mark == Mark::ZERO => (0, None),
        Base::Gone => (1, None),
        Base::Lapsed => (2, None),
        Base::Whole(Body::Text(body)) => (3, Some(body)),
        Base::Whole(Body::Packed(body)) => (4, Some(body)),
    };
    let extent = match state.extent {
        Extent::Named => 0,
        Extent::Between(..) => 1,
        Extent::Lacking(_) => 2,
    };
    out.put_u8(base | u8::from(state.expiry.is_some()) << 3 | extent << 4);
    if base != 0 {
        put_mark(out, state.mark);
    }
    if let Some(body) = body {
        put_bytes(out, body);
    }
    if let Some(expiry) = state.expiry {
        put_mark(out, expiry.mark);
        put_number(out, expiry.at_ms.map_or(0, |at| at.saturating_add(1)));
    }
    match &state.extent {
        Extent::Named => {}
        Extent::Between(after, upto) => {
            put_bound(out, after.as_ref());
            put_bound(out, upto.as_ref());
        }
        Extent::Lacking(mark) => put_mark(out, *mark),
    }
    put_number(out, state.elements.len() as u64);
    for element in &state.elements {
        out.put_u8(element.collection as u8 | u8::from(element.value.is_some()) << 2);
        put_mark(out, element.mark);
        put_bytes(out, &element.name);
        if let Some(value) = &element.value {
            put_bytes(out, value);
        }
    }
    put_number(out, state.shares.len() as u64);
    for share in &state.shares {
        out.put_u64_le(share.node.0);
        put_number(out, share.since.0);
        put_number(out, share.stamp.0);
        out.put_i64_le(share.sum);
    }
}

fn put_bound(out: &mut BytesMut, bound: Option<&(Collection, Bytes)>) {
    match bound {
        None => out.put_u8(u8::MAX),
        Some((collection, name)) => {
            out.put_u8(*collection as u8);
            put_bytes(out, name);
        }
    }
}

fn put_mark(out: &mut BytesMut, mark: Mark) {
    put_number(out, mark.stamp.0);
    out.put_u64_le(mark.node.0);
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.put_slice(bytes);
}

fn put_number(out: &mut BytesMut, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7F).expect("seven bits");
        number >>= 7;
        if number == 0 {
            return out.put_u8(low);
        }
        out.put_u8(low | 0x80);
    }
}

/// Bytes that are being read; what is read of them shares their memory.
struct Input<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Input<'_> {
    fn state(&mut self) -> Result<KeyState, CodeError> {
        let database = self.number()?;
        let database = u32::try_from(database)
            .map_err(|_large| CodeError::Unknown { what: "database", value: database })?;
        let mut state = KeyState::silent(database, self.piece()?);
        let bits = self.byte()?;
        if bits & 7 != 0 {
            state.mark = self.mark()?;
        }
        state.base = match bits & 7 {
            0 | 1 => Base::Gone,
            2 => Base::Lapsed,
            3 => Base::Whole(Body::Text(self.piece()?)),
            4 => Base::Whole(Body::Packed(self.piece()?)),
            other => return Err(CodeError::Unknown { what: "base", value: u64::from(other) }),
        };
        if bits & 8 != 0 {
            let (mark, at) = (self.mark()?, self.number()?);
            state.expiry = Some(Expiry { mark, at_ms: at.checked_sub(1) });
        }
        state.extent = match bits >> 4 {
            0 => Extent::Named,
            1 => Extent::Between(self.bound()?, self.bound()?),
            2 => Extent::Lacking(self.mark()?),
            other => return Err(CodeError::Unknown { what: "extent", value: u64::from(other) }),
        };
        for _ in 0..self.count()? {
            state.elements.push(self.element()?);
        }
        for _ in 0..self.count()? {
            let (node, since, stamp) = (NodeId(self.word()?), Stamp(self.number()?), Stamp(self.number()?));
            let sum = i64::from_le_bytes(self.word()?.to_le_bytes());
            state.shares.push(Share { node, since, stamp, sum });
        }
        Ok(state)
    }

    fn element(&mut self) -> Result<Element, CodeError> {
        let bits = self.byte()?;
        let (collection, mark, name) = (collection(bits & 3)?, self.mark()?, self.piece()?);
        let value = if bits & 4 != 0 { Some(self.piece()?) } else { None };
        Ok(Element { collection, name, mark, value })
    }

    fn knowledge(&mut self) -> Result<Knowledge, CodeError> {
        let (horizon, scopes) = (Stamp(self.number()?), self.word()?);
        let mut known = Known::default();
        for _ in 0..self.count()? {
            let node = NodeId(self.word()?);
            known.add(Stretch { node, after: Stamp(self.number()?), upto: Stamp(self.number()?) });
        }
        Ok(Knowledge { known, horizon, scopes })
    }

    fn bound(&mut self) -> Result<Option<(Collection, Bytes)>, CodeError> {
        match self.byte()? {
            u8::MAX => Ok(None),
            bits => Ok(Some((collection(bits)?, self.piece()?))),
        }
    }

    fn mark(&mut self) -> Result<Mark, CodeError> {
        Ok(Mark { stamp: Stamp(self.number()?), node: NodeId(self.word()?) })
    }

    /// A number of things that are yet to come.
    fn count(&mut self) -> Result<u64, CodeError> {
        let count = self.number()?;
        let room = (self.bytes.len() - self.at) / ELEMENT_MIN_BYTES;
        if count > room as u64 { Err(CodeError::Short) } else { Ok(count) }
    }

    fn piece(&mut self) -> Result<Bytes, CodeError> {
        let len = usize::try_from(self.number()?).map_err(|_large| CodeError::Short)?;
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len()).ok_or(CodeError::Short)?;
        let piece = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(piece)
    }

    fn word(&mut self) -> Result<u64, CodeError> {
        let word = self.bytes.get(self.at..self.at + 8).ok_or(CodeError::Short)?;
        self.at += 8;
        Ok(u64::from_le_bytes(word.try_into().expect("eight bytes")))
    }

    fn byte(&mut self) -> Result<u8, CodeError> {
        let byte = *self.bytes.get(self.at).ok_or(CodeError::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, CodeError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CodeError::Unknown { what: "number", value: number })
    }
}

fn collection(bits: u8) -> Result<Collection, CodeError> {
    match bits {
        0 => Ok(Collection::Hash),
        1 => Ok(Collection::Set),
        2 => Ok(Collection::SortedSet),
        other => Err(CodeError::Unknown { what: "collection", value: u64::from(other) }),
    }
}
