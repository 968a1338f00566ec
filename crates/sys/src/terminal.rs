//! The terminal somebody may sit at.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};

use crate::CallError;

/// Columns of the terminal behind `fd`; `None` when it is none.
#[must_use]
pub fn width(fd: impl AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(fd).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// Cuts this process's ties to the terminal it was started from: a session of its own, stdout and stderr into
/// nowhere.
///
/// # Errors
/// It leads a process group already; or `/dev/null` cannot be had. Nothing, or only the session, has changed.
pub fn leave() -> Result<(), CallError> {
    let failed = |attempt: &'static str| move |errno| CallError::new(attempt, errno);
    rustix::process::setsid().map_err(failed("begin a session"))?;
    let nowhere = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(|error| CallError::new("open /dev/null", error))?;
    rustix::stdio::dup2_stdout(&nowhere).map_err(failed("redirect stdout"))?;
    rustix::stdio::dup2_stderr(&nowhere).map_err(failed("redirect stderr"))
}

/// Columns and rows of the terminal behind `fd`; `None` when it is none.
#[must_use]
pub fn size(fd: impl AsFd) -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(fd).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// A terminal that hands on each key as it is pressed, unseen, Ctrl-C among them; as it was before when this goes.
#[derive(Debug)]
pub struct Keys<F: AsFd> {
    terminal: F,
    before: Termios,
}

impl<F: AsFd> Keys<F> {
    /// Has `terminal` hand on keys.
    ///
    /// # Errors
    /// It is none, or will not; nothing has changed.
    pub fn take(terminal: F) -> Result<Self, CallError> {
        let failed = |attempt: &'static str| move |errno| CallError::new(attempt, errno);
        let before = rustix::termios::tcgetattr(&terminal).map_err(failed("ask how the terminal is set"))?;
        let mut keys = before.clone();
        keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        // A read returns what there is, be it nothing.
        keys.special_codes[SpecialCodeIndex::VMIN] = 0;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &keys)
            .map_err(failed("have the terminal hand on keys"))?;
        Ok(Self { terminal, before })
    }

    /// What was pressed and not read yet, as far as `buffer` takes it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, CallError> {
        rustix::io::read(&self.terminal, buffer).map_err(|errno| CallError::new("read keys", errno))
    }
}

impl<F: AsFd> AsFd for Keys<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }
}

impl<F: AsFd> Drop for Keys<F> {
    fn drop(&mut self) {
        // A terminal that is gone needs it no more.
        let _ = rustix::termios::tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
