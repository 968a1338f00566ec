//! `locks`: which are held, by whom, and for how long still; and what keeps them, where that is an engine.

use remuda_model::hub::{EngineMetrics, HubMetrics};
use remuda_toolkit::client::{ClientError, Store, Value};
use serde_json::{Map, Number};

use super::shown::{put, readable};
use crate::arguments::{Global, Printing};
use crate::exit::{Exit, Outcome};
use crate::screen::Screen;

/// The scheme of engines that promise nothing.
const BEST_EFFORT: &str = "redis:";

/// Prints the locks that are held, by name.
pub(crate) async fn locks(printing: &Printing, global: &Global, screen: &mut Screen) -> Outcome {
    let mut store = super::find(global, 0).await?.store();
    let Value::Array(all) = store.command(&[b"LOCK.LIST"])? else {
        return Err(ClientError::Unexpected { command: "LOCK.LIST", expected: "a list" }.into());
    };
    let engine = engine(&mut store)?;
    let is_exact = engine.as_ref().is_none_or(|engine| !engine.address.starts_with(BEST_EFFORT));
    let mut out = Vec::new();
    for lock in &all {
        let Value::Map(pairs) = lock else { continue };
        let field = |name: &str| pairs.iter().find_map(|(key, value)| is(key, name).then_some(value));
        let text = |name: &str| match field(name) {
            Some(Value::Bulk(bytes)) => bytes.as_slice(),
            _ => b"",
        };
        let number = |name: &str| match field(name) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        };
        if printing.json {
            let mut document = Map::new();
            put(&mut document, "lock", text("name"));
            put(&mut document, "owner", text("owner"));
            for name in ["fence", "left_ms", "ttl_ms", "waiting"] {
                document.insert(name.to_owned(), Number::from(number(name)).into());
            }
            document.insert("session".to_owned(), (number("session") != 0).into());
            let keeper = engine.as_ref().map_or("embedded", |engine| &engine.address);
            document.insert("engine".to_owned(), keeper.into());
            document.insert("exact".to_owned(), is_exact.into());
            screen.json(&document)?;
            continue;
        }
        out.extend(readable(text("name"), screen));
        let (fence, left, waiting) = (number("fence"), number("left_ms"), number("waiting"));
        out.extend_from_slice(format!("  fence {fence}  {left} ms left  {waiting} waiting  ").as_bytes());
        out.extend(readable(text("owner"), screen));
        out.push(b'\n');
    }
    screen.bytes(&out)?;
    if let Some(engine) = engine.filter(|_| !printing.json) {
        let effort = if is_exact { "" } else { ", best effort: it may give a lock away twice" };
        let address = &engine.address;
        screen.note(&format!(
            "kept by {address}{effort}; listed are those acquired or renewed by way of this hub"
        ));
        if !engine.trouble.is_empty() {
            screen.note(&format!("the engine is away: {}", engine.trouble));
        }
    }
    Ok(Exit::Done)
}

/// The engine that keeps the locks, if it is not the hub.
fn engine(store: &mut Store) -> Result<Option<EngineMetrics>, ClientError> {
    const UNEXPECTED: ClientError = ClientError::Unexpected { command: "HUB.METRICS", expected: "figures" };
    let Value::Bulk(document) = store.command(&[b"HUB.METRICS"])? else { return Err(UNEXPECTED) };
    let metrics: HubMetrics = serde_json::from_slice(&document).map_err(|_not_ours| UNEXPECTED)?;
    Ok(metrics.engines.into_iter().find(|engine| engine.purpose == "locks"))
}

fn is(key: &Value, name: &str) -> bool {
    matches!(key, Value::Bulk(bytes) if bytes == name.as_bytes())
}
