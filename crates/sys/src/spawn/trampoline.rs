//! The other half: a fresh process that becomes the program.
//!
//! One thread, nothing inherited but what the plan names; so everything here is ordinary code.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::Mode;
use rustix::process::{chdir, setpgid, setpriority_process, setsid, umask};
use rustix::thread::{
    CpuSet, sched_setaffinity, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::code::Orders;
use super::descriptors;
use remuda_model::Session;

use super::plan::Credentials;
use super::program::{self, Legacy};
use super::stage::Stage;
use super::status::StageFailure;
use crate::failure::checked_long;
use crate::{limits, memfd};

/// First argument of an executable that is to serve as trampoline; the second is the plan's descriptor.
pub const EXEC_WORD: &str = "__exec";

/// Largest plan read, in bytes: more than execve takes in arguments and environment.
pub(super) const PLAN_LIMIT_BYTES: usize = 16 << 20;

/// Becomes the trampoline if the command line says so, and does not return then. Has to come first in `main`: before
/// a thread is started or a descriptor opened.
pub fn run_trampoline_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|word| word == EXEC_WORD) {
        run_trampoline(arguments.next().as_deref());
    }
}

/// Reads the plan from descriptor `plan`, sets this process up and executes the program. On failure the stage, the
/// error number and a sentence go to the status pipe, and the process exits with [`Stage::exit_code`].
pub fn run_trampoline(plan: Option<&OsStr>) -> ! {
    let failure = match read(plan) {
        Ok(orders) => set_up_and_execute(&orders, &Legacy::default()),
        Err(failure) => failure,
    };
    // SAFETY: ends the process; nothing is to be cleaned up in one that owns nothing.
    unsafe { libc::_exit(i32::from(failure.stage.exit_code())) }
}

fn read(plan: Option<&OsStr>) -> Result<Orders, StageFailure> {
    let invalid =
        || StageFailure::new(Stage::Plan, "read the plan", io::Error::from_raw_os_error(libc::EINVAL));
    let fd = plan.and_then(|text| text.to_str()?.parse().ok()).filter(|fd| *fd >= 0).ok_or_else(invalid)?;
    let memory = descriptors::inherited(fd);
    let bytes = memfd::content(&memory, PLAN_LIMIT_BYTES).ok().ok_or_else(invalid)?;
    Orders::decode(&bytes).ok_or_else(invalid)
}

/// Sets this process up and executes the program; returns only if that failed, when the failure has been told.
pub(super) fn set_up_and_execute(orders: &Orders, legacy: &Legacy) -> StageFailure {
    // SAFETY: the parent opened it for us; it stays open until the exec or the exit.
    let given = unsafe { BorrowedFd::borrow_raw(orders.status) };
    let arranged = |error| StageFailure::new(Stage::Descriptors, "arrange descriptors", error);
    // Its number may be one that the program gets, and a failure must not be told to somebody's socket.
    let status = match descriptors::out_of_the_way(orders.status, &orders.passed) {
        Ok(status) => status,
        Err(error) => return told(given, arranged(error)),
    };
    let set_up = before_descriptors(orders)
        .and_then(|()| descriptors::arrange(orders.standard, &orders.passed).map_err(arranged))
        .and_then(|()| after_descriptors(orders));
    let failure = match set_up {
        Ok(()) => program::execute(orders, legacy),
        Err(failure) => failure,
    };
    told(&status, failure)
}

fn told(status: impl AsFd, failure: StageFailure) -> StageFailure {
    // If even this fails, the exit code still names the stage.
    let _ = rustix::io::write(status, &failure.encode());
    failure
}

fn before_descriptors(orders: &Orders) -> Result<(), StageFailure> {
    let session = match orders.session {
        Session::New => setsid().map(|_| ()),
        Session::Group => setpgid(None, None),
        Session::Inherit => Ok(()),
    };
    session.map_err(|errno| StageFailure::new(Stage::Session, "lead an own session or group", errno))?;
    if let Some(procs) = orders.cgroup_procs {
        // SAFETY: the parent opened it for us under this number.
        let procs = unsafe { BorrowedFd::borrow_raw(procs) };
        rustix::io::write(procs, b"0")
            .map_err(|errno| StageFailure::new(Stage::Cgroup, "join the control group", errno))?;
    }
    if let Some(nice) = orders.nice {
        setpriority_process(None, nice)
            .map_err(|errno| StageFailure::new(Stage::Nice, &format!("set niceness {nice}"), errno))?;
    }
    if let Some(adjust) = orders.oom_score_adjust {
        fs::write("/proc/self/oom_score_adj", adjust.to_string()).map_err(|error| {
            StageFailure::new(Stage::OomScore, &format!("set oom_score_adj {adjust}"), error)
        })?;
    }
    if !orders.cpus.is_empty() {
        affinity(&orders.cpus)?;
    }
    if let Some(mask) = orders.umask {
        umask(Mode::from_raw_mode(mask & 0o777));
    }
    Ok(())
}

