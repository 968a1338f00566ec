//! Handles of processes, and signals through them.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use remuda_model::Signal;

use crate::CallError;
use crate::failure::{checked, checked_long};

/// A handle of process `pid`. It is surely the process meant only while that is our unreaped child, or if its start
/// time is compared after opening.
///
/// # Errors
/// `ESRCH`: no such process.
pub fn pidfd_open(pid: u32) -> Result<OwnedFd, CallError> {
    // SAFETY: takes two numbers, returns a new descriptor (close-on-exec by default).
    let fd = checked_long(unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) })
        .map_err(|error| CallError::new(format!("open process {pid}"), error))?;
    let fd = RawFd::try_from(fd).expect("descriptors are ints");
    // SAFETY: the kernel just gave us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends `signal` to the process; its pid is never looked at, so no other can be hit.
///
/// # Errors
/// `ESRCH`: it has ended and was reaped. `EPERM`: it is somebody else's.
pub fn send_signal(pidfd: impl AsFd, signal: Signal) -> Result<(), CallError> {
    let fd = pidfd.as_fd().as_raw_fd();
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo is allowed: the kernel fills in what kill(2) would.
    checked_long(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal.number(), info, 0) })
        .map(|_| ())
        .map_err(|error| CallError::new(format!("send {signal}"), error))
}

/// Sends `signal` to the process group `group`. Only safe while the group's leader is not reaped: after that its
/// number may be another's.
///
/// # Errors
/// `ESRCH`: nobody is in it. `EPERM`: none of its members is ours. `EINVAL`: 0 or 1, which kill(2) would take for
/// our own group and for everybody.
pub fn signal_group(group: u32, signal: Signal) -> Result<(), CallError> {
    let attempt = || format!("send {signal} to process group {group}");
    let Some(number) = libc::pid_t::try_from(group).ok().filter(|number| *number > 1) else {
        return Err(CallError::new(attempt(), rustix::io::Errno::INVAL));
    };
    // SAFETY: takes two numbers; the negative one names a group and is neither 0 nor -1.
    checked(unsafe { libc::kill(-number, signal.number()) })
        .map(|_| ())
        .map_err(|error| CallError::new(attempt(), error))
}

/// A duplicate of descriptor `number` of another process, close-on-exec.
///
/// # Errors
/// `EPERM`: we may not trace that process. `EBADF`: it has no such descriptor.
pub fn take_descriptor(pidfd: impl AsFd, number: RawFd) -> Result<OwnedFd, CallError> {
    let flags = rustix::process::PidfdGetfdFlags::empty();
    rustix::process::pidfd_getfd(pidfd, number, flags)
        .map_err(|errno| CallError::new(format!("take descriptor {number} of another process"), errno))
}
