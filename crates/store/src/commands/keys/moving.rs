//! Keys that get another name or database, and databases that are emptied or swapped.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::moment::Deadline;
use crate::number;
use crate::value::Value;

pub(crate) fn rename(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (from, to) = (command[1], command[2]);
    if !call.keys.exists(from) {
        return Err(Failure::NoSuchKey);
    }
    if from != to {
        change_name(call, from, to);
    }
    Ok(call.ok())
}

pub(crate) fn renamenx(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (from, to) = (command[1], command[2]);
    if !call.keys.exists(from) {
        return Err(Failure::NoSuchKey);
    }
    let is_free = !call.keys.exists(to);
    if is_free {
        change_name(call, from, to);
    }
    Ok(call.yes(is_free))
}

fn change_name(call: &mut Call<'_>, from: &[u8], to: &[u8]) {
    let Some(entry) = call.keys.take(from, Class::Generic, "rename_from") else { return };
    put(call, to, entry.value, entry.expiry.map(|expiry| expiry.deadline), "rename_to");
}

pub(crate) fn copy(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (from, to) = (command[1], command[2]);
    let (mut database, mut replaces) = (call.keys.database, false);
    let mut words = command[3..].iter();
    while let Some(word) = words.next() {
        if is_word(word, "REPLACE") {
            replaces = true;
        } else if is_word(word, "DB") {
            database = database_argument(words.next().ok_or(Failure::Syntax)?)?;
        } else {
            return Err(Failure::Syntax);
        }
    }
    if database >= call.keys.store.options.databases {
        return Err(Failure::text("ERR DB index is out of range"));
    }
    if database == call.keys.database && from == to {
        return Err(Failure::text("ERR source and destination objects are the same"));
    }
    let Some(index) = call.keys.index(from) else { return Ok(call.yes(false)) };
    let (value, deadline) = (call.keys.value_at(index).clone(), call.keys.deadline_at(index));
    let home = call.keys.switch(database)?;
    let is_free = replaces || !call.keys.exists(to);
    if is_free {
        put(call, to, value, deadline, "copy_to");
    }
    call.keys.switch(home)?;
    Ok(call.yes(is_free))
}

pub(crate) fn to_database(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    let database = number::integer_argument(command[2])?;
    let database = u32::try_from(database).ok().filter(|&number| number < call.keys.store.options.databases);
    let database = database.ok_or(Failure::text("ERR DB index is out of range"))?;
    if database == call.keys.database {
        return Err(Failure::text("ERR source and destination objects are the same"));
    }
    let home = call.keys.switch(database)?;
    let is_taken = call.keys.exists(key);
    call.keys.switch(home)?;
    if is_taken {
        return Ok(call.yes(false));
    }
    let Some(entry) = call.keys.take(key, Class::Generic, "move_from") else { return Ok(call.yes(false)) };
    let home = call.keys.switch(database)?;
    put(call, key, entry.value, entry.expiry.map(|expiry| expiry.deadline), "move_to");
    call.keys.switch(home)?;
    Ok(call.yes(true))
}

pub(crate) fn swapdb(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let number = |text, which| {
        let number = number::integer(text).and_then(|number| u32::try_from(number).ok());
        number.ok_or(Failure::text(which))
    };
    let first = number(command[1], "ERR invalid first DB index")?;
    let second = number(command[2], "ERR invalid second DB index")?;
    if first.max(second) >= call.keys.store.options.databases {
        return Err(Failure::text("ERR DB index is out of range"));
    }
    if first != second {
        let store = &mut *call.keys.store;
        store.is_changed = true;
        store.order.swap(first as usize, second as usize);
        let spaces = [store.order[first as usize], store.order[second as usize]];
        store.note_all(first, &spaces, "swapdb", false);
        store.note_all(second, &spaces, "swapdb", false);
    }
    Ok(call.ok())
}

pub(crate) fn flushdb(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    check_flush(command)?;
    let database = call.keys.database;
    call.keys.store.is_changed = true;
    call.keys.store.clear(database);
    call.keys.effect(&[b"FLUSHDB"]);
    Ok(call.ok())
}

pub(crate) fn flushall(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    check_flush(command)?;
    call.keys.store.is_changed = true;
    for database in 0..call.keys.store.options.databases {
        call.keys.store.clear(database);
    }
    call.keys.effect(&[b"FLUSHALL"]);
    Ok(call.ok())
}

fn check_flush(command: &[&[u8]]) -> Result<(), Failure> {
    match command[1..] {
        [] => Ok(()),
        [word] if is_word(word, "SYNC") || is_word(word, "ASYNC") => Ok(()),
        _ => Err(Failure::Syntax),
    }
}

fn put(call: &mut Call<'_>, key: &[u8], value: Value, deadline: Option<Deadline>, event: &'static str) {
    let index = call.keys.put(key, value, Class::Generic, event);
    call.keys.set_deadline_at(index, deadline);
}

fn database_argument(text: &[u8]) -> Result<u32, Failure> {
    let number = number::integer_argument(text)?;
    u32::try_from(number).map_err(|_negative| Failure::text("ERR DB index is out of range"))
}
