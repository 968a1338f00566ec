//! Files that are kept open, as they were when they were looked at last.
//!
//! An entry is good for a second; then the path is opened again, and if it still leads to the same state of the same
//! file the entry goes on. So a change is seen within a second, and never half: size, tag and content of an entry belong
//! to one another, since the content is that of the descriptor.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use foldhash::fast::RandomState;
use remuda_model::gateway::{self, FilesSpec};
use remuda_sys::transfer::{self, Links};
use remuda_wire::http::Fields;

use super::conditional::Validators;
use super::negotiate::{Encoding, choose};
use super::types::content_type;
use crate::server::{Body, FilePart, Part};

/// For how long nobody asks whether a file has changed.
const FRESH: Duration = Duration::from_secs(1);
/// Files kept, each with a descriptor, and up to three more for its compressed forms.
const FILES_MAX: usize = 1024;
/// A file up to this size is kept in memory.
const IN_MEMORY_MAX: u64 = 64 << 10;
/// All files in memory together.
const MEMORY_MAX: usize = 64 << 20;

/// What was found at a path.
#[derive(Debug)]
pub(super) enum Found {
    /// A file.
    File(Rc<Stored>),
    /// A folder.
    Folder(File),
}

/// A file and the forms it lies in.
#[derive(Debug)]
pub(super) struct Stored {
    plain: Form,
    others: Vec<(Encoding, Form)>,
    checked: Cell<Instant>,
    used: Cell<u64>,
}

/// One form of a file: its content, and what is said about it.
#[derive(Debug)]
pub(super) struct Form {
    file: Arc<File>,
    content: Option<Bytes>,
    pub(super) size: u64,
    state: State,
    pub(super) validators: Validators,
    /// What every answer with it has.
    pub(super) fields: Fields,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Files by path.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Whether anything is kept.
    keeps: bool,
    stored: RefCell<HashMap<Box<[u8]>, Rc<Stored>, RandomState>>,
    memory: Cell<usize>,
    uses: Cell<u64>,
}

impl Shelf {
    /// An empty one.
    pub(super) fn new(keeps: bool) -> Self {
        Self { keeps, stored: RefCell::default(), memory: Cell::new(0), uses: Cell::new(0) }
    }

    /// What is known of `path` and still fresh at `now`.
    pub(super) fn get(&self, path: &[u8], now: Instant) -> Option<Rc<Stored>> {
        let stored = self.stored.borrow();
        let found = stored.get(path)?;
        if now.saturating_duration_since(found.checked.get()) > FRESH {
            return None;
        }
        let uses = self.uses.get() + 1;
        self.uses.set(uses);
        found.used.set(uses);
        Some(Rc::clone(found))
    }

    /// Looks at what lies at `name` in `root` and keeps it, if it is a file, for `path`.
    pub(super) fn look(
        &self,
        root: impl AsFd,
        path: &[u8],
        name: &[u8],
        spec: &FilesSpec,
        now: Instant,
    ) -> io::Result<Found> {
        let file = transfer::open_beneath(&root, name, links(spec))?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Ok(Found::Folder(file));
        }
        if !metadata.is_file() {
            // A pipe or a device has no content that could be told the size of.
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut opened = vec![(None, file)];
        if !spec.precompressed.is_empty() {
            let other = |encoding: Encoding| {
                let name = [name, encoding.extension().as_bytes()].concat();
                let file = transfer::open_beneath(&root, &name, links(spec)).ok()?;
                // One that is older than the file is of another state of it.
                let other = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
                let is_current =
                    (other.mtime(), other.mtime_nsec()) >= (metadata.mtime(), metadata.mtime_nsec());
                is_current.then_some((Some(encoding), file))
            };
            let wanted =
                Encoding::ALL.into_iter().filter(|encoding| spec.precompressed.contains(&encoding.word()));
            opened.extend(wanted.filter_map(other));
        }
        if let Some(known) = self.same(path, &opened, now) {
            return Ok(Found::File(known));
        }
        self.keep(path, name, opened, spec, now).map(Found::File)
    }

    /// What is known of `path`, if it is the same as what was opened.
    fn same(&self, path: &[u8], opened: &[(Option<Encoding>, File)], now: Instant) -> Option<Rc<Stored>> {
        let stored = self.stored.borrow();
        let known = stored.get(path)?;
        let forms = known.forms();
        let is_same = forms.len() == opened.len()
            && forms.iter().zip(opened).all(|(known, (encoding, file))| {
                known.0 == *encoding && State::of(file).is_ok_and(|state| state == known.1.state)
            })
            // A weak tag becomes a strong one when the file has rested.
            && !forms.iter().any(|(_, form)| form.validators.etag.starts_with("W/"));
        if !is_same {
            return None;
        }
        known.checked.set(now);
        Some(Rc::clone(known))
    }

