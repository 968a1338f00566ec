//! Commands in one line, as people type them: words, some in quotes.
//!
//! Redis' rules: within double quotes `\xhh`, `\n`, `\r`, `\t`, `\b`, `\a` and `\` before any other byte stand for one
//! byte; within single quotes only `\'` does; after a closing quote a blank or the end of the line must follow. What
//! a word stands for is never longer than the word, so it is put in its place, and arguments stay places in the input.

use std::ops::Range;

use super::RespError;

/// Splits `line` into words, appends their places, counted from its beginning, and puts there what they stand for.
pub(super) fn split(line: &mut [u8], arguments: &mut Vec<Range<usize>>) -> Result<(), RespError> {
    // To Redis, which is written in C, a zero byte ends the line.
    let end = memchr::memchr(0, line).unwrap_or(line.len());
    let mut words = Words { line: &mut line[..end], read: 0, write: 0 };
    loop {
        while words.peek(0).is_some_and(is_blank) {
            words.read += 1;
        }
        if words.peek(0).is_none() {
            return Ok(());
        }
        words.write = words.read;
        let start = words.write;
        words.word()?;
        arguments.push(start..words.write);
    }
}

/// As C's `isspace`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

struct Words<'a> {
    line: &'a mut [u8],
    read: usize,
    write: usize,
}

impl Words<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.line.get(self.read + ahead).copied()
    }

    /// Puts `byte`, for which `len` bytes stood.
    fn put(&mut self, byte: u8, len: usize) {
        self.line[self.write] = byte;
        self.write += 1;
        self.read += len;
    }

    fn word(&mut self) -> Result<(), RespError> {
        while let Some(byte) = self.peek(0) {
            match byte {
                // Fewer than the blanks that may stand before a word; so it is in Redis.
                b' ' | b'\n' | b'\r' | b'\t' => {
                    self.read += 1;
                    return Ok(());
                }
                b'"' | b'\'' => {
                    self.read += 1;
                    return self.quoted(byte);
                }
                _ => self.put(byte, 1),
            }
        }
        Ok(())
    }

    fn quoted(&mut self, quote: u8) -> Result<(), RespError> {
        loop {
            let byte = self.peek(0).ok_or(RespError::UnbalancedQuotes)?;
            if byte == quote {
                self.read += 1;
                let ends = self.peek(0).is_none_or(is_blank);
                return if ends { Ok(()) } else { Err(RespError::UnbalancedQuotes) };
            }
            match (byte, self.peek(1)) {
                (b'\\', Some(b'\'')) if quote == b'\'' => self.put(b'\'', 2),
                (b'\\', Some(next)) if quote == b'"' => self.escape(next),
                _ => self.put(byte, 1),
            }
        }
    }

    fn escape(&mut self, next: u8) {
        let digit = |place| self.peek(place).and_then(hex);
        if let (b'x', Some(high), Some(low)) = (next, digit(2), digit(3)) {
            return self.put(high * 16 + low, 4);
        }
        let byte = match next {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'a' => 0x07,
            other => other,
        };
        self.put(byte, 2);
    }
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
