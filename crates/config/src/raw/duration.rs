//! Durations with units: `30s`, `1m 30s`, `500ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration as Time;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Serialize, Serializer};

use super::shape::{Shape, read_by_shape};

/// Units with their length in nanoseconds, the longest first.
const UNITS: [(&str, u64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A hundred years, in nanoseconds: sums of a few still fit into 64 bits.
const NANOS_MAX: u64 = 3_155_760_000 * 1_000_000_000;

/// A length of time, such as "30s", "1m 30s", "500ms", "2h", "1d" or "1.5s"; a number needs a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, JsonSchema)]
#[schemars(with = "String")]
pub struct Duration(pub Time);

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number stands alone.
    #[error("a duration needs a unit: write \"{0}s\" for seconds or \"{0}ms\" for milliseconds")]
    Unit(String),
    /// Anything else.
    #[error("{0:?} is not a duration: write \"30s\", \"1m 30s\", \"500ms\", \"2h\" or \"1d\"")]
    Form(String),
    /// More than a hundred years.
    #[error("{0:?} is longer than a hundred years")]
    TooLong(String),
}

impl From<Time> for Duration {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

impl FromStr for Duration {
    type Err = DurationError;
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let form = || DurationError::Form(text.into());
        let mut rest = text.trim();
        if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(DurationError::Unit(rest.into()));
        }
        let mut total = Some(0_u64);
        loop {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(form)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
            let part = scaled(number, *length).ok_or_else(form)?;
            total = total.zip(part).and_then(|(total, part)| total.checked_add(part));
            rest = tail.trim_start();
            if rest.is_empty() {
                break;
            }
        }
        let total = total.filter(|nanos| *nanos <= NANOS_MAX);
        total.map(|nanos| Self(Time::from_nanos(nanos))).ok_or_else(|| DurationError::TooLong(text.into()))
    }
}

/// `number * unit`; the outer `None` is no number, the inner one too large.
fn scaled(number: &str, unit: u64) -> Option<Option<u64>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    // Nine digits are what nanoseconds can tell apart.
    let fraction = &fraction[..fraction.len().min(9)];
    let parts = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let below = u128::from(unit) * fraction.parse::<u128>().ok()? / parts;
    let Ok(whole) = whole.parse::<u64>() else { return Some(None) };
    let total = u128::from(whole) * u128::from(unit) + below;
    Some(u64::try_from(total).ok())
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        let mut separator = "";
        // Weeks are understood, but "14d" reads better than "2w".
        for (unit, length) in &UNITS[1..] {
            if rest >= *length {
                write!(f, "{separator}{}{unit}", rest / length)?;
                rest %= length;
                separator = " ";
            }
        }
        Ok(())
    }
}

impl Shape for Duration {
    const EXPECTED: &'static str = "a duration such as \"30s\"";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        text.parse().map_err(E::custom)
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        Err(E::custom(DurationError::Unit(number.to_string())))
    }
    fn from_fraction<E: Error>(number: f64) -> Result<Self, E> {
        Err(E::custom(DurationError::Unit(number.to_string())))
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

read_by_shape!(Duration);
