//! Another program in this process: the way there, and the way back.
//!
//! `execve` keeps the pid, the children, the pending signals and the descriptors that are told to stay. What it does not
//! keep is anybody who could notice that the new program does not work. So the new program begins by installing a
//! [`Hatch`]: whatever ends it before it says that it goes on (an exit, a signal of its own doing, silence) makes this
//! process run the old program again, with the same descriptors.

mod hatch;

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr;

use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::CallError;
use crate::failure::checked_long;
use crate::users::effective_user;

pub use hatch::Hatch;

/// Arguments or variables, as `execve` wants them.
#[derive(Debug)]
struct Strings {
    /// What the pointers lead to.
    _owned: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Strings {
    fn new<'text>(texts: impl IntoIterator<Item = &'text OsStr>) -> Self {
        // What came into a process through execve has no NUL inside.
        let owned: Vec<CString> =
            texts.into_iter().filter_map(|text| CString::new(text.as_bytes()).ok()).collect();
        let mut pointers: Vec<_> = owned.iter().map(|text| text.as_ptr()).collect();
        pointers.push(ptr::null());
        Self { _owned: owned, pointers }
    }
}

/// A program that can be become.
#[derive(Debug)]
pub struct Image {
    fd: OwnedFd,
}

/// Why a file cannot be become. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is no regular file.
    #[error("{path} is not a file", path = .0.display())]
    NotAFile(PathBuf),
    /// It may not be executed.
    #[error("{path} is not executable; chmod +x it", path = .0.display())]
    NotExecutable(PathBuf),
    /// Somebody else could change what we would become.
    #[error("{path} {why}; what it does would run as us", path = path.display())]
    NotTrusted {
        /// The file.
        path: PathBuf,
        /// Whose it is, or who may write to it.
        why: String,
    },
    /// It cannot be opened.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Image {
    /// The program at `path`. Whatever lies there later, this is what is become.
    ///
    /// # Errors
    /// It is missing, no file, not executable, or others than root and ourselves may change it.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let fd = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| CallError::new(format!("open {}", path.display()), errno))?;
        let image = Self { fd };
        let status = std::fs::metadata(image.path())
            .map_err(|error| CallError::new(format!("look at {}", path.display()), error))?;
        if !status.is_file() {
            return Err(ImageError::NotAFile(path.into()));
        }
        if rustix::fs::accessat(rustix::fs::CWD, image.path(), Access::EXEC_OK, AtFlags::EACCESS).is_err() {
            return Err(ImageError::NotExecutable(path.into()));
        }
        let trusted = [0, effective_user()].contains(&status.uid());
        let why = match status.mode() {
            _ if !trusted => Some(format!("belongs to uid {}", status.uid())),
            mode if mode & 0o002 != 0 => Some("can be written by everybody".to_owned()),
            _ => None,
        };
        match why {
            Some(why) => Err(ImageError::NotTrusted { path: path.into(), why }),
            None => Ok(image),
        }
    }

    /// The program that this process runs, even if its file was replaced.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn own() -> Result<Self, CallError> {
        rustix::fs::open("/proc/self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .map(|fd| Self { fd })
            .map_err(|errno| CallError::new("open our own program", errno))
    }

    /// A path that leads to exactly this file, for our children too, as long as this lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.fd.as_raw_fd()).into()
    }

    /// Runs it in place of the present program, with `inherited` open besides 0, 1 and 2, and all signals blocked until
    /// it lets them in. Returns why not, if it does; then all is as before.
    #[must_use]
    pub fn run(
        &self,
        arguments: &[OsString],
        environment: &[(OsString, OsString)],
        inherited: &[BorrowedFd<'_>],
    ) -> CallError {
        let argv = Strings::new(arguments.iter().map(OsString::as_os_str));
        let variables: Vec<OsString> = environment.iter().map(|(name, value)| entry(name, value)).collect();
        let envp = Strings::new(variables.iter().map(OsString::as_os_str));
        let before = hatch::block_all();
        let kept: Result<(), _> = inherited.iter().try_for_each(|fd| fcntl_setfd(fd, FdFlags::empty()));
        let error = match kept {
            Ok(()) => {
                let (fd, empty) = (self.fd.as_raw_fd(), c"".as_ptr());
                let (argv, envp) = (argv.pointers.as_ptr(), envp.pointers.as_ptr());
                // SAFETY: both arrays end with a null pointer and live until after the call, which returns on failure
                // only.
                let result =
                    unsafe { libc::syscall(libc::SYS_execveat, fd, empty, argv, envp, libc::AT_EMPTY_PATH) };
                let failed = checked_long(result).err();
                CallError::new("run the new program", failed.unwrap_or_else(std::io::Error::last_os_error))
            }
            Err(errno) => CallError::new("keep a descriptor for the new program", errno),
        };
        for fd in inherited {
            // It was changed a moment ago, so it can be changed back.
            let _ = fcntl_setfd(fd, FdFlags::CLOEXEC);
        }
        hatch::restore(&before);
        error
    }
}

impl AsFd for Image {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn entry(name: &OsStr, value: &OsStr) -> OsString {
    let mut entry = name.to_owned();
    entry.push("=");
    entry.push(value);
    entry
}

/// Lets signals in again that [`Image::run`] blocked, but those that are [read](crate::event::Signals).
pub fn let_signals_in() {
    hatch::unblock_all_but(&crate::event::ANSWERED);
}

/// Closes descriptors that came through `execve` and of which duplicates are used.
pub fn close(numbers: impl IntoIterator<Item = i32>) {
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // SAFETY: it was inherited under this number, and nobody has it as an owned descriptor.
        unsafe { libc::close(number) };
    }
}

/// Ends this process as a wrong pointer would.
#[cfg(debug_assertions)]
pub fn segfault() {
    // SAFETY: sends a signal to ourselves.
    unsafe { libc::raise(libc::SIGSEGV) };
}

/// A duplicate, close-on-exec, of a descriptor that came through `execve`. The original stays as it is, for the way
/// back.
///
/// # Errors
/// No such descriptor is open.
pub fn inherited(number: i32) -> Result<OwnedFd, CallError> {
    let attempt = || format!("take over descriptor {number}");
    if number < 3 {
        return Err(CallError::new(attempt(), rustix::io::Errno::BADF));
    }
    // SAFETY: it is only duplicated; if no such descriptor is open the kernel says so.
    let original = unsafe { BorrowedFd::borrow_raw(number) };
    original.try_clone_to_owned().map_err(|error| CallError::new(attempt(), error))
}
