//! The program's table of descriptors, exactly.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use rustix::io::fcntl_dupfd_cloexec;

use crate::failure::{checked, checked_long};

/// The first number the program does not get.
fn floor(passed: &[RawFd]) -> io::Result<RawFd> {
    RawFd::try_from(3 + passed.len()).ok().ok_or_else(|| io::Error::from_raw_os_error(libc::EMFILE))
}

/// A close-on-exec duplicate of `fd` beyond the numbers the program gets.
pub(super) fn out_of_the_way(fd: RawFd, passed: &[RawFd]) -> io::Result<OwnedFd> {
    above(fd, floor(passed)?)
}

/// Puts `standard` at 0 to 2 (`/dev/null` where absent) and `passed` at 3 and up, and marks all others
/// close-on-exec.
///
/// A source may have the number another one has to go to. So all are first duplicated above the whole target range
/// and only then put in place.
pub(super) fn arrange(standard: [Option<RawFd>; 3], passed: &[RawFd]) -> io::Result<()> {
    let floor = floor(passed)?;
    let mut null = None;
    let mut sources = Vec::with_capacity(standard.len() + passed.len());
    for source in standard {
        sources.push(match source {
            Some(fd) => above(fd, floor)?,
            None => fcntl_dupfd_cloexec(open_null(&mut null)?, floor)?,
        });
    }
    for fd in passed {
        sources.push(above(*fd, floor)?);
    }
    if let Some(null) = null {
        // Its number may become a target, so it must not be closed later; it is close-on-exec.
        let _: RawFd = null.into_raw_fd();
    }
    for (source, target) in sources.iter().zip(0..) {
        // SAFETY: the target's former owner is this trampoline, which uses it no more.
        checked(unsafe { libc::dup2(source.as_raw_fd(), target) })?;
    }
    close_on_exec_from(floor)
}

fn above(fd: RawFd, floor: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: only duplicated; if nobody has the number open, the kernel says so.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(fcntl_dupfd_cloexec(fd, floor)?)
}

fn open_null(null: &mut Option<File>) -> io::Result<&File> {
    match null {
        Some(file) => Ok(file),
        none => Ok(none.insert(OpenOptions::new().read(true).write(true).open("/dev/null")?)),
    }
}

fn close_on_exec_from(first: RawFd) -> io::Result<()> {
    let flags = libc::c_long::from(libc::CLOSE_RANGE_CLOEXEC);
    let last = libc::c_long::from(u32::MAX);
    // SAFETY: takes numbers; sets a flag on descriptors that stay open.
    match checked_long(unsafe {
        libc::syscall(libc::SYS_close_range, libc::c_long::from(first), last, flags)
    }) {
        Ok(_) => Ok(()),
        Err(_) => close_on_exec_one_by_one(first),
    }
}

/// For kernels before 5.11.
fn close_on_exec_one_by_one(first: RawFd) -> io::Result<()> {
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd >= first)
        .collect();
    for fd in open {
        // SAFETY: sets a flag; the listing's own descriptor is closed by now and answers EBADF, which is no matter.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}

/// Takes over a descriptor that this process was started with.
pub(super) fn inherited(fd: RawFd) -> OwnedFd {
    // SAFETY: the parent made this number for us, and nothing else in this process knows it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
