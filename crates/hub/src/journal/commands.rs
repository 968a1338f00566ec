//! Commands as bytes: arrays of bulk strings, and nothing else of RESP.
//!
//! What is written here was written by us, so the reader is strict: a leading zero or a missing line end is damage.

use std::ops::Range;

/// Most arguments of a command that is read back: those of one command of a client, and of what is made of it.
const ARGUMENTS_MAX: usize = 4 * 1024 * 1024;

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A command of so many bytes.
    Command(usize),
    /// The beginning of a command.
    Incomplete,
    /// No command, whatever follows.
    Broken,
}

/// Reads the first command of `input`; its arguments are these ranges of it.
pub(super) fn parse(input: &[u8], arguments: &mut Vec<Range<usize>>) -> Parsed {
    arguments.clear();
    match command(input, arguments) {
        Ok(end) => Parsed::Command(end),
        Err(short) => short,
    }
}

fn command(input: &[u8], arguments: &mut Vec<Range<usize>>) -> Result<usize, Parsed> {
    let (count, mut at) = number(input, 0, b'*')?;
    if count == 0 || count > ARGUMENTS_MAX {
        return Err(Parsed::Broken);
    }
    for _ in 0..count {
        let (length, start) = number(input, at, b'$')?;
        let end = start.checked_add(length).ok_or(Parsed::Broken)?;
        at = line_end(input, end)?;
        arguments.push(start..end);
    }
    Ok(at)
}

/// The number after `sign` at `at`, and where its line ends.
fn number(input: &[u8], at: usize, sign: u8) -> Result<(usize, usize), Parsed> {
    let line = input.get(at..).unwrap_or_default();
    let (first, rest) = line.split_first().ok_or(Parsed::Incomplete)?;
    if *first != sign {
        return Err(Parsed::Broken);
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ended = rest.len() > digits;
    let canonical = digits > 0 && (digits == 1 || rest[0] != b'0');
    let value = std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse::<usize>().ok());
    match (ended, canonical, value) {
        (true, true, Some(value)) => Ok((value, line_end(input, at + 1 + digits)?)),
        (false, _, _) if digits < 20 => Err(Parsed::Incomplete),
        _ => Err(Parsed::Broken),
    }
}

/// Where the line end that must stand at `at` ends.
fn line_end(input: &[u8], at: usize) -> Result<usize, Parsed> {
    match input.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Ok(at + 2),
        [] | [b'\r'] => Err(Parsed::Incomplete),
        _ => Err(Parsed::Broken),
    }
}

#[cfg(test)]
mod tests;
