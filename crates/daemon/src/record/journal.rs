//! The writing of the record.
//!
//! One `write` for each line, to a file that only its owner may read: what the kernel has taken outlives us, so
//! nothing is synced; after a power failure the record is of another boot and worth nothing anyway. A new picture goes
//! into a new file that takes the place of the old one when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remuda_sys::{CallError, clock};
use serde::Serialize;

use super::{Entry, FORMAT, Heading, Picture};
use crate::VERSION;

/// The facts after a picture may be at least so long, and so many times as long as it, before another one is made.
const FACTS_MIN_BYTES: usize = 1024 * 1024;
const FACTS_PER_PICTURE: usize = 4;
/// After a failure, a new picture is tried when something happens after so long.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// The record of this instance, being written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// None after a write that failed, until a new picture is written: a record with a gap is worse than none.
    file: Option<File>,
    picture_bytes: usize,
    facts_bytes: usize,
    buffer: Vec<u8>,
    failure: Option<CallError>,
    /// After a failure, when a new picture is tried.
    again: Option<Instant>,
}

impl Journal {
    /// Nothing is written before the first [picture](Self::begin).
    pub(crate) fn new(path: PathBuf) -> Self {
        let (picture_bytes, facts_bytes, buffer) = (0, 0, Vec::new());
        Self { path, file: None, picture_bytes, facts_bytes, buffer, failure: None, again: None }
    }

    /// Begins anew with a picture, as [`encode`] makes it. The descriptor to be held is another one from now on.
    pub(crate) fn begin(&mut self, picture: io::Result<Vec<u8>>) {
        match picture.and_then(|text| self.write_picture(&text)) {
            Ok((file, bytes)) => {
                (self.file, self.picture_bytes, self.facts_bytes) = (Some(file), bytes, 0);
                self.again = None;
            }
            Err(error) => self.fail(error),
        }
    }

    fn write_picture(&self, text: &[u8]) -> io::Result<(File, usize)> {
        let beside = self.path.with_extension("new");
        // What another arbiter left half written is of no use to anybody.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file =
            OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text)?;
        std::fs::rename(&beside, &self.path)?;
        Ok((file, text.len()))
    }

    /// Adds a line. What cannot be written is told once, by [`Self::take_failure`].
    pub(crate) fn add(&mut self, entry: &Entry<'_>) {
        let Some(file) = &mut self.file else { return };
        self.buffer.clear();
        let written = line(&mut self.buffer, entry).and_then(|()| file.write_all(&self.buffer));
        self.facts_bytes += self.buffer.len();
        if let Err(error) = written {
            self.file = None;
            self.fail(error);
        }
    }

    fn fail(&mut self, error: io::Error) {
        let attempt = format!("write the record {}", self.path.display());
        self.failure = Some(CallError::new(attempt, error));
        self.again = Some(Instant::now() + TRY_AGAIN);
        // Half of the truth would have the next arbiter end workers that it does not know; and its room may be needed.
        for path in [&self.path, &self.path.with_extension("new")] {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Whether it is time for a new picture: the facts are long, or the last one failed a while ago.
    pub(crate) fn is_due(&self) -> bool {
        self.again.is_some_and(|again| again <= Instant::now())
            || self.facts_bytes > FACTS_MIN_BYTES.max(self.picture_bytes * FACTS_PER_PICTURE)
    }

    pub(crate) fn take_failure(&mut self) -> Option<CallError> {
        self.failure.take()
    }

    /// The descriptor to be held, while there is a record.
    pub(crate) fn held(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// All is stopped in good order: there is nothing to go on with.
    pub(crate) fn end(&mut self) {
        self.file = None;
        // If its folder is gone, so is it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A heading and a picture, as they lie in a record.
pub(crate) fn encode(instance: &str, picture: Picture<'_>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let heading = Heading {
        format: FORMAT,
        version: VERSION.to_owned(),
        boot: clock::boot_id(),
        instance: instance.to_owned(),
        pid: std::process::id(),
    };
    line(&mut text, &heading)?;
    line(&mut text, &Entry::Picture(Box::new(picture)))?;
    Ok(text)
}

fn line(text: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *text, value)?;
    text.push(b'\n');
    Ok(())
}

/// The record that lies in a runtime folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("record")
}

#[cfg(test)]
mod tests;
