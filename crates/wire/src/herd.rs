//! What servers of a herd say to each other, as bytes.
//!
//! The session below gives whole frames with a kind each; here is what the kinds mean. Numbers are varints of seven bits a
//! byte, low ones first; identities of nodes have eight bytes, big end first; texts and bytes have their length in front.
//! A list has its count in front, which is held to its limit before anything is taken: a frame claims nothing that it
//! does not hold. What is left over at the end is an error, since both sides have agreed on a version.

mod decode;
mod encode;
mod reader;
pub mod relay;
pub mod replica;
mod writer;

#[cfg(test)]
mod tests;

pub use decode::{DecodeError, decode};
pub use encode::encode;

/// The kinds of frames that [`encode()`] makes. Other kinds up to [`OTHERS_FROM`] are free for later versions.
mod kind {
    pub(super) const KNOWN: u8 = 1;
    pub(super) const FACT: u8 = 2;
    pub(super) const INTEREST: u8 = 3;
    pub(super) const HAVE: u8 = 4;
    pub(super) const MESSAGES: u8 = 5;
    pub(super) const CHANGE: u8 = 6;
    pub(super) const SKIP: u8 = 7;
    pub(super) const GRAFT: u8 = 8;
    pub(super) const PRUNE: u8 = 9;
    pub(super) const PING: u8 = 10;
    pub(super) const PONG: u8 = 11;
    pub(super) const SAMPLE: u8 = 12;
    pub(super) const BYE: u8 = 13;
}

/// From this kind on frames are not for the machine that spreads, but for others.
pub const OTHERS_FROM: u8 = 32;
