//! The keeper: a second, tiny process that makes the arbiter's death an incident instead of an outage.
//!
//! It holds a duplicate of every descriptor that matters: listeners, the reading ends of workers' log pipes, notify
//! sockets, handles of the workers. While the arbiter lives the keeper only receives descriptors and lets them go. When
//! the arbiter dies without a [farewell](Keeper::farewell) the keeper is an *orphan*: it empties the log pipes, so that
//! no worker blocks or is killed for writing, and waits under an abstract socket name for the next arbiter
//! ([`Orphans`]), hands it everything, and ends. Nobody but its own user and root is let in, and it reads nothing from
//! any network.

mod drain;
mod error;
mod estate;
mod orphans;
mod outbox;
mod policy;
mod process;
mod protocol;
mod requests;
mod visitors;
mod workers;

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remuda_model::Signal;
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::socket::{Arrival, Link, LinkListener};
use remuda_sys::spawn::{EnvironmentValue, SpawnPlan, Spawned, StatusReport, read_status, spawn};
use remuda_sys::{CallError, process as processes, users};

pub use error::KeeperError;
pub use orphans::{Holdings, Orphans, Taken};
pub use policy::{OnCrash, Policy};
pub use process::run_keeper_if_asked;
pub use protocol::{Holding, State};

use outbox::{Outbox, Progress, WAITING_LIMIT, Waiting};
use protocol::{BATCH, Numbered, Order, Receipt, decode, encode, is_name};

/// First argument of an executable that is to serve as keeper.
pub const KEEP_WORD: &str = "__keep";

/// How long a keeper may take for what it has to do at once.
const PROMPT: Duration = Duration::from_secs(1);

/// The abstract name (without the NUL in front) of the keeper of the instance whose runtime folder is `runtime_dir`, an
/// absolute path: `remuda-keeper-UID-HASH`. Abstract names know no folders, so the hash (FNV-1a, 64 bits) keeps
/// instances of one user apart.
#[must_use]
pub fn keeper_name(runtime_dir: &Path) -> String {
    let hash =
        runtime_dir.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("remuda-keeper-{}-{hash:016x}", users::effective_user())
}

/// The arbiter's end of a living keeper. If it is dropped without [`farewell`](Self::farewell), the keeper takes that
/// for the arbiter's death.
///
/// Nothing here but [`spawn`](Self::spawn), [`sync`](Self::sync) and [`farewell`](Self::farewell) ever waits. Watch
/// [`link`](Self::link) for reading, and call [`flush`](Self::flush) when it is readable.
#[derive(Debug)]
pub struct Keeper {
    pid: u32,
    pidfd: OwnedFd,
    link: Link,
    outbox: Outbox,
}

impl Keeper {
    /// Starts `executable` (`/proc/self/exe`, or what calls [`run_keeper_if_asked`] and
    /// [`run_trampoline_if_asked`](remuda_sys::spawn::run_trampoline_if_asked) first in its `main`) as a keeper that
    /// will wait under `abstract_name`, and waits until it is ready, at most 2 s. It is our child: who reaps children
    /// has to know [its pid](Self::pid).
    ///
    /// # Errors
    /// The name is taken, or it cannot be started; no keeper is left behind.
    pub fn spawn(executable: &Path, abstract_name: &str) -> Result<Self, KeeperError> {
        let (link, theirs) = Link::pair()?;
        let listener = LinkListener::bind(abstract_name).map_err(KeeperError::Listen)?;
        let mut plan =
            SpawnPlan::new(vec![executable.into(), KEEP_WORD.into(), OsString::from(abstract_name)]);
        plan.trampoline = executable.into();
        plan.directory = Some(PathBuf::from("/"));
        // Nothing of ours is for it, but whoever looks at it should see whose it is.
        plan.environment = path();
        plan.passed = vec![theirs.as_fd(), listener.as_fd()];
        let Spawned { pid, pidfd, status } = spawn(&plan)?;
        drop(plan);
        drop((theirs, listener));
        let mut keeper = Self { pid, pidfd, link, outbox: Outbox::default() };
        match keeper.begin(&status) {
            Ok(()) => Ok(keeper),
            Err(error) => {
                keeper.kill();
                Err(error)
            }
        }
    }

