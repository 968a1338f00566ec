//! Queries, as forms write them (WHATWG URL, `application/x-www-form-urlencoded`).

/// The pairs of a query, decoded, in their order; a name without `=` has an empty value.
pub fn query_pairs(query: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = memchr::memchr(b'=', pair);
        let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        (decode(name), decode(value))
    })
}

/// The first value of a parameter, decoded.
#[must_use]
pub fn query_value(query: &[u8], name: &str) -> Option<Vec<u8>> {
    query_pairs(query).find(|(own, _)| own == name.as_bytes()).map(|(_, value)| value)
}

/// `+` is a blank, `%XX` a byte; a `%` without digits stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digits = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let encoded = digits.filter(|_| *byte == b'%').filter(|digits| !digits.starts_with('+'));
        match encoded.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    out
}
