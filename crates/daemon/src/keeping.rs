//! What outlives us if we are killed: the record is written, and the keeper holds every descriptor it tells of.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use remuda_arbiter::Input;
use remuda_model::{InstanceSpec, WorkerId};
use remuda_sys::event::{Interest, Poller};
use remuda_sys::process::reap;

use crate::child::Child;
use crate::daemon::Daemon;
use crate::keeper::{Keeper, KeeperError, OnCrash, Policy, keeper_name};
use crate::logs::Stream;
use crate::record::journal::encode;
use crate::record::{Entry, Picture, holding};
use crate::source::Source;

/// A keeper that ends sooner after its start is not replaced: something ends every one.
const KEEPER_MIN_LIFE: Duration = Duration::from_secs(1);
/// Beyond the longest stop of a service, what workers have to end after `on_crash = "stop"`.
const GRACE_SLACK: Duration = Duration::from_secs(5);

/// The keeper, while there is one.
#[derive(Debug)]
pub(crate) struct Keeping {
    name: String,
    keeper: Option<Keeper>,
    since: Instant,
    /// The listeners it holds: their names and cookies.
    listeners: BTreeMap<String, u64>,
    /// Parked descriptors it holds.
    stored: Vec<String>,
}

impl Keeping {
    pub(crate) fn new(folder: &Path) -> Self {
        let (listeners, stored) = (BTreeMap::new(), Vec::new());
        Self { name: keeper_name(folder), keeper: None, since: Instant::now(), listeners, stored }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.keeper.as_ref().map(Keeper::pid)
    }

    /// Calls `each` with what leads to the keeper.
    pub(crate) fn each_descriptor(&self, each: &mut impl FnMut(String, BorrowedFd<'_>)) {
        if let Some(keeper) = &self.keeper {
            each(holding::KEEPER_LINK.to_owned(), keeper.link());
            each(holding::KEEPER_PID.to_owned(), keeper.pidfd());
        }
    }

    fn start(&mut self, poller: &Poller) -> Result<(), KeeperError> {
        // The program that runs, whatever lies at its path by now.
        let keeper = Keeper::spawn(Path::new("/proc/self/exe"), &self.name)?;
        poller.add(keeper.pidfd(), Source::KeeperExit.token(), Interest::Read)?;
        poller.add(keeper.link(), Source::KeeperLink.token(), Interest::Read)?;
        (self.keeper, self.since) = (Some(keeper), Instant::now());
        self.listeners.clear();
        self.stored.clear();
        Ok(())
    }

    fn keep<'fd>(
        &mut self,
        items: impl IntoIterator<Item = (String, BorrowedFd<'fd>)>,
    ) -> Result<(), KeeperError> {
        self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.keep(items))
    }

    /// Has the keeper let go of listeners, and waits until it has.
    pub(crate) fn release(&mut self, names: Vec<String>) -> Result<(), KeeperError> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        for name in &names {
            self.listeners.remove(name);
        }
        keeper.forget(names)?;
        keeper.sync()
    }

    fn forget(&mut self, names: Vec<String>) -> Result<(), KeeperError> {
        match &mut self.keeper {
            Some(keeper) if !names.is_empty() => keeper.forget(names),
            Some(_) | None => Ok(()),
        }
    }
}

/// What a keeper is to do when we are gone.
fn policy(instance: &InstanceSpec, longest_stop: Duration) -> Policy {
    let on_crash = match instance.on_crash {
        remuda_model::OnCrash::Keep => OnCrash::Keep,
        remuda_model::OnCrash::Stop => OnCrash::Stop,
    };
    let grace = instance.stop_timeout.unwrap_or(longest_stop + GRACE_SLACK);
    Policy { on_crash, grace, ..Policy::default() }
}

impl Daemon {
    /// Starts a keeper and gives it everything. As the first process of a container we need none: nobody outlives us.
    pub(crate) fn start_keeper(&mut self) {
        if std::process::id() == 1 {
            return;
        }
        let started = self.keeping.start(self.poller.get_ref());
        if let Err(error) = started.and_then(|()| self.keep_all()) {
            self.lose_keeper(&error);
        }
    }

