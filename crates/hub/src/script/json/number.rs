//! Numbers as lua-cjson takes them by default: whatever strtod(3) takes, which is more than JSON has.

/// The longest number a text begins with, and its bytes: an optional sign, then decimal or hexadecimal digits with
/// an optional point and exponent, or `inf`, `infinity`, `nan` in any case. Numbers beyond the range are infinite.
pub(super) fn prefix(text: &[u8]) -> Option<(f64, usize)> {
    let is_signed = matches!(text.first(), Some(b'-' | b'+'));
    let sign = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
    let rest = &text[usize::from(is_signed)..];
    let (value, length) = word(rest).or_else(|| hexadecimal(rest)).or_else(|| decimal(rest))?;
    Some((sign * value, usize::from(is_signed) + length))
}

fn word(text: &[u8]) -> Option<(f64, usize)> {
    let begins = |word: &[u8]| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let values = [("infinity", f64::INFINITY), ("inf", f64::INFINITY), ("nan", f64::NAN)];
    let (word, value) = values.into_iter().find(|(word, _)| begins(word.as_bytes()))?;
    let payload = if value.is_nan() { parenthesised(&text[word.len()..]) } else { 0 };
    Some((value, word.len() + payload))
}

/// What C lets follow a NaN, to tell it from others.
fn parenthesised(text: &[u8]) -> usize {
    let Some(inside) = text.strip_prefix(b"(") else { return 0 };
    let length = inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if inside.get(length) == Some(&b')') { length + 2 } else { 0 }
}

fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let mantissa = digits_with_point(text, u8::is_ascii_digit)?;
    let length = mantissa + exponent(&text[mantissa..], b'e');
    let value = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    Some((value, length))
}

fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?;
    let mantissa = digits_with_point(digits, u8::is_ascii_hexdigit)?;
    let tail = exponent(&digits[mantissa..], b'p');
    let (mut value, mut scale, mut is_fraction) = (0.0, 0_i32, false);
    for byte in &digits[..mantissa] {
        match char::from(*byte).to_digit(16) {
            Some(digit) => {
                value = value * 16.0 + f64::from(digit);
                scale = scale.saturating_sub(if is_fraction { 4 } else { 0 });
            }
            None => is_fraction = true,
        }
    }
    let power = std::str::from_utf8(digits.get(mantissa + 1..mantissa + tail).unwrap_or_default()).ok()?;
    let power = if power.is_empty() { 0 } else { power.parse::<i32>().unwrap_or(i32::MAX) };
    Some((value * f64::from(power.saturating_add(scale)).exp2(), 2 + mantissa + tail))
}

/// Bytes of digits with at most one point among them; none when there is no digit.
fn digits_with_point(text: &[u8], is_digit: fn(&u8) -> bool) -> Option<usize> {
    let whole = text.iter().take_while(|byte| is_digit(byte)).count();
    let fraction = match text.get(whole) {
        Some(b'.') => 1 + text[whole + 1..].iter().take_while(|byte| is_digit(byte)).count(),
        _ => 0,
    };
    (whole > 0 || fraction > 1).then_some(whole + fraction)
}

/// Bytes of an exponent: none unless there is a digit in it.
fn exponent(text: &[u8], letter: u8) -> usize {
    if !text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)) {
        return 0;
    }
    let sign = usize::from(matches!(text.get(1), Some(b'-' | b'+')));
    let digits = text[1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 { 1 + sign + digits } else { 0 }
}
