//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt, 2020): what a balancer says of a client before the
//! client's own bytes.
//!
//! Whoever may write it may claim to be anybody, so who is listened to is decided elsewhere; here it is read strictly and
//! within limits, since it is the first that comes on a connection. What is optional beside the addresses is read where
//! the gateway has a use for it, and passed over otherwise; a checksum that is there is checked.

mod text;
mod tlv;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

pub use text::{V1_MAX, write_v1};
pub use tlv::Details;

/// What each header of version 2 begins with: bytes no other protocol begins with.
pub const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// What each header of version 1 begins with.
const V1_SIGNATURE: &[u8; 6] = b"PROXY ";
/// Signature, command, family and length.
const V2_PREFIX: usize = 16;
/// Most bytes of a header of version 2 behind its length. The field could say 64 KiB; certificates' names and a Unix
/// path need less than this.
pub const V2_LENGTH_MAX: usize = 4096;

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyHeader {
    /// The client, and the address it connected to. `None`: the balancer speaks for itself (a probe), or knows no
    /// addresses; the connection's own count.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
    /// What version 2 told beside that.
    pub details: Details,
}

/// Why bytes are no header. The connection is to be closed: what follows cannot be told from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// They begin as neither version does.
    #[error("the connection does not begin with the PROXY protocol")]
    Signature,
    /// A line of version 1 that is none.
    #[error("the line of the PROXY protocol is not well-formed")]
    Line,
    /// A version or command that is not known.
    #[error("the PROXY protocol has a version or command that is not known")]
    Command,
    /// The length is larger than [`V2_LENGTH_MAX`], or smaller than its contents.
    #[error("the header of the PROXY protocol has a length that cannot be")]
    Length,
    /// The checksum is of other bytes.
    #[error("the header of the PROXY protocol does not have the checksum it says")]
    Checksum,
}

/// Reads the header at the front of `input`. `Some`: it is whole, and so many bytes long. `None`: more is to come; nothing
/// behind the header is needed for it.
///
/// # Errors
/// [`ProxyFault`].
pub fn parse(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyFault> {
    if begins(input, V1_SIGNATURE) {
        return text::parse(input);
    }
    if !begins(input, V2_SIGNATURE) {
        return Err(ProxyFault::Signature);
    }
    let Some(prefix) = input.get(..V2_PREFIX) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([prefix[14], prefix[15]]));
    if length > V2_LENGTH_MAX {
        return Err(ProxyFault::Length);
    }
    let end = V2_PREFIX + length;
    let Some(whole) = input.get(..end) else { return Ok(None) };
    let contents = &whole[V2_PREFIX..];
    match prefix[12] {
        // LOCAL: whatever else it says is to be passed over.
        0x20 => Ok(Some((ProxyHeader::default(), end))),
        0x21 => {
            let (addresses, rest) = addresses(prefix[13], contents)?;
            let details = tlv::read(whole, end - rest.len())?;
            Ok(Some((ProxyHeader { addresses, details }, end)))
        }
        _ => Err(ProxyFault::Command),
    }
}

/// How many bytes are surely missing until a header whose beginning is `input` is whole; at least 1. Who reads no more
/// than that reads nothing of what follows it.
#[must_use]
pub fn missing(input: &[u8]) -> usize {
    if begins(input, V1_SIGNATURE) && input.len() >= V1_SIGNATURE.len() {
        return text::missing(input);
    }
    match input.get(14..V2_PREFIX) {
        Some(length) => {
            let whole = V2_PREFIX + usize::from(u16::from_be_bytes([length[0], length[1]]));
            whole.saturating_sub(input.len()).max(1)
        }
        // The shortest line of version 1 has 15 bytes.
        None if input.len() < text::V1_MIN => text::V1_MIN - input.len(),
        None => V2_PREFIX - input.len(),
    }
}

/// Writes a header of version 2 for a client at `source` that connected to `destination`. Addresses of two families
/// become IPv6 ones.
pub fn write_v2(source: SocketAddr, destination: SocketAddr, out: &mut Vec<u8>) {
    out.extend_from_slice(V2_SIGNATURE);
    out.push(0x21);
    match (source, destination) {
        (SocketAddr::V4(one), SocketAddr::V4(two)) => {
            out.extend_from_slice(&[0x11, 0, 12]);
            out.extend_from_slice(&one.ip().octets());
            out.extend_from_slice(&two.ip().octets());
        }
        (one, two) => {
            out.extend_from_slice(&[0x21, 0, 36]);
            for address in [one, two] {
                out.extend_from_slice(&six(address).octets());
            }
        }
    }
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
}

/// Writes a header of version 2 that speaks for the balancer itself.
pub fn write_v2_local(out: &mut Vec<u8>) {
    out.extend_from_slice(V2_SIGNATURE);
    out.extend_from_slice(&[0x20, 0, 0, 0]);
}

fn six(address: SocketAddr) -> Ipv6Addr {
    match address {
        SocketAddr::V4(address) => address.ip().to_ipv6_mapped(),
        SocketAddr::V6(address) => *address.ip(),
    }
}

/// Whether `input` begins with `signature`, as far as it goes.
fn begins(input: &[u8], signature: &[u8]) -> bool {
    let len = input.len().min(signature.len());
    input[..len] == signature[..len]
}

/// Where from, and where to.
type Pair = (SocketAddr, SocketAddr);

/// The addresses at the front of `contents`, and what stands behind them.
fn addresses(family: u8, contents: &[u8]) -> Result<(Option<Pair>, &[u8]), ProxyFault> {
    let split = |len: usize| contents.split_at_checked(len).ok_or(ProxyFault::Length);
    let port = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
    match family {
        0x11 => {
            let (bytes, rest) = split(12)?;
            let ip = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
            let source = SocketAddr::new(ip(0).into(), port(&bytes[8..]));
            Ok((Some((source, SocketAddr::new(ip(4).into(), port(&bytes[10..])))), rest))
        }
        0x21 => {
            let (bytes, rest) = split(36)?;
            let ip = |at: usize| {
                let mut octets = [0; 16];
                octets.copy_from_slice(&bytes[at..at + 16]);
                Ipv6Addr::from(octets)
            };
            let source = SocketAddr::new(ip(0).into(), port(&bytes[32..]));
            Ok((Some((source, SocketAddr::new(ip(16).into(), port(&bytes[34..])))), rest))
        }
        // Unix sockets have no address to speak of.
        0x31 | 0x32 => split(216).map(|(_, rest)| (None, rest)),
        0x12 => split(12).map(|(_, rest)| (None, rest)),
        0x22 => split(36).map(|(_, rest)| (None, rest)),
        // Not specified: how long it would be is not known either, so nothing behind it is read.
        0x00 => Ok((None, &[])),
        _ => Err(ProxyFault::Command),
    }
}
