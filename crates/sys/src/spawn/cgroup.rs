//! Starting a trampoline inside its control group.
//!
//! A process that is moved into a group waits for all processors to have noticed (a grace period of some 10 ms); one
//! that is born in it does not. posix_spawn can do that only from glibc 2.39 on, so the kernel is asked directly: a
//! copy of us that does nothing but keep its descriptors and execute the trampoline.

use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use rustix::io::Errno;

use super::trampoline::EXEC_WORD;

/// `CLONE_INTO_CGROUP` of linux/sched.h, since 5.7.
const INTO_CGROUP: u64 = 0x2_0000_0000;
/// The copy could not execute the trampoline.
const NOT_EXECUTED: libc::c_int = 127;

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
    let argv = [c"remuda".as_ptr(), word.as_ptr(), number.as_ptr(), std::ptr::null()];
    let environment: [*const libc::c_char; 1] = [std::ptr::null()];
    // SAFETY: all bytes zero are valid numbers.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = INTO_CGROUP;
    arguments.exit_signal = u64::try_from(libc::SIGCHLD).unwrap_or(0);
    arguments.cgroup = u64::try_from(cgroup.as_raw_fd()).map_err(|_negative| Errno::BADF)?;
    // SAFETY: without CLONE_VM and with a stack of 0 this is a fork: the child runs on a copy of this stack. Until it
    // executes, it makes system calls on memory prepared above and nothing else, for other threads of ours may have
    // held any lock at this moment.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    if pid == 0 {
        for fd in descriptors {
            // SAFETY: a system call on a number.
            unsafe { libc::syscall(libc::SYS_fcntl, *fd, libc::F_SETFD, 0) };
        }
        // SAFETY: both arrays end with null and hold strings that live in this copy of our memory.
        unsafe { libc::syscall(libc::SYS_execve, program.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
        loop {
            // SAFETY: ends this process without running anything of ours.
            unsafe { libc::syscall(libc::SYS_exit_group, NOT_EXECUTED) };
        }
    }
    u32::try_from(pid)
        .map_err(|_negative| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOSYS))
}
