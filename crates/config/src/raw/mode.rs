//! Numbers that are written as texts: octal file modes and percentages.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Serialize, Serializer};

use super::shape::{Shape, read_by_shape};

/// Permission bits in octal, as a text such as "0660".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(with = "String")]
pub struct FileMode(pub u32);

/// A percentage such as "20%".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(with = "String")]
pub struct Percent(pub u32);

/// The text is no octal mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a file mode: write octal digits in quotes, \"0660\", up to \"7777\"")]
pub struct FileModeError(String);

/// The text is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a percentage: write \"20%\", at most \"1000%\"")]
pub struct PercentError(String);

impl FromStr for FileMode {
    type Err = FileModeError;
    fn from_str(text: &str) -> Result<Self, FileModeError> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let octal = !digits.is_empty() && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let mode = if octal { u32::from_str_radix(digits, 8).ok() } else { None };
        mode.filter(|mode| *mode <= 0o7777).map(Self).ok_or_else(|| FileModeError(text.into()))
    }
}

impl FromStr for Percent {
    type Err = PercentError;
    fn from_str(text: &str) -> Result<Self, PercentError> {
        let digits = text.strip_suffix('%').map(str::trim_end).filter(|digits| !digits.starts_with('+'));
        let number = digits.and_then(|digits| digits.parse().ok()).filter(|number| *number <= 1000);
        number.map(Self).ok_or_else(|| PercentError(text.into()))
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Shape for FileMode {
    const EXPECTED: &'static str = "a file mode in quotes such as \"0660\"";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        text.parse().map_err(E::custom)
    }
}

impl Shape for Percent {
    const EXPECTED: &'static str = "a percentage in quotes such as \"20%\"";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        text.parse().map_err(E::custom)
    }
}

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

read_by_shape!(FileMode, Percent);
