//! Which files are the journal, in which order, and how long those are that nobody writes any more.
//!
//! A text of a few lines, replaced as a whole by rename(2) and checked by a sum in its last line. It is what makes a
//! rewrite a single step, and what notices a file that was taken away or cut by somebody else.

use std::fmt::Write;
use std::path::Path;

use remuda_sys::CallError;
use remuda_sys::files::{self, Durability};

use super::checksum::Checksum;
use super::seal::Mark;
use super::segment::Name;

/// The manifest's name in the folder.
pub(super) const FILE: &str = "manifest";
/// Longest manifest that is read: [`LOGS_MAX`] lines and their like.
const BYTES_MAX: usize = 128 * 1024;
/// Most logs behind one base: each rewrite that failed leaves one. A daily failure fills it in three years.
pub(super) const LOGS_MAX: usize = 1024;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The journal's own number.
    pub(super) mark: Mark,
    /// The snapshot with its length, once there was a rewrite.
    pub(super) base: Option<(u64, u64)>,
    /// The logs behind it, oldest first; a length says that the log is closed. Never empty.
    pub(super) logs: Vec<(u64, Option<u64>)>,
}

impl Manifest {
    /// The files in the order in which they are replayed, with the lengths of those that are closed.
    pub(super) fn files(&self) -> impl Iterator<Item = (Name, Option<u64>)> {
        let base = self.base.map(|(number, length)| (Name::Base(number), Some(length)));
        base.into_iter().chain(self.logs.iter().map(|(number, length)| (Name::Log(*number), *length)))
    }

    /// The number of the log that is written.
    pub(super) fn last(&self) -> u64 {
        self.logs.last().map_or(0, |(number, _)| *number)
    }

    /// As text, with its sum.
    pub(super) fn encode(&self) -> String {
        let mut text = format!("remuda.journal 1\nmark {:016x}\n", self.mark.0);
        for (name, length) in self.files() {
            let length = length.map_or_else(|| "open".to_owned(), |length| length.to_string());
            writeln!(text, "{name} {length}").expect("a string takes everything");
        }
        let sum = sum(&text);
        writeln!(text, "sum {sum:08x}").expect("a string takes everything");
        text
    }

    /// Reads a text; `None` when it is not exactly what [`Manifest::encode`] writes.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mark = lines.nth(1)?.strip_prefix("mark ")?;
        let mut manifest =
            Self { mark: Mark(u64::from_str_radix(mark, 16).ok()?), base: None, logs: Vec::new() };
        for line in lines {
            let (name, length) = line.split_once(' ')?;
            match (name, Name::parse(name)) {
                (_, Some(Name::Base(number))) => manifest.base = Some((number, length.parse().ok()?)),
                (_, Some(Name::Log(number))) => {
                    let length = if length == "open" { None } else { Some(length.parse().ok()?) };
                    manifest.logs.push((number, length));
                }
                ("sum", None) => break,
                _ => return None,
            }
        }
        let ordered = manifest.logs.windows(2).all(|pair| pair[0].0 < pair[1].0);
        (!manifest.logs.is_empty() && ordered && manifest.encode() == text).then_some(manifest)
    }

    /// The manifest of `folder`; `None` in the inner place when what stands there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, CallError> {
        Ok(Self::decode(&files::read(&folder.join(FILE), BYTES_MAX)?))
    }

    /// Replaces the manifest of `folder`; on disk when it returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), CallError> {
        files::replace(&folder.join(FILE), self.encode().as_bytes(), 0o600, Durability::Power)
    }
}

fn sum(text: &str) -> u32 {
    let mut checksum = Checksum::new();
    checksum.update(text.as_bytes());
    checksum.value()
}

#[cfg(test)]
mod tests;
