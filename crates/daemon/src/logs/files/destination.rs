//! One log file: opened when it is asked for, rotated at its size.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::LogFile;

use crate::logs::LogLine;

/// `O_NONBLOCK` (Linux, every architecture but alpha, mips, parisc and sparc).
const NONBLOCK: i32 = 0o4000;

/// Where the lines of a service go.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) spec: LogFile,
    file: Option<File>,
    size: u64,
    /// It is a plain file. A device or a pipe (`/dev/null`, `/dev/stderr`) has no size, and is never renamed.
    is_plain: bool,
    /// The trouble that was told last, so that it is told once.
    trouble: Option<std::io::ErrorKind>,
}

impl Destination {
    /// Not opened yet.
    pub(super) fn new(spec: LogFile) -> Self {
        Self { spec, file: None, size: 0, is_plain: false, trouble: None }
    }

    /// Whether this trouble is news. No trouble makes the next one news.
    pub(super) fn is_news(&mut self, outcome: &std::io::Result<()>) -> bool {
        let before = self.trouble;
        self.trouble = outcome.as_ref().err().map(std::io::Error::kind);
        self.trouble.is_some() && self.trouble != before
    }

    /// Opens it, if it is not open.
    pub(super) fn open(&mut self) -> std::io::Result<()> {
        self.file().map(|_| ())
    }

    /// Appends lines, as many at once as fit. A file beyond its limit holds a single line that is longer than it.
    pub(super) fn write(&mut self, lines: &[Arc<LogLine>]) -> std::io::Result<()> {
        let mut text = String::new();
        for line in lines {
            self.file()?;
            let before = self.size + text.len() as u64;
            let after = before + line.text.len() as u64 + 1;
            if self.is_plain && self.spec.max_size > 0 && after > self.spec.max_size && before > 0 {
                self.append(&std::mem::take(&mut text))?;
                self.file = None;
                rotate(&self.spec.path, self.spec.keep)?;
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        self.append(&text)
    }

    fn append(&mut self, text: &str) -> std::io::Result<()> {
        let written = self.file()?.write_all(text.as_bytes());
        self.size += text.len() as u64;
        if written.is_err() {
            self.file = None;
        }
        written
    }

    /// The open file; opening it finds out its size.
    fn file(&mut self) -> std::io::Result<&mut File> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                // A pipe that nobody reads from must not hold up the files of others: it is an error like any other.
                let mut options = OpenOptions::new();
                options.append(true).create(true).custom_flags(NONBLOCK);
                let file = options.open(&self.spec.path)?;
                let metadata = file.metadata()?;
                (self.size, self.is_plain) = (metadata.len(), metadata.is_file());
                Ok(none.insert(file))
            }
        }
    }
}

/// `x.log.4` becomes `x.log.5` …, `x.log` becomes `x.log.1`; what is beyond `keep` goes.
fn rotate(path: &Path, keep: u32) -> std::io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return std::fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match std::fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    std::fs::rename(path, numbered(1))
}
