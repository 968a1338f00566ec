//! Where a reply ends, found while it passes: nothing of it is kept.

/// Longest line, in bytes.
const LINE_MAX: usize = 64 << 10;

/// How far the reply that passes is.
#[derive(Debug, Default)]
pub(crate) struct Extent {
    /// Values still to come.
    pending: u64,
    /// Bytes still to come of the string that passes, the end of its line included.
    body: u64,
    /// What the reply began with, once something of it has passed.
    pub(crate) first: Option<u8>,
}

impl Extent {
    /// Lets the front of `input` pass: how many bytes, and whether the reply ends with them. An error: it is none.
    pub(crate) fn feed(&mut self, input: &[u8]) -> Result<(usize, bool), &'static str> {
        let mut passed = 0;
        if self.first.is_none() {
            self.first = input.first().copied();
            self.pending = 1;
        }
        loop {
            if self.body > 0 {
                let there = input.len() - passed;
                let taken = usize::try_from(self.body).map_or(there, |body| body.min(there));
                passed += taken;
                self.body -= taken as u64;
                if self.body > 0 {
                    return Ok((passed, false));
                }
                self.pending -= 1;
            } else if let Some((kind, number, length)) = line(&input[passed..])? {
                passed += length;
                self.take(kind, number)?;
            } else {
                return Ok((passed, false));
            }
            if self.pending == 0 {
                return Ok((passed, true));
            }
        }
    }

    /// The next reply may come.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self, kind: u8, number: Option<u64>) -> Result<(), &'static str> {
        const TOO_MANY: &str = "it sent a reply with too many parts";
        let more = match (kind, number) {
            (b'$' | b'=' | b'!', Some(length)) => {
                self.body = length.checked_add(2).ok_or(TOO_MANY)?;
                return Ok(());
            }
            (b'*' | b'~' | b'>', Some(count)) => count,
            (b'%', Some(count)) => count.checked_mul(2).ok_or(TOO_MANY)?,
            // What is said of the next value is no value.
            (b'|', Some(count)) => {
                count.checked_mul(2).and_then(|count| count.checked_add(1)).ok_or(TOO_MANY)?
            }
            _ => 0,
        };
        self.pending = (self.pending - 1).checked_add(more).ok_or(TOO_MANY)?;
        Ok(())
    }
}

/// The kind of a line, its number if it is the length of something, and its length.
type Line = (u8, Option<u64>, usize);

/// The line at the front.
fn line(input: &[u8]) -> Result<Option<Line>, &'static str> {
    let Some(end) = memchr::memchr(b'\n', &input[..input.len().min(LINE_MAX)]) else {
        return if input.len() >= LINE_MAX { Err("it sent a line that is too long") } else { Ok(None) };
    };
    let kind = input[0];
    let number = match kind {
        b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|' => {
            let text =
                std::str::from_utf8(input[..end].strip_suffix(b"\r").unwrap_or_default()).unwrap_or_default();
            let number: i64 = text
                .get(1..)
                .unwrap_or_default()
                .parse()
                .map_err(|_no_number| "it sent a length that is no number")?;
            u64::try_from(number).ok()
        }
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => None,
        _ => return Err("it sent something that is no reply"),
    };
    Ok(Some((kind, number, end + 1)))
}

#[cfg(test)]
mod tests;
