//! `BITOP`: strings combined bit by bit, shorter ones followed by zeros.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::value::{Digits, Text, Value};

/// How bytes are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

pub(super) fn bitop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (target, sources) = (command[2], &command[3..]);
    let operation = match command[1] {
        word if is_word(word, "AND") => Operation::And,
        word if is_word(word, "OR") => Operation::Or,
        word if is_word(word, "XOR") => Operation::Xor,
        word if is_word(word, "NOT") => Operation::Not,
        _ => return Err(Failure::Syntax),
    };
    if operation == Operation::Not && sources.len() != 1 {
        return Err(Failure::text("ERR BITOP NOT must be called with a single source key."));
    }
    let result = combine(call, sources, operation)?;
    let len = result.len();
    if result.is_empty() {
        call.keys.remove(target, Class::Generic, "del");
    } else {
        call.keys.put(target, Value::Text(Text::new(&result)), Class::Text, "set");
    }
    Ok(call.count(len))
}

fn combine(call: &mut Call<'_>, sources: &[&[u8]], operation: Operation) -> Result<Vec<u8>, Failure> {
    // Whose time is over is removed first, and the log hears of it before the result.
    for key in sources {
        call.keys.exists(key);
    }
    let texts: Vec<Option<&Text>> =
        sources.iter().map(|key| call.keys.look(key)).collect::<Result<_, _>>()?;
    let len = texts.iter().flatten().map(|text| text.len()).max().unwrap_or(0);
    let mut result: Option<Vec<u8>> = None;
    for text in texts {
        let mut digits = Digits::new();
        let bytes = text.map_or(&[][..], |text| text.bytes(&mut digits));
        let padded = bytes.iter().copied().chain(std::iter::repeat(0)).take(len);
        let Some(result) = &mut result else {
            result = Some(padded.collect());
            continue;
        };
        for (left, right) in result.iter_mut().zip(padded) {
            match operation {
                Operation::And => *left &= right,
                Operation::Or => *left |= right,
                Operation::Xor => *left ^= right,
                Operation::Not => {}
            }
        }
    }
    let mut result = result.unwrap_or_default();
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(result)
}
