//! The terminal somebody may sit at.

use std::fs::OpenOptions;
use std::os::fd::AsFd;

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
