//! How many requests in which time, as in `limit = "20/m"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Words for times, and their seconds.
const PERIODS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];
/// Most requests of a rate: one a microsecond.
const COUNT_MAX: u32 = 1_000_000;

/// So many in so long: `20/m`, `5/s`, `1000/h`, `10000/d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Rate {
    /// How many; 1 to 1000000.
    count: u32,
    /// In how many seconds.
    seconds: u64,
}

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no rate: write \"20/m\", \"5/s\", \"1000/h\" or \"10000/d\", and 1 to {COUNT_MAX} before the slash"
)]
pub struct RateError(String);

impl Rate {
    /// How many requests there may be in [`Rate::period`].
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// The time they are counted in.
    #[must_use]
    pub fn period(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The time from one request to the next at this rate, at least a microsecond.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.period() / self.count
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = PERIODS.iter().find(|(_, seconds)| *seconds == self.seconds).map_or("s", |(word, _)| word);
        write!(f, "{}/{word}", self.count)
    }
}

impl FromStr for Rate {
    type Err = RateError;
    fn from_str(text: &str) -> Result<Self, RateError> {
        let wrong = || RateError(text.chars().take(80).collect());
        let (count, period) = text.split_once('/').ok_or_else(wrong)?;
        let count: u32 = count.trim().parse().ok().ok_or_else(wrong)?;
        let seconds = PERIODS.iter().find(|(word, _)| *word == period.trim()).map(|(_, seconds)| *seconds);
        match seconds {
            Some(seconds) if (1..=COUNT_MAX).contains(&count) => Ok(Self { count, seconds }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;
    fn try_from(text: String) -> Result<Self, RateError> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}
