//! JSON Schemas.

use jsonschema::Validator;
use remuda_model::gateway::SchemaSpec;
use serde_json::Value;

/// Mistakes that are told of one body; the rest is counted.
const TOLD_MAX: usize = 10;

/// A schema cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the schema {path}: {why}; no request is checked by it", path = path.display())]
pub(super) struct SchemaError {
    path: std::path::PathBuf,
    why: String,
}

pub(super) fn compile(spec: &SchemaSpec) -> Result<Validator, SchemaError> {
    let failed = |why: String| SchemaError { path: spec.path.clone(), why };
    let schema: Value = serde_json::from_str(&spec.text).map_err(|error| failed(error.to_string()))?;
    jsonschema::options().build(&schema).map_err(|error| failed(error.to_string()))
}

/// Whether `body` is JSON that fits.
///
/// # Errors
/// What is wrong, and where, in words.
pub(super) fn check(validator: &Validator, body: &[u8]) -> Result<(), String> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let mut told = Vec::new();
    let mut more = 0_usize;
    for error in validator.iter_errors(&value) {
        if told.len() == TOLD_MAX {
            more += 1;
            continue;
        }
        let place = error.instance_path().to_string();
        told.push(if place.is_empty() { error.to_string() } else { format!("{place}: {error}") });
    }
    match told.len() {
        0 => Ok(()),
        _ if more > 0 => Err(format!("{}; and {more} more", told.join("; "))),
        _ => Err(told.join("; ")),
    }
}
