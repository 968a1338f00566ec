//! What Cache-Control says, by path.

use remuda_model::gateway::CacheRule;

#[cfg(test)]
mod tests;

/// The value for `path`: that of the first rule whose pattern fits.
#[must_use]
pub fn cache_control<'a>(rules: &'a [CacheRule], path: &[u8]) -> Option<&'a str> {
    let rule = rules.iter().find(|rule| fits(rule.paths.as_bytes(), path));
    rule.map(|rule| rule.value.as_str())
}

/// Whether `path` is as `pattern` says: parts between stars, in their order.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts: Vec<&[u8]> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = memchr::memmem::find(rest, part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
