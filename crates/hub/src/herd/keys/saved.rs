//! What the journal has of shared keys, beside the keys themselves.

use bytes::Bytes;
use remuda_herd::replica::Stamp;

/// The journal's own command, and what it says.
pub(crate) const COMMAND: &[u8] = b"REMUDA.HERD";
pub(super) const NOTE: &[u8] = b"NOTE";
const RESERVE: &[u8] = b"RESERVE";

/// What was written down, until a replica takes it.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    pub(super) notes: Vec<Bytes>,
    pub(super) bound: Stamp,
}

impl Saved {
    /// Takes in a command of the journal; says whether it was one of ours.
    pub(crate) fn read(&mut self, command: &[&[u8]]) -> bool {
        match command {
            [word, NOTE, note] if *word == COMMAND => self.notes.push(Bytes::copy_from_slice(note)),
            [word, RESERVE, stamp] if *word == COMMAND => {
                let stamp = std::str::from_utf8(stamp).ok().and_then(|stamp| stamp.parse().ok());
                self.bound = self.bound.max(Stamp(stamp.unwrap_or_default()));
            }
            [word, ..] => return *word == COMMAND,
            [] => return false,
        }
        true
    }

    pub(super) fn write(&self, sink: &mut dyn FnMut(&[&[u8]])) {
        write_bound(self.bound, sink);
        for note in &self.notes {
            sink(&[COMMAND, NOTE, note]);
        }
    }
}

pub(super) fn write_bound(bound: Stamp, sink: &mut dyn FnMut(&[&[u8]])) {
    sink(&[COMMAND, RESERVE, bound.0.to_string().as_bytes()]);
}
