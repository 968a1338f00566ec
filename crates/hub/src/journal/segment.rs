//! One file of the journal.
//!
//! It grows by whole batches only: what could not be written or synced as a whole is cut off again, so that a retry
//! never leaves half a batch before a whole one.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::seal::{Mark, opening};

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// A snapshot: the store as it was when the log of the same number began.
    Base(u64),
    /// What happened since.
    Log(u64),
}

impl Name {
    /// The name a file of the folder has, if it is one of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, number) = text.split_once('.')?;
        let number: u64 = number.parse().ok()?;
        let name = match kind {
            "base" => Self::Base(number),
            "log" => Self::Log(number),
            _ => return None,
        };
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base(number) => write!(out, "base.{number}"),
            Self::Log(number) => write!(out, "log.{number}"),
        }
    }
}

/// A file that is written.
#[derive(Debug)]
pub(super) struct Segment {
    /// Which.
    pub(super) name: Name,
    file: File,
    length: u64,
}

impl Segment {
    /// A new file at `path`, in the place of one that no manifest names; its opening is written, nothing synced.
    pub(super) fn create(path: &Path, name: Name, mark: Mark) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut segment = Self { name, file, length: 0 };
        segment.write(&opening(mark, name))?;
        Ok(segment)
    }

    /// A file that ends with a whole batch at `length`; what stands behind it is cut off.
    pub(super) fn open(path: &Path, name: Name, length: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        Ok(Self { name, file, length })
    }

    /// Bytes of whole batches.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds whole batches; when it fails the file is as before.
    pub(super) fn write(&mut self, batches: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all_at(batches, self.length) {
            self.cut();
            return Err(error);
        }
        self.length += u64::try_from(batches.len()).expect("a length in memory fits");
        Ok(())
    }

    /// Takes back the batches from `length` on.
    pub(super) fn withdraw(&mut self, length: u64) {
        self.length = length;
        self.cut();
    }

    /// Waits until what was written is on the disk, length included.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&self) {
        // A file that cannot even be cut has half a batch at its end: the next write goes over it, and a reader that
        // comes before knows it as torn.
        let _ = self.file.set_len(self.length);
    }
}

/// Waits until files that appeared in or went from the folder did so on the disk too.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