    fn begin(&mut self, status: &OwnedFd) -> Result<(), KeeperError> {
        if !is_readable_within(status.as_fd(), PROMPT)? {
            return Err(KeeperError::Late { what: "start", limit: PROMPT });
        }
        if let Some(StatusReport::Failed { detail, .. }) = read_status(status)? {
            return Err(KeeperError::SetUp(detail));
        }
        match self.policy(Policy::default()).and_then(|()| self.sync()) {
            Err(KeeperError::Gone) => Err(KeeperError::SetUp("it ended at once".to_owned())),
            result => result,
        }
    }

    /// Takes over the ends of a keeper that came through `execve` ([`into_descriptors`](Self::into_descriptors)).
    ///
    /// # Errors
    /// `link` is no link.
    pub fn from_descriptors(pid: u32, link: OwnedFd, pidfd: OwnedFd) -> Result<Self, CallError> {
        Ok(Self { pid, pidfd, link: Link::from_owned(link)?, outbox: Outbox::default() })
    }

    /// Its link and its pidfd, to be carried through `execve`, when it has caught up with us. The keeper does not
    /// notice; dropped, the link is the arbiter's death.
    ///
    /// # Errors
    /// It did not catch up, as for [`sync`](Self::sync); it is killed then, for a closed link would make it an orphan.
    pub fn into_descriptors(mut self) -> Result<(OwnedFd, OwnedFd), KeeperError> {
        if let Err(error) = self.sync() {
            self.kill();
            return Err(error);
        }
        Ok((self.link.into(), self.pidfd))
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Readable when the keeper has ended.
    #[must_use]
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Readable when receipts wait, after which [`flush`](Self::flush) may send more, and when the keeper is gone.
    #[must_use]
    pub fn link(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }

    /// Has the keeper hold duplicates of descriptors, in place of those it held under the same names. What starts with
    /// `log/` is emptied when the keeper is an orphan, `pid/…` are workers it watches, everything else is only held.
    ///
    /// # Errors
    /// [`Overflow`](KeeperError::Overflow), [`Name`](KeeperError::Name): none of them is kept.
    /// [`Call`](KeeperError::Call): no descriptor left here for one that has to wait; the later ones are not kept.
    /// [`Gone`](KeeperError::Gone), [`Refused`](KeeperError::Refused): this keeper is of no use any more.
    pub fn keep<'fd, N: Into<String>>(
        &mut self,
        items: impl IntoIterator<Item = (N, BorrowedFd<'fd>)>,
    ) -> Result<(), KeeperError> {
        let items = items.into_iter().map(|(name, fd)| Ok((checked(name.into())?, fd)));
        let items = items.collect::<Result<Vec<_>, KeeperError>>()?;
        self.make_room(items.len())?;
        // Batch by batch, so that no more duplicates exist at a time than have to wait.
        for batch in items.chunks(BATCH) {
            let duplicate = |(name, fd): &(String, BorrowedFd<'fd>)| match fd.try_clone_to_owned() {
                Ok(duplicate) => Ok(Waiting::Keep(name.clone(), duplicate)),
                Err(error) => Err(CallError::new(format!("duplicate {name} for the keeper"), error)),
            };
            let orders = batch.iter().map(duplicate).collect::<Result<Vec<_>, CallError>>()?;
            self.outbox.add(orders);
            self.flush()?;
        }
        Ok(())
    }

    /// Has the keeper let go what it holds under these names, if it does.
    ///
    /// # Errors
    /// As for [`keep`](Self::keep).
    pub fn forget<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) -> Result<(), KeeperError> {
        let orders = names.into_iter().map(|name| checked(name.into()).map(Waiting::Forget));
        let orders = orders.collect::<Result<Vec<_>, KeeperError>>()?;
        self.order(orders)
    }

    /// Says what to do when it is left alone; [`Policy::default`] until then.
    ///
    /// # Errors
    /// As for [`keep`](Self::keep).
    pub fn policy(&mut self, policy: Policy) -> Result<(), KeeperError> {
        self.order(vec![Waiting::Policy(policy)])
    }

    fn order(&mut self, orders: Vec<Waiting>) -> Result<(), KeeperError> {
        self.make_room(orders.len())?;
        self.outbox.add(orders);
        self.flush()
    }

