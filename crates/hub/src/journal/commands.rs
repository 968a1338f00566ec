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

/// Writes a command.
pub(super) fn encode(arguments: &[&[u8]], out: &mut Vec<u8>) {
    header(b'*', arguments.len(), out);
    for argument in arguments {
        header(b'$', argument.len(), out);
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
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

fn header(sign: u8, number: usize, out: &mut Vec<u8>) {
    out.push(sign);
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

    use super::{Parsed, encode, parse};

    fn commands() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_every_part_of_it_is_incomplete(words in commands()) {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
            encode(&words, &mut bytes);
            prop_assert_eq!(parse(&bytes, &mut ranges), Parsed::Command(bytes.len()));
            let read: Vec<&[u8]> = ranges.iter().map(|range| &bytes[range.clone()]).collect();
            prop_assert_eq!(read, words);
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut], &mut ranges), Parsed::Incomplete);
            }
        }

        #[test]
        fn any_bytes_are_read_within_their_bounds(bytes: Vec<u8>) {
            let mut ranges = Vec::new();
            if let Parsed::Command(end) = parse(&bytes, &mut ranges) {
                prop_assert!(end <= bytes.len());
                prop_assert!(ranges.iter().all(|range| range.end <= end));
            }
        }
    }

    #[test]
    fn what_we_do_not_write_is_broken() {
        let texts: [&[u8]; 7] =
            [b"PING\r\n", b"*0\r\n", b"*01\r\n", b"*1\r\n+a\r\n", b"*1\r\n$1\r\nab", b"*-1\r\n", b"*1\n"];
        for text in texts {
            assert_eq!(parse(text, &mut Vec::new()), Parsed::Broken, "{}", text.escape_ascii());
        }
    }
}
