//! `get set del keys`: the store from the command line.

use std::collections::BTreeSet;

use remuda_toolkit::client::{ClientError, Condition, SetOptions, Store, Value};
use serde_json::{Map, json};

use super::shown::{put, readable};
use crate::arguments::{DelArguments, GetArguments, Global, KeysArguments, SetArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// Prints a value as it is, and only on a terminal an end of line behind it. No such key is the answer no.
pub(crate) async fn get(arguments: GetArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let mut store = super::find(global, arguments.database.number).await?.store();
    let key = arguments.key.as_bytes();
    let value = match store.get(key) {
        Err(error) if error.code() == Some("WRONGTYPE") => {
            return Err(no_string(&mut store, &arguments.key)?);
        }
        other => other?,
    };
    if arguments.printing.json {
        let mut document = Map::new();
        put(&mut document, "key", key);
        match &value {
            Some(value) => put(&mut document, "value", value),
            None => drop(document.insert("value".to_owned(), serde_json::Value::Null)),
        }
        screen.json(&document)?;
    } else if let Some(value) = &value {
        let mut bytes = readable(value, screen);
        if screen.out_is_terminal() {
            bytes.push(b'\n');
        }
        screen.bytes(&bytes)?;
    }
    match value {
        Some(_) => Ok(Exit::Done),
        None if arguments.printing.json => Ok(Exit::No),
        None => Err(Failure::new(Exit::No, format!("there is no key {:?}", arguments.key))),
    }
}

/// What to say of a key that holds something else than a string.
fn no_string(store: &mut Store, key: &str) -> Result<Failure, ClientError> {
    let kind = match store.command(&[b"TYPE", key.as_bytes()])? {
        Value::Simple(kind) => String::from_utf8_lossy(&kind).into_owned(),
        _ => "something else".to_owned(),
    };
    Ok(Failure::new(Exit::Refused, format!("{key:?} holds no string but a {kind}"))
        .hint("any client of Redis reads it: `remuda status` shows where the store is"))
}

/// Sets a key; a condition that does not hold is the answer no.
pub(crate) async fn set(arguments: SetArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let condition = match (arguments.if_absent, arguments.if_present) {
        (true, _) => Condition::IfAbsent,
        (_, true) => Condition::IfPresent,
        _ => Condition::Always,
    };
    let value = super::value(arguments.value)?;
    let mut store = super::find(global, arguments.database.number).await?.store();
    let is_set =
        store.set_with(arguments.key.as_bytes(), &value, SetOptions { ttl: arguments.ttl, condition })?;
    if arguments.printing.json {
        screen.json(&json!({"key": arguments.key, "set": is_set}))?;
        return Ok(if is_set { Exit::Done } else { Exit::No });
    }
    match (is_set, condition) {
        (true, _) => Ok(Exit::Done),
        (false, Condition::IfPresent) => {
            Err(Failure::new(Exit::No, format!("there is no key {:?}; nothing was set", arguments.key)))
        }
        (false, _) => {
            Err(Failure::new(Exit::No, format!("{:?} is there already, and stays as it is", arguments.key)))
        }
    }
}

/// Deletes keys; none of them there is the answer no.
pub(crate) async fn delete(arguments: DelArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let mut store = super::find(global, arguments.database.number).await?.store();
    let keys: Vec<&[u8]> = arguments.keys.iter().map(String::as_bytes).collect();
    let deleted = store.delete(&keys)?;
    if arguments.printing.json {
        screen.json(&json!({"deleted": deleted}))?;
    } else {
        screen.line(&format!("{deleted} of {} deleted", keys.len()))?;
    }
    Ok(if deleted > 0 { Exit::Done } else { Exit::No })
}

/// Prints keys in their order, a line each.
pub(crate) async fn keys(arguments: KeysArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let mut store = super::find(global, arguments.database.number).await?.store();
    let mut found = BTreeSet::new();
    let mut is_cut = false;
    for key in store.keys(arguments.pattern.as_bytes()) {
        let key = key?;
        if found.len() >= arguments.limit && !found.contains(&key) {
            is_cut = true;
            break;
        }
        found.insert(key);
    }
    let mut out = Vec::new();
    for key in &found {
        if arguments.printing.json {
            let mut document = Map::new();
            put(&mut document, "key", key);
            screen.json(&document)?;
            continue;
        }
        out.extend(readable(key, screen));
        out.push(b'\n');
    }
    screen.bytes(&out)?;
    if is_cut {
        screen.note(&format!("(there are more than these {}; --limit shows more)", found.len()));
    }
    Ok(Exit::Done)
}
