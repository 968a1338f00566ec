//! One epoll instance and the buffer its events land in.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::CallError;

/// Events taken per wait; more stay in the kernel for the next one.
const EVENTS_PER_WAIT: usize = 256;

/// The caller's own number for a descriptor it watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What to be told about a descriptor. Hang-up and error are told always. All level-triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Something to read or accept.
    Read,
    /// Room to write.
    Write,
    /// Both.
    ReadWrite,
    /// Exceptional news: `cgroup.events` changed.
    Priority,
    /// Nothing but hang-up and error.
    Nothing,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Self::Read => epoll::EventFlags::IN,
            Self::Write => epoll::EventFlags::OUT,
            Self::ReadWrite => epoll::EventFlags::IN | epoll::EventFlags::OUT,
            Self::Priority => epoll::EventFlags::PRI,
            Self::Nothing => epoll::EventFlags::empty(),
        }
    }
}

/// News of one descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Whose.
    pub token: Token,
    /// A read will not block.
    pub readable: bool,
    /// A write will not block.
    pub writable: bool,
    /// Exceptional news.
    pub priority: bool,
    /// The other side is gone; what it wrote may still be there to read.
    pub hangup: bool,
    /// An error is pending on it.
    pub error: bool,
}

/// One epoll instance.
pub struct Poller {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    /// An instance that watches nothing.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new() -> Result<Self, CallError> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|errno| CallError::new("create an epoll instance", errno))?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS_PER_WAIT) })
    }

    /// Watches `fd`. It has to be [removed](Self::remove) before it is closed if anybody else holds the same open
    /// file: the kernel watches the file, not the number.
    ///
    /// # Errors
    /// Already watched, a plain file, or `fs.epoll.max_user_watches` reached.
    pub fn add(&self, fd: impl AsFd, token: Token, interest: Interest) -> Result<(), CallError> {
        epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token.0), interest.flags())
            .map_err(|errno| CallError::new("watch a descriptor", errno))
    }

    /// Changes token and interest of a watched `fd`.
    ///
    /// # Errors
    /// It is not watched.
    pub fn modify(&self, fd: impl AsFd, token: Token, interest: Interest) -> Result<(), CallError> {
        epoll::modify(&self.epoll, fd, epoll::EventData::new_u64(token.0), interest.flags())
            .map_err(|errno| CallError::new("change the watch of a descriptor", errno))
    }

    /// Watches `fd` no more.
    ///
    /// # Errors
    /// It was not watched.
    pub fn remove(&self, fd: impl AsFd) -> Result<(), CallError> {
        epoll::delete(&self.epoll, fd).map_err(|errno| CallError::new("stop watching a descriptor", errno))
    }

    /// Waits at most `timeout` (for ever when absent, not at all when zero) and yields at most 256 events. A signal may
    /// end the wait early, without events.
    ///
    /// # Errors
    /// None but a defect of the caller's: the epoll descriptor was closed behind our back.
    pub fn wait(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<impl Iterator<Item = Readiness> + '_, CallError> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(self.events.iter().map(readiness)),
            Err(errno) => Err(CallError::new("wait for events", errno)),
        }
    }
}

fn readiness(event: &epoll::Event) -> Readiness {
    let (flags, data) = (event.flags, event.data);
    let has = |flag| flags.contains(flag);
    Readiness {
        token: Token(data.u64()),
        readable: has(epoll::EventFlags::IN),
        writable: has(epoll::EventFlags::OUT),
        priority: has(epoll::EventFlags::PRI),
        hangup: has(epoll::EventFlags::HUP),
        error: has(epoll::EventFlags::ERR),
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("epoll", &self.epoll).finish_non_exhaustive()
    }
}

impl AsFd for Poller {
    /// Readable when an event waits, so that another event loop can watch this one.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl AsRawFd for Poller {
    fn as_raw_fd(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }
}

// SAFETY: the kernel's `epoll_data` is a union with a pointer in it, which alone makes the buffer not `Send`; ours
// holds only the tokens that `add` put there, which are numbers.
unsafe impl Send for Poller {}
