//! What may be packed, and what has to be said of it then (RFC 9110 8.4, 12.5.5; RFC 9111 5.2.2.6).

use remuda_wire::http::{Fields, ResponseHead};

use crate::files::negotiate::Encoding;

/// Whether nothing speaks against it: a part of something, something packed already, or a word that forbids it.
pub(super) fn may_be_packed(head: &ResponseHead) -> bool {
    let fields = &head.fields;
    !matches!(head.status, 100..200 | 204 | 205 | 206 | 304)
        && !fields.contains("content-encoding")
        && !fields.contains("content-range")
        && !fields.has_token("cache-control", "no-transform")
}

/// Whether its type is one of `types`: `type/subtype`, or `type/*`. A stream of events is never: each would have to be
/// flushed, and an encoder is held for as long as the client stays.
pub(super) fn is_of(head: &ResponseHead, types: &[String]) -> bool {
    let Some(value) = head.fields.get_str("content-type") else { return false };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind != "text/event-stream"
        && types.iter().any(|each| match each.strip_suffix('*') {
            Some(front) => kind.starts_with(front),
            None => kind == *each,
        })
}

/// Says that the answer depends on what the client takes.
pub(super) fn vary(fields: &mut Fields) {
    if fields.has_token("vary", "accept-encoding") || fields.has_token("vary", "*") {
        return;
    }
    fields.append("Vary", "Accept-Encoding");
}

/// Says how it is packed, and takes back what is not true of it any more.
pub(super) fn relabel(fields: &mut Fields, encoding: Encoding) {
    for name in ["content-length", "accept-ranges", "content-md5", "content-digest"] {
        fields.remove(name);
    }
    fields.set("Content-Encoding", encoding.name());
    // Two forms of one thing are not the same bytes (RFC 9110 8.8.3.3).
    if let Some(tag) = fields.get("etag")
        && tag.starts_with(b"\"")
    {
        let weak = [b"W/", tag].concat();
        fields.set("ETag", weak);
    }
}
