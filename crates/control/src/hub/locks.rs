//! The locks that are held, and what keeps them.

use std::path::Path;

use remuda_wire::resp::Value;

use super::session::Session;
use super::{HubError, metrics, soon, unexpected};
use crate::body::{HeldLock, LockList, Text};

/// The scheme of engines that promise nothing.
const BEST_EFFORT: &str = "redis:";

/// All of them, as this hub knows them.
pub(crate) async fn locks(path: &Path) -> Result<LockList, HubError> {
    let answer = soon(async {
        let mut session = Session::open(path, 0).await?;
        // Maps are maps only in RESP3.
        session.ask(&[b"HELLO", b"3"]).await?;
        session.ask(&[b"LOCK.LIST"]).await
    })
    .await?;
    let Value::Array(all) = answer else { return Err(unexpected(&answer)) };
    let engine = metrics(path).await?.engines.into_iter().find(|engine| engine.purpose == "locks");
    let mut locks: Vec<HeldLock> = all.iter().filter_map(held).collect();
    locks.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(LockList {
        locks,
        is_exact: engine.as_ref().is_none_or(|engine| !engine.address.starts_with(BEST_EFFORT)),
        trouble: engine.as_ref().map(|engine| engine.trouble.clone()).unwrap_or_default(),
        engine: engine.map(|engine| engine.address),
    })
}

fn held(lock: &Value) -> Option<HeldLock> {
    let Value::Map(pairs) = lock else { return None };
    let field = |name: &str| {
        let is = |key: &Value| matches!(key, Value::Bulk(bytes) if bytes == name.as_bytes());
        pairs.iter().find_map(|(key, value)| is(key).then_some(value))
    };
    let text = |name| match field(name) {
        Some(Value::Bulk(bytes)) => Some(Text::of(bytes)),
        _ => None,
    };
    let number = |name| match field(name) {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    };
    Some(HeldLock {
        name: text("name")?,
        owner: text("owner")?,
        fence: number("fence"),
        left_ms: number("left_ms"),
        ttl_ms: number("ttl_ms"),
        waiting: number("waiting"),
    })
}