    fn make_room(&mut self, orders: usize) -> Result<(), KeeperError> {
        self.flush()?;
        let waiting = self.outbox.waiting();
        if waiting + orders > WAITING_LIMIT {
            return Err(KeeperError::Overflow { pid: self.pid, waiting });
        }
        Ok(())
    }

    /// Takes receipts, and sends what waits, as far as it goes without waiting.
    ///
    /// # Errors
    /// [`Gone`](KeeperError::Gone), [`Refused`](KeeperError::Refused): this keeper is of no use any more.
    pub fn flush(&mut self) -> Result<(), KeeperError> {
        while let Some(arrival) = self.link.receive_now()? {
            self.receipt(arrival)?;
        }
        match self.outbox.send(&self.link) {
            Ok(Progress::Fine) => Ok(()),
            Ok(Progress::Stuck) => Err(KeeperError::Refused {
                pid: self.pid,
                reason: "the kernel lets no descriptor pass".to_owned(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether orders wait here until the keeper has carried out earlier ones; they go when [`flush`](Self::flush) is
    /// called after [`link`](Self::link) became readable.
    #[must_use]
    pub fn wants_flush(&self) -> bool {
        self.outbox.waiting() > 0
    }

    /// Waits until the keeper has carried out everything, at most 1 s.
    ///
    /// # Errors
    /// As for [`flush`](Self::flush); [`Late`](KeeperError::Late): it goes on, and so can we.
    pub fn sync(&mut self) -> Result<(), KeeperError> {
        let deadline = Instant::now() + PROMPT;
        self.flush()?;
        while !self.outbox.is_settled() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || !is_readable_within(self.link.as_fd(), left)? {
                return Err(KeeperError::Late { what: "carry out its orders", limit: PROMPT });
            }
            self.flush()?;
        }
        Ok(())
    }

    fn receipt(&mut self, arrival: Arrival) -> Result<(), KeeperError> {
        let Arrival::Message { bytes, .. } = arrival else { return Err(KeeperError::Gone) };
        let receipt: Receipt = decode(&bytes).ok_or(KeeperError::Unclear)?;
        if let Some(number) = receipt.done {
            self.outbox.settle(number);
        }
        match receipt.refused {
            Some(reason) => Err(KeeperError::Refused { pid: self.pid, reason }),
            None => Ok(()),
        }
    }

    /// The orderly end: the keeper lets everything go and ends, without touching a worker. One that has not ended after
    /// 1 s is killed.
    ///
    /// # Errors
    /// It had to be killed, or could not be waited for.
    pub fn farewell(mut self) -> Result<(), KeeperError> {
        let message = encode(Numbered { number: u64::MAX, order: Order::Farewell });
        // A keeper that cannot be told has ended, or is killed.
        let _ = self.link.send(&message, &[], PROMPT);
        let ended = is_readable_within(self.pidfd.as_fd(), PROMPT)?;
        if !ended {
            self.kill();
            return Err(KeeperError::Late { what: "end (it was killed)", limit: PROMPT });
        }
        // Who reaps all children may have been faster.
        let _ = processes::reap(&self.pidfd);
        Ok(())
    }

    /// Kills it: its link would otherwise make it an orphan when it is closed.
    fn kill(&mut self) {
        // Whoever has ended or was reaped needs neither.
        let _ = processes::send_signal(&self.pidfd, Signal::KILL);
        if is_readable_within(self.pidfd.as_fd(), PROMPT).unwrap_or(false) {
            let _ = processes::reap(&self.pidfd);
        }
    }
}

/// Our own `PATH`, as an environment.
fn path() -> Vec<(OsString, EnvironmentValue)> {
    let path = std::env::var_os("PATH");
    path.map(|path| ("PATH".into(), EnvironmentValue::Text(path))).into_iter().collect()
}

fn checked(name: String) -> Result<String, KeeperError> {
    if is_name(&name) { Ok(name) } else { Err(KeeperError::Name(name)) }
}

fn is_readable_within(fd: BorrowedFd<'_>, limit: Duration) -> Result<bool, CallError> {
    let mut poller = Poller::new()?;
    poller.add(fd, Token(0), Interest::Read)?;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if poller.wait(Some(left))?.next().is_some() {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests;
