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
use super::trampoline::EXEC_WORD;
use crate::failure::checked_long;

/// `CLONE_INTO_CGROUP` of linux/sched.h, since 5.7.
const INTO_CGROUP: u64 = 0x2_0000_0000;
/// The child could not execute the trampoline.
const NOT_EXECUTED: libc::c_int = 127;
/// Bytes of a signal mask, as the kernel has it.
const MASK_BYTES: usize = 8;

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
    let pid = shared::child(&mut arguments, &birth);
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

/// Sets this thread's mask of signals, all 64 of them, those included that the C library keeps for itself; the one
/// before.
fn set_mask(mask: u64) -> Result<u64, Errno> {
    let mut before = 0_u64;
    // SAFETY: reads one mask and writes another, both of the size given.
    let set = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            &raw mut before,
            MASK_BYTES,
        )
    };
    checked_long(set).map(|_| before).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
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

/// A child on our memory.
#[cfg(target_arch = "x86_64")]
mod shared {
    use std::arch::asm;

    use rustix::io::Errno;

    use super::{Birth, become_trampoline};

    /// Room for the child's few calls. It takes no signals meanwhile.
    const STACK_BYTES: usize = 64 * 1024;

    /// Part of a stack; the processor wants its top on a boundary of 16.
    #[repr(C, align(16))]
    #[derive(Clone, Copy)]
    struct Line([u8; 16]);

    /// Starts the child and waits until it has executed something or ended; its pid.
    pub(super) fn child(arguments: &mut libc::clone_args, birth: &Birth<'_>) -> Result<libc::c_long, Errno> {
        let mut stack = vec![Line([0; 16]); STACK_BYTES / size_of::<Line>()];
        arguments.flags |= u64::try_from(libc::CLONE_VM | libc::CLONE_VFORK).unwrap_or(0);
        arguments.stack = stack.as_mut_ptr().expose_provenance() as u64;
        arguments.stack_size = STACK_BYTES as u64;
        let result: libc::c_long;
        // SAFETY: the parent falls through with only the result and what a system call clobbers changed. The child
        // begins on the stack given, which lives until the kernel lets this thread go on, and there calls a function
        // that never returns with a reference that lives as long.
        unsafe {
            asm!(
                "syscall",
                "test rax, rax",
                "jnz 2f",
                "xor ebp, ebp",
                "mov rdi, r12",
                "call r13",
                "ud2",
                "2:",
                inlateout("rax") libc::SYS_clone3 => result,
                in("rdi") std::ptr::from_mut(arguments),
                in("rsi") size_of::<libc::clone_args>(),
                in("r12") std::ptr::from_ref(birth),
                in("r13") become_trampoline as extern "C" fn(&Birth<'_>) -> !,
                lateout("rcx") _,
                lateout("r11") _,
            );
        }
        if result > 0 { Ok(result) } else { Err(errno(result)) }
    }

    fn errno(result: libc::c_long) -> Errno {
        i32::try_from(-result).map_or(Errno::NOSYS, Errno::from_raw_os_error)
    }
}

/// A child on a copy of our memory.
#[cfg(not(target_arch = "x86_64"))]
mod shared {
    use rustix::io::Errno;

    use super::{Birth, become_trampoline};
    use crate::failure::checked_long;

    /// Starts the child; its pid.
    pub(super) fn child(arguments: &mut libc::clone_args, birth: &Birth<'_>) -> Result<libc::c_long, Errno> {
        let size = size_of::<libc::clone_args>();
        // SAFETY: without CLONE_VM and with a stack of 0 this is a fork: the child runs on a copy of this stack.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::from_mut(arguments), size) };
        if pid == 0 {
            become_trampoline(birth);
        }
        checked_long(pid).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOSYS))
    }
}
