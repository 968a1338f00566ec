//! Query strings: `a=b&c=d` with percent-encoding, both ways.

use std::fmt::Write as _;

/// Parameters a query may have.
const PARAMETERS_MAX: usize = 128;

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    /// `%` without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the query has {0:?}, which is not valid percent-encoding of UTF-8")]
    Encoding(String),
    /// More than 128 parameters.
    #[error("the query has more than {PARAMETERS_MAX} parameters")]
    TooMany,
}

/// The parameters of `query`, in order.
pub(crate) fn parse(query: &str) -> Result<Vec<(String, String)>, QueryError> {
    let mut parameters = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if parameters.len() == PARAMETERS_MAX {
            return Err(QueryError::TooMany);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.push((decode(name)?, decode(value)?));
    }
    Ok(parameters)
}

fn decode(text: &str) -> Result<String, QueryError> {
    let refused = || QueryError::Encoding(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = match byte {
            b'%' => {
                let digits =
                    tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(refused)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(refused());
                }
                bytes.push(u8::from_str_radix(digits, 16).ok().ok_or_else(refused)?);
                tail.get(2..).unwrap_or_default()
            }
            b'+' => {
                bytes.push(b' ');
                tail
            }
            other => {
                bytes.push(*other);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok().ok_or_else(refused)
}

/// Appends `name=value` to the target of a request.
pub(crate) fn append(target: &mut String, name: &str, value: &str) {
    target.push(if target.contains('?') { '&' } else { '?' });
    target.push_str(name);
    target.push('=');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            target.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
