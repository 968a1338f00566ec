//! Redis' glob: which names of channels and keys a pattern stands for.
//!
//! The syntax is that of `PSUBSCRIBE` and `KEYS`: `*` any bytes, `?` one byte, `[abc]` `[a-z]` `[^x]` one of a class, `\` takes the
//! next byte as it is. What is odd in Redis is kept: a class that is not closed ends with the pattern, a range may be
//! written backwards, `[]` matches nothing, and a `\` at the end is a backslash. `*` matches the
//! empty name too. Patterns come from clients, so the matching goes back to the last star only: the work is at most
//! pattern times name, for any pattern.

/// Whether `name` is one of those `pattern` stands for.
#[must_use]
pub fn glob_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            retry = Some((at, seen));
            continue;
        }
        let step = match name.get(seen) {
            None if at == pattern.len() => return true,
            None => return pattern[at..].iter().all(|byte| *byte == b'*'),
            Some(byte) => one(&pattern[at..], *byte),
        };
        if let Some(used) = step {
            at += used;
            seen += 1;
            continue;
        }
        let Some((after_star, from)) = retry else { return false };
        retry = Some((after_star, from + 1));
        (at, seen) = (after_star, from + 1);
    }
}

/// How many bytes of `pattern` stand for `byte`, when its first element does.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (found, used) = in_class(class, byte);
            found.then_some(used + 1)
        }
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// Whether `byte` is in the class that begins behind a `[`, and how many bytes the class has with its `]`.
fn in_class(class: &[u8], byte: u8) -> (bool, usize) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        at += match &class[at..] {
            [] => return (found != negated, at),
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                2
            }
            [b']', ..] => return (found != negated, at + 1),
            [first, b'-', last, ..] => {
                found |= (*first.min(last)..=*first.max(last)).contains(&byte);
                3
            }
            [literal, ..] => {
                found |= *literal == byte;
                1
            }
        };
    }
}

#[cfg(test)]
mod tests;
