//! Headers of messages: `NATS/1.0`, then a line for each, then an empty line.

use bytes::{BufMut as _, BytesMut};

/// Appends headers with these names and values, none of which has ends of lines in it.
pub fn encode_headers(headers: &[(&str, &str)], out: &mut BytesMut) {
    out.put_slice(b"NATS/1.0\r\n");
    for (name, value) in headers {
        out.put_slice(name.as_bytes());
        out.put_slice(b": ");
        out.put_slice(value.as_bytes());
        out.put_slice(b"\r\n");
    }
    out.put_slice(b"\r\n");
}

/// The first header called `name`, in any case, without the blanks around it.
#[must_use]
pub fn header<'a>(headers: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines = headers.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.next().filter(|first| first.starts_with(b"NATS/"))?;
    lines.find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
    })
}
