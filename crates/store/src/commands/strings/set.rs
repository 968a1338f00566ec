//! `SET` and its relatives: a whole value, its conditions, its lifetime.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::commands::lifetime::{self, Unit};
use crate::commands::strings::get;
use crate::failure::Failure;
use crate::moment::Deadline;
use crate::value::{Digits, Text, Value};

/// What becomes of the key's lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    /// It goes on as it is.
    Kept,
    /// It has none any more.
    None,
    /// It ends then.
    Until(Deadline),
}

/// The options of `SET` and `GETEX`.
#[derive(Debug)]
struct Options {
    only_new: bool,
    only_old: bool,
    get: bool,
    /// None when nothing was said of it.
    lifetime: Option<Lifetime>,
}

pub(crate) fn set(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, value) = (command[1], command[2]);
    if command.len() == 3 {
        store(call, key, value, Lifetime::None)?;
        return Ok(call.ok());
    }
    let options = options(call, &command[3..], "set")?;
    if options.get {
        get(call, command)?;
    }
    let exists = call.keys.exists(key);
    if (options.only_new && exists) || (options.only_old && !exists) {
        return Ok(if options.get { Flow::Done } else { call.null() });
    }
    let lifetime = options.lifetime.unwrap_or(Lifetime::None);
    store(call, key, value, lifetime)?;
    if let Lifetime::Until(deadline) = lifetime {
        log_until(call, key, value, deadline);
    }
    Ok(if options.get { Flow::Done } else { call.ok() })
}

pub(crate) fn setex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set_for(call, command, Unit::Seconds, "setex")
}

pub(crate) fn psetex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set_for(call, command, Unit::Millis, "psetex")
}

pub(crate) fn setnx(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let is_new = !call.keys.exists(command[1]);
    if is_new {
        store(call, command[1], command[2], Lifetime::None)?;
    }
    Ok(call.yes(is_new))
}

pub(crate) fn getset(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let flow = get(call, command)?;
    store(call, command[1], command[2], Lifetime::None)?;
    call.keys.effect(&[b"SET", command[1], command[2]]);
    Ok(flow)
}

pub(crate) fn getex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    let options = options(call, &command[2..], "getex")?;
    let flow = get(call, command)?;
    let Some(index) = call.keys.index(key) else { return Ok(flow) };
    match options.lifetime {
        None | Some(Lifetime::Kept) => {}
        Some(Lifetime::None) => {
            if call.keys.deadline_at(index).is_some() {
                call.keys.set_deadline_at(index, None);
                call.keys.changed_at(index, Class::Generic, "persist");
                call.keys.effect(&[b"PERSIST", key]);
            }
        }
        Some(Lifetime::Until(deadline)) => lifetime::give(&mut call.keys, key, index, deadline),
    }
    Ok(flow)
}

fn set_for(call: &mut Call<'_>, command: &[&[u8]], unit: Unit, name: &'static str) -> Result<Flow, Failure> {
    let deadline = lifetime::for_duration(&call.keys, command[2], unit, name)?;
    store(call, command[1], command[3], Lifetime::Until(deadline))?;
    log_until(call, command[1], command[3], deadline);
    Ok(call.ok())
}

/// Puts the value; an overwritten string is written over in place.
fn store(call: &mut Call<'_>, key: &[u8], value: &[u8], lifetime: Lifetime) -> Result<(), Failure> {
    if value.len() > call.keys.value_max_bytes() {
        return Err(Failure::TooLong);
    }
    let index = match call.keys.index(key) {
        Some(index) => {
            match call.keys.value_at(index) {
                Value::Text(text) => text.set(value),
                other => *other = Value::Text(Text::new(value)),
            }
            index
        }
        None => call.keys.add(key, Value::Text(Text::new(value))),
    };
    match lifetime {
        Lifetime::Kept => {}
        Lifetime::None if call.keys.deadline_at(index).is_none() => {}
        Lifetime::None => call.keys.set_deadline_at(index, None),
        Lifetime::Until(deadline) => call.keys.set_deadline_at(index, Some(deadline)),
    }
    call.keys.changed_at(index, Class::Text, "set");
    if matches!(lifetime, Lifetime::Until(_)) {
        call.keys.also(key, Class::Generic, "expire");
    }
    Ok(())
}

/// A lifetime goes to the log as a date, or reading the log later would make it longer.
fn log_until(call: &mut Call<'_>, key: &[u8], value: &[u8], deadline: Deadline) {
    let wall_ms = deadline.wall_ms(call.keys.moment);
    call.keys.effect(&[b"SET", key, value, b"PXAT", Digits::new().format(wall_ms).as_bytes()]);
}

fn options(call: &Call<'_>, words: &[&[u8]], name: &'static str) -> Result<Options, Failure> {
    let is_set = name == "set";
    let mut options = Options { only_new: false, only_old: false, get: false, lifetime: None };
    let mut words = words.iter();
    let mut duration: Option<(&[u8], Unit, bool)> = None;
    while let Some(word) = words.next() {
        let unit = lifetime::option(word);
        if is_set && is_word(word, "NX") && !options.only_old {
            options.only_new = true;
        } else if is_set && is_word(word, "XX") && !options.only_new {
            options.only_old = true;
        } else if is_set && is_word(word, "GET") {
            options.get = true;
        } else if is_set && is_word(word, "KEEPTTL") && duration.is_none() {
            options.lifetime = Some(Lifetime::Kept);
        } else if !is_set && is_word(word, "PERSIST") && duration.is_none() {
            options.lifetime = Some(Lifetime::None);
        } else if let (Some((unit, is_date)), None, None) = (unit, options.lifetime, duration) {
            duration = Some((words.next().ok_or(Failure::Syntax)?, unit, is_date));
        } else {
            return Err(Failure::Syntax);
        }
    }
    if let Some((text, unit, is_date)) = duration {
        let deadline = if is_date {
            lifetime::until_date(text, unit, name)?
        } else {
            lifetime::for_duration(&call.keys, text, unit, name)?
        };
        options.lifetime = Some(Lifetime::Until(deadline));
    }
    Ok(options)
}
