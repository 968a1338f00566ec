//! How many connections a listener has.

use std::fs;
use std::net::IpAddr;

use remuda_model::SocketKind;

use super::holder;
use super::listener::{Family, Listener};

const ESTABLISHED: &str = "01";
/// `SS_CONNECTED` in `/proc/net/unix`.
const UNIX_CONNECTED: &str = "03";
/// `SS_CONNECTING`: what the kernel prints for a connection nobody has accepted yet.
const UNIX_QUEUED: &str = "02";

/// Counts established connections to the listener's address, accepted or still queued; 0 for datagrams. Reads the
/// kernel's whole table of connections, which does not say by which listener each came: what lingers of a former
/// owner of the address counts too. Cheap with hundreds, milliseconds with a hundred thousand.
#[must_use]
pub fn connections(listener: &Listener) -> u32 {
    let count = match (listener.kind, listener.family) {
        (SocketKind::Datagram, _) => 0,
        (_, Family::Inet | Family::Inet6) => internet(listener),
        (_, Family::Unix) => unix(listener),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn internet(listener: &Listener) -> usize {
    let Some(address) = listener.internet() else { return 0 };
    let mut wanted = vec![hexadecimal(address.ip())];
    if let IpAddr::V4(ip) = address.ip() {
        wanted.push(hexadecimal(ip.to_ipv6_mapped().into()));
    }
    let any = address.ip().is_unspecified();
    let matches = |line: &holder::Line<'_>| {
        line.state == ESTABLISHED
            && line.port == address.port()
            && (any || wanted.iter().any(|wanted| wanted == line.address))
    };
    let count = |table: &str| {
        let text = fs::read_to_string(table).unwrap_or_default();
        text.lines().skip(1).filter_map(holder::parse).filter(matches).count()
    };
    match listener.family {
        Family::Inet => count("/proc/net/tcp"),
        Family::Inet6 | Family::Unix => count("/proc/net/tcp6"),
    }
}

/// The kernel prints an address as 32-bit words in the machine's byte order.
fn hexadecimal(ip: IpAddr) -> String {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    octets
        .chunks_exact(4)
        .map(|word| format!("{:08X}", u32::from_ne_bytes([word[0], word[1], word[2], word[3]])))
        .collect()
}

fn unix(listener: &Listener) -> usize {
    let Some((_, name)) = listener.address.split_once(':') else { return 0 };
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    // The accepting end carries the listener's name; the connecting one has none.
    text.lines()
        .skip(1)
        .filter_map(unix_end)
        .filter(|(state, path)| *path == name && [UNIX_CONNECTED, UNIX_QUEUED].contains(state))
        .count()
}

/// State and path of a line `Num RefCount Protocol Flags Type St Inode Path`; the path may have spaces.
fn unix_end(line: &str) -> Option<(&str, &str)> {
    let mut rest = line;
    let mut field = "";
    for _ in 0..6 {
        (field, rest) = rest.trim_start().split_once(' ')?;
    }
    let (_inode, path) = rest.trim_start().split_once(' ')?;
    Some((field, path))
}

#[cfg(test)]
mod tests;