    fn keep(
        &self,
        path: &[u8],
        name: &[u8],
        opened: Vec<(Option<Encoding>, File)>,
        spec: &FilesSpec,
        now: Instant,
    ) -> io::Result<Rc<Stored>> {
        self.forget(path);
        let varies = opened.len() > 1;
        let content_type = content_type(name, &spec.types);
        let mut forms = Vec::new();
        for (encoding, file) in opened {
            let has_room = self.keeps && self.memory.get() < MEMORY_MAX;
            forms.push((encoding, Form::read(file, content_type, encoding, varies, has_room)?));
        }
        let (_, plain) = forms.remove(0);
        let others = forms.into_iter().filter_map(|(encoding, form)| Some((encoding?, form))).collect();
        let uses = self.uses.get();
        let stored = Rc::new(Stored { plain, others, checked: Cell::new(now), used: Cell::new(uses) });
        if !self.keeps {
            return Ok(stored);
        }
        self.make_room();
        self.memory.set(self.memory.get() + stored.memory());
        self.stored.borrow_mut().insert(path.into(), Rc::clone(&stored));
        Ok(stored)
    }

    fn forget(&self, path: &[u8]) {
        if let Some(stored) = self.stored.borrow_mut().remove(path) {
            self.memory.set(self.memory.get() - stored.memory());
        }
    }

    /// Where the shelf is full an eighth of it goes, what was not asked for longest.
    fn make_room(&self) {
        let mut stored = self.stored.borrow_mut();
        if stored.len() < FILES_MAX && self.memory.get() < MEMORY_MAX {
            return;
        }
        let mut uses: Vec<u64> = stored.values().map(|stored| stored.used.get()).collect();
        uses.sort_unstable();
        let limit = uses.get(uses.len() / 8).copied().unwrap_or(0);
        stored.retain(|_, stored| stored.used.get() > limit);
        self.memory.set(stored.values().map(|stored| stored.memory()).sum());
    }
}

impl Stored {
    /// The form that is sent to who asks with `fields`.
    pub(super) fn form(&self, fields: &Fields) -> &Form {
        if self.others.is_empty() {
            return &self.plain;
        }
        let encoding = choose(fields, self.others.iter().map(|(encoding, _)| *encoding));
        let found = self.others.iter().find(|(each, _)| Some(*each) == encoding);
        found.map_or(&self.plain, |(_, form)| form)
    }

    fn forms(&self) -> Vec<(Option<Encoding>, &Form)> {
        let others = self.others.iter().map(|(encoding, form)| (Some(*encoding), form));
        std::iter::once((None, &self.plain)).chain(others).collect()
    }

    fn memory(&self) -> usize {
        self.forms().iter().filter_map(|(_, form)| form.content.as_ref()).map(Bytes::len).sum()
    }
}

impl State {
    fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl Form {
    fn read(
        file: File,
        content_type: &str,
        encoding: Option<Encoding>,
        varies: bool,
        has_room: bool,
    ) -> io::Result<Self> {
        let state = State::of(&file)?;
        let modified = file.metadata()?.modified()?;
        let suffix = encoding.map_or(String::new(), |encoding| format!("-{}", encoding.name()));
        let validators = Validators::new(state.size, modified, state.inode, &suffix, SystemTime::now());
        let content = if state.size <= IN_MEMORY_MAX && has_room { whole(&file, state)? } else { None };
        let mut fields = Fields::new();
        fields.append("Content-Type", content_type);
        if let Some(encoding) = encoding {
            fields.append("Content-Encoding", encoding.name());
        }
        if varies {
            fields.append("Vary", "Accept-Encoding");
        }
        fields.append("ETag", &validators.etag);
        fields.append("Last-Modified", httpdate::fmt_http_date(validators.modified));
        fields.append("Accept-Ranges", "bytes");
        fields.append("X-Content-Type-Options", "nosniff");
        Ok(Self { file: Arc::new(file), content, size: state.size, state, validators, fields })
    }

    /// The content of `range`, which lies within the file.
    pub(super) fn body(&self, range: Range<u64>) -> Body {
        if range.is_empty() {
            return Body::Empty;
        }
        match self.bytes(&range) {
            Some(bytes) => Body::Bytes(bytes),
            None => Body::Parts(vec![self.part(range)]),
        }
    }

    /// `range` as a part among others.
    pub(super) fn part(&self, range: Range<u64>) -> Part {
        match self.bytes(&range) {
            Some(bytes) => Part::Bytes(bytes),
            None => {
                let len = range.end - range.start;
                Part::File(FilePart { file: Arc::clone(&self.file), offset: range.start, len })
            }
        }
    }

    fn bytes(&self, range: &Range<u64>) -> Option<Bytes> {
        let content = self.content.as_ref()?;
        Some(content.slice(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?))
    }
}

/// The content of a small file; `None` if it is being written, and what was read may be of two states.
fn whole(file: &File, state: State) -> io::Result<Option<Bytes>> {
    let size = usize::try_from(state.size).unwrap_or(usize::MAX);
    let mut content = vec![0; size];
    let mut read = 0;
    while read < size {
        match file.read_at(&mut content[read..], read as u64)? {
            0 => return Ok(None),
            len => read += len,
        }
    }
    Ok((State::of(file)? == state).then(|| Bytes::from(content)))
}

pub(super) fn links(spec: &FilesSpec) -> Links {
    match spec.links {
        gateway::Links::None => Links::None,
        gateway::Links::Beneath => Links::Beneath,
        gateway::Links::All => Links::All,
    }
}
