//! What clients were told on bad days, and what follows from it for everybody: the reference that each run is held to.
//!
//! Writers note each command with the moments before and after it and whether it was acknowledged. From that follows
//! what the store must hold in the end: of a text the last write, where two that overlap, or nearly do, may have come in
//! either order; of a counter the sum; of a set all members. What was not acknowledged may have been done or not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use remuda_toolkit::client::{Store, Value};

/// A server reads its clock once a turn of its loop: so late, on a busy machine, a stamp may be.
const TURN: Duration = Duration::from_millis(150);

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A message with this number was published.
    Published(u64),
    /// A text was set: key or field, value.
    Set(String, String),
    /// The counter was raised.
    Counted,
    /// A member was added to the set.
    Added(String),
}

/// A command of a client.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) deed: Deed,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    pub(crate) is_acknowledged: bool,
}

/// All commands, of each server's clients.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: Vec<Vec<Entry>>,
}

impl Ledger {
    /// Fails the test unless a store is what it must be.
    #[track_caller]
    pub(crate) fn check(&self, store: &mut Store) {
        if let Err(why) = self.judge(store) {
            panic!("{why}");
        }
    }

    /// Whether a store is what it must be.
    pub(crate) fn fits(&self, store: &mut Store) -> bool {
        self.judge(store).is_ok()
    }

    fn judge(&self, store: &mut Store) -> Result<(), String> {
        let mut texts: BTreeMap<&str, Vec<(&str, &Entry)>> = BTreeMap::new();
        let (mut least, mut most, mut members, mut perhaps) =
            (0_i64, 0_i64, BTreeSet::new(), BTreeSet::new());
        for entry in self.entries.iter().flatten() {
            match &entry.deed {
                Deed::Published(_) => {}
                Deed::Set(place, value) => texts.entry(place).or_default().push((value, entry)),
                Deed::Counted => {
                    least += i64::from(entry.is_acknowledged);
                    most += 1;
                }
                Deed::Added(member) if entry.is_acknowledged => drop(members.insert(member.as_str())),
                Deed::Added(member) => drop(perhaps.insert(member.as_str())),
            }
        }
        for (place, writes) in texts {
            let held = text(store, place);
            is_the_last(place, held.as_deref(), &writes)?;
        }
        let count = text(store, "s:count").map_or(0, |count| count.parse::<i64>().unwrap());
        if !(least..=most).contains(&count) {
            return Err(format!("the counter is {count}, and it was raised {least} to {most} times"));
        }
        let held = list(store.command(&[b"SMEMBERS", b"s:set"]).unwrap());
        let held: BTreeSet<&str> = held.iter().map(String::as_str).collect();
        let missing: Vec<_> = members.difference(&held).collect();
        let foreign: Vec<_> =
            held.iter().filter(|member| !members.contains(*member) && !perhaps.contains(*member)).collect();
        if !missing.is_empty() || !foreign.is_empty() {
            return Err(format!("the set lacks {missing:?}, and has {foreign:?} too much"));
        }
        Ok(())
    }

    /// Commands that were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.entries.iter().flatten().filter(|entry| entry.is_acknowledged).count()
    }
}

/// What was surely followed by another write is not what is there.
fn is_the_last(place: &str, held: Option<&str>, writes: &[(&str, &Entry)]) -> Result<(), String> {
    let begun = writes.iter().filter(|(_, entry)| entry.is_acknowledged).map(|(_, entry)| entry.from).max();
    let Some(begun) = begun else { return Ok(()) };
    let held = held.ok_or_else(|| format!("{place} was written and is not there"))?;
    let write = writes.iter().find(|(value, _)| *value == held);
    let (_, write) = write.ok_or_else(|| format!("{place} is {held}, which nobody wrote"))?;
    let late = begun.saturating_duration_since(write.to);
    // Of what was not acknowledged nobody knows when it was done.
    if late > TURN && write.is_acknowledged {
        return Err(format!("{place} is {held}, and was written again {late:?} later"));
    }
    Ok(())
}

/// A text, or a field of the hash, which has a name without the prefix.
fn text(store: &mut Store, place: &str) -> Option<String> {
    let value = match place.strip_prefix("field:") {
        Some(field) => store.command(&[b"HGET", b"s:hash", field.as_bytes()]).unwrap(),
        None => store.command(&[b"GET", place.as_bytes()]).unwrap(),
    };
    let Value::Bulk(text) = value else { return None };
    Some(String::from_utf8(text).unwrap())
}

fn list(value: Value) -> Vec<String> {
    let (Value::Set(members) | Value::Array(members)) = value else { panic!("no members: {value:?}") };
    let text = |member| match member {
        Value::Bulk(text) => String::from_utf8(text).unwrap(),
        other => panic!("no member: {other:?}"),
    };
    members.into_iter().map(text).collect()
}
