//! Keys of the store, as a person looks at them: some at a time, and of each as much as fits a page.

use std::path::Path;
use std::time::Instant;

use remuda_wire::resp::Value;

use super::session::Session;
use super::{HubError, PATIENCE, soon, unexpected};
use crate::body::{DeleteKeysBody, Entry, KeyList, KeyValue, NoBase64, SetKeyBody, Text};

/// Keys that are looked at in one step of a search; the hub serves others between two steps.
const STEP: &[u8] = b"512";
/// Bytes of a string that are shown.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Members that are shown.
const ENTRIES_MAX: usize = 500;
const LAST_ENTRY: &[u8] = b"499";

/// About `limit` keys like `pattern`. A search that takes half of the time ends early, with the place to go on.
pub(crate) async fn keys(
    path: &Path,
    database: u32,
    pattern: &str,
    limit: usize,
    cursor: u64,
) -> Result<KeyList, HubError> {
    let until = Instant::now() + PATIENCE / 2;
    soon(async {
        let mut session = Session::open(path, database).await?;
        let (mut found, mut cursor) = (KeyList::default(), cursor);
        loop {
            let place = cursor.to_string();
            let words: [&[u8]; 6] = [b"SCAN", place.as_bytes(), b"MATCH", pattern.as_bytes(), b"COUNT", STEP];
            let (next, keys) = scanned(session.ask(&words).await?)?;
            found.keys.extend(keys.iter().map(|key| Text::of(key)));
            cursor = next;
            if cursor == 0 || found.keys.len() >= limit || Instant::now() >= until {
                found.next = (cursor != 0).then_some(cursor);
                return Ok(found);
            }
        }
    })
    .await
}

/// One key with its value.
pub(crate) async fn key(path: &Path, database: u32, key: Text) -> Result<KeyValue, HubError> {
    let name = key.bytes().map_err(malformed)?;
    soon(async {
        let mut session = Session::open(path, database).await?;
        let kind = match session.ask(&[b"TYPE", &name]).await? {
            Value::Simple(kind) | Value::Bulk(kind) => String::from_utf8_lossy(&kind).into_owned(),
            other => return Err(unexpected(&other)),
        };
        if kind == "none" {
            return Err(HubError::NoKey { database });
        }
        let ttl_ms = u64::try_from(number(session.ask(&[b"PTTL", &name]).await?)?).ok();
        let mut shown =
            KeyValue { key, kind, ttl_ms, length: 0, value: None, entries: Vec::new(), is_cut: false };
        fill(&mut shown, &name, &mut session).await?;
        Ok(shown)
    })
    .await
}

/// Gives a key a string.
pub(crate) async fn set(path: &Path, body: &SetKeyBody) -> Result<(), HubError> {
    let (key, value) = (body.key.bytes().map_err(malformed)?, body.value.bytes().map_err(malformed)?);
    let lasting = body.ttl_ms.map(|ttl| ttl.to_string());
    let mut words: Vec<&[u8]> = vec![b"SET", &key, &value];
    if let Some(lasting) = &lasting {
        words.extend([b"PX".as_slice(), lasting.as_bytes()]);
    }
    soon(async { Session::open(path, body.database).await?.ask(&words).await.map(|_ok| ()) }).await
}

/// Deletes keys; how many there were.
pub(crate) async fn delete(path: &Path, body: &DeleteKeysBody) -> Result<i64, HubError> {
    if body.keys.is_empty() {
        return Err(HubError::Malformed("no keys: name at least one".to_owned()));
    }
    let keys = body.keys.iter().map(Text::bytes).collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    let words: Vec<&[u8]> =
        std::iter::once(b"DEL".as_slice()).chain(keys.iter().map(Vec::as_slice)).collect();
    soon(async { number(Session::open(path, body.database).await?.ask(&words).await?) }).await
}

async fn fill(shown: &mut KeyValue, name: &[u8], session: &mut Session) -> Result<(), HubError> {
    let (count, read, is_paired): (&[u8], Vec<&[u8]>, bool) = match shown.kind.as_str() {
        "string" => {
            shown.length = count_of(session.ask(&[b"STRLEN", name]).await?)?;
            let last = (VALUE_BYTES_MAX - 1).to_string();
            match session.ask(&[b"GETRANGE", name, b"0", last.as_bytes()]).await? {
                Value::Bulk(bytes) => {
                    shown.is_cut = shown.length > u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    shown.value = Some(Text::of(&bytes));
                }
                other => return Err(unexpected(&other)),
            }
            return Ok(());
        }
        "list" => (b"LLEN", vec![b"LRANGE", name, b"0", LAST_ENTRY], false),
        "hash" => (b"HLEN", vec![b"HSCAN", name, b"0", b"COUNT", b"500"], true),
        "set" => (b"SCARD", vec![b"SSCAN", name, b"0", b"COUNT", b"500"], false),
        "zset" => (b"ZCARD", vec![b"ZRANGE", name, b"0", LAST_ENTRY, b"WITHSCORES"], true),
        _ => {
            shown.is_cut = true;
            return Ok(());
        }
    };
    shown.length = count_of(session.ask(&[count, name]).await?)?;
    let members = match session.ask(&read).await? {
        value if read.first().is_some_and(|word| word.ends_with(b"SCAN")) => scanned(value)?.1,
        Value::Array(items) => items.into_iter().map(bytes).collect::<Result<_, _>>()?,
        other => return Err(unexpected(&other)),
    };
    let is_score = shown.kind == "zset";
    shown.entries = match is_paired {
        false => members.iter().map(|value| Entry { name: None, value: Text::of(value) }).collect(),
        true => members
            .chunks_exact(2)
            .map(|pair| {
                let (name, value) = if is_score { (&pair[1], &pair[0]) } else { (&pair[0], &pair[1]) };
                Entry { name: Some(Text::of(name)), value: Text::of(value) }
            })
            .collect(),
    };
    shown.entries.truncate(ENTRIES_MAX);
    shown.is_cut = shown.length > u64::try_from(shown.entries.len()).unwrap_or(u64::MAX);
    Ok(())
}

/// The answer of `SCAN` and its kin: where to go on, and what was found.
fn scanned(value: Value) -> Result<(u64, Vec<Vec<u8>>), HubError> {
    let Value::Array(parts) = value else { return Err(unexpected(&value)) };
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (Some(Value::Bulk(cursor)), Some(Value::Array(items))) => {
            let cursor = std::str::from_utf8(&cursor).ok().and_then(|text| text.parse().ok());
            let cursor = cursor.ok_or_else(|| unexpected(&Value::Null))?;
            Ok((cursor, items.into_iter().map(bytes).collect::<Result<_, _>>()?))
        }
        _ => Err(unexpected(&Value::Null)),
    }
}

fn bytes(value: Value) -> Result<Vec<u8>, HubError> {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) => Ok(bytes),
        other => Err(unexpected(&other)),
    }
}

fn number(value: Value) -> Result<i64, HubError> {
    match value {
        Value::Integer(number) => Ok(number),
        other => Err(unexpected(&other)),
    }
}

fn count_of(value: Value) -> Result<u64, HubError> {
    number(value).map(|count| u64::try_from(count).unwrap_or_default())
}

fn malformed(error: NoBase64) -> HubError {
    HubError::Malformed(error.to_string())
}
