//! How many workers: a number, or so many for each CPU.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess};
use serde::{Serialize, Serializer};

use super::shape::{Shape, read_by_shape};

/// A number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// So many.
    Count(u32),
    /// So many for each CPU the process may use.
    PerCpu(u32),
}

impl Shape for Workers {
    const EXPECTED: &'static str = "a number of workers from 0 to 4294967295, \"cpus\" or \"cpus*2\"";

    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        let count = u32::try_from(number).ok();
        count.map(Self::Count).ok_or_else(|| {
            E::custom(format!("{number} is not a number of workers: write one from 0 to 4294967295"))
        })
    }

    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        if text == "cpus" {
            return Ok(Self::PerCpu(1));
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::from_number(text.parse().unwrap_or(i64::MAX));
        }
        let times = text.strip_prefix("cpus*").and_then(|times| times.parse().ok());
        times.map(Self::PerCpu).ok_or_else(|| {
            E::custom(format!("{text:?} is not a number of workers: write 4, \"cpus\" or \"cpus*2\""))
        })
    }

    fn from_table<'de, A: MapAccess<'de>>(_table: A) -> Result<Self, A::Error> {
        Err(A::Error::custom(
            "a number of workers that follows the load is not supported by this version: write a number, \"cpus\" or \"cpus*2\"",
        ))
    }
}

impl Serialize for Workers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => count.serialize(serializer),
            Self::PerCpu(1) => serializer.serialize_str("cpus"),
            Self::PerCpu(times) => serializer.collect_str(&format_args!("cpus*{times}")),
        }
    }
}

impl JsonSchema for Workers {
    fn schema_name() -> Cow<'static, str> {
        "Workers".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "description": "So many." },
            { "type": "string", "pattern": "^(cpus(\\*[0-9]+)?|[0-9]+)$", "description": "So many for each CPU." },
        ]})
    }
}

read_by_shape!(Workers);
