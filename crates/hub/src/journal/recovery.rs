//! What a start finds, and what it makes of it.
//!
//! The rule: no good batch is thrown away, and nothing that is not good becomes a command. The unfinished end that a
//! crash leaves is cut off; that is its normal trace, and nothing acknowledged stands in it under
//! [`Fsync::Always`](super::Fsync::Always). Damage anywhere else is named with its file and range; the batches behind
//! it are replayed, since one bad sector of an old day must not cost all days after it. The damaged file is kept under
//! `damaged/` for whoever wants to look, and the next rewrite, which is due at once, replaces it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use remuda_sys::eventfd::EventFd;
use remuda_sys::lock::Lock;

use super::manifest::Manifest;
use super::report::{Damage, Report, Torn};
use super::scan::scan;
use super::seal::{Mark, mark_of};
use super::segment::{Name, Segment, sync_folder};
use super::{Journal, OpenError, Options};

/// Where damaged files are kept.
const DAMAGED: &str = "damaged";
/// An opening is shorter than this.
const OPENING_BYTES_MAX: u64 = 512;

/// A journal that was opened and has to be replayed before it is written.
#[derive(Debug)]
pub struct Recovery {
    pub(super) folder: PathBuf,
    pub(super) options: Options,
    pub(super) lock: Lock,
    pub(super) manifest: Manifest,
    /// Damage that was seen before any file was read.
    pub(super) damage: Vec<Damage>,
}

impl Recovery {
    /// Gives every command that is recorded to `sink`, oldest first, `SELECT`s included, and opens the journal for
    /// writing.
    ///
    /// # Errors
    /// A file is missing or cannot be read, or the log cannot be written; nothing was changed but an end cut off.
    pub fn replay(mut self, sink: &mut dyn FnMut(&[&[u8]])) -> Result<(Journal, Report), OpenError> {
        let began = Instant::now();
        let mut report = Report::default();
        for damage in std::mem::take(&mut self.damage) {
            report.add_damage(damage);
        }
        let mut end = None;
        let last = Name::Log(self.manifest.last());
        for (name, closed) in self.manifest.files().collect::<Vec<_>>() {
            end = self.read(name, closed, &mut report, sink)?;
            if name != last && closed.is_none() {
                self.close_log(name, end)?;
            }
        }
        let segment = self.segment(end)?;
        self.remove_strangers();
        report.took = began.elapsed();
        let bell = EventFd::new()?;
        let logs =
            self.manifest.logs.iter().filter_map(|(_, length)| *length).sum::<u64>() + segment.length();
        let journal = Journal::start(self, segment, bell, logs, report.damaged_ranges > 0)?;
        Ok((journal, report))
    }

    /// Replays one file; where to go on writing it, if it can be.
    fn read(
        &self,
        name: Name,
        closed: Option<u64>,
        report: &mut Report,
        sink: &mut dyn FnMut(&[&[u8]]),
    ) -> Result<Option<u64>, OpenError> {
        let path = self.folder.join(name.to_string());
        let found = scan(&path, name, self.manifest.mark, sink)
            .map_err(|source| OpenError::Read { path: path.clone(), source })?;
        report.commands += found.commands;
        report.bytes += found.length;
        report.files += 1;
        let mut lost = found.lost;
        let unfinished = found.good..found.length;
        if found.torn && closed.is_none() {
            report.torn = Some(Torn {
                file: path.clone(),
                offset: found.good,
                bytes: unfinished.end - unfinished.start,
            });
        } else if found.torn {
            lost.push(unfinished);
        }
        if let Some(missing) = closed.filter(|length| *length > found.length) {
            lost.push(found.length..missing);
        }
        if lost.is_empty() {
            return Ok(closed.is_none().then_some(found.good));
        }
        let kept = self.keep(&path, name);
        for lost in lost {
            report.add_damage(Damage { file: path.clone(), lost, kept: kept.clone() });
        }
        Ok(None)
    }

    /// Keeps a damaged file: a second name of it, or a copy where there are none.
    fn keep(&self, path: &Path, name: Name) -> Option<PathBuf> {
        let folder = self.folder.join(DAMAGED);
        let kept = folder.join(format!("{name}.{:016x}", self.manifest.mark.0));
        let keep = || -> io::Result<()> {
            std::fs::create_dir_all(&folder)?;
            if kept.exists() {
                return Ok(());
            }
            if std::fs::hard_link(path, &kept).is_err() {
                std::fs::copy(path, &kept)?;
            }
            sync_folder(&folder)
        };
        keep().ok().map(|()| kept.clone())
    }

    /// Ends a log that is not the last one and was open: the crash came while the next one was begun.
    fn close_log(&mut self, name: Name, good: Option<u64>) -> Result<(), OpenError> {
        let path = self.folder.join(name.to_string());
        let length = match good {
            Some(length) => Segment::open(&path, name, length).map(|segment| segment.length()),
            None => std::fs::metadata(&path).map(|found| found.len()),
        };
        let length = length.map_err(|source| OpenError::Write { path, source })?;
        for (number, closed) in &mut self.manifest.logs {
            if Name::Log(*number) == name {
                *closed = Some(length);
            }
        }
        self.manifest.write(&self.folder)?;
        Ok(())
    }

