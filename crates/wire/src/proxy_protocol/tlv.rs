//! What version 2 tells beside addresses: types, lengths and values.

use super::ProxyFault;

const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const CHECKSUM: u8 = 0x03;
const UNIQUE_ID: u8 = 0x05;
const SSL: u8 = 0x20;

/// Longest id; the standard's.
const UNIQUE_ID_MAX: usize = 128;

/// What was told beside addresses; each may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// The protocol the client and the balancer agreed on (ALPN).
    pub protocol: Option<Vec<u8>>,
    /// The host the client named (SNI), as it came.
    pub authority: Option<Vec<u8>>,
    /// The connection's name.
    pub unique_id: Option<Vec<u8>>,
    /// Whether the client's connection to the balancer was encrypted.
    pub is_secure: bool,
}

/// Reads what stands in `whole` from `from` on. `whole` is the header as it came, for its checksum.
pub(super) fn read(whole: &[u8], from: usize) -> Result<Details, ProxyFault> {
    let mut details = Details::default();
    let mut at = from;
    while at < whole.len() {
        let head = whole.get(at..at + 3).ok_or(ProxyFault::Length)?;
        let start = at + 3;
        let end = start + usize::from(u16::from_be_bytes([head[1], head[2]]));
        let value = whole.get(start..end).ok_or(ProxyFault::Length)?;
        match head[0] {
            ALPN => details.protocol = Some(value.to_vec()),
            AUTHORITY => details.authority = Some(value.to_vec()),
            UNIQUE_ID if value.len() > UNIQUE_ID_MAX => return Err(ProxyFault::Length),
            UNIQUE_ID => details.unique_id = Some(value.to_vec()),
            // Flags, then what verified the client's certificate, then more of the same form.
            SSL => details.is_secure = value.first().ok_or(ProxyFault::Length)? & 1 == 1,
            CHECKSUM => check(whole, start, value)?,
            _ => {}
        }
        at = end;
    }
    Ok(details)
}

/// The checksum is of the header with zeros in its place.
fn check(whole: &[u8], start: usize, value: &[u8]) -> Result<(), ProxyFault> {
    let told: [u8; 4] = value.try_into().ok().ok_or(ProxyFault::Length)?;
    let bytes = whole.iter().enumerate();
    let zeroed = bytes.map(|(at, byte)| if (start..start + 4).contains(&at) { 0 } else { *byte });
    if crc32c(zeroed) == u32::from_be_bytes(told) { Ok(()) } else { Err(ProxyFault::Checksum) }
}

/// CRC-32C (Castagnoli), bit by bit: it is 4 KiB once in a connection.
pub(super) fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}
