//! Packets in the body of a request or an answer.

use data_encoding::BASE64;

use super::{Packet, PacketError};

/// Stands between packets.
pub const SEPARATOR: u8 = 0x1e;

/// The packets of a body.
#[derive(Debug)]
pub struct Payload<'a> {
    rest: Option<&'a str>,
    left: usize,
    max: usize,
}

impl<'a> Payload<'a> {
    /// Reads `body`, of which `max` packets are taken at most.
    #[must_use]
    pub fn new(body: &'a str, max: usize) -> Self {
        Self { rest: Some(body), left: max, max }
    }
}

impl<'a> Iterator for Payload<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let Some(left) = self.left.checked_sub(1) else {
            self.rest = None;
            return Some(Err(PacketError::TooMany { max: self.max }));
        };
        self.left = left;
        let (one, rest) = match rest.split_once(char::from(SEPARATOR)) {
            Some((one, rest)) => (one, Some(rest)),
            None => (rest, None),
        };
        let packet = Packet::read(one);
        self.rest = if packet.is_ok() { rest } else { None };
        Some(packet)
    }
}

/// Appends bytes as a packet of a body.
pub fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'b');
    let start = out.len();
    out.resize(start + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut out[start..]);
}
