//! The seal that ends each batch, and says that every byte of it is as it was written.
//!
//! It is a command that every Redis knows and that changes nothing: `ECHO "remuda.seal <mark> <offset> <length>
//! <checksum>"`, all in hexadecimal. So a journal stays a file that `redis-cli --pipe` sends and Redis loads. The mark
//! is a random number of this folder. No client knows it; so a client's value that looks like a batch, copied journals
//! included, is never taken for one when the reader looks for the next good batch after a damage.

use std::fmt::Write;

use remuda_wire::resp::encode_command;

use super::checksum::Checksum;
use super::commands;
use super::segment::Name;

/// `remuda.seal `, mark, offset, length, checksum.
const TEXT_BYTES: usize = 12 + 16 + 1 + 16 + 1 + 16 + 1 + 8;
/// What stands before the text: `*2 $4 ECHO $71`.
const LEAD: &[u8] = b"*2\r\n$4\r\nECHO\r\n$71\r\n";
/// Bytes of a seal.
pub(super) const SEAL_BYTES: usize = LEAD.len() + TEXT_BYTES + 2;

const _: () = assert!(TEXT_BYTES == 71, "the lead says so");

/// The journal's own random number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(pub(super) u64);

/// What a seal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    /// Where its batch begins in the file.
    pub(super) offset: u64,
    /// Bytes of the batch, without the seal.
    pub(super) length: u64,
    checksum: u32,
}

impl Mark {
    /// A new one: the standard library's seed of hash maps, which the kernel gave.
    pub(super) fn random() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        Self(RandomState::new().build_hasher().finish())
    }

    /// The bytes with which every seal of this journal begins.
    pub(super) fn needle(self) -> Vec<u8> {
        let mut needle = LEAD.to_vec();
        needle.extend_from_slice(format!("remuda.seal {:016x} ", self.0).as_bytes());
        needle
    }
}

impl Seal {
    /// Ends the batch that stands in `out` from `start` on and will stand at `offset` of the file `name`.
    pub(super) fn write(mark: Mark, name: Name, offset: u64, start: usize, out: &mut Vec<u8>) {
        let batch = &out[start..];
        let length = u64::try_from(batch.len()).expect("a length in memory fits");
        let checksum = checksum(mark, name, offset, batch);
        let mut text = String::with_capacity(TEXT_BYTES);
        write!(text, "remuda.seal {:016x} {offset:016x} {length:016x} {checksum:08x}", mark.0)
            .expect("a string takes everything");
        encode_command(&[b"ECHO", text.as_bytes()], out);
    }

    /// Reads a seal; `None` when it is none of this journal.
    pub(super) fn parse(mark: Mark, bytes: &[u8; SEAL_BYTES]) -> Option<Self> {
        let text = bytes.strip_prefix(LEAD)?.strip_suffix(b"\r\n")?;
        let mut words = std::str::from_utf8(text).ok()?.split(' ');
        let mut word = |digits: usize| words.next().filter(|word| word.len() == digits && is_hex(word));
        let mut next = |digits| u64::from_str_radix(word(digits)?, 16).ok();
        let named = text.starts_with(b"remuda.seal ");
        // The first word is the name, which is no number.
        let _ = next(11);
        let found = next(16)?;
        let seal = Self { offset: next(16)?, length: next(16)?, checksum: u32::try_from(next(8)?).ok()? };
        (named && found == mark.0 && words.next().is_none()).then_some(seal)
    }

    /// Whether `batch` is what was sealed.
    pub(super) fn fits(&self, mark: Mark, name: Name, batch: &[u8]) -> bool {
        checksum(mark, name, self.offset, batch) == self.checksum
    }
}

/// The first batch of a file: what it is, for its readers and for a folder that lost its manifest.
pub(super) fn opening(mark: Mark, name: Name) -> Vec<u8> {
    let mut bytes = Vec::new();
    let text = format!("remuda.journal 1 {:016x} {name}", mark.0);
    encode_command(&[b"ECHO", text.as_bytes()], &mut bytes);
    Seal::write(mark, name, 0, 0, &mut bytes);
    bytes
}

/// The mark in the first bytes of the file `name`, if they are whole.
pub(super) fn mark_of(name: Name, beginning: &[u8]) -> Option<Mark> {
    let mut arguments = Vec::new();
    let commands::Parsed::Command(_) = commands::parse(beginning, &mut arguments) else { return None };
    let text = std::str::from_utf8(&beginning[arguments.get(1)?.clone()]).ok()?;
    let digits = text.strip_prefix("remuda.journal 1 ")?.get(..16)?;
    let mark = Mark(u64::from_str_radix(digits, 16).ok()?);
    beginning.starts_with(&opening(mark, name)).then_some(mark)
}

fn checksum(mark: Mark, name: Name, offset: u64, batch: &[u8]) -> u32 {
    let mut checksum = Checksum::new();
    checksum.update(name.to_string().as_bytes());
    checksum.update(&mark.0.to_be_bytes());
    checksum.update(&offset.to_be_bytes());
    checksum.update(batch);
    checksum.value()
}

/// As we write them: `from_str_radix` would take signs and capitals as well.
fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
