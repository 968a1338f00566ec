//! Resource limits: an amount, `unlimited`, or a soft and a hard one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Serialize, Serializer};

use super::shape::{Shape, read_by_shape};
use super::{Field, Size};

/// A number, a size such as "64KiB", or "unlimited".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// At most so much.
    Of(u64),
    /// As much as wanted.
    Unlimited,
}

/// One limit, or a soft and a hard one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Limit {
    /// Soft and hard are the same.
    Both(Amount),
    /// They differ.
    Pair(LimitPair),
}

/// A soft and a hard limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitPair {
    /// The limit in force. Default: the hard one.
    pub soft: Field<Amount>,
    /// How far the worker may raise it itself. Default: the soft one.
    pub hard: Field<Amount>,
}

impl Shape for Amount {
    const EXPECTED: &'static str = "a number, a size such as \"64KiB\", or \"unlimited\"";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        match text {
            "unlimited" | "infinity" => Ok(Self::Unlimited),
            text => Size::from_text(text).map(|Size(bytes)| Self::Of(bytes)),
        }
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        let number = u64::try_from(number).ok();
        number.map(Self::Of).ok_or_else(|| E::custom("a limit is not negative; write \"unlimited\" for none"))
    }
}

impl Shape for Limit {
    const EXPECTED: &'static str =
        "a number, a size such as \"64KiB\", \"unlimited\", or { soft = …, hard = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Amount::from_text(text).map(Self::Both)
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        Amount::from_number(number).map(Self::Both)
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        LimitPair::deserialize(MapAccessDeserializer::new(table)).map(Self::Pair)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(number) => number.serialize(serializer),
            Self::Unlimited => serializer.serialize_str("unlimited"),
        }
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, a size such as \"64KiB\", or \"unlimited\".",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }]
        })
    }
}

read_by_shape!(Amount, Limit);
