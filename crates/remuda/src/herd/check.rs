//! `check`: whether the shared keys are the same on all servers of the herd.

use std::time::{Duration, Instant};

use remuda_model::hub::{HerdCheck, HerdUnreached};
use remuda_toolkit::client::{Store, Value};
use serde_json::json;

use crate::arguments::{Global, Printing};
use crate::exit::{Exit, Failure, Outcome};
use crate::hub;
use crate::screen::Screen;
use crate::visible::visible;

/// A million keys are compared in seconds; a server that takes longer is behind with something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Lists keys that differ.
pub(super) async fn run(printing: &Printing, global: &Global, screen: &mut Screen) -> Outcome {
    let mut store = hub::find(global, 0).await?.store();
    if hub::peers::ask(&mut store)?.herd.is_empty() {
        return Err(
            Failure::new(Exit::Refused, "this server is no member of a herd").hint(hub::peers::HOW_TO_JOIN)
        );
    }
    let began = Instant::now();
    let mut check = ask(&mut store, b"CHECK")?;
    while check.pending > 0 && began.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK_EVERY).await;
        check = ask(&mut store, b"CHECKED")?;
    }
    let is_missed = check.unreached.iter().any(HerdUnreached::is_missed);
    let is_well = check.differing_keys == 0 && check.pending == 0 && !is_missed;
    if printing.json {
        screen.json(&json!({
            "peers": check.peers,
            "pending": check.pending,
            "unreached": check.unreached,
            "differing_keys": check.differing_keys,
            "differing": check.differing.iter().map(|one| json!({
                "node": one.node, "name": one.name, "database": one.database, "key": one.key,
            })).collect::<Vec<_>>(),
        }))?;
        return Ok(if is_well { Exit::Done } else { Exit::No });
    }
    for one in &check.differing {
        let node = named(&one.node, &one.name);
        screen.line(&format!("node {node} database {} key {}", one.database, visible(&one.key)))?;
    }
    if check.pending > 0 {
        screen.note(&format!("({} servers did not answer in time)", check.pending));
    }
    for one in &check.unreached {
        let why = match one.why.as_str() {
            "left" => "left in good order",
            "suspected" => "is not reached",
            "lost" => "is lost",
            "silent" => "did not answer",
            "cut" => "was lost meanwhile",
            why => why,
        };
        screen.note(&format!("(node {} was not compared with: it {why})", named(&one.node, &one.name)));
    }
    let compared = check.compared();
    let servers = if compared == 1 { "server" } else { "servers" };
    screen.note(&format!("({} differing keys, compared with {compared} {servers})", check.differing_keys));
    Ok(if is_well { Exit::Done } else { Exit::No })
}

/// A server as people know it.
fn named(node: &str, name: &str) -> String {
    visible(if name.is_empty() { node } else { name })
}

fn ask(store: &mut Store, what: &[u8]) -> Result<HerdCheck, Failure> {
    let unclear = || Failure::new(Exit::No, "the hub says what means nothing here: is it another version?");
    match store.command(&[b"HUB.HERD", what])? {
        Value::Bulk(text) => serde_json::from_slice(&text).map_err(|_error| unclear()),
        _ => Err(unclear()),
    }
}
