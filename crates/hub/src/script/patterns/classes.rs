//! Items of a pattern that stand for one byte: `a`, `.`, `%d`, `[a-z]`.
//!
//! Classes are those of the C locale, whatever the locale of the machine.

use crate::script::failure::Failure;

/// Where the item at the beginning of `pattern`, which is not empty, ends.
pub(super) fn ends_at(pattern: &[u8]) -> Result<usize, Failure> {
    match pattern[0] {
        b'%' if pattern.len() < 2 => Err(Failure::text("malformed pattern (ends with '%')")),
        b'%' => Ok(2),
        b'[' => {
            let mut at = if pattern.get(1) == Some(&b'^') { 2 } else { 1 };
            loop {
                // The first one belongs to the set, even if it is a bracket.
                match pattern.get(at) {
                    None => return Err(Failure::text("malformed pattern (missing ']')")),
                    Some(b'%') if at + 1 < pattern.len() => at += 2,
                    Some(_) => at += 1,
                }
                if pattern.get(at) == Some(&b']') {
                    return Ok(at + 1);
                }
            }
        }
        _ => Ok(1),
    }
}

/// Whether `byte` is one that `item` stands for.
pub(super) fn is_one(byte: u8, item: &[u8]) -> bool {
    match item[0] {
        b'.' => true,
        b'%' => is_of_class(byte, item[1]),
        b'[' => is_in_set(byte, item),
        literal => literal == byte,
    }
}

/// Whether `byte` is in a set, which has its brackets.
pub(super) fn is_in_set(byte: u8, set: &[u8]) -> bool {
    let inside = &set[1..set.len() - 1];
    let (inside, is_wanted) = match inside.strip_prefix(b"^") {
        Some(rest) => (rest, false),
        None => (inside, true),
    };
    let mut at = 0;
    while at < inside.len() {
        let (width, is_it) = match &inside[at..] {
            [b'%', class, ..] => (2, is_of_class(byte, *class)),
            [low, b'-', high, ..] => (3, (*low..=*high).contains(&byte)),
            [literal, ..] => (1, *literal == byte),
            [] => break,
        };
        if is_it {
            return is_wanted;
        }
        at += width;
    }
    !is_wanted
}

fn is_of_class(byte: u8, class: u8) -> bool {
    let is_it = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        // The vertical tab is a space in C.
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_it == class.is_ascii_lowercase()
}