    /// The log to go on with: the last one with its good length, unless it is damaged; then one behind it.
    fn segment(&mut self, good: Option<u64>) -> Result<Segment, OpenError> {
        if let Some(length) = good {
            let name = Name::Log(self.manifest.last());
            let path = self.folder.join(name.to_string());
            if length > 0 {
                return Segment::open(&path, name, length)
                    .map_err(|source| OpenError::Write { path, source });
            }
            // Not even its opening is whole: nothing was ever in it.
            return self.create(name);
        }
        let number = self.manifest.last() + 1;
        let folder = self.folder.clone();
        if let Some((last, length)) = self.manifest.logs.last_mut() {
            let path = folder.join(Name::Log(*last).to_string());
            let found = std::fs::metadata(&path).map_err(|source| OpenError::Read { path, source })?;
            length.get_or_insert(found.len());
        }
        let segment = self.create(Name::Log(number))?;
        self.manifest.logs.push((number, None));
        self.manifest.write(&self.folder)?;
        Ok(segment)
    }

    fn create(&self, name: Name) -> Result<Segment, OpenError> {
        create(&self.folder, name, self.manifest.mark)
    }

    /// Removes what an interrupted step left: parts of bases, and files that the manifest does not name.
    fn remove_strangers(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let text = entry.file_name().to_string_lossy().into_owned();
            let named = |name: Name| self.manifest.files().any(|(known, _)| known == name);
            let part = text.strip_suffix(".part").and_then(Name::parse).is_some();
            if part || Name::parse(&text).is_some_and(|name| !named(name)) {
                // What stays is tried again by the next start, and never read.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// The manifest of `folder`: the one it has, one made from its files, or that of a new journal.
pub(super) fn manifest(folder: &Path, damage: &mut Vec<Damage>) -> Result<Manifest, OpenError> {
    let path = folder.join(super::manifest::FILE);
    let names = names(folder)?;
    let was_there = path.exists();
    if was_there {
        if let Some(mut manifest) = Manifest::read(folder).unwrap_or_default() {
            // A log that was begun when the crash came, before the manifest named it, is empty and comes last.
            let last = manifest.last();
            let begun = names.iter().filter(|name| matches!(name, Name::Log(number) if *number > last));
            manifest.logs.extend(begun.filter_map(|name| begun_log(folder, *name)));
            return Ok(manifest);
        }
        let length = std::fs::metadata(&path).map_or(0, |found| found.len());
        damage.push(Damage { file: path, lost: 0..length, kept: None });
    } else if !names.is_empty() {
        damage.push(Damage { file: path, lost: 0..0, kept: None });
    }
    let rebuilt = rebuild(folder, &names)?;
    let fresh = rebuilt.is_none();
    let manifest = match rebuilt {
        Some(manifest) => manifest,
        // The manifest is written behind the first log's opening: that both are unreadable is no beginning cut short.
        None if was_there && !names.is_empty() => {
            return Err(OpenError::Unreadable { folder: folder.to_owned() });
        }
        None => {
            damage.clear();
            let manifest = Manifest { mark: Mark::random(), base: None, logs: vec![(1, None)] };
            create(folder, Name::Log(1), manifest.mark)?;
            manifest
        }
    };
    if fresh || !damage.is_empty() {
        manifest.write(folder)?;
    }
    Ok(manifest)
}

/// A manifest from the names and openings of the files; `None` when there is nothing in them.
fn rebuild(folder: &Path, names: &[Name]) -> Result<Option<Manifest>, OpenError> {
    let mark = names.iter().find_map(|name| {
        let bytes = beginning(&folder.join(name.to_string())).ok()?;
        mark_of(*name, &bytes)
    });
    let Some(mark) = mark else {
        let length =
            |name: &Name| std::fs::metadata(folder.join(name.to_string())).map_or(0, |found| found.len());
        if names.iter().all(|name| length(name) < OPENING_BYTES_MAX) {
            return Ok(None);
        }
        return Err(OpenError::Unreadable { folder: folder.to_owned() });
    };
    // A base has its name only once it is whole.
    let base = names.iter().rev().find_map(|name| match name {
        Name::Base(number) => Some(*number),
        Name::Log(_) => None,
    });
    let logs: Vec<_> = names
        .iter()
        .filter_map(|name| match name {
            Name::Log(number) if base.is_none_or(|base| *number >= base) => Some((*number, None)),
            _ => None,
        })
        .collect();
    let base = base.map(|number| {
        let path = folder.join(Name::Base(number).to_string());
        (number, std::fs::metadata(path).map_or(0, |found| found.len()))
    });
    if logs.is_empty() {
        return Err(OpenError::Unreadable { folder: folder.to_owned() });
    }
    Ok(Some(Manifest { mark, base, logs }))
}

fn begun_log(folder: &Path, name: Name) -> Option<(u64, Option<u64>)> {
    let Name::Log(number) = name else { return None };
    let bytes = beginning(&folder.join(name.to_string())).ok()?;
    // Without a whole opening it was never written to, and is removed as a stranger.
    mark_of(name, &bytes).map(|_| (number, None))
}

fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(OPENING_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The journal's files in the folder, bases first, then by number.
fn names(folder: &Path) -> Result<Vec<Name>, OpenError> {
    let failed = |source| OpenError::Read { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        names.extend(Name::parse(&entry.map_err(failed)?.file_name().to_string_lossy()));
    }
    names.sort_unstable();
    Ok(names)
}

fn create(folder: &Path, name: Name, mark: Mark) -> Result<Segment, OpenError> {
    let path = folder.join(name.to_string());
    let made = Segment::create(&path, name, mark).and_then(|segment| {
        segment.sync()?;
        sync_folder(folder)?;
        Ok(segment)
    });
    made.map_err(|source| OpenError::Write { path, source })
}
