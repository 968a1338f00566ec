//! What commands did to shared keys, put down while their effects go to the journal, and told to the replica after.
//!
//! The replica looks at keys as they are when it is told, which is at the end of a record: a transaction, a script, or a
//! command on a key whose time was just over. So all that a record did to a key is told at once: of `SET k 5` and `INCR k`
//! that 6 is there, and not a count on top of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use remuda_herd::replica::{Input, Replica, Scope, Touch};
use remuda_store::{Touched, touched};

/// A key that went by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) database: u32,
    pub(crate) key: Bytes,
    /// Its time was over; else it gave way to others.
    pub(crate) has_lapsed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Whole,
    Elements(Vec<Bytes>),
    Fewer,
    Counted(i64),
    Expiry,
    Lapsed,
}

/// A database and a key.
type Place = (u32, Bytes);

/// What happened, in order.
#[derive(Debug, Default)]
pub(super) struct Touches {
    all: Vec<(u32, Option<Bytes>, What)>,
}

impl Touches {
    /// An effect, of which those on shared keys count; `gone` are keys whose removal is the clock's doing.
    pub(super) fn note(
        &mut self,
        replica: &Replica,
        database: u32,
        command: &[&[u8]],
        gone: &mut VecDeque<Gone>,
        databases: u32,
    ) {
        let Some(name) = command.first() else { return };
        let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
        if is("FLUSHALL") {
            return self.all.extend((0..databases).map(|database| (database, None, What::Whole)));
        }
        if is("FLUSHDB") {
            return self.all.push((database, None, What::Whole));
        }
        if is("SWAPDB") {
            let both = command.iter().skip(1).filter_map(|word| number(word));
            return self.all.extend(both.map(|database| (database, None, What::Whole)));
        }
        let Some((keys, touched)) = touched(command) else { return };
        let elsewhere = elsewhere(command, is("MOVE"), is("COPY"));
        for key in keys.names().filter(|key| replica.scope_of(key) == Scope::Herd) {
            if let Some(elsewhere) = elsewhere {
                self.all.push((elsewhere, Some(Bytes::copy_from_slice(key)), What::Whole));
            }
            let what = if is("DEL") && take(gone, database, key) { What::Lapsed } else { what(touched) };
            self.all.push((database, Some(Bytes::copy_from_slice(key)), what));
        }
    }

    /// A key that went by itself, while another server's changes were written.
    pub(super) fn note_gone(&mut self, replica: &Replica, gone: Gone) {
        if replica.scope_of(&gone.key) == Scope::Herd {
            let what = if gone.has_lapsed { What::Lapsed } else { What::Whole };
            self.all.push((gone.database, Some(gone.key), what));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Tells `hear` all of it: databases first that were changed as a whole, which says all about their keys.
    pub(super) fn tell(self, mut hear: impl FnMut(Input<'_>)) {
        let (databases, keys) = self.gathered();
        for database in databases {
            hear(Input::All { database, is_restored: false });
        }
        for ((database, key), whats) in &keys {
            for what in whats {
                tell_key(*database, key, what, &mut hear);
            }
        }
    }

    fn gathered(self) -> (BTreeSet<u32>, Vec<(Place, Vec<What>)>) {
        let whole = |(database, key, _): &(u32, Option<Bytes>, What)| key.is_none().then_some(*database);
        let databases: BTreeSet<u32> = self.all.iter().filter_map(whole).collect();
        let (mut keys, mut at) = (Vec::<(Place, Vec<What>)>::new(), BTreeMap::new());
        for (database, key, what) in self.all {
            let Some(key) = key.filter(|_| !databases.contains(&database)) else { continue };
            let at = *at.entry((database, key.clone())).or_insert(keys.len());
            match keys.get_mut(at) {
                Some((_, whats)) => add(whats, what),
                None => keys.push(((database, key), vec![what])),
            }
        }
        (databases, keys)
    }
}

/// Adds what was done to a key after `whats`.
fn add(whats: &mut Vec<What>, what: What) {
    let is_all = |what: &What| matches!(what, What::Whole | What::Lapsed);
    if is_all(&what) || whats.iter().any(is_all) {
        *whats = vec![What::Whole];
        return;
    }
    for had in whats.iter_mut() {
        match (had, &what) {
            (What::Counted(sum), What::Counted(by)) => {
                match sum.checked_add(*by) {
                    Some(both) => *sum = both,
                    None => *whats = vec![What::Whole],
                }
                return;
            }
            (What::Elements(names), What::Elements(more)) => return names.extend(more.iter().cloned()),
            (What::Fewer, What::Fewer) | (What::Expiry, What::Expiry) => return,
            _ => {}
        }
    }
    whats.push(what);
}

fn tell_key(database: u32, key: &Bytes, what: &What, hear: &mut impl FnMut(Input<'_>)) {
    let names: BTreeSet<&[u8]> = match what {
        What::Elements(names) => names.iter().map(AsRef::as_ref).collect(),
        _ => BTreeSet::new(),
    };
    let names: Vec<&[u8]> = names.into_iter().collect();
    let touch = match what {
        What::Whole => Touch::Whole,
        What::Elements(_) => Touch::Elements(&names),
        What::Fewer => Touch::Fewer,
        What::Counted(by) => Touch::Counted(*by),
        What::Expiry => Touch::Expiry,
        What::Lapsed => Touch::Lapsed,
    };
    hear(Input::Local { database, key, touch });
}

/// The other database that a command names.
fn elsewhere(command: &[&[u8]], is_move: bool, is_copy: bool) -> Option<u32> {
    if is_move {
        return command.get(2).and_then(|word| number(word));
    }
    // Behind the two keys, which may be named so too.
    let options = command.get(3..).filter(|_| is_copy)?;
    let at = options.iter().position(|word| word.eq_ignore_ascii_case(b"DB"))?;
    options.get(at + 1).and_then(|word| number(word))
}

fn number(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn take(gone: &mut VecDeque<Gone>, database: u32, key: &[u8]) -> bool {
    let is_it = |gone: &Gone| gone.has_lapsed && gone.database == database && gone.key == key;
    match gone.iter().position(is_it) {
        Some(at) => {
            gone.remove(at);
            true
        }
        None => false,
    }
}

fn what(touched: Touched<'_>) -> What {
    match touched {
        Touched::Whole => What::Whole,
        Touched::Elements { .. } => What::Elements(touched.elements().map(Bytes::copy_from_slice).collect()),
        Touched::Fewer => What::Fewer,
        Touched::Counted(by) => What::Counted(by),
        Touched::Expiry => What::Expiry,
    }
}

#[cfg(test)]
mod tests;
