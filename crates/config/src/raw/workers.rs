//! How many workers: a number, so many for each CPU, or as many as the load asks for.

use std::borrow::Cow;

use remuda_model::Load;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Serialize, Serializer};

use super::Field;
use super::shape::{Shape, read_by_shape};

/// A number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerCount {
    /// So many.
    Number(u32),
    /// So many for each CPU the process may use.
    PerCpu(u32),
}

/// A number of workers, or the bounds within which it follows the load.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Workers {
    /// So many, until somebody changes it.
    Count(WorkerCount),
    /// As many as the load asks for.
    Bounds(WorkerBounds),
}

/// A number of workers that follows the load.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerBounds {
    /// At least so many, and so many to begin with; 1 or more. Default: 1.
    pub min: Field<WorkerCount>,
    /// At most so many. Required.
    pub max: Field<WorkerCount>,
    /// What asks for more: "backlog", connections that wait in the queues of its sockets, or "cpu", the processor time
    /// that its workers use. Default: "backlog".
    pub on: Field<Load>,
}

impl Shape for WorkerCount {
    const EXPECTED: &'static str = "a number of workers from 0 to 4294967295, \"cpus\" or \"cpus*2\"";

    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        let count = u32::try_from(number).ok();
        count.map(Self::Number).ok_or_else(|| {
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
}

impl Shape for Workers {
    const EXPECTED: &'static str =
        "a number of workers from 0 to 4294967295, \"cpus\", \"cpus*2\" or { min = …, max = … }";

    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        WorkerCount::from_number(number).map(Self::Count)
    }
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        WorkerCount::from_text(text).map(Self::Count)
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        WorkerBounds::deserialize(MapAccessDeserializer::new(table)).map(Self::Bounds)
    }
}

impl Serialize for WorkerCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(count) => count.serialize(serializer),
            Self::PerCpu(1) => serializer.serialize_str("cpus"),
            Self::PerCpu(times) => serializer.collect_str(&format_args!("cpus*{times}")),
        }
    }
}

impl JsonSchema for WorkerCount {
    fn schema_name() -> Cow<'static, str> {
        "WorkerCount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "description": "So many." },
            { "type": "string", "pattern": "^(cpus(\\*[0-9]+)?|[0-9]+)$", "description": "So many for each CPU." },
        ]})
    }
}

read_by_shape!(WorkerCount, Workers);
