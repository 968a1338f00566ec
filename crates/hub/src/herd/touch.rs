//! What commands did to shared keys, put down while their effects go to the journal, and told to the replica after.

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
        gone: &mut Vec<Gone>,
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

    /// Tells `hear` all of it, in order.
    pub(super) fn tell(self, mut hear: impl FnMut(Input<'_>)) {
        for (database, key, what) in self.all {
            let Some(key) = &key else {
                hear(Input::All { database, is_restored: false });
                continue;
            };
            let names: Vec<&[u8]> = match &what {
                What::Elements(names) => names.iter().map(AsRef::as_ref).collect(),
                _ => Vec::new(),
            };
            let touch = match what {
                What::Whole => Touch::Whole,
                What::Elements(_) => Touch::Elements(&names),
                What::Fewer => Touch::Fewer,
                What::Counted(by) => Touch::Counted(by),
                What::Expiry => Touch::Expiry,
                What::Lapsed => Touch::Lapsed,
            };
            hear(Input::Local { database, key, touch });
        }
    }
}

/// The other database that a command names.
fn elsewhere(command: &[&[u8]], is_move: bool, is_copy: bool) -> Option<u32> {
    if is_move {
        return command.get(2).and_then(|word| number(word));
    }
    let at = command.iter().position(|word| is_copy && word.eq_ignore_ascii_case(b"DB"))?;
    command.get(at + 1).and_then(|word| number(word))
}

fn number(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn take(gone: &mut Vec<Gone>, database: u32, key: &[u8]) -> bool {
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
