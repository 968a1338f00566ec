//! `XGROUP` and `XACK`: groups and consumers made and removed, entries acknowledged.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::Stream;
use crate::stream::group::Group;
use crate::stream::id::StreamId;
use crate::stream::log::Log;

/// The options of `CREATE` and `SETID`.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    makes_stream: bool,
    entries_read: Option<u64>,
}

/// What runs a subcommand on a stream: the key, then the arguments behind it.
type Subcommand = fn(&mut Call<'_>, &[u8], &[&[u8]]) -> Result<Flow, Failure>;

pub(super) fn xgroup(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    // The arity counts the command's name and the subcommand's; negative for at least that many.
    const SUBCOMMANDS: [(&str, i8, Subcommand); 5] = [
        ("CREATE", -5, create),
        ("SETID", -5, set_id),
        ("DESTROY", 4, destroy),
        ("CREATECONSUMER", 5, create_consumer),
        ("DELCONSUMER", 5, delete_consumer),
    ];
    let word = command[1];
    let Some((name, arity, run)) = SUBCOMMANDS.into_iter().find(|(name, ..)| is_word(word, name)) else {
        let word = String::from_utf8_lossy(word);
        return Err(Failure::Text(format!("ERR unknown subcommand '{word}'. Try XGROUP HELP.").into()));
    };
    let bound = usize::from(arity.unsigned_abs());
    if command.len() < bound || (arity > 0 && command.len() > bound) {
        return Err(Failure::Arguments(format!("xgroup|{}", name.to_ascii_lowercase())));
    }
    run(call, command[2], &command[3..])
}

fn create(call: &mut Call<'_>, key: &[u8], words: &[&[u8]]) -> Result<Flow, Failure> {
    let (name, options) = (words[0], options(&words[2..], true)?);
    let known = call.keys.read::<Stream>(key)?;
    if known.is_none() && !options.makes_stream {
        return Err(no_stream());
    }
    let id = position(words[1], known.map(|stream| &stream.log))?;
    if known.is_some_and(|stream| stream.groups().contains_key(name)) {
        return Err(Failure::text("BUSYGROUP Consumer Group name already exists"));
    }
    call.keys.ensure::<Stream>(key)?.create_group(name, Group::new(id, options.entries_read));
    call.keys.changed(key, Class::Stream, "xgroup-create");
    Ok(call.ok())
}

fn set_id(call: &mut Call<'_>, key: &[u8], words: &[&[u8]]) -> Result<Flow, Failure> {
    let (name, options) = (words[0], options(&words[2..], false)?);
    let stream = stream_with(call, key, name)?;
    // Only here the ends of the stream may be named as a range names them.
    let id = match words[1] {
        b"-" => StreamId::MIN,
        b"+" => StreamId::MAX,
        text => position(text, Some(&stream.log))?,
    };
    stream.change_group(name, |group, _| {
        group.last_delivered = id;
        group.entries_read = options.entries_read;
    });
    call.keys.changed(key, Class::Stream, "xgroup-setid");
    Ok(call.ok())
}

fn destroy(call: &mut Call<'_>, key: &[u8], words: &[&[u8]]) -> Result<Flow, Failure> {
    let stream = call.keys.write::<Stream>(key)?.ok_or_else(no_stream)?;
    let was_there = stream.destroy_group(words[0]);
    if was_there {
        call.keys.changed(key, Class::Stream, "xgroup-destroy");
    }
    Ok(call.yes(was_there))
}

fn create_consumer(call: &mut Call<'_>, key: &[u8], words: &[&[u8]]) -> Result<Flow, Failure> {
    let wall_ms = call.keys.moment.wall_ms;
    let stream = stream_with(call, key, words[0])?;
    let is_new = stream.change_group(words[0], |group, _| group.create_consumer(words[1], wall_ms));
    let is_new = is_new.unwrap_or(false);
    if is_new {
        call.keys.changed(key, Class::Stream, "xgroup-createconsumer");
    }
    Ok(call.yes(is_new))
}

fn delete_consumer(call: &mut Call<'_>, key: &[u8], words: &[&[u8]]) -> Result<Flow, Failure> {
    let stream = stream_with(call, key, words[0])?;
    let pending = stream.change_group(words[0], |group, _| group.remove_consumer(words[1])).flatten();
    if pending.is_some() {
        call.keys.changed(key, Class::Stream, "xgroup-delconsumer");
    }
    Ok(call.count(pending.unwrap_or(0)))
}

pub(super) fn xack(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, name) = (command[1], command[2]);
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(call.integer(0)) };
    if !stream.groups().contains_key(name) {
        return Ok(call.integer(0));
    }
    let ids: Vec<StreamId> =
        command[3..].iter().map(|text| StreamId::parse(text, 0)).collect::<Result<_, _>>()?;
    let acknowledged =
        stream.change_group(name, |group, _| ids.into_iter().filter(|&id| group.acknowledge(id)).count());
    let acknowledged = acknowledged.unwrap_or(0);
    if acknowledged > 0 {
        call.keys.changed(key, Class::Unnamed, "xack");
    }
    Ok(call.count(acknowledged))
}

fn no_stream() -> Failure {
    Failure::text(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
         option to create an empty stream automatically.",
    )
}

/// The stream at `key`, which must have a group of this name.
fn stream_with<'c>(call: &'c mut Call<'_>, key: &[u8], group: &[u8]) -> Result<&'c mut Stream, Failure> {
    let stream = call.keys.write::<Stream>(key)?.ok_or_else(no_stream)?;
    if stream.groups().contains_key(group) {
        return Ok(stream);
    }
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Err(Failure::Text(format!("NOGROUP No such consumer group '{group}' for key name '{key}'").into()))
}

/// How far a group is to have read: an id, or `$` for all there is.
fn position(text: &[u8], log: Option<&Log>) -> Result<StreamId, Failure> {
    match text {
        b"$" => Ok(log.map_or(StreamId::MIN, |log| log.last_id)),
        text => StreamId::parse(text, 0),
    }
}

fn options(words: &[&[u8]], is_creation: bool) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut rest = words;
    loop {
        rest = match rest {
            [] => return Ok(options),
            [word, after @ ..] if is_creation && is_word(word, "MKSTREAM") => {
                options.makes_stream = true;
                after
            }
            [word, value, after @ ..] if is_word(word, "ENTRIESREAD") => {
                let read = number::integer_argument(value)?;
                if read < -1 {
                    return Err(Failure::text("ERR value for ENTRIESREAD must be positive or -1"));
                }
                options.entries_read = u64::try_from(read).ok();
                after
            }
            _ => return Err(Failure::Syntax),
        };
    }
}
