//! The declarations of [`raw`] as a JSON Schema: for editors, for the reference page, and for telling
//! which keys there are.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value;

use crate::raw;

/// The JSON Schema (2020-12) of `remuda.toml`.
#[must_use]
pub fn schema() -> Value {
    SCHEMA.clone()
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<raw::File>();
    RecursiveTransform(without_null).transform(&mut schema);
    schema.to_value()
});

/// TOML has no null: an absent key is absent.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    // Formats such as `uint32` are no part of the standard; the bounds beside them say the same.
    object.remove("format");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(shapes)) = object.get_mut("anyOf") {
        shapes.retain(|shape| shape.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = shapes.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Definitions that are a kind of value, and what users call it.
const VALUE_NAMES: [(&str, &str); 6] = [
    ("Duration", "duration"),
    ("Size", "size"),
    ("Percent", "percentage"),
    ("FileMode", "octal"),
    ("Amount", "amount"),
    ("Account", "name or number"),
];

/// A part of the schema, with its references followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node(&'static Value);

impl Node {
    /// The whole file.
    pub(crate) fn root() -> Self {
        Self(&SCHEMA)
    }

    /// The shapes a value may have, references followed.
    pub(crate) fn shapes(self) -> Vec<Self> {
        let reference = self.0.get("$ref").and_then(Value::as_str);
        if let Some(target) = reference.and_then(|path| SCHEMA.pointer(path.trim_start_matches('#'))) {
            return Self(target).shapes();
        }
        let several = ["anyOf", "oneOf"].iter().find_map(|key| self.0.get(key)?.as_array());
        several.map_or_else(|| vec![self], |all| all.iter().flat_map(|shape| Self(shape).shapes()).collect())
    }

    /// The keys of this shape if it is a table with fixed keys, in the order of the declaration.
    pub(crate) fn keys(self) -> Option<Vec<(&'static str, Self)>> {
        let properties = self.0.get("properties")?.as_object()?;
        Some(properties.iter().map(|(name, value)| (name.as_str(), Self(value))).collect())
    }

    /// Its shape that is a table with fixed keys.
    pub(crate) fn table(self) -> Option<Self> {
        self.shapes().into_iter().find(|shape| shape.0.get("properties").is_some())
    }

    /// The values of this shape if it is a table with free keys.
    pub(crate) fn values(self) -> Option<Self> {
        self.0.get("additionalProperties").filter(|values| values.is_object()).map(Self)
    }

    /// The items of this shape if it is a list.
    pub(crate) fn items(self) -> Option<Self> {
        self.0.get("items").map(Self)
    }

    /// What it is for.
    pub(crate) fn description(self) -> Option<&'static str> {
        self.0.get("description").and_then(Value::as_str)
    }

    /// The names of its JSON types.
    pub(crate) fn types(self) -> Vec<&'static str> {
        match self.0.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The kind of value it is, if that has a name of its own: `duration`, `size` …
    pub(crate) fn named(self) -> Option<&'static str> {
        let name = self.0.get("$ref").and_then(Value::as_str)?.rsplit('/').next()?;
        VALUE_NAMES.iter().find(|(definition, _)| *definition == name).map(|(_, word)| *word)
    }

    /// The only texts it may be.
    pub(crate) fn choices(self) -> Vec<&'static str> {
        let listed = self.0.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        listed.iter().chain(self.0.get("const")).filter_map(Value::as_str).collect()
    }
}
