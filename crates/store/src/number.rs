//! Numbers as clients write and read them: strict, in decimal, as Redis takes them.

use crate::failure::Failure;

/// Longest text of a 64-bit integer: the sign and 19 digits.
const INTEGER_MAX_LEN: usize = 20;
/// Decimals kept by increments of floats, as Redis keeps them.
const DECIMALS: usize = 17;

/// The integer whose only spelling is `text`: no plus, no leading zero, no space.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0', ..] if digits.len() > 1 || negative => return None,
        _ if text.len() > INTEGER_MAX_LEN => return None,
        _ => {}
    }
    let mut value: u64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// An argument that has to be an integer.
pub(crate) fn integer_argument(text: &[u8]) -> Result<i64, Failure> {
    integer(text).ok_or(Failure::NotInteger)
}

/// A float argument: decimal or scientific, `inf` and `-inf`; never a NaN.
pub(crate) fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let value: f64 = text.parse().ok()?;
    // What `strtod` calls overflow is not a number a client can mean.
    let spelled_infinite = text.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'i'));
    if value.is_nan() || (value.is_infinite() && !spelled_infinite) { None } else { Some(value) }
}

/// The shortest fixed-point text of `value`, without an exponent.
pub(crate) fn float_text(value: f64) -> String {
    let mut text = format!("{value}");
    if text.split_once('.').is_some_and(|(_, decimals)| decimals.len() > DECIMALS) {
        text = format!("{value:.DECIMALS$}");
        trim(&mut text);
    }
    if text == "-0" {
        text.remove(0);
    }
    text
}

/// The sum of two decimal texts: exact where both have at most 17 decimals and 20 digits before them (Redis adds in
/// 80 bits, where 0.1 and 0.2 are 0.3), else as 64-bit floats.
pub(crate) fn decimal_sum(left: &[u8], right: &[u8]) -> Result<String, Failure> {
    let (a, b) = (float(left).ok_or(Failure::NotFloat)?, float(right).ok_or(Failure::NotFloat)?);
    let sum = a + b;
    if !sum.is_finite() {
        return Err(Failure::text("ERR increment would produce NaN or Infinity"));
    }
    let exact = fixed(left).zip(fixed(right)).and_then(|(a, b)| a.checked_add(b));
    Ok(exact.map_or_else(|| float_text(sum), fixed_text))
}

/// `text` times 10^17 when that is exact.
fn fixed(text: &[u8]) -> Option<i128> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let point = text.iter().position(|&byte| byte == b'.');
    let (whole, decimals) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    if decimals.len() > DECIMALS || whole.len() > INTEGER_MAX_LEN {
        return None;
    }
    let zeros = std::iter::repeat_n(&b'0', DECIMALS - decimals.len());
    let mut value: i128 = 0;
    for byte in whole.iter().chain(decimals).chain(zeros) {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    Some(if negative { -value } else { value })
}

fn fixed_text(value: i128) -> String {
    let unit = 10u128.pow(17);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let mut text = format!("{sign}{}.{:017}", magnitude / unit, magnitude % unit);
    trim(&mut text);
    text
}

/// Cuts zeros after the point, and the point when nothing follows it.
fn trim(text: &mut String) {
    let kept = text.trim_end_matches('0').trim_end_matches('.').len();
    text.truncate(kept);
}

#[cfg(test)]
mod tests;
