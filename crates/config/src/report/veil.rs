//! Passwords in the lines that a report shows: it may end up in a log, or on a screen that others see.
//!
//! What looks like `scheme://name:password@host` gets as many stars as the password has bytes, so that carets still stand
//! where they belong. A reference to a variable is none, and stays.

use std::borrow::Cow;
use std::ops::Range;

/// The same text, of the same length, without passwords in URLs.
pub(super) fn veiled(text: &str) -> Cow<'_, str> {
    let mut veiled = Cow::Borrowed(text);
    for place in passwords(text) {
        let stars = "*".repeat(place.len());
        veiled.to_mut().replace_range(place, &stars);
    }
    veiled
}

/// Where passwords stand.
fn passwords(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("://").filter_map(|(at, separator)| {
        let from = at + separator.len();
        let rest = &text[from..];
        let is_end = |sign: char| sign == '"' || sign == '\'' || sign.is_whitespace();
        let rest = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        // A password with an `@` or a `/` in it is written wrong, and is one all the same.
        let account = &rest[..rest.rfind('@')?];
        let skipped = account.find(':').map_or(0, |colon| colon + 1);
        let password = &account[skipped..];
        let name = password.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let is_reference = name.is_some_and(|name| !name.contains(['$', '{', '}']));
        (!password.is_empty() && !is_reference).then(|| from + skipped..from + skipped + password.len())
    })
}

#[cfg(test)]
mod tests;
