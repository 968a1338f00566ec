//! Comma-separated values (RFC 9110 5.6.1).

/// The elements of a list, without the white space around them, empty ones left out. For lists of tokens: a comma in
/// a quoted string separates too.
pub fn tokens(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// Whether `token` is one of the elements, in any case.
#[must_use]
pub fn has_token(value: &[u8], token: &str) -> bool {
    tokens(value).any(|each| each.eq_ignore_ascii_case(token.as_bytes()))
}
