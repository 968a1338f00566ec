//! Starting a trampoline inside its control group.
//!
//! A process that is moved into a group waits for all processors to have noticed (a grace period of some 10 ms); one
//! that is born in it does not. posix_spawn can do that only from glibc 2.39 on, so the kernel is asked directly, for
//! what posix_spawn asks for: a child that borrows our memory while this thread stands still, until it has executed
//! the trampoline. So it costs the same however big the arbiter is. Where that is not written for the processor, the
//! child gets a copy.

use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::io::Errno;

use super::launch::discard;
use super::shared::{self, Stack, set_mask};
use super::trampoline::EXEC_WORD;

/// `CLONE_INTO_CGROUP` of linux/sched.h, since 5.7.
const INTO_CGROUP: u64 = 0x2_0000_0000;
/// The child could not execute the trampoline.
const NOT_EXECUTED: libc::c_int = 127;

/// What a child needs until it is the trampoline; it makes nothing of its own.
struct Birth<'a> {
    program: &'a CString,
    argv: [*const libc::c_char; 4],
    environment: [*const libc::c_char; 1],
    /// Those it keeps.
    descriptors: &'a [RawFd],
    /// Why the trampoline could not be executed: set by a child that shares our memory.
    errno: AtomicI32,
}

/// Starts `program` as the trampoline for the plan in `memory`, in the group whose folder is `cgroup`; it keeps
/// `descriptors`. Nothing is started when it fails.
pub(super) fn start(
    program: &CString,
    memory: RawFd,
    descriptors: &[RawFd],
    cgroup: BorrowedFd<'_>,
) -> Result<u32, Errno> {
    let word = CString::new(EXEC_WORD).expect("the word has no NUL byte");
    let number = CString::new(memory.to_string()).expect("digits have no NUL byte");
    let birth = Birth {
        program,
        argv: [c"remuda".as_ptr(), word.as_ptr(), number.as_ptr(), std::ptr::null()],
        environment: [std::ptr::null()],
        descriptors,
        errno: AtomicI32::new(0),
    };
    // SAFETY: all bytes zero are valid numbers.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = INTO_CGROUP;
    arguments.exit_signal = u64::try_from(libc::SIGCHLD).unwrap_or(0);
    arguments.cgroup = u64::try_from(cgroup.as_raw_fd()).map_err(|_negative| Errno::BADF)?;
    // A handler that runs in the child would find our memory where it expects its own.
    let mask = set_mask(u64::MAX)?;
    let pid = shared::child(&mut arguments, &mut Stack::new(), become_trampoline, &birth);
    // It was in force a moment ago.
    let _ = set_mask(mask);
    let pid = u32::try_from(pid?).map_err(|_too_big| Errno::NOSYS)?;
    match birth.errno.load(Ordering::Acquire) {
        0 => Ok(pid),
        errno => {
            discard(pid);
            Err(Errno::from_raw_os_error(errno))
        }
    }
}

/// The child's part: system calls on what is prepared and nothing else, for other threads may hold any lock.
extern "C" fn become_trampoline(birth: &Birth<'_>) -> ! {
    for fd in birth.descriptors {
        // SAFETY: a system call on a number, in a table of descriptors of the child's own.
        unsafe { libc::syscall(libc::SYS_fcntl, *fd, libc::F_SETFD, 0) };
    }
    let (program, argv, environment) =
        (birth.program.as_ptr(), birth.argv.as_ptr(), birth.environment.as_ptr());
    // SAFETY: both arrays end with null and hold strings that outlive the call.
    unsafe { libc::syscall(libc::SYS_execve, program, argv, environment) };
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOEXEC);
    birth.errno.store(errno, Ordering::Release);
    loop {
        // SAFETY: ends this process without running anything of ours.
        unsafe { libc::syscall(libc::SYS_exit_group, NOT_EXECUTED) };
    }
}
