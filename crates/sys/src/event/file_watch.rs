//! Being told that files lose their names.
//!
//! One inotify(7) instance. It watches the files, not their folders: what else happens in a folder, which may be `/tmp`,
//! wakes nobody.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use crate::CallError;

/// Bytes taken by one read: 256 events, which have no names.
const BUFFER_BYTES: usize = 4096;
/// Events after which no more are read at once; more stay in the kernel, which keeps `max_queued_events`.
const EVENTS_AT_ONCE: usize = 1024;

/// The number of a watched file in its [`FileWatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(i32);

/// Files about which there is news.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// These.
    pub files: BTreeSet<WatchId>,
    /// There was more than the kernel keeps: it may be any.
    pub lost: bool,
}

/// Watches files; readable when there is news.
#[derive(Debug)]
pub struct FileWatch {
    inotify: OwnedFd,
}

impl FileWatch {
    /// One that watches nothing.
    ///
    /// # Errors
    /// `fs.inotify.max_user_instances` is reached, or no descriptor is left.
    pub fn new() -> Result<Self, CallError> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(|errno| CallError::new("create an inotify instance", errno))?;
        Ok(Self { inotify })
    }

    /// Watches the file at `path`, not one that a link there leads to: whether it gets or loses a name, is renamed, or
    /// gets another mode or owner. The same file has the same number, by whatever name.
    ///
    /// # Errors
    /// There is no file, or `fs.inotify.max_user_watches` is reached.
    pub fn watch(&self, path: &Path) -> Result<WatchId, CallError> {
        let news = WatchFlags::ATTRIB | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        inotify::add_watch(&self.inotify, path, news | WatchFlags::DONT_FOLLOW)
            .map(WatchId)
            .map_err(|errno| CallError::new(format!("watch {}", path.display()), errno))
    }

    /// Watches it no more; nothing, if it is gone.
    pub fn unwatch(&self, id: WatchId) {
        // The kernel forgets by itself files that are gone, and says so by this one error.
        let _ = inotify::remove_watch(&self.inotify, id.0);
    }

    /// What has changed since the last call, or, while it stays readable, a part of that.
    pub fn changed(&self) -> Changed {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut changed = Changed::default();
        for _ in 0..EVENTS_AT_ONCE {
            // Empty, or of no use any more.
            let Ok(event) = reader.next() else { break };
            changed.lost |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            changed.files.insert(WatchId(event.wd()));
        }
        // What was read and does not count any more would be lost.
        changed.lost |= !reader.is_buffer_empty();
        changed
    }
}

impl AsFd for FileWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
