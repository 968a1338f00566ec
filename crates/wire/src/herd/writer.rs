//! The pieces that messages are made of, written.

use bytes::{BufMut as _, BytesMut};
use remuda_herd::{Epoch, NodeId};

/// Appends a number.
pub(super) fn number(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.put_u8(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).expect("seven bits are a byte")
}

/// Appends a count, or a length.
pub(super) fn count(out: &mut BytesMut, value: usize) {
    number(out, u64::try_from(value).expect("sizes have 64 bits at most"));
}

pub(super) fn node(out: &mut BytesMut, node: NodeId) {
    out.put_u64(node.0);
}

pub(super) fn life(out: &mut BytesMut, at: NodeId, epoch: Epoch) {
    node(out, at);
    number(out, epoch.0);
}

pub(super) fn bytes(out: &mut BytesMut, value: &[u8]) {
    count(out, value.len());
    out.put_slice(value);
}

pub(super) fn texts(out: &mut BytesMut, texts: &[String]) {
    count(out, texts.len());
    for text in texts {
        bytes(out, text.as_bytes());
    }
}

pub(super) fn flag(out: &mut BytesMut, value: bool) {
    out.put_u8(u8::from(value));
}
