//! Lines that hold a number: how many arguments, how long a string.
//!
//! Redis' rules: decimal digits and perhaps a minus sign, no plus, no leading zeros, nothing else, within 64 bits.

/// Bytes a line with a number may have: a sign, 19 digits, and its end with room to spare.
const LINE_MAX: usize = 32;

/// What stands at the front.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A number, and how many bytes it takes with the end of its line.
    Number(i64, usize),
    /// The line is not whole.
    Incomplete,
    /// It is, or will be, too long.
    TooLong,
    /// It is no number.
    Malformed,
}

/// Reads the number in the line at the front of `bytes`.
#[inline]
pub(super) fn number(bytes: &[u8]) -> Line {
    // Nearly all lines have one to three digits.
    let value = |digit: &u8| i64::from(digit - b'0');
    match bytes {
        [ones @ b'0'..=b'9', b'\r', b'\n', ..] => Line::Number(value(ones), 3),
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', b'\n', ..] => {
            Line::Number(value(tens) * 10 + value(ones), 4)
        }
        [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9', b'\r', b'\n', ..] => {
            Line::Number(value(hundreds) * 100 + value(tens) * 10 + value(ones), 5)
        }
        _ => any_number(bytes),
    }
}

fn any_number(bytes: &[u8]) -> Line {
    let window = &bytes[..bytes.len().min(LINE_MAX)];
    let Some(end) = memchr::memchr(b'\r', window) else {
        return if window.len() == LINE_MAX { Line::TooLong } else { Line::Incomplete };
    };
    match bytes.get(end + 1) {
        None => return Line::Incomplete,
        Some(b'\n') => {}
        Some(_) => return Line::Malformed,
    }
    integer(&window[..end]).map_or(Line::Malformed, |value| Line::Number(value, end + 2))
}

/// The integer `digits` are, by Redis' rules.
pub(super) fn integer(digits: &[u8]) -> Option<i64> {
    let magnitude = digits.strip_prefix(b"-").unwrap_or(digits);
    let is_canonical = match magnitude {
        b"0" => magnitude.len() == digits.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_canonical.then(|| str::from_utf8(digits).ok()?.parse().ok())?
}
