//! Choosing which listeners of a `SO_REUSEPORT` group get what is new, by a classic BPF program.
//!
//! The kernel keeps a group in the order of `listen` (`bind` for datagrams) and runs the program for each new
//! connection or datagram; its result is an index into that order. What waits in a queue already is not touched. When
//! a listener closes, the kernel moves the last of the group into its place: only the last may be closed.
//!
//! No privilege is needed (Linux 4.6 and later).

use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;

use remuda_model::Balance;
use rustix::io::Errno;

use super::listener::Listener;
use crate::CallError;
use crate::failure::checked;

/// Most slots of a group: with every other one left out the program is well below the 4096 instructions, and the
/// memory of a socket's options, that the kernel allows.
const SLOTS_MAX: usize = 1024;

/// `SO_DETACH_REUSEPORT_BPF`, from `asm-generic/socket.h`.
const DETACH: libc::c_int = 68;
/// From here up, an offset means a value of the kernel instead of a place in the packet (`SKF_AD_OFF`).
const ANCILLARY: u32 = 0xffff_f000;
/// The processor that handles the packet (`SKF_AD_CPU`).
const PROCESSOR: u32 = ANCILLARY + 36;
/// A random number (`SKF_AD_RANDOM`).
const RANDOM: u32 = ANCILLARY + 56;

/// `BPF_LD | BPF_W | BPF_ABS`.
const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_MOD | BPF_K`.
const MODULO: u16 = 0x94;
/// `BPF_ALU | BPF_ADD | BPF_K`.
const ADD: u16 = 0x04;
/// `BPF_JMP | BPF_JGE | BPF_K`.
const SKIP_IF_AT_LEAST: u16 = 0x35;
/// `BPF_RET | BPF_A`.
const RETURN: u16 = 0x16;

/// Has the listeners of `group`, which are in the order of their slots, get what is new only where `live` says so. A
/// slot that `live` does not reach is not live; one beyond `group` is not bound yet, and naming it keeps it from
/// getting anything in the moment it is. If no slot of the group is live all get what is new, and it waits there.
///
/// With [`Balance::Hash`] the kernel's own hash chooses if all are live. If not, the choice is random: the hash that a
/// program can ask for (`SKF_AD_RXHASH`) is 0 where the network card computes none, and for datagrams of unconnected
/// senders on the loopback interface; then one slot would get everything. A connection is placed once, by its first
/// packet, so it makes no difference to it; datagrams of one sender reach several slots meanwhile.
///
/// # Errors
/// The kernel refuses the program, or there are more than 1024 slots; the group goes on as it was.
pub fn steer(group: &[Listener], live: &[bool], balance: Balance) -> Result<(), CallError> {
    let Some(first) = group.first() else { return Ok(()) };
    let all_live = live.len() >= group.len() && live.iter().all(|live| *live);
    let mut chosen = runs(live.get(..group.len()).unwrap_or(live));
    let all = all_live || chosen.is_empty();
    if all {
        chosen = runs(&vec![true; group.len()]);
    }
    let done = match balance {
        _ if live.len().max(group.len()) > SLOTS_MAX => Err(Errno::TOOBIG.into()),
        Balance::Hash if all => detach(first),
        Balance::Hash | Balance::Random => attach(first, &program(RANDOM, &chosen)),
        Balance::Cpu => attach(first, &program(PROCESSOR, &chosen)),
    };
    done.map_err(|error| {
        CallError::new(format!("steer the {} listeners of {}", group.len(), first.address), error)
    })
}

/// The ranges of slots that are live, in order.
fn runs(live: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (slot, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        match runs.last_mut().filter(|run| run.end == slot) {
            Some(run) => run.end = slot + 1,
            None => runs.push(slot..slot + 1),
        }
    }
    runs
}

/// A number of the kernel, modulo the number of live slots, becomes one of them: in each run it is moved up by the
/// slots that are left out before.
fn program(number: u32, runs: &[Range<usize>]) -> Vec<libc::sock_filter> {
    let one = |code, skip, value: usize| {
        let k = u32::try_from(value).expect("slots are few");
        libc::sock_filter { code, jt: skip, jf: 0, k }
    };
    let live = runs.iter().map(ExactSizeIterator::len).sum();
    let mut program = vec![libc::sock_filter { code: LOAD, jt: 0, jf: 0, k: number }, one(MODULO, 0, live)];
    let mut before = 0;
    for run in runs {
        let left_out = run.start - before;
        before += run.len();
        if before < live {
            program.push(one(SKIP_IF_AT_LEAST, 2, before));
        }
        program.extend([one(ADD, 0, left_out), one(RETURN, 0, 0)]);
    }
    program
}

fn attach(listener: &Listener, program: &[libc::sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).ok().ok_or(Errno::TOOBIG)?;
    // The kernel reads the instructions and does not write them.
    let filter = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    let size = libc::socklen_t::try_from(size_of::<libc::sock_fprog>()).expect("a small structure");
    let (fd, option) = (listener.fd.as_raw_fd(), libc::SO_ATTACH_REUSEPORT_CBPF);
    // SAFETY: the pointer leads to a sock_fprog of `size` bytes, and that to `len` instructions; both outlive the call.
    checked(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, (&raw const filter).cast(), size) })?;
    Ok(())
}

fn detach(listener: &Listener) -> io::Result<()> {
    let unused: libc::c_int = 0;
    let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).expect("a small number");
    let fd = listener.fd.as_raw_fd();
    // SAFETY: the pointer leads to an int.
    let done =
        checked(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, DETACH, (&raw const unused).cast(), size) });
    match done {
        // There is no program: so it should be.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        done => done.map(drop),
    }
}

#[cfg(test)]
mod tests;
