//! How processes ended.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use remuda_model::{ExitStatus, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::CallError;
use crate::failure::checked_long;

/// The end of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its pid; free to be used again once it is reaped.
    pub pid: u32,
    /// How it ended.
    pub status: ExitStatus,
    /// Processor time of it and its own reaped children.
    pub cpu: Duration,
    /// The most memory it ever had resident, in bytes.
    pub peak_rss: u64,
}

/// waitid(2) as the kernel has it: the C library's hides the usage.
pub(super) fn wait(
    kind: libc::idtype_t,
    id: libc::c_long,
    extra: libc::c_int,
) -> std::io::Result<Option<Exit>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | extra;
    let (info_at, usage_at) = (info.as_mut_ptr(), usage.as_mut_ptr());
    // SAFETY: both pointers are valid for writes of their types during the call.
    checked_long(unsafe { libc::syscall(libc::SYS_waitid, kind, id, info_at, options, usage_at) })?;
    // SAFETY: zeroed is a valid siginfo, and the kernel only writes valid ones over it.
    let info = unsafe { info.assume_init() };
    // SAFETY: zeroed is a valid rusage, and the kernel only writes valid ones over it.
    let usage = unsafe { usage.assume_init() };
    // SAFETY: waitid fills the fields of a child's signal, or leaves zeroes when nobody has ended.
    let pid = unsafe { info.si_pid() };
    let Some(pid) = u32::try_from(pid).ok().filter(|pid| *pid != 0) else { return Ok(None) };
    // SAFETY: as above.
    let value = unsafe { info.si_status() };
    Ok(Some(Exit {
        pid,
        status: status(info.si_code, value),
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_rss: u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024),
    }))
}

fn time(value: libc::timeval) -> Duration {
    let microseconds = u64::try_from(value.tv_usec).unwrap_or(0);
    Duration::from_secs(u64::try_from(value.tv_sec).unwrap_or(0)) + Duration::from_micros(microseconds)
}

fn status(code: libc::c_int, value: libc::c_int) -> ExitStatus {
    match (code, Signal::from_number(value)) {
        (libc::CLD_EXITED, _) => ExitStatus::Code(value),
        (libc::CLD_KILLED, Some(signal)) => ExitStatus::Signal { signal, core: false },
        (libc::CLD_DUMPED, Some(signal)) => ExitStatus::Signal { signal, core: true },
        _ => ExitStatus::Unknown,
    }
}

/// How the child behind `pidfd` ended, if it has; it stays a zombie, so its pid and group are still its own.
///
/// # Errors
/// `ECHILD`: it is no child of ours, or was reaped; see [`foreign_exit`].
pub fn peek_exit(pidfd: impl AsFd) -> Result<Option<ExitStatus>, CallError> {
    wait(libc::P_PIDFD, libc::c_long::from(pidfd.as_fd().as_raw_fd()), libc::WNOWAIT)
        .map(|exit| exit.map(|exit| exit.status))
        .map_err(|error| CallError::new("look at a child's exit", error))
}

/// Takes the end of the child behind `pidfd`, if it has ended. After this its pid may be anybody's.
///
/// # Errors
/// `ECHILD`: it is no child of ours, or was reaped already.
pub fn reap(pidfd: impl AsFd) -> Result<Option<Exit>, CallError> {
    wait(libc::P_PIDFD, libc::c_long::from(pidfd.as_fd().as_raw_fd()), 0)
        .map_err(|error| CallError::new("reap a child", error))
}

/// `struct pidfd_info` of linux/pidfd.h, its first published size.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    pid: u32,
    thread_group: u32,
    parent: u32,
    credentials: [u32; 8],
    exit_code: i32,
}

const PIDFD_INFO_EXIT: u64 = 1 << 3;
/// `_IOWR(0xFF, 11, struct pidfd_info)` with the size above.
const PIDFD_GET_INFO: libc::Ioctl = 0xC040_FF0B;

/// How a process that is *not* our child ended: `None` while it runs, [`ExitStatus::Unknown`] where the kernel
/// (before 6.15) does not tell or its parent has not reaped it yet.
///
/// # Errors
/// `pidfd` cannot be polled: it is no pidfd.
pub fn foreign_exit(pidfd: impl AsFd) -> Result<Option<ExitStatus>, CallError> {
    let fd = pidfd.as_fd();
    let mut watched = [PollFd::new(&fd, PollFlags::IN)];
    let ended = poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
        .map_err(|errno| CallError::new("ask whether a process has ended", errno))?;
    if ended == 0 {
        return Ok(None);
    }
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the request number carries the size of the structure the pointer leads to.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
    if result < 0 || info.mask & PIDFD_INFO_EXIT == 0 {
        return Ok(Some(ExitStatus::Unknown));
    }
    let code = info.exit_code;
    Ok(Some(if libc::WIFEXITED(code) {
        ExitStatus::Code(libc::WEXITSTATUS(code))
    } else {
        Signal::from_number(libc::WTERMSIG(code))
            .map_or(ExitStatus::Unknown, |signal| ExitStatus::Signal { signal, core: libc::WCOREDUMP(code) })
    }))
}
