//! Who the client is, as it is told to servers behind us, and as others before us told it.
//!
//! Anybody can write `X-Forwarded-For`. Only peers that are trusted are believed; from all others these fields are taken
//! out, also where a name has `_` for `-`, which programs behind CGI's names cannot tell apart.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use remuda_model::gateway::IpRange;
use remuda_wire::http::{Fields, tokens};

/// Longest request id that is taken over from a trusted peer.
const ID_MAX: usize = 128;
/// Longest list of addresses that is taken over.
const LIST_MAX: usize = 2048;

/// Whose word is believed.
#[derive(Debug, Clone, Default)]
pub struct Forwarding {
    /// Peers that are.
    pub trusted: Vec<IpRange>,
}

impl Forwarding {
    /// Whether a peer at `address` is; one without an address is not.
    #[must_use]
    pub fn trusts(&self, address: Option<SocketAddr>) -> bool {
        !self.trusted.is_empty() && address.is_some_and(|address| self.trusts_ip(address.ip()))
    }

    fn trusts_ip(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(ip))
    }
}

/// What is told of a client.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Who the peer is; `None` on a Unix socket.
    pub address: Option<SocketAddr>,
    /// Whether its connection is encrypted.
    pub is_secure: bool,
    /// The host it asked for, with its port if it named one.
    pub host: &'a [u8],
    /// The number of its request.
    pub id: &'a str,
    /// When its request was here, in microseconds since 1970.
    pub arrived_us: u64,
}

/// The address of who a request is from: that of the peer, or of the last in the list of a trusted one that is not
/// trusted itself. `None` on a Unix socket.
#[must_use]
pub fn client_of(forwarding: &Forwarding, peer: Option<SocketAddr>, fields: &Fields) -> Option<IpAddr> {
    let mut client = peer?.ip();
    if !forwarding.trusts(peer) {
        return Some(client);
    }
    let lists: Vec<&[u8]> = fields.get_all("x-forwarded-for").collect();
    for named in lists.into_iter().rev().flat_map(|list| tokens(list).rev()) {
        let Some(ip) = address(named) else { break };
        client = ip;
        if !forwarding.trusts_ip(ip) {
            break;
        }
    }
    Some(client)
}

/// An address as lists have it: alone, with a port, in brackets.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let alone = text.parse().ok();
    alone
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|ip: IpAddr| ip.to_canonical())
}

/// Whether a field tells of the client: it is ours to write, and a peer's only if that is trusted.
#[must_use]
pub fn is_forwarded_field(name: &[u8]) -> bool {
    let is = |known: &str| {
        let known = known.as_bytes();
        name.len() == known.len()
            && name
                .iter()
                .zip(known)
                .all(|(byte, known)| byte.eq_ignore_ascii_case(known) || (*byte == b'_' && *known == b'-'))
    };
    match name.len() {
        9 => is("forwarded") || is("x-real-ip"),
        12 => is("x-request-id"),
        15 => is("x-forwarded-for") || is("x-request-start"),
        16 => is("x-forwarded-host") || is("x-forwarded-port"),
        17 => is("x-forwarded-proto"),
        18 => is("x-forwarded-server") || is("x-forwarded-scheme") || is("x-forwarded-prefix"),
        _ => false,
    }
}

/// Writes all fields that tell of `client`; what `fields` say is taken over if `is_trusted`.
pub(super) fn write(client: &Client<'_>, fields: &Fields, is_trusted: bool, out: &mut Vec<u8>) {
    let ip = Text::of(client.address.map(|address| address.ip().to_canonical()));
    let told =
        |name: &str| if is_trusted { fields.get(name).filter(|value| !value.is_empty()) } else { None };
    let proto: &[u8] = if client.is_secure { b"https" } else { b"http" };
    out.extend_from_slice(b"X-Forwarded-For: ");
    if is_trusted {
        for list in fields.get_all("x-forwarded-for").filter(|list| (1..=LIST_MAX).contains(&list.len())) {
            out.extend_from_slice(list);
            out.extend_from_slice(b", ");
        }
    }
    out.extend_from_slice(ip.plain());
    line(out, b"\r\nX-Forwarded-Proto: ", told("x-forwarded-proto").unwrap_or(proto));
    let host = told("x-forwarded-host").unwrap_or(client.host);
    if !host.is_empty() {
        line(out, b"\r\nX-Forwarded-Host: ", host);
    }
    for name in ["X-Forwarded-Port", "X-Forwarded-Prefix"] {
        if let Some(value) = told(name) {
            out.extend_from_slice(b"\r\n");
            line(out, name.as_bytes(), b": ");
            out.extend_from_slice(value);
        }
    }
    out.extend_from_slice(b"\r\nForwarded: ");
    if is_trusted {
        for list in fields.get_all("forwarded").filter(|list| (1..=LIST_MAX).contains(&list.len())) {
            line(out, list, b", ");
        }
    }
    line(out, b"for=", ip.as_node());
    line(out, b";proto=", proto);
    if !client.host.is_empty() {
        line(out, b";host=\"", client.host);
        out.push(b'"');
    }
    let id = told("x-request-id").filter(|id| is_id(id)).unwrap_or(client.id.as_bytes());
    line(out, b"\r\nX-Request-Id: ", id);
    match told("x-request-start") {
        Some(start) => line(out, b"\r\nX-Request-Start: ", start),
        None => {
            let mut number = itoa::Buffer::new();
            line(out, b"\r\nX-Request-Start: t=", number.format(client.arrived_us).as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// What can stand in a log and a page as it is.
fn is_id(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= ID_MAX && id.iter().all(u8::is_ascii_graphic)
}

/// An address in text, without memory of its own: `"[…]"` around IPv6, as `Forwarded` has it (RFC 7239 6).
struct Text {
    bytes: [u8; 64],
    len: usize,
    is_quoted: bool,
}

impl Text {
    fn of(ip: Option<IpAddr>) -> Self {
        let mut text = Self { bytes: [0; 64], len: 0, is_quoted: matches!(ip, Some(IpAddr::V6(_))) };
        let written = match ip {
            Some(IpAddr::V6(ip)) => write!(text, "\"[{ip}]\""),
            Some(IpAddr::V4(ip)) => write!(text, "{ip}"),
            None => write!(text, "unknown"),
        };
        debug_assert!(written.is_ok(), "the longest address has 45 letters");
        text
    }

    fn as_node(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn plain(&self) -> &[u8] {
        let node = self.as_node();
        if self.is_quoted { &node[2..node.len() - 2] } else { node }
    }
}

impl std::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
