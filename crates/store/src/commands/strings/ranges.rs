//! Parts of strings.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, Text};

pub(crate) fn append(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, tail) = (command[1], command[2]);
    let len = call.keys.read::<Text>(key)?.map_or(0, Text::len) + tail.len();
    if len > call.keys.value_max_bytes() {
        return Err(Failure::TooLong);
    }
    call.keys.ensure::<Text>(key)?.bytes_mut().extend_from_slice(tail);
    call.keys.changed(key, Class::Text, "append");
    Ok(call.count(len))
}

pub(crate) fn getrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (start, end) = (number::integer_argument(command[2])?, number::integer_argument(command[3])?);
    let mut digits = Digits::new();
    let bytes = call.keys.read::<Text>(command[1])?.map_or(&[][..], |text| text.bytes(&mut digits));
    let part = range(bytes.len(), start, end).map_or(&[][..], |(start, end)| &bytes[start..end]);
    call.answer.bulk(part);
    Ok(Flow::Done)
}

pub(crate) fn setrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, part) = (command[1], command[3]);
    let start = number::integer_argument(command[2])?;
    let start = usize::try_from(start).map_err(|_negative| Failure::text("ERR offset is out of range"))?;
    let len = call.keys.read::<Text>(key)?.map_or(0, Text::len);
    if part.is_empty() {
        return Ok(call.count(len));
    }
    let end = start.checked_add(part.len()).filter(|&end| end <= call.keys.value_max_bytes());
    let end = end.ok_or(Failure::TooLong)?;
    let bytes = call.keys.ensure::<Text>(key)?.bytes_mut();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(part);
    call.keys.changed(key, Class::Text, "setrange");
    Ok(call.count(len.max(end)))
}

/// From where to before where two indices reach, negative ones counted from the end; none when that is nothing.
fn range(len: usize, start: i64, end: i64) -> Option<(usize, usize)> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |index: i64| if index < 0 { index.saturating_add(len).max(0) } else { index };
    let (from, to) = (from_start(start), from_start(end).min(len - 1));
    if len == 0 || from > to || (start < 0 && end < 0 && start > end) {
        return None;
    }
    Some((usize::try_from(from).ok()?, usize::try_from(to + 1).ok()?))
}
