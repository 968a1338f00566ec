//! Whether a document is a JSON Schema that can be used.

use serde_json::Value;

/// Whether `schema` is a JSON Schema, of the draft that it names or 2020-12, that refers to nothing outside itself.
///
/// # Errors
/// What is wrong, and where in it.
pub(crate) fn check(schema: &Value) -> Result<(), String> {
    let built = jsonschema::options().build(schema);
    built.map(|_| ()).map_err(|why| format!("{why} (at {:?})", why.instance_path().to_string()))
}
