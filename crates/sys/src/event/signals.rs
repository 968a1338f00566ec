//! Signals as something to read.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use remuda_model::Signal;
use rustix::io::Errno;

use crate::CallError;
use crate::failure::checked;

/// The signals the arbiter answers.
pub(crate) const ANSWERED: [libc::c_int; 10] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGCHLD,
    libc::SIGWINCH,
];

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Which.
    pub signal: Signal,
    /// Who sent it; 0 when the kernel did.
    pub sender: u32,
}

/// A signalfd; the signals it reads are blocked in the thread that made it and in all it starts later.
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
}

fn answered() -> libc::sigset_t {
    set_of(&ANSWERED)
}

fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set it is given and cannot fail on a valid pointer.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised by sigemptyset above.
    let mut set = unsafe { set.assume_init() };
    for signal in signals {
        // SAFETY: the set is initialised; a number that is no signal is refused and changes nothing.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// Blocks the answered signals in this thread. A new image after `execve` calls it first, so that nothing arrives
/// before there is somebody to read it; [`Signals::new`] does it too.
///
/// # Errors
/// None the kernel documents for valid arguments.
pub fn block_signals() -> Result<(), CallError> {
    block(&answered())
}

fn block(set: &libc::sigset_t) -> Result<(), CallError> {
    // SAFETY: the set is initialised; the old mask is not asked for.
    let result = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set, std::ptr::null_mut()) };
    if result != 0 {
        return Err(CallError::new("block signals", std::io::Error::from_raw_os_error(result)));
    }
    Ok(())
}

impl Signals {
    /// Blocks TERM INT QUIT HUP USR1 USR2 TTIN TTOU CHLD WINCH and reads them from now on. Also makes sure that
    /// ended children wait to be reaped, which a parent that ignores SIGCHLD would have taken from us.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new() -> Result<Self, CallError> {
        block_signals()?;
        // SAFETY: sets a disposition, no handler of ours is involved.
        let previous = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        if previous == libc::SIG_ERR {
            return Err(CallError::last("reset the disposition of SIGCHLD"));
        }
        Self::reading(&answered())
    }

    /// Blocks `signals` alone in this thread and reads them from now on; every other signal, and what happens to ended
    /// children, stays as it is. What the arbiter does not start has no use for [`Signals::new`]'s long list.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn only(signals: &[Signal]) -> Result<Self, CallError> {
        let numbers: Vec<libc::c_int> = signals.iter().map(|signal| signal.number()).collect();
        let set = set_of(&numbers);
        block(&set)?;
        Self::reading(&set)
    }

    fn reading(set: &libc::sigset_t) -> Result<Self, CallError> {
        // SAFETY: the set is initialised; -1 asks for a new descriptor.
        let fd = checked(unsafe { libc::signalfd(-1, set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) })
            .map_err(|error| CallError::new("create a descriptor for signals", error))?;
        // SAFETY: the kernel just gave us this descriptor; nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// The next signal that waits; never blocks.
    ///
    /// # Errors
    /// The descriptor does not read as a signalfd.
    pub fn take(&self) -> Result<Option<Received>, CallError> {
        const SIZE: usize = size_of::<libc::signalfd_siginfo>();
        let mut record = [0_u8; SIZE];
        match rustix::io::read(&self.fd, &mut record) {
            Ok(SIZE) => {
                let word = |at: usize| {
                    u32::from_ne_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
                };
                let number = i32::try_from(word(std::mem::offset_of!(libc::signalfd_siginfo, ssi_signo)));
                let sender = word(std::mem::offset_of!(libc::signalfd_siginfo, ssi_pid));
                Ok(number.ok().and_then(Signal::from_number).map(|signal| Received { signal, sender }))
            }
            Ok(_) => Err(CallError { attempt: "read a signal".into(), errno: 0 }),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(errno) => Err(CallError::new("read a signal", errno)),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