fn affinity(cpus: &[u32]) -> Result<(), StageFailure> {
    let attempt = format!("run on processors {cpus:?}");
    let mut set = CpuSet::new();
    for cpu in cpus {
        match usize::try_from(*cpu) {
            Ok(cpu) if cpu < CpuSet::MAX_CPU => set.set(cpu),
            _ => {
                let invalid = io::Error::from_raw_os_error(libc::EINVAL);
                return Err(StageFailure::new(Stage::Affinity, &attempt, invalid));
            }
        }
    }
    sched_setaffinity(None, &set).map_err(|errno| StageFailure::new(Stage::Affinity, &attempt, errno))
}

fn after_descriptors(orders: &Orders) -> Result<(), StageFailure> {
    for limit in &orders.limits {
        limits::apply(limit).map_err(|error| StageFailure {
            stage: Stage::Limits,
            errno: error.errno,
            detail: error.to_string(),
        })?;
    }
    if let Some(user) = &orders.user {
        become_user(user)?;
    }
    if let Some(directory) = &orders.directory {
        let attempt = || format!("enter directory {}", directory.to_string_lossy());
        chdir(directory).map_err(|errno| StageFailure::new(Stage::Directory, &attempt(), errno))?;
    }
    if orders.no_new_privileges {
        set_no_new_privs(true)
            .map_err(|errno| StageFailure::new(Stage::Privileges, "give up gaining privileges", errno))?;
    }
    reset_signals().map_err(|error| StageFailure::new(Stage::Signals, "reset signals", error))
}

fn become_user(user: &Credentials) -> Result<(), StageFailure> {
    // To the kernel this number means "as before": the program would silently run as ourselves.
    for (stage, id) in [(Stage::Groups, user.gid), (Stage::User, user.uid)] {
        if id == u32::MAX {
            let invalid = io::Error::from_raw_os_error(libc::EINVAL);
            return Err(StageFailure::new(stage, &format!("become number {id}"), invalid));
        }
    }
    let (uid, gid) = (rustix::process::Uid::from_raw(user.uid), rustix::process::Gid::from_raw(user.gid));
    let already = rustix::process::getuid() == uid
        && rustix::process::geteuid() == uid
        && rustix::process::getgid() == gid
        && rustix::process::getegid() == gid;
    let groups: Vec<_> = user.groups.iter().copied().map(rustix::process::Gid::from_raw).collect();
    match set_thread_groups(&groups) {
        Ok(()) => {}
        // Without privileges one can only stay who one is, with the groups one has.
        Err(rustix::io::Errno::PERM) if already => return Ok(()),
        Err(errno) => {
            return Err(StageFailure::new(Stage::Groups, &format!("set groups {:?}", user.groups), errno));
        }
    }
    set_thread_res_gid(gid, gid, gid)
        .map_err(|errno| StageFailure::new(Stage::Groups, &format!("become group {}", user.gid), errno))?;
    set_thread_res_uid(uid, uid, uid)
        .map_err(|errno| StageFailure::new(Stage::User, &format!("become user {}", user.uid), errno))
}

/// All dispositions to default, then the mask to empty: a signal that came meanwhile acts now, by default.
///
/// Asked of the kernel directly: the C library refuses to touch the two numbers it keeps for itself, and its
/// posix_spawn leaves exactly those ignored.
fn reset_signals() -> io::Result<()> {
    const MASK_BYTES: usize = 8;
    // Zeroes are SIG_DFL without flags on every architecture, and no kernel's structure is longer.
    let default = [0_u64; 8];
    let nothing = std::ptr::null_mut::<u64>();
    for signal in 1..=64 {
        // KILL and STOP refuse, and cannot be ignored either.
        // SAFETY: the kernel reads a sigaction from memory that is valid and longer; no handler is installed.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), nothing, MASK_BYTES) };
    }
    let empty = 0_u64;
    // SAFETY: the kernel reads a mask of the given size.
    let result = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const empty, nothing, MASK_BYTES)
    };
    checked_long(result).map(|_| ())
}
