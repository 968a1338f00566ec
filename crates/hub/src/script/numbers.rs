//! Numbers between Lua, where all are doubles, and everything else.

use mlua::Value;
use remuda_wire::resp::Double;

/// Significant digits of Lua's own texts.
const DIGITS: usize = 14;

/// A double as an integer: without its fraction, and the nearest one there is when it is too large (0 for NaN).
pub(super) fn truncated(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, as documented")]
    let integer = value as i64;
    integer
}

/// An integer as a double, rounded where it has more than 53 bits.
pub(super) fn double(value: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "all numbers of Lua 5.1 are doubles")]
    let double = value as f64;
    double
}

/// A length as Lua's number.
pub(super) fn length(value: usize) -> Value {
    Value::Number(double(i64::try_from(value).unwrap_or(i64::MAX)))
}

/// What a value is as a number; strings of digits are not.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(double(*value)),
        Value::Number(value) => Some(*value),
        _ => None,
    }
}

/// An integral double as integer, if it is one and fits.
pub(super) fn integral(value: f64) -> Option<i64> {
    let inside = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    (inside && value.fract() == 0.0).then(|| truncated(value))
}

/// As Lua 5.1 writes it: `%.14g` of printf(3).
pub(super) fn text(value: f64) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.into();
    }
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("an exponent is always written");
    let exponent: i64 = exponent.parse().expect("it is a number");
    let digits = i64::try_from(DIGITS).expect("a small number");
    if (-4..digits).contains(&exponent) {
        let decimals = usize::try_from(digits - 1 - exponent).expect("not negative by the range");
        return without_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

/// With all digits that a double has, as commands are given it.
pub(super) fn precise(value: f64) -> String {
    String::from_utf8_lossy(Double::new(value).as_bytes()).into_owned()
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests;
