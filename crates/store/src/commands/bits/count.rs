//! `BITCOUNT` and `BITPOS`: within bytes, or within a range of them, or of bits.

use super::bit;
use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, Text};

/// A range as it was asked for, negative ends counted from the end.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: i64,
    end: i64,
    counts_bits: bool,
}

impl Span {
    /// The range in bits, the first and the last one; none when it is empty.
    fn bits(self, bytes: &[u8]) -> Option<(usize, usize)> {
        let bits = bytes.len() * 8;
        let len = i64::try_from(if self.counts_bits { bits } else { bytes.len() }).ok()?;
        let from_start = |place: i64| if place < 0 { place.saturating_add(len).max(0) } else { place };
        let (start, end) = (from_start(self.start), from_start(self.end).min(len - 1));
        if start > end {
            return None;
        }
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        Some(if self.counts_bits { (start, end) } else { (start * 8, end * 8 + 7) })
    }
}

pub(super) fn bitcount(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let span = match command[2..] {
        [] => Span { start: 0, end: -1, counts_bits: false },
        [start, end] => span(start, end, None)?,
        [start, end, unit] => span(start, end, Some(unit))?,
        _ => return Err(Failure::Syntax),
    };
    let mut digits = Digits::new();
    let bytes = call.keys.read::<Text>(command[1])?.map_or(&[][..], |text| text.bytes(&mut digits));
    // Two ends before the beginning are both moved to it, except that here a range that ran backwards stays empty.
    let is_backwards = span.start < 0 && span.end < 0 && span.start > span.end;
    let bits = span.bits(bytes).filter(|_| !is_backwards);
    let count = bits.map_or(0, |(first, last)| ones(bytes, first, last));
    Ok(call.count(count))
}

pub(super) fn bitpos(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let value = match number::integer_argument(command[2])? {
        0 => false,
        1 => true,
        _ => return Err(Failure::text("ERR The bit argument must be 1 or 0.")),
    };
    let (span, has_end) = match command[3..] {
        [] => (Span { start: 0, end: -1, counts_bits: false }, false),
        [start] => (span(start, b"-1", None)?, false),
        [start, end] => (span(start, end, None)?, true),
        [start, end, unit] => (span(start, end, Some(unit))?, true),
        _ => return Err(Failure::Syntax),
    };
    let mut digits = Digits::new();
    let Some(text) = call.keys.read::<Text>(command[1])? else {
        return Ok(call.integer(if value { -1 } else { 0 }));
    };
    let bytes = text.bytes(&mut digits);
    let Some((first, last)) = span.bits(bytes) else { return Ok(call.integer(-1)) };
    // A string is taken as followed by zeros, unless its end was named.
    let beyond = (!value && !has_end).then_some(bytes.len() * 8);
    match position(bytes, value, first, last).or(beyond) {
        Some(place) => Ok(call.count(place)),
        None => Ok(call.integer(-1)),
    }
}

fn span(start: &[u8], end: &[u8], unit: Option<&[u8]>) -> Result<Span, Failure> {
    let (start, end) = (number::integer_argument(start)?, number::integer_argument(end)?);
    Ok(Span { start, end, counts_bits: unit.map(is_bits).transpose()?.unwrap_or(false) })
}

fn is_bits(unit: &[u8]) -> Result<bool, Failure> {
    match unit {
        unit if is_word(unit, "BIT") => Ok(true),
        unit if is_word(unit, "BYTE") => Ok(false),
        _ => Err(Failure::Syntax),
    }
}

/// The ones from bit `first` to bit `last`: bits at the edges, whole bytes between.
fn ones(bytes: &[u8], first: usize, last: usize) -> usize {
    let (whole_from, whole_to) = (first.div_ceil(8), (last + 1) / 8);
    if whole_from >= whole_to {
        return (first..=last).filter(|&place| bit(bytes, place)).count();
    }
    let edges = (first..whole_from * 8).chain(whole_to * 8..last + 1);
    let at_edges = edges.filter(|&place| bit(bytes, place)).count();
    let whole = bytes[whole_from..whole_to].iter().map(|byte| byte.count_ones() as usize);
    at_edges + whole.sum::<usize>()
}

/// The first bit of that value from bit `first` to bit `last`: whole bytes of the other value are passed over.
fn position(bytes: &[u8], value: bool, first: usize, last: usize) -> Option<usize> {
    let passed = if value { 0x00 } else { 0xff };
    let mut place = first;
    while place <= last {
        if place.is_multiple_of(8) && bytes[place / 8] == passed {
            place += 8;
        } else if bit(bytes, place) == value {
            return Some(place);
        } else {
            place += 1;
        }
    }
    None
}
