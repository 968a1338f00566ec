//! Values with a short form: one text for what is mostly wanted, a table for everything.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess};
use serde::{Deserialize, Serialize};

use super::Located;
use super::shape::{Shape, read_by_shape};

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Texts(pub Vec<Located<String>>);

impl Shape for Texts {
    const EXPECTED: &'static str = "a text, or a list of texts";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self(vec![text.into()]))
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Self)
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

read_by_shape!(Texts);

/// Declares a value that is one text, or a table.
macro_rules! shorthand {
    ($(#[$doc:meta])* $type:ident = $table:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "there are a few of them, for the moment of reading")]
        pub enum $type {
            /// The text alone.
            Text(String),
            /// With its settings.
            Table($table),
        }

        impl crate::raw::shape::Shape for $type {
            const EXPECTED: &'static str = $expected;
            fn from_text<E: serde::de::Error>(text: &str) -> Result<Self, E> {
                Ok(Self::Text(text.to_owned()))
            }
            fn from_table<'de, A: serde::de::MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
                let reader = serde::de::value::MapAccessDeserializer::new(table);
                <$table as serde::Deserialize>::deserialize(reader).map(Self::Table)
            }
        }

        crate::raw::shape::read_by_shape!($type);
    };
}
pub(crate) use shorthand;
