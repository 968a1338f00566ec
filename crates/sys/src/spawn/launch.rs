//! The arbiter's half: start a trampoline and keep its handle.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use super::cgroup;
use super::code::Orders;
use super::plan::SpawnPlan;
use super::trampoline::EXEC_WORD;
use crate::{CallError, errno, memfd, pipe, process};

/// A started trampoline, soon the program.
#[derive(Debug)]
pub struct Spawned {
    /// Its pid, which stays the program's.
    pub pid: u32,
    /// The process; readable when it has ended.
    pub pidfd: OwnedFd,
    /// Readable when the trampoline is through; see [`read_status`](super::read_status). Non-blocking.
    pub status: OwnedFd,
}

/// Why no process was started; none is left behind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// The plan names no program.
    #[error("the command is empty: there is no program to start")]
    NoProgram,
    /// The trampoline's path has a NUL byte.
    #[error("the path of the trampoline contains a NUL byte")]
    Path,
    /// A preparation failed: no descriptors or no memory left.
    #[error("prepare to start a process: {0}")]
    Prepare(#[source] CallError),
    /// The process could not be started.
    #[error("start {program}: {}", errno::describe(*errno))]
    Start {
        /// The trampoline.
        program: String,
        /// The error number.
        errno: i32,
    },
    /// It was started and killed again, for we got no handle of it.
    #[error("get a handle of the started process (it was killed): {0}")]
    Handle(#[source] CallError),
}

/// Starts a process that will turn into the program of `plan`. Returns as soon as the trampoline runs; its success
/// or failure comes over [`Spawned::status`].
///
/// # Errors
/// No process is left behind; all but [`SpawnError::NoProgram`] and [`SpawnError::Path`] may pass.
pub fn spawn(plan: &SpawnPlan<'_>) -> Result<Spawned, SpawnError> {
    if plan.argv.first().is_none_or(|program| program.is_empty()) {
        return Err(SpawnError::NoProgram);
    }
    let program = CString::new(plan.trampoline.as_os_str().as_bytes()).ok().ok_or(SpawnError::Path)?;
    let status = pipe::plain().map_err(SpawnError::Prepare)?;
    if let Some(cgroup) = plan.cgroup {
        let mut orders = Orders::of(plan, status.writer.as_raw_fd());
        orders.cgroup_procs = None;
        let memory = memfd::with_content("remuda-plan", &orders.encode()).map_err(SpawnError::Prepare)?;
        let given = [status.writer.as_fd(), memory.as_fd()];
        if let Ok(pid) = cgroup::start(&program, memory.as_raw_fd(), &descriptors(plan, given), cgroup) {
            return held(pid, status.reader);
        }
        // A kernel before 5.7, or a filter that knows no clone3: the trampoline joins the group by itself.
    }
    let orders = Orders::of(plan, status.writer.as_raw_fd());
    let memory = memfd::with_content("remuda-plan", &orders.encode()).map_err(SpawnError::Prepare)?;

    let mut actions = FileActions::new().map_err(SpawnError::Prepare)?;
    for fd in descriptors(plan, [status.writer.as_fd(), memory.as_fd()]) {
        actions.keep(fd).map_err(SpawnError::Prepare)?;
    }
    let pid = start(&program, memory.as_raw_fd(), &actions)?;
    held(pid, status.reader)
}

/// What the trampoline inherits.
fn descriptors(plan: &SpawnPlan<'_>, ours: [BorrowedFd<'_>; 2]) -> Vec<RawFd> {
    let standard = [plan.stdin, plan.stdout, plan.stderr].into_iter().flatten();
    let given = standard.chain(plan.passed.iter().copied()).chain(plan.cgroup_procs).chain(ours);
    given.map(|fd| fd.as_raw_fd()).collect()
}

/// The process that was just started, which is our child and not reaped.
pub(super) fn held(pid: u32, status: OwnedFd) -> Result<Spawned, SpawnError> {
    match process::pidfd_open(pid) {
        Ok(pidfd) => Ok(Spawned { pid, pidfd, status }),
        Err(error) => {
            discard(pid);
            Err(SpawnError::Handle(error))
        }
    }
}

fn start(program: &CString, memory: RawFd, actions: &FileActions) -> Result<u32, SpawnError> {
    let failed = |errno| SpawnError::Start { program: program.to_string_lossy().into_owned(), errno };
    let word = CString::new(EXEC_WORD).expect("the word has no NUL byte");
    let number = CString::new(memory.to_string()).expect("digits have no NUL byte");
    let name = c"remuda";
    let argv = [
        name.as_ptr().cast_mut(),
        word.as_ptr().cast_mut(),
        number.as_ptr().cast_mut(),
        std::ptr::null_mut(),
    ];
    let environment = [std::ptr::null_mut()];
    let mut pid: libc::pid_t = 0;
    // SAFETY: both arrays end with null and hold strings that outlive the call; the actions are initialised.
    let errno = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            actions.0.as_ptr(),
            std::ptr::null(),
            argv.as_ptr(),
            environment.as_ptr(),
        )
    };
    if errno != 0 {
        return Err(failed(errno));
    }
    u32::try_from(pid).ok().ok_or_else(|| failed(0))
}

/// Kills and reaps a child of ours that has just been started, by its pid, which nobody else can have reaped.
pub(super) fn discard(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return };
    // Both can only fail if the child does not exist, and then there is nothing to discard.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
}

/// What posix_spawn does to the child's descriptors.
struct FileActions(MaybeUninit<libc::posix_spawn_file_actions_t>);

impl FileActions {
    fn new() -> Result<Self, CallError> {
        let mut actions = Self(MaybeUninit::zeroed());
        // SAFETY: a valid pointer to room for the actions.
        let errno = unsafe { libc::posix_spawn_file_actions_init(actions.0.as_mut_ptr()) };
        if errno == 0 { Ok(actions) } else { Err(refused(errno)) }
    }

    /// The child keeps `fd` under its number: a dup2 onto itself only clears close-on-exec (POSIX.1-2024), and since
    /// nothing moves, nothing can collide.
    fn keep(&mut self, fd: RawFd) -> Result<(), CallError> {
        // SAFETY: the actions are initialised.
        let errno = unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), fd, fd) };
        if errno == 0 { Ok(()) } else { Err(refused(errno)) }
    }
}

fn refused(errno: i32) -> CallError {
    CallError { attempt: "list the descriptors of a new process".into(), errno }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}
