//! Children that are surely gone at the end of a test, and waits that surely end.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use remuda_model::{Balance, ExitStatus, Mode, Signal, SocketName, SocketOptions, SocketSpec};
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::spawn::{SpawnPlan, Spawned, Spawner, StatusReport, read_status, spawn};
use remuda_sys::{pipe, process};

/// No single wait takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A child that is killed and reaped when dropped.
pub(crate) struct Child(pub(crate) Spawned);

/// Children of all tests that share this process, for [`is_ours`].
static CHILDREN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn children() -> MutexGuard<'static, BTreeSet<u32>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a test that takes in orphans: in one process, two such tests would take each other's.
pub(crate) fn orphanage() -> MutexGuard<'static, ()> {
    static ORPHANAGE: Mutex<()> = Mutex::new(());
    let guard = ORPHANAGE.lock().unwrap_or_else(PoisonError::into_inner);
    process::set_subreaper().unwrap();
    guard
}

/// Whether some test started `pid`; knows it before anybody can ask.
pub(crate) fn is_ours(pid: u32) -> bool {
    children().contains(&pid)
}

/// The executable that serves as trampoline and as spawner.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_sys-trampoline");

thread_local! {
    /// Who starts the children of this thread's test, if not we ourselves.
    static SPAWNER: RefCell<Option<Spawner>> = const { RefCell::new(None) };
}

/// A spawner that other tests' reapers leave alone.
pub(crate) fn spawner() -> Spawner {
    let mut children = children();
    let spawner = Spawner::start(Path::new(EXECUTABLE)).unwrap();
    children.insert(spawner.pid());
    spawner
}

/// Runs a test whose children are started by a spawner, which must be alive afterwards.
pub(crate) fn through_spawner(test: impl FnOnce()) {
    SPAWNER.set(Some(spawner()));
    test();
    let spawner = SPAWNER.take().unwrap();
    assert_eq!(process::peek_exit(spawner.pidfd()), Ok(None));
    let pid = spawner.pid();
    spawner.finish().unwrap();
    children().remove(&pid);
}

impl Child {
    pub(crate) fn start(plan: &SpawnPlan<'_>) -> Self {
        let mut children = children();
        let spawned = SPAWNER.with_borrow(|spawner| match spawner {
            Some(spawner) => spawner.spawn(plan).unwrap(),
            None => spawn(plan).unwrap(),
        });
        let child = Self(spawned);
        children.insert(child.0.pid);
        child
    }

    /// Starts a plan and waits until its program runs.
    pub(crate) fn running(plan: &SpawnPlan<'_>) -> Self {
        let child = Self::start(plan);
        assert_eq!(child.report(), StatusReport::Execed);
        child
    }

    pub(crate) fn report(&self) -> StatusReport {
        wait_for(self.0.status.as_fd(), Interest::Read);
        read_status(&self.0.status).unwrap().expect("readable means that there is something")
    }

    pub(crate) fn wait(&self) -> ExitStatus {
        wait_for(self.0.pidfd.as_fd(), Interest::Read);
        process::peek_exit(&self.0.pidfd).unwrap().expect("readable means that it has ended")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = process::send_signal(&self.0.pidfd, Signal::KILL);
        if process::peek_exit(&self.0.pidfd).is_ok() {
            wait_for(self.0.pidfd.as_fd(), Interest::Read);
            process::reap(&self.0.pidfd).unwrap();
        }
        children().remove(&self.0.pid);
    }
}

/// Waits until there is news of `fd`, or fails the test. Empty answers are signals: of a process in which one test
/// blocks them, all threads see some.
pub(crate) fn wait_for(fd: BorrowedFd<'_>, interest: Interest) {
    let mut poller = Poller::new().unwrap();
    poller.add(fd, Token(0), interest).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while poller.wait(Some(deadline.saturating_duration_since(Instant::now()))).unwrap().count() == 0 {
        assert!(Instant::now() < deadline, "nothing came in time");
    }
}

pub(crate) fn plan<'fd>(argv: &[&str]) -> SpawnPlan<'fd> {
    SpawnPlan {
        trampoline: PathBuf::from(EXECUTABLE),
        ..SpawnPlan::new(argv.iter().map(OsString::from).collect())
    }
}

/// A child whose table of descriptors stands still: it has told so on its standard output, the pipe of `reader`. Of a
/// program that is only just executed the loader may have libraries open.
pub(crate) fn standing_still(plan: SpawnPlan<'_>, reader: BorrowedFd<'_>) -> Child {
    let argv = [env!("CARGO_BIN_EXE_sys-trampoline"), "stand-still"].map(OsString::from).to_vec();
    let child = Child::running(&SpawnPlan { argv, ..plan });
    wait_for(reader, Interest::Read);
    child
}

/// What a program prints, and how it ends.
pub(crate) fn run(plan: SpawnPlan<'_>) -> (String, ExitStatus) {
    let pipe::Pipe { reader, writer } = pipe::log().unwrap();
    let child = Child::start(&SpawnPlan { stdout: Some(writer.as_fd()), ..plan });
    assert_eq!(child.report(), StatusReport::Execed);
    let status = child.wait();
    drop(writer);
    (read_all(reader.as_fd()), status)
}

/// Everything that is written to a pipe until nobody can write any more.
pub(crate) fn read_all(reader: BorrowedFd<'_>) -> String {
    let mut text = Vec::new();
    loop {
        wait_for(reader, Interest::Read);
        let mut part = [0_u8; 4096];
        match rustix::io::read(reader, &mut part).unwrap() {
            0 => return String::from_utf8(text).unwrap(),
            length => text.extend(&part[..length]),
        }
    }
}

/// The failure of a plan that must fail.
pub(crate) fn refused(plan: &SpawnPlan<'_>) -> (remuda_model::SpawnFailure, ExitStatus) {
    let child = Child::start(plan);
    let failure = child.report().failure().expect("it must not be executed");
    (failure, child.wait())
}

pub(crate) fn spec(listen: &str) -> SocketSpec {
    SocketSpec {
        name: SocketName::new("web").unwrap(),
        listen: listen.parse().unwrap(),
        mode: Mode::Shared,
        balance: Balance::Hash,
        options: SocketOptions::default(),
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
