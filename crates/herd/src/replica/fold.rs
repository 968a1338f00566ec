//! The hash of digests: servers of different versions compare them, so it is written down here and never changes.
//!
//! FNV-1a over the bytes, then the finalizer of splitmix64, which spreads each bit over all. Nothing depends on names
//! having different hashes but speed.

/// Offset and prime of FNV-1a in 64 bits.
const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;

/// The hash of `bytes`.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(OFFSET, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    finish(hash)
}

/// The short hash of a key: what says its leaf, and 32 bits that tell it from others there.
pub(crate) fn short(name: &[u8]) -> u64 {
    bytes(name) & 0xFFFF_0000_FFFF_FFFF
}

/// A fingerprint in 32 bits, each time other ones: two that are equal by chance are not equal again. Zero stays zero.
pub(crate) fn seasoned(print: u64, salt: u32) -> u32 {
    let low = u32::try_from(mix(print, u64::from(salt)) & u64::from(u32::MAX)).expect("32 bits");
    if print == 0 { 0 } else { low | 1 }
}

/// The hash of two numbers in this order.
pub(crate) fn mix(first: u64, second: u64) -> u64 {
    finish(finish(first).wrapping_add(second))
}

fn finish(mut hash: u64) -> u64 {
    hash = hash.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}
