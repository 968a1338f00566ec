//! What a head says about the connection it came on, and what must not be sent on to another.

use super::{Fields, tokens};

/// What Connection lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionOptions {
    /// The sender closes after this message.
    pub close: bool,
    /// The sender of HTTP/1.0 does not.
    pub keep_alive: bool,
    /// Upgrade is meant.
    pub upgrade: bool,
}

/// Fields that are about the connection, whether Connection says so or not.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "transfer-encoding",
    "upgrade",
    // Not about the connection at all: CGI programs take it for their proxy ("httpoxy").
    "proxy",
];

/// Fields a Connection cannot have taken out: without them the message means something else.
const END_TO_END: [&str; 10] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "content-range",
    "authorization",
    "cookie",
    "cache-control",
    "range",
    "set-cookie",
];

impl ConnectionOptions {
    /// From all Connection fields.
    #[must_use]
    pub fn of(fields: &Fields) -> Self {
        let mut options = Self::default();
        for token in fields.get_all("connection").flat_map(tokens) {
            options.close |= token.eq_ignore_ascii_case(b"close");
            options.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            options.upgrade |= token.eq_ignore_ascii_case(b"upgrade");
        }
        options
    }
}

impl Fields {
    /// Takes out what is not to be sent on: fields about the connection, those Connection lists, and TE but for
    /// `trailers`. Fields without which the message means something else stay, whatever Connection says.
    pub fn strip_hop_by_hop(&mut self) {
        let takes_trailers = self.has_token("te", "trailers");
        let listed: Vec<Vec<u8>> = self
            .get_all("connection")
            .flat_map(tokens)
            .filter(|token| !is_one_of(token, &END_TO_END))
            .map(<[u8]>::to_vec)
            .collect();
        self.retain(|name, _| {
            !is_one_of(name, &HOP_BY_HOP)
                && !name.eq_ignore_ascii_case(b"te")
                && !listed.iter().any(|token| name.eq_ignore_ascii_case(token))
        });
        if takes_trailers {
            self.append("TE", "trailers");
        }
    }
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|each| name.eq_ignore_ascii_case(each.as_bytes()))
}
