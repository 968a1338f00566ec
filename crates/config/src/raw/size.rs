//! Sizes in bytes with units: `64KiB`, `10MB`, `512M`.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Serialize, Serializer};

use super::shape::{Shape, read_by_shape};

/// Units with their length in bytes. A letter alone counts in 1024s, as in systemd and most servers.
const UNITS: [(&str, u64); 15] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("k", 1 << 10),
    ("B", 1),
];

/// A number of bytes: a whole number, or a text with a unit such as "64KiB", "10MB" or "512M".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(pub u64);

/// The text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size: write \"64KiB\", \"10MB\", \"512M\" or a whole number of bytes up to 2^63-1")]
pub struct SizeError(String);

impl FromStr for Size {
    type Err = SizeError;
    fn from_str(text: &str) -> Result<Self, SizeError> {
        let refused = || SizeError(text.into());
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let unit = unit.trim_start();
        let length = if unit.is_empty() {
            1
        } else {
            UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?.1
        };
        let number: u64 = number.parse().ok().ok_or_else(refused)?;
        // TOML cannot write more, so neither could the effective config.
        let bytes = number.checked_mul(length).filter(|bytes| i64::try_from(*bytes).is_ok());
        bytes.map(Self).ok_or_else(refused)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |length: u64| self.0 > 0 && self.0.is_multiple_of(length);
        match UNITS[..4].iter().find(|(_, length)| whole(*length)) {
            Some((unit, length)) => write!(f, "{}{unit}", self.0 / length),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl Shape for Size {
    const EXPECTED: &'static str = "a size such as \"64KiB\", or a number of bytes";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        text.parse().map_err(E::custom)
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        u64::try_from(number).map(Self).ok().ok_or_else(|| E::custom(SizeError(number.to_string())))
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Bytes: a whole number, or a text with a unit such as \"64KiB\", \"10MB\" or \"512M\".",
            "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }]
        })
    }
}

read_by_shape!(Size);
