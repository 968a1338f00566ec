//! Version 1: a line of text.

use std::net::{IpAddr, SocketAddr};

use super::{ProxyFault, ProxyHeader};

/// Longest line, with its end.
pub const V1_MAX: usize = 107;
/// Shortest line: `PROXY UNKNOWN` and its end.
pub(super) const V1_MIN: usize = 15;

pub(super) fn parse(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyFault> {
    let window = &input[..input.len().min(V1_MAX)];
    let Some(feed) = memchr::memchr(b'\n', window) else {
        return if input.len() < V1_MAX { Ok(None) } else { Err(ProxyFault::Line) };
    };
    let line = window[..feed].strip_suffix(b"\r").ok_or(ProxyFault::Line)?;
    let line = str::from_utf8(line).ok().filter(|line| !line.contains('\r')).ok_or(ProxyFault::Line)?;
    let mut words = line.split(' ').skip(1);
    let family = words.next().ok_or(ProxyFault::Line)?;
    let addresses = match family {
        // Whatever stands behind it means nothing.
        "UNKNOWN" => None,
        "TCP4" | "TCP6" => Some(addresses(family == "TCP4", words)?),
        _ => return Err(ProxyFault::Line),
    };
    Ok(Some((ProxyHeader { addresses, ..ProxyHeader::default() }, feed + 1)))
}

fn addresses<'a>(
    is_four: bool,
    mut words: impl Iterator<Item = &'a str>,
) -> Result<(SocketAddr, SocketAddr), ProxyFault> {
    let mut word = || words.next().ok_or(ProxyFault::Line);
    let (source, destination) = (word()?, word()?);
    let ports = [port(word()?)?, port(word()?)?];
    if words.next().is_some() {
        return Err(ProxyFault::Line);
    }
    let ip = |text: &str| {
        let ip: IpAddr = text.parse().ok().ok_or(ProxyFault::Line)?;
        if ip.is_ipv4() == is_four { Ok(ip) } else { Err(ProxyFault::Line) }
    };
    Ok((SocketAddr::new(ip(source)?, ports[0]), SocketAddr::new(ip(destination)?, ports[1])))
}

/// Digits without a sign, and without zeros before them.
fn port(text: &str) -> Result<u16, ProxyFault> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = text.len() > 1 && text.starts_with('0');
    text.parse().ok().filter(|_| is_digits && !is_padded).ok_or(ProxyFault::Line)
}

/// How many bytes of a line are surely missing: its end, and words of at least a letter with a space before each.
pub(super) fn missing(input: &[u8]) -> usize {
    let spaces = memchr::memchr_iter(b' ', input).count();
    let words = if input.get(6..9).is_some_and(|family| family == b"TCP") {
        5_usize.saturating_sub(spaces)
    } else {
        0
    };
    let end = if input.last() == Some(&b'\r') { 1 } else { 2 };
    2 * words + end
}

/// Writes a line for a client at `source` that connected to `destination`. Where their families differ, or there is
/// nothing to say, it is `UNKNOWN`.
pub fn write_v1(addresses: Option<(SocketAddr, SocketAddr)>, out: &mut Vec<u8>) {
    let line = match addresses {
        Some((SocketAddr::V4(source), SocketAddr::V4(destination))) => {
            format!("TCP4 {} {} {} {}", source.ip(), destination.ip(), source.port(), destination.port())
        }
        Some((SocketAddr::V6(source), SocketAddr::V6(destination))) => {
            format!("TCP6 {} {} {} {}", source.ip(), destination.ip(), source.port(), destination.port())
        }
        _ => "UNKNOWN".to_owned(),
    };
    out.extend_from_slice(b"PROXY ");
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(b"\r\n");
}
