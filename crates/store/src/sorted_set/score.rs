//! The text of a score: the shortest that reads back as exactly the same number, in Redis' spelling.
//!
//! Whole numbers that a double holds exactly are written as such; other numbers in decimals as long as few zeros are
//! needed, else with an exponent (`1.5e-7`, `1e+20`).

/// Whole numbers up to here are written without an exponent: beyond, not each has a double of its own.
const WHOLE_MAX: f64 = 4_503_599_627_370_496.0;
/// With as many zeros behind its digits a number is written with an exponent.
const ZEROS_BEHIND_MAX: i32 = 7;
/// With its last digit so far behind the point, a number that also begins far behind it is written with an exponent.
const DECIMALS_MAX: i32 = 7;
/// A number that begins so far behind the point is written with an exponent.
const ZEROS_BEFORE_MAX: i32 = 4;

/// The text of `score` in the answers of Redis: at most 25 bytes.
pub(crate) fn score_text(score: f64) -> String {
    let is_plain = !score.is_finite() || score == 0.0 || (score.trunc() == score && score.abs() <= WHOLE_MAX);
    if is_plain {
        return format!("{score}");
    }
    let scientific = format!("{score:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let digits = i32::try_from(digits).unwrap_or(i32::MAX);
    let last_place = exponent - digits + 1;
    let is_decimal = if last_place >= 0 {
        exponent < digits + ZEROS_BEHIND_MAX
    } else {
        last_place > -DECIMALS_MAX || exponent.abs() < ZEROS_BEFORE_MAX
    };
    match is_decimal {
        true => format!("{score}"),
        false if exponent < 0 => scientific,
        false => format!("{mantissa}e+{exponent}"),
    }
}