    /// Takes over a keeper that came through `execve`.
    pub(crate) fn resume_keeper(&mut self, keeper: Keeper) {
        let poller = self.poller.get_ref();
        let watched = poller
            .add(keeper.pidfd(), Source::KeeperExit.token(), Interest::Read)
            .and_then(|()| poller.add(keeper.link(), Source::KeeperLink.token(), Interest::Read));
        self.keeping.keeper = Some(keeper);
        if let Err(error) = watched.map_err(KeeperError::from).and_then(|()| self.keep_all()) {
            self.lose_keeper(&error);
        }
    }

    fn keep_all(&mut self) -> Result<(), KeeperError> {
        self.tell_policy()?;
        if let Some(record) = self.journal.held() {
            self.keeping.keep([(holding::RECORD.to_owned(), record)])?;
        }
        let mut failed = None;
        let keeping = &mut self.keeping;
        self.capture.each_pipe(|worker, stream, fd| {
            failed = failed.take().or(keeping.keep([(holding::log(worker, stream), fd)]).err());
        });
        if let Some(error) = failed {
            return Err(error);
        }
        for child in self.children.values() {
            keeping.keep(descriptors(child))?;
        }
        self.keep_listeners()?;
        self.keep_stored()
    }

    fn tell_policy(&mut self) -> Result<(), KeeperError> {
        let longest = self.specs.values().map(|spec| spec.stop.timeout).max().unwrap_or_default();
        let policy = policy(&self.config.instance, longest);
        self.keeping.keeper.as_mut().map_or(Ok(()), |keeper| keeper.policy(policy))
    }

    fn keep_listeners(&mut self) -> Result<(), KeeperError> {
        let keeping = &mut self.keeping;
        let (mut now, mut failed) = (BTreeMap::new(), None);
        self.sockets.each_listener(|name, cookie, fd| {
            if keeping.listeners.get(&name) != Some(&cookie) {
                failed = failed.take().or(keeping.keep([(name.clone(), fd)]).err());
            }
            now.insert(name, cookie);
        });
        let gone = keeping.listeners.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        keeping.listeners = now;
        keeping.forget(gone)?;
        failed.map_or(Ok(()), Err)
    }

    fn keep_stored(&mut self) -> Result<(), KeeperError> {
        let mut now = Vec::new();
        for (record, fd) in self.stored.records() {
            let name = holding::stored(record.number);
            if !self.keeping.stored.contains(&name) {
                self.keeping.keep([(name.clone(), fd)])?;
            }
            now.push(name);
        }
        let gone = self.keeping.stored.iter().filter(|name| !now.contains(name)).cloned().collect();
        self.keeping.stored = now;
        self.keeping.forget(gone)
    }

