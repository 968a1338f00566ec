//! Patterns of names: `*`, `?`, `[a-z]`, `[^…]` and `\`, over bytes.
//!
//! Redis matches by recursion, which a pattern of many stars makes exponential. Here a star remembers one place to go
//! back to, and a later star forgets the earlier: at most `pattern × text` steps, and no stack.

/// Whether all of `text` matches `pattern`.
#[must_use]
pub fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            retry = Some((at + 1, read));
            at += 1;
            continue;
        }
        if let Some(used) = one(&pattern[at..], text[read]) {
            at += used;
            read += 1;
            continue;
        }
        let Some((after_star, taken)) = retry else { return false };
        at = after_star;
        read = taken + 1;
        retry = Some((after_star, read));
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// The length of the first element of `pattern` when it matches `byte`; none when there is none or it does not.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => (literal == byte).then_some(2),
        [b'[', ..] => class(pattern, byte),
        [literal, ..] => (literal == byte).then_some(1),
    }
}

/// A class that is not closed reaches to the pattern's end, as in Redis.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = if negated { 2 } else { 1 };
    let mut found = false;
    loop {
        match pattern[at.min(pattern.len())..] {
            [] => break,
            [b'\\', literal, ..] => {
                found |= literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [low, b'-', high, ..] => {
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests;
