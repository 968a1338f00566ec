//! The spawner's own process: one thread, one loop, no memory of what it did.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::io::Errno;

use super::super::code::Orders;
use super::super::program::Legacy;
use super::super::shared::{self, Stack};
use super::super::stage::Stage;
use super::super::trampoline::set_up_and_execute;
use super::answer::Answer;
use super::request::Received;
use crate::CallError;
use crate::socket::{Arrival, Link, LinkError, Sent};

/// First argument of an executable that is to serve as spawner.
pub const SPAWNER_WORD: &str = "__spawn";

/// The arbiter's link, as it is passed.
const LINK: RawFd = 3;
/// What it waits for comes or ends; nothing is to be done after a day without either but to wait again.
const IDLE: Duration = Duration::from_secs(24 * 3600);
/// `CLONE_INTO_CGROUP` of linux/sched.h, since 5.7.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Becomes a spawner if the command line says so, and does not return then. Has to come right after
/// [`run_trampoline_if_asked`](crate::spawn::run_trampoline_if_asked) in `main`: before a thread is started or a
/// descriptor opened.
pub fn run_spawner_if_asked() {
    if std::env::args_os().nth(1).is_none_or(|word| word != SPAWNER_WORD) {
        return;
    }
    // Nobody reads what a spawner says; the arbiter sees that it has ended.
    let code = i32::from(begin().and_then(|link| serve(&link)).is_err());
    // SAFETY: ends the process; nothing is to be cleaned up in one that owns nothing.
    unsafe { libc::_exit(code) }
}

fn begin() -> Result<Link, CallError> {
    // It ends with its link or by SIGKILL only: what is sent to the arbiter's whole group is not for it.
    shared::set_mask(u64::MAX).map_err(|errno| CallError::new("block all signals", errno))?;
    // Only a wish.
    let _ = std::fs::write("/proc/self/comm", "remuda-spawner");
    Link::inherited(LINK)
}

/// Carries out requests until the arbiter is gone, or a child was killed in the middle of its set-up: what that one
/// left of our memory is not to be built on.
fn serve(link: &Link) -> Result<(), CallError> {
    let mut stack = Stack::new();
    loop {
        let request = match link.receive(IDLE) {
            Ok(Arrival::Message { bytes, descriptors }) => {
                Received::new(bytes, descriptors).ok_or(Errno::PROTO)
            }
            // No number was left for one of its descriptors.
            Err(LinkError::Size) => Err(Errno::MFILE),
            Err(LinkError::Late(_)) => continue,
            Err(LinkError::Call(error)) => return Err(error),
            Ok(Arrival::Closed) | Err(LinkError::Gone) => return Ok(()),
        };
        let born = request.and_then(|request| {
            let orders = request.orders().ok_or(Errno::PROTO)?;
            let birth = Birth { link, orders, legacy: Legacy::default() };
            bear(&birth, request.cgroup(), &mut stack)
        });
        match born {
            Ok(Memory::Fine) => {}
            Ok(Memory::Doubtful) => return Ok(()),
            Err(errno) => {
                // Answers always have room; an arbiter that is gone needs none.
                let _ = link.send_now(&Answer::Refused(errno.raw_os_error()).encode(), &[]);
            }
        }
    }
}

/// What a child needs until it is the program.
#[derive(Debug)]
struct Birth<'a> {
    link: &'a Link,
    orders: Orders,
    legacy: Legacy,
}

/// What a child leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Fine,
    Doubtful,
}

/// Makes a child of our parent; returns when that is the program or has ended.
fn bear(birth: &Birth<'_>, cgroup: Option<BorrowedFd<'_>>, stack: &mut Stack) -> Result<Memory, Errno> {
    // SAFETY: all bytes zero are valid numbers.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    // With it no signal may be named: the child's end is told to our parent as ours will be.
    arguments.flags = u64::try_from(libc::CLONE_PARENT).unwrap_or(0);
    if let Some(cgroup) = cgroup {
        arguments.flags |= INTO_CGROUP;
        arguments.cgroup = u64::try_from(cgroup.as_raw_fd()).map_err(|_negative| Errno::BADF)?;
    }
    shared::child(&mut arguments, stack, become_program, birth)?;
    let fine = birth.legacy.is_settled() || !shared::IS_SHARED;
    Ok(if fine { Memory::Fine } else { Memory::Doubtful })
}

/// The child's part: ordinary code, for the one thread that could be in the middle of something stands still. What it
/// allocates it has freed when it ends, or leaves to `birth`.
extern "C" fn become_program(birth: &Birth<'_>) -> ! {
    let told = birth.link.send_now(&Answer::Started(std::process::id()).encode(), &[]);
    // Who waits for the spawner's end must not have to wait for ours.
    // SAFETY: a number in a table of descriptors of the child's own, where nobody uses it any more.
    unsafe { libc::close(birth.link.as_fd().as_raw_fd()) };
    let stage = match told {
        Ok(Sent::Passed) => set_up_and_execute(&birth.orders, &birth.legacy).stage,
        // The arbiter is gone, or has given this request up.
        Ok(Sent::WouldBlock) | Err(_) => Stage::Plan,
    };
    birth.legacy.settle(true);
    loop {
        // SAFETY: ends this process without running anything of the spawner's.
        unsafe { libc::syscall(libc::SYS_exit_group, libc::c_long::from(stage.exit_code())) };
    }
}