    /// A worker has a process: it is written down, and what it needs is held.
    pub(crate) fn keep_child(&mut self, child: &Child, outputs: [(Stream, BorrowedFd<'_>); 2]) {
        self.journal.add(&Entry::Hatched(child.record()));
        let logs = outputs.map(|(stream, fd)| (holding::log(child.id, stream), fd));
        let kept = self.keeping.keep(descriptors(child).chain(logs));
        self.mind_keeper(kept);
    }

    /// Another process is a worker's main one.
    pub(crate) fn keep_main(&mut self, worker: WorkerId) {
        let main = self.children.get(&worker).and_then(|child| child.main.as_ref());
        let kept = match main {
            Some(main) => self.keeping.keep([(holding::main(worker), main.pidfd.as_fd())]),
            None => self.keeping.forget(vec![holding::main(worker)]),
        };
        self.mind_keeper(kept);
    }

    /// A worker is buried.
    pub(crate) fn forget_child(&mut self, worker: WorkerId) {
        let forgotten = self.keeping.forget(holding::of_worker(worker));
        self.mind_keeper(forgotten);
    }

    /// Writes down and has held what has changed in this turn of the loop.
    pub(crate) fn keep_up(&mut self) {
        if self.sockets.take_changed() {
            self.journal.add(&Entry::Sockets(self.sockets.records()));
            let kept = self.keep_listeners();
            self.mind_keeper(kept);
        }
        if self.stored.take_changed() {
            self.journal.add(&Entry::Stored(self.stored.records().map(|(record, _)| record).collect()));
            let kept = self.keep_stored();
            self.mind_keeper(kept);
        }
        if self.journal.is_long() {
            self.begin_record();
        }
        if let Some(error) = self.journal.take_failure() {
            self.trouble(format!("{error}; after a crash of remuda nobody could go on with its workers"));
        }
    }

    /// The config in force, and with it what the keeper is to do, has changed.
    pub(crate) fn policy_changed(&mut self) {
        let told = self.tell_policy();
        self.mind_keeper(told);
    }

    /// All there is to go on with.
    pub(crate) fn picture(&self) -> Picture<'_> {
        Picture {
            arbiter: self.arbiter.snapshot(),
            config: Cow::Borrowed(&*self.config),
            children: self.children.values().map(Child::record).collect(),
            sockets: self.sockets.records(),
            stored: self.stored.records().map(|(record, _)| record).collect(),
            events: self.events.kept(),
            next_event: self.events.newest() + 1,
            next_request: self.next_request,
            started: self.started,
            begun_lines: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Begins the record anew.
    pub(crate) fn begin_record(&mut self) {
        let picture = encode(&self.config.instance.name, self.picture());
        self.journal.begin(picture);
        if let Some(record) = self.journal.held() {
            let kept = self.keeping.keep([(holding::RECORD.to_owned(), record)]);
            self.mind_keeper(kept);
        }
    }

    /// The machine is given a fact: it is written down first.
    pub(crate) fn note_fact(&mut self, at: remuda_model::Tick, input: &Input) {
        self.journal.add(&Entry::Step { at, input: Cow::Borrowed(input) });
    }

    pub(crate) fn keeper_speaks(&mut self) {
        let flushed = self.keeping.keeper.as_mut().map_or(Ok(()), Keeper::flush);
        self.mind_keeper(flushed);
    }

    /// Waits until the keeper has carried out everything.
    pub(crate) fn sync_keeper(&mut self) {
        let synced = self.keeping.keeper.as_mut().map_or(Ok(()), Keeper::sync);
        self.mind_keeper(synced);
    }

    pub(crate) fn keeper_ended(&mut self) {
        if let Some(keeper) = &self.keeping.keeper {
            // It may have been taken already.
            let _ = reap(keeper.pidfd());
            self.lose_keeper(&KeeperError::Gone);
        }
    }

    pub(crate) fn mind_keeper(&mut self, done: Result<(), KeeperError>) {
        if let Err(error) = done {
            self.lose_keeper(&error);
        }
    }

    /// This keeper is of no use any more: another one gets everything.
    fn lose_keeper(&mut self, error: &KeeperError) {
        let lost = self.keeping.keeper.take();
        let had = lost.is_some();
        if let Some(keeper) = lost {
            let poller = self.poller.get_ref();
            for fd in [keeper.pidfd(), keeper.link()] {
                let _ = poller.remove(fd);
            }
            // One that does not leave by itself is killed; what it held, we hold.
            let _ = keeper.farewell();
        }
        let again = had && self.keeping.since.elapsed() >= KEEPER_MIN_LIFE;
        let then =
            if again { "another one is started" } else { "a crash of remuda would end its workers' output" };
        self.trouble(format!("{error}; {then}"));
        if again {
            self.start_keeper();
        }
    }

    /// All is stopped in good order.
    pub(crate) fn end_keeping(&mut self) {
        if let Some(keeper) = self.keeping.keeper.take() {
            // One that does not leave is killed, and nobody is left who could need it.
            let _ = keeper.farewell();
        }
        self.journal.end();
        self.folder.remove_notify_folder();
    }
}

/// Everything of a worker that is held, but its pipes.
pub(crate) fn descriptors(child: &Child) -> impl Iterator<Item = (String, BorrowedFd<'_>)> {
    let main = child.main.as_ref().map(|main| (holding::main(child.id), main.pidfd.as_fd()));
    let notify = child.notify.as_ref().map(|notify| (holding::notify(child.id), notify.socket.as_fd()));
    let ready = child.ready.as_ref().map(|fd| (holding::ready(child.id), fd.as_fd()));
    let stdin = child.held.as_ref().map(|fd| (holding::stdin(child.id), fd.as_fd()));
    let pid = (holding::pid(child.id), child.pidfd.as_fd());
    [Some(pid), main, notify, ready, stdin].into_iter().flatten()
}
