//! `watch`: what is there, then every change of it.

use std::time::Duration;

use anstyle::Style;
use remuda_toolkit::client::{Change, Seen};
use serde_json::{Map, Value, json};

use super::shown::{put, readable};
use crate::arguments::{Global, WatchArguments};
use crate::exit::{Exit, Outcome};
use crate::screen::{BAD, DIM, GOOD, NOTICE, Screen, paint};

/// How long one wait of a watch is; then it waits again.
const WAIT: Duration = Duration::from_secs(3600);
/// Columns of the event; the longest of Redis' common ones have ten letters.
const EVENT_WIDTH: usize = 10;

/// Prints keys and changes until there were enough changes, or for ever.
pub(crate) async fn watch(arguments: WatchArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let mut watch = super::find(global, arguments.database.number).await?.watch(arguments.prefix.as_bytes());
    if let Some(revision) = arguments.from {
        watch = watch.after(revision);
    }
    let mut left = arguments.limit;
    while left != Some(0) {
        let Some(seen) = watch.next(WAIT)? else { continue };
        if matches!(seen, Seen::Change(_)) {
            left = left.map(|left| left - 1);
        }
        if arguments.printing.json { document(&seen, screen)? } else { line(&seen, screen)? }
    }
    Ok(Exit::Done)
}

fn document(seen: &Seen, screen: &mut Screen) -> std::io::Result<()> {
    let mut document = Map::new();
    match seen {
        Seen::Key { key, value } => {
            document.insert("event".to_owned(), "present".into());
            put(&mut document, "key", key);
            if let Some(value) = value {
                put(&mut document, "value", value);
            }
        }
        Seen::Change(change) => {
            document.insert("event".to_owned(), change.event.as_str().into());
            document.insert("revision".to_owned(), change.revision.into());
            document.insert("previous".to_owned(), change.previous.map_or(Value::Null, Value::from));
            match &change.key {
                Some(key) => put(&mut document, "key", key),
                None => drop(document.insert("key".to_owned(), Value::Null)),
            }
            document.insert("deleted".to_owned(), change.is_deleted.into());
            if let Some(value) = &change.value {
                put(&mut document, "value", value);
            }
        }
        Seen::Complete(revision) => return screen.json(&json!({"event": "complete", "revision": revision})),
        Seen::Forgotten => return screen.json(&json!({"event": "forgotten"})),
        Seen::Away(_) | Seen::Back => return line(seen, screen),
    }
    screen.json(&document)
}

fn line(seen: &Seen, screen: &mut Screen) -> std::io::Result<()> {
    match seen {
        Seen::Key { key, value } => put_line(screen, ("", "present", DIM), key, value.as_deref()),
        Seen::Change(change) => {
            let revision = change.revision.to_string();
            let words = (revision.as_str(), change.event.as_str(), style(change));
            put_line(screen, words, change.key.as_deref().unwrap_or(b"(all keys)"), change.value.as_deref())
        }
        Seen::Complete(revision) => {
            screen.note(&paint(DIM, &format!("(that was all; changes after revision {revision} follow)")));
            Ok(())
        }
        Seen::Forgotten => {
            screen.note("(the store does not remember all changes since; the keys come again)");
            Ok(())
        }
        Seen::Away(error) => {
            screen.note(&format!("({error}; trying again)"));
            Ok(())
        }
        Seen::Back => {
            screen.note("(the hub is there again)");
            Ok(())
        }
    }
}

fn style(change: &Change) -> Style {
    match change.event.as_str() {
        "evicted" => BAD,
        "expired" => NOTICE,
        _ if change.is_deleted => NOTICE,
        _ => GOOD,
    }
}

/// `7 set        greeting hello`
fn put_line(
    screen: &mut Screen,
    (revision, event, style): (&str, &str, Style),
    key: &[u8],
    value: Option<&[u8]>,
) -> std::io::Result<()> {
    let space = " ".repeat(EVENT_WIDTH.saturating_sub(event.len()));
    let event = if screen.out_is_terminal() { paint(style, event) } else { event.to_owned() };
    let mut line = format!("{revision:>8} {event}{space} ").into_bytes();
    line.extend(readable(key, screen));
    if let Some(value) = value {
        line.push(b' ');
        line.extend(readable(value, screen));
    }
    line.push(b'\n');
    screen.bytes(&line)
}
