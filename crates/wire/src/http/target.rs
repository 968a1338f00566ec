//! Targets of requests: the four forms of RFC 9112 3.2, and what a host is.

use std::ops::Range;

use super::{HeadFault, Method};

/// Where the parts of a target are, as places in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Host and port, in the absolute and the authority form.
    pub authority: Option<Range<usize>>,
    /// The path; `None` in the asterisk and the authority form, and where an absolute one has none.
    pub path: Option<Range<usize>>,
    /// What stands behind `?`.
    pub query: Option<Range<usize>>,
}

impl Target {
    /// Reads `target` as one of the forms `method` can have.
    ///
    /// # Errors
    /// [`HeadFault::Target`]: it has none of them.
    pub fn parse(method: &Method, target: &[u8]) -> Result<Self, HeadFault> {
        if memchr::memchr(b'#', target).is_some() {
            return Err(HeadFault::Target("a fragment is not sent"));
        }
        if *method == Method::Connect {
            if !is_authority(target) || !target.contains(&b':') {
                return Err(HeadFault::Target("CONNECT takes a host and a port"));
            }
            return Ok(Self { authority: Some(0..target.len()), ..Self::default() });
        }
        match target {
            [b'/', ..] => Ok(Self::path_and_query(target, 0)),
            b"*" if *method == Method::Options => Ok(Self::default()),
            b"*" => Err(HeadFault::Target("only OPTIONS takes *")),
            _ => Self::absolute(target),
        }
    }

    fn absolute(target: &[u8]) -> Result<Self, HeadFault> {
        let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
            target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        let start = scheme.ok_or(HeadFault::Target("it is neither a path nor a URL of http"))?.len();
        let rest = &target[start..];
        let end = start + rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        if !is_authority(&target[start..end]) {
            return Err(HeadFault::Target("the host in its URL is none"));
        }
        let found = Self::path_and_query(target, end);
        Ok(Self { authority: Some(start..end), ..found })
    }

    fn path_and_query(target: &[u8], start: usize) -> Self {
        let mark = memchr::memchr(b'?', &target[start..]).map(|place| start + place);
        let path = start..mark.unwrap_or(target.len());
        Self {
            authority: None,
            path: (!path.is_empty()).then_some(path),
            query: mark.map(|mark| mark + 1..target.len()),
        }
    }
}

/// Whether `text` is a host, with or without a port, and no more: no user, nothing a URL would end at.
pub(super) fn is_authority(text: &[u8]) -> bool {
    let (host, port) = match text.first() {
        Some(b'[') => match memchr::memchr(b']', text) {
            Some(end) => (&text[1..end], &text[end + 1..]),
            None => return false,
        },
        _ => {
            let end = memchr::memchr(b':', text).unwrap_or(text.len());
            (&text[..end], &text[end..])
        }
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_host = if text.first() == Some(&b'[') {
        str::from_utf8(host).is_ok_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok())
    } else {
        !host.is_empty() && host.iter().all(|byte| is_host_byte(*byte))
    };
    is_port && is_host
}

/// What names of hosts have, percent signs for those that are encoded, and `_` because people use it. RFC 3986 3.2.2 also
/// allows what stands between the parts of other things, as the comma, which two Hosts joined to one would have.
fn is_host_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%')
}
