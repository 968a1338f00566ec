//! Numbers between Lua, where all are doubles, and everything else.

use mlua::Value;

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

/// As `%.<precision>g` of printf(3) writes it.
pub(super) fn general(value: f64, precision: usize) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.into();
    }
    let scientific = format!("{value:.*e}", precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("an exponent is always written");
    let exponent: i64 = exponent.parse().expect("it is a number");
    let digits = i64::try_from(precision).expect("a small number");
    if (-4..digits).contains(&exponent) {
        let decimals = usize::try_from(digits - 1 - exponent).expect("not negative by the range");
        return without_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn numbers_are_written_as_printf_does() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (1e15, "1e+15"),
            (123_456_789.0, "123456789"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (99_999_999_999_999.9, "1e+14"),
            (f64::MAX, "1.7976931348623e+308"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(general(value, 14), text);
        }
        assert_eq!(general(0.1, 17), "0.10000000000000001");
        assert_eq!(general(1_700_000_000_123.0, 17), "1700000000123");
    }
}
