//! The spawner: a second, tiny process that starts programs in our name.
//!
//! A fork costs as much as the process that forks is big, so the arbiter, whose descriptors are many, starts its own
//! executable instead, and that costs two executions for each program. The spawner is our executable too, but it
//! stays: for every [`SpawnPlan`] it gets over a [`Link`] it makes a process that sets itself up as a trampoline does
//! and executes the program. Until then the two share one memory, and the spawner stands still; it has no other thread
//! that could mind. The new process is a child of the arbiter (`CLONE_PARENT`), like any other. It tells its pid
//! itself, as the first thing it does: so a program whose pid did not arrive never runs, whatever became of the
//! spawner.

mod answer;
mod process;
mod request;

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use remuda_model::{Session, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};

use super::launch::{SpawnError, Spawned, held, spawn};
use super::plan::{EnvironmentValue, SpawnPlan};
use crate::process as processes;
use crate::socket::{Arrival, Link, LinkError};
use crate::{CallError, errno};

pub use process::{SPAWNER_WORD, run_spawner_if_asked};

use answer::Answer;
use request::Request;

/// How long a spawner may take to answer, and to end.
const PROMPT: Duration = Duration::from_secs(1);

/// Why a spawner has started nothing. No process of the plan runs, or will.
#[derive(Debug, thiserror::Error)]
pub enum SpawnerError {
    /// Nobody could carry out the plan, or we could not send it.
    #[error(transparent)]
    Plan(#[from] SpawnError),
    /// It has more descriptors than one message carries, or too many are under way; [`spawn`] knows no such limit.
    #[error("the plan cannot be sent to the spawner: {0}")]
    Unfit(LinkError),
    /// The kernel did not let the spawner fork; [`spawn`] may still succeed.
    #[error("the spawner (pid {pid}) cannot fork: {}", errno::describe(*errno))]
    Refused {
        /// The spawner.
        pid: u32,
        /// The error number.
        errno: i32,
    },
    /// This spawner is of no use any more: it has ended, or it was late and has been killed.
    #[error("the spawner (pid {pid}) {how}")]
    Lost {
        /// The spawner.
        pid: u32,
        /// What became of it.
        how: String,
    },
}

/// The arbiter's end of a living spawner. Dropped, the spawner ends by itself, and waits to be reaped.
#[derive(Debug)]
pub struct Spawner {
    pid: u32,
    pidfd: OwnedFd,
    link: Link,
}

impl Spawner {
    /// Starts `executable` (`/proc/self/exe`, or what calls [`run_spawner_if_asked`] and
    /// [`run_trampoline_if_asked`](super::run_trampoline_if_asked) first in its `main`) as a spawner. Does not wait
    /// for it: the first plan does. It is our child: who reaps children has to know [its pid](Self::pid). What a plan
    /// leaves as ours (working directory, umask, limits, session) is as it is here and now.
    ///
    /// # Errors
    /// It cannot be started; nothing is left behind.
    pub fn start(executable: &Path) -> Result<Self, SpawnError> {
        let (link, theirs) = Link::pair().map_err(SpawnError::Prepare)?;
        let mut plan = SpawnPlan::new(vec![executable.into(), SPAWNER_WORD.into()]);
        plan.trampoline = executable.into();
        // Nothing of ours is for it, but whoever looks at it should see whose it is.
        plan.environment = path();
        plan.passed = vec![theirs.as_fd()];
        // Programs that do not lead a session of their own belong to ours, not to one of the spawner's.
        plan.session = Session::Inherit;
        let Spawned { pid, pidfd, .. } = spawn(&plan)?;
        Ok(Self { pid, pidfd, link })
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Readable when the spawner has ended.
    #[must_use]
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Like [`spawn`], but the spawner starts it, and the plan's trampoline is not needed. Waits until
    /// there is a process, at most 1 s.
    ///
    /// # Errors
    /// No process is left behind. After [`Lost`](SpawnerError::Lost) this spawner is of no use any more.
    pub fn spawn(&self, plan: &SpawnPlan<'_>) -> Result<Spawned, SpawnerError> {
        if plan.argv.first().is_none_or(|program| program.is_empty()) {
            return Err(SpawnError::NoProgram.into());
        }
        let status = crate::pipe::plain().map_err(SpawnError::Prepare)?;
        let sent =
            Request::of(plan, status.writer.as_fd()).map_err(SpawnError::Prepare)?.send(&self.link, PROMPT);
        drop(status.writer);
        match sent {
            Ok(()) => {}
            Err(LinkError::Gone) => return Err(self.lost("has ended")),
            Err(error @ LinkError::Late(_)) => return Err(self.give_up(&error)),
            Err(error) => return Err(SpawnerError::Unfit(error)),
        }
        let answer = match self.link.receive(PROMPT) {
            Ok(arrival) => self.understand(arrival)?,
            Err(error) => {
                let lost = self.give_up(&error);
                // Its last word may have come a moment ago, and then there is a process.
                match self.link.receive_now() {
                    Ok(Some(arrival @ Arrival::Message { .. })) => self.understand(arrival)?,
                    _ => return Err(lost),
                }
            }
        };
        match answer {
            Answer::Started(pid) => Ok(held(pid, status.reader)?),
            Answer::Refused(errno) => Err(SpawnerError::Refused { pid: self.pid, errno }),
        }
    }

    fn understand(&self, arrival: Arrival) -> Result<Answer, SpawnerError> {
        match arrival {
            Arrival::Message { bytes, .. } => {
                Answer::decode(&bytes).ok_or_else(|| self.lost("speaks another language"))
            }
            Arrival::Closed => Err(self.lost("has ended")),
        }
    }

    fn lost(&self, how: &str) -> SpawnerError {
        SpawnerError::Lost { pid: self.pid, how: how.to_owned() }
    }

    /// From here on nobody's pid arrives, so whoever has not told his never executes a program.
    fn give_up(&self, error: &LinkError) -> SpawnerError {
        // Who has ended needs neither.
        let _ = processes::send_signal(&self.pidfd, Signal::KILL);
        let _ = shutdown(&self.link, Shutdown::Read);
        self.lost(&format!("was killed: {error}"))
    }

    /// Has it end and reaps it. One that has not ended after 1 s is killed.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn finish(self) -> Result<(), CallError> {
        let Self { pidfd, link, .. } = self;
        drop(link);
        if !ends_within(&pidfd, PROMPT)? {
            // Who has ended needs no signal.
            let _ = processes::send_signal(&pidfd, Signal::KILL);
            ends_within(&pidfd, PROMPT)?;
        }
        // Who reaps all children may have been faster.
        let _ = processes::reap(&pidfd);
        Ok(())
    }
}

/// Our own `PATH`, as an environment.
fn path() -> Vec<(OsString, EnvironmentValue)> {
    let path = std::env::var_os("PATH");
    path.map(|path| ("PATH".into(), EnvironmentValue::Text(path))).into_iter().collect()
}

fn ends_within(pidfd: &OwnedFd, limit: Duration) -> Result<bool, CallError> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(CallError::new("wait for the end of the spawner", errno)),
        }
    }
}
