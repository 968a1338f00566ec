//! Parts of a file, as a client asks for them (RFC 9110 14).

use std::ops::Range;

#[cfg(test)]
mod tests;

/// What a Range asks of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranges {
    /// Nothing that can be understood, or more than is given: the whole.
    Whole,
    /// These parts, at least one, none empty, none touching another, in the order they were asked for.
    Parts(Vec<Range<u64>>),
    /// 416: none of it exists.
    Unsatisfiable,
}

/// Parts given at once; who asks for more gets the whole, which is cheaper for both.
pub const PARTS_MAX: usize = 5;
/// Parts looked at; what asks for more is an attack or a mistake.
const ASKED_MAX: usize = 100;
/// Parts with a smaller gap between them are given as one: the head of a part is larger.
const GAP: u64 = 80;

/// Reads the value of Range for a file of `len` bytes.
#[must_use]
pub fn read(value: &[u8], len: u64) -> Ranges {
    let unit = value.get(..6).is_some_and(|unit| unit.eq_ignore_ascii_case(b"bytes="));
    let Some(list) = unit.then(|| &value[6..]) else { return Ranges::Whole };
    let mut parts = Vec::new();
    let mut count = 0;
    for text in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|text| !text.is_empty()) {
        count += 1;
        match range(text, len) {
            _ if count > ASKED_MAX => return Ranges::Whole,
            None => return Ranges::Whole,
            Some(part) if part.is_empty() => {}
            Some(part) => parts.push(part),
        }
    }
    if count == 0 {
        return Ranges::Whole;
    }
    if parts.is_empty() {
        return Ranges::Unsatisfiable;
    }
    let parts = coalesce(parts);
    let is_whole = parts.first().is_some_and(|part| *part == (0..len));
    if parts.len() > PARTS_MAX || is_whole { Ranges::Whole } else { Ranges::Parts(parts) }
}

/// One part; an empty one does not exist in the file. `None`: it is none at all.
fn range(text: &[u8], len: u64) -> Option<Range<u64>> {
    let dash = memchr::memchr(b'-', text)?;
    let (first, last) = (&text[..dash], &text[dash + 1..]);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => Some(len.saturating_sub(number(last)?)..len),
        (false, true) => {
            let first = number(first)?;
            Some(first.min(len)..len)
        }
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            Some(first.min(len)..last.saturating_add(1).min(len))
        }
    }
}

/// Digits; more than fit are as many as there could be.
fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))),
    )
}

/// Joins parts that overlap or nearly touch; each stays where the first of its parts was asked for.
fn coalesce(parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted: Vec<(usize, Range<u64>)> = parts.into_iter().enumerate().collect();
    sorted.sort_by_key(|(_, part)| part.start);
    let mut joined: Vec<(usize, Range<u64>)> = Vec::new();
    for (order, part) in sorted {
        match joined.last_mut() {
            Some((first, last)) if part.start <= last.end.saturating_add(GAP) => {
                last.end = last.end.max(part.end);
                *first = order.min(*first);
            }
            _ => joined.push((order, part)),
        }
    }
    joined.sort_by_key(|(order, _)| *order);
    joined.into_iter().map(|(_, part)| part).collect()
}
