//! What a replay found, and how it is told.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// Most damaged ranges that are named; all are counted.
const DAMAGES_MAX: usize = 64;

/// A part of a file that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The bytes of it that are lost.
    pub lost: Range<u64>,
    /// Where the file, as it was found, is kept; none when even that failed.
    pub kept: Option<PathBuf>,
}

/// What a crash left unfinished at the end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The log.
    pub file: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// What was cut off.
    pub bytes: u64,
}

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Commands replayed.
    pub commands: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files read.
    pub files: usize,
    /// How long it took.
    pub took: Duration,
    /// What was cut off.
    pub torn: Option<Torn>,
    /// What is lost, at most 64 ranges of it.
    pub damage: Vec<Damage>,
    /// How many ranges are lost in all.
    pub damaged_ranges: usize,
    /// How many bytes.
    pub damaged_bytes: u64,
}

impl Report {
    pub(super) fn add_damage(&mut self, damage: Damage) {
        self.damaged_ranges += 1;
        self.damaged_bytes += damage.lost.end - damage.lost.start;
        if self.damage.len() < DAMAGES_MAX {
            self.damage.push(damage);
        }
    }

    /// Whether something is lost that was once written as a whole.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.damaged_ranges > 0
    }
}

impl fmt::Display for Report {
    /// One line for what was found, and one for each thing that is wrong.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commands, bytes, files, took, .. } = self;
        write!(out, "replayed {commands} commands, {bytes} bytes of {files} files in {took:.1?}")?;
        if let Some(Torn { file, offset, bytes }) = &self.torn {
            write!(
                out,
                "\ncut off {bytes} bytes at {offset} of {}: a write that was never finished",
                file.display()
            )?;
        }
        for Damage { file, lost, kept } in &self.damage {
            if file.ends_with(super::manifest::FILE) {
                let how = if lost.is_empty() { "is missing" } else { "cannot be read" };
                write!(
                    out,
                    "\nDAMAGED: {} {how}; it was made anew from the files beside it",
                    file.display()
                )?;
                continue;
            }
            let (from, count) = (lost.start, lost.end - lost.start);
            write!(out, "\nDAMAGED: {} at byte {from}: {count} bytes are lost", file.display())?;
            match kept {
                Some(kept) => write!(out, "; the file as it was found is kept as {}", kept.display())?,
                None => write!(out, "; the file could not be kept")?,
            }
        }
        let more = self.damaged_ranges - self.damage.len();
        if more > 0 {
            write!(out, "\nDAMAGED: {more} further places; {} bytes are lost in all", self.damaged_bytes)?;
        }
        Ok(())
    }
}
