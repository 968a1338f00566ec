//! What is known about a key's value.
//!
//! The store has one form for each type. `OBJECT ENCODING` names the one Redis would use for such a value, since there
//! are clients that look.

use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::value::{Text, Value};

/// Longest string that Redis keeps beside its header.
const EMBEDDED_MAX: usize = 44;
/// Redis' limits of what it packs: bytes of a list, members of a set of integers, and bytes of an element.
const PACKED_LIST_BYTES: usize = 8192;
const PACKED_INTEGERS: usize = 512;
const PACKED_ELEMENT_BYTES: usize = 64;
/// And elements of a set and of a hash.
const PACKED_SET: usize = 128;
const PACKED_HASH: usize = 128;

pub(crate) fn object(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let word = command[1];
    if is_word(word, "HELP") && command.len() == 2 {
        return Ok(help(
            call,
            &[
                "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                "ENCODING <key>",
                "    Return the kind of internal representation used in order to store the value of a <key>.",
                "FREQ <key>",
                "    Return the access frequency index of the <key>.",
                "IDLETIME <key>",
                "    Return the idle time of the <key>, that is the seconds since its last use.",
                "REFCOUNT <key>",
                "    Return the number of references of the value of the <key>, which is always 1.",
            ],
        ));
    }
    let known = ["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"].iter().any(|known| is_word(word, known));
    if !known || command.len() != 3 {
        return Err(unknown("object", word, known));
    }
    let moment = call.keys.moment;
    let Some(entry) = call.keys.entry(command[2]) else { return Ok(call.null()) };
    if is_word(word, "ENCODING") {
        call.answer.bulk(encoding(&entry.value).as_bytes());
        return Ok(Flow::Done);
    }
    if is_word(word, "FREQ") {
        return Err(Failure::text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let idle = crate::store::touched(moment).wrapping_sub(entry.touched) / 10;
    Ok(call.integer(if is_word(word, "REFCOUNT") { 1 } else { idle.into() }))
}

pub(crate) fn memory(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let word = command[1];
    if !is_word(word, "USAGE") || command.len() < 3 {
        return Err(unknown("memory", word, is_word(word, "USAGE")));
    }
    match command[3..] {
        [] => {}
        [option, samples] if is_word(option, "SAMPLES") => {
            if number::integer_argument(samples)? < 0 {
                return Err(Failure::Syntax);
            }
        }
        _ => return Err(Failure::Syntax),
    }
    let Some(bytes) = call.keys.entry(command[2]).map(|entry| entry.bytes) else { return Ok(call.null()) };
    Ok(call.integer(i64::try_from(bytes).unwrap_or(i64::MAX)))
}

fn unknown(command: &str, word: &[u8], is_known: bool) -> Failure {
    let word = String::from_utf8_lossy(word);
    if is_known {
        return Failure::Arguments(format!("{command}|{}", word.to_lowercase()));
    }
    let upper = command.to_uppercase();
    Failure::Text(format!("ERR unknown subcommand '{word}'. Try {upper} HELP.").into())
}

fn help(call: &mut Call<'_>, lines: &[&str]) -> Flow {
    call.answer.array(lines.len());
    for line in lines {
        call.answer.simple(line);
    }
    Flow::Done
}

fn encoding(value: &Value) -> &'static str {
    match value {
        Value::Text(Text::Integer(_)) => "int",
        Value::Text(text) if text.len() <= EMBEDDED_MAX => "embstr",
        Value::Text(_) => "raw",
        Value::List(list) if list.iter().map(|element| element.len()).sum::<usize>() <= PACKED_LIST_BYTES => {
            "listpack"
        }
        Value::List(_) => "quicklist",
        Value::Hash(hash) => {
            let is_packed = hash.len() <= PACKED_HASH
                && hash.iter().all(|(field, value)| field.len().max(value.len()) <= PACKED_ELEMENT_BYTES);
            if is_packed { "listpack" } else { "hashtable" }
        }
        Value::Set(set) => {
            if set.len() <= PACKED_INTEGERS && set.iter().all(|member| number::integer(member).is_some()) {
                "intset"
            } else if set.len() <= PACKED_SET && set.iter().all(|member| member.len() <= PACKED_ELEMENT_BYTES)
            {
                "listpack"
            } else {
                "hashtable"
            }
        }
        Value::SortedSet(set) => set.encoding(),
        Value::Stream(_) => "stream",
    }
}
