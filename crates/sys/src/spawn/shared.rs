//! A child that borrows our memory while this thread stands still, until it has executed a program or ended.
//!
//! That is what a vfork is, but with a stack of the child's own: nothing is copied, so it costs the same however big
//! the parent is. Where it is not written for the processor, the child gets a copy.

use rustix::io::Errno;

use crate::failure::checked_long;

/// Room for the child's calls. It takes no signals meanwhile.
const STACK_BYTES: usize = 256 * 1024;
/// Bytes of a signal mask, as the kernel has it.
const MASK_BYTES: usize = 8;

/// Part of a stack; the processor wants its top on a boundary of 16.
#[repr(C, align(16))]
#[derive(Debug, Clone, Copy)]
struct Line([u8; 16]);

/// Memory for a child's calls, one child at a time.
#[derive(Debug)]
pub(super) struct Stack(Vec<Line>);

impl Stack {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(STACK_BYTES / size_of::<Line>()))
    }
}

/// Sets this thread's mask of signals, all 64 of them, those included that the C library keeps for itself; the one
/// before.
pub(super) fn set_mask(mask: u64) -> Result<u64, Errno> {
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

#[cfg(target_arch = "x86_64")]
pub(super) use borrowed::{IS_SHARED, child};
#[cfg(not(target_arch = "x86_64"))]
pub(super) use copied::{IS_SHARED, child};

#[cfg(target_arch = "x86_64")]
mod borrowed {
    use std::arch::asm;

    use rustix::io::Errno;

    use super::{STACK_BYTES, Stack};

    /// Whether what the child writes is written here.
    pub(in super::super) const IS_SHARED: bool = true;

    /// Starts a child that runs `body`, which never returns, and waits until it has executed something or ended; its
    /// pid. All signals have to be blocked: a handler that runs in the child would find our memory where it expects
    /// its own.
    pub(in super::super) fn child<T>(
        arguments: &mut libc::clone_args,
        stack: &mut Stack,
        body: extern "C" fn(&T) -> !,
        with: &T,
    ) -> Result<libc::c_long, Errno> {
        arguments.flags |= u64::try_from(libc::CLONE_VM | libc::CLONE_VFORK).unwrap_or(0);
        arguments.stack = stack.0.as_mut_ptr().expose_provenance() as u64;
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
                in("r12") std::ptr::from_ref(with),
                in("r13") body,
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

#[cfg(not(target_arch = "x86_64"))]
mod copied {
    use rustix::io::Errno;

    use super::Stack;
    use crate::failure::checked_long;

    /// Whether what the child writes is written here.
    pub(in super::super) const IS_SHARED: bool = false;

    /// Starts a child that runs `body`, which never returns; its pid.
    pub(in super::super) fn child<T>(
        arguments: &mut libc::clone_args,
        _stack: &mut Stack,
        body: extern "C" fn(&T) -> !,
        with: &T,
    ) -> Result<libc::c_long, Errno> {
        let size = size_of::<libc::clone_args>();
        // SAFETY: without CLONE_VM and with a stack of 0 this is a fork: the child runs on a copy of this stack.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::from_mut(arguments), size) };
        if pid == 0 {
            body(with);
        }
        checked_long(pid).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOSYS))
    }
}
