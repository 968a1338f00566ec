//! Going on with the workers of an arbiter that is gone.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use remuda_arbiter::Input;
use remuda_model::{Event, EventKind, Signal, WorkerId, WorkerPhase};
use remuda_sys::event::Interest;
use remuda_sys::notify::NotifySocket;
use remuda_sys::process::{command_line, foreign_exit, send_signal};
use remuda_sys::spawn::{EXEC_WORD, SPAWNER_WORD};
use remuda_sys::{CallError, clock, memfd};

use crate::child::{Child, MainProcess, Notified};
use crate::daemon::Daemon;
use crate::fdstore::FdStore;
use crate::keeper::Keeper;
use crate::logs::Stream;
use crate::logs::capture::Writer;
use crate::record::{BegunLine, ChildRecord, StoredRecord, holding};
use crate::sockets::Bound;
use crate::source::Source;
use crate::succession::{Succession, Will};

/// Longest output that a keeper has read in our absence.
const SPILL_MAX_BYTES: usize = 1 << 30;

/// What is gone on with.
#[derive(Debug)]
pub(crate) struct Resumption {
    pub(crate) children: BTreeMap<WorkerId, ChildRecord>,
    pub(crate) stored: Vec<StoredRecord>,
    pub(crate) begun_lines: Vec<BegunLine>,
    /// Every socket that a worker may hold, by its number.
    pub(crate) sockets: BTreeMap<u64, Arc<Bound>>,
    pub(crate) descriptors: BTreeMap<String, OwnedFd>,
    pub(crate) dropped: BTreeMap<String, u64>,
    pub(crate) troubles: Vec<String>,
    pub(crate) how: How,
}

/// How it came that somebody else goes on.
#[derive(Debug)]
pub(crate) enum How {
    /// The arbiter was killed; for so long nobody was there.
    Crash(Option<Duration>),
    /// By an upgrade, or back from one.
    Upgrade(Box<Succession>),
}

impl Daemon {
    /// Takes the workers in, has what changed in the meantime found out, and goes on.
    pub(crate) fn resume(&mut self, mut resumption: Resumption) {
        let succession = match std::mem::replace(&mut resumption.how, How::Crash(None)) {
            How::Crash(alone) => Err(alone),
            How::Upgrade(succession) => Ok(*succession),
        };
        let how = succession.map(|succession| {
            let facts = (succession.will.clone(), succession.given_up.clone());
            succession.settle();
            facts
        });
        let keeper = keeper(how.as_ref().ok().map(|(will, _)| will), &mut resumption.descriptors);
        if let Err(error) = self.folder.make_notify_folder() {
            resumption.troubles.push(format!("make the folder of notify sockets: {error}"));
        }
        self.end_unknown(&mut resumption);
        let (mut lost, known) = (0_u32, std::mem::take(&mut resumption.children));
        for record in known.into_values() {
            // One that the machine has forgotten is not ours any more, dead or alive.
            match self.child(&record, &mut resumption) {
                Some(child) => {
                    lost += u32::from(foreign_exit(&child.pidfd).is_ok_and(|ended| ended.is_some()));
                    self.take_in(child, &record, &mut resumption);
                }
                None => self.lose(record.worker, &mut lost),
            }
        }
        let poller = self.poller.get_ref();
        let stored = std::mem::take(&mut resumption.stored);
        self.stored = FdStore::restore(poller, stored, &mut resumption.descriptors);
        let workers = u32::try_from(self.children.len()).unwrap_or(u32::MAX).saturating_sub(lost);
        let crashed = how.is_err();
        self.tell(Event::instance(told(how, workers, lost)));
        for trouble in resumption.troubles {
            self.trouble(trouble);
        }
        for (pipe, bytes) in resumption.dropped {
            self.trouble(format!("{bytes} bytes of {pipe} came while nobody was there and are lost"));
        }
        self.begin_record();
        match keeper {
            Some(keeper) => self.resume_keeper(keeper),
            None => self.start_keeper(),
        }
        // Who is told that we go on may kill us too. A keeper that came along has everything already.
        if crashed {
            self.sync_keeper();
        }
        self.sockets_changed();
        self.take(Input::Resumed);
        self.see_who_is_set_up();
        // What was changed while nobody was there to apply it.
        if crashed && self.plan().is_ok_and(|(_, plan)| !plan.is_empty()) {
            self.apply_config(None);
        }
    }

    /// Workers that were made in the last moment, of which nothing is written down, are ended: they serve nobody yet.
    fn end_unknown(&mut self, resumption: &mut Resumption) {
        let named: Vec<WorkerId> =
            resumption.descriptors.keys().filter_map(|name| holding::worker_of(name)).collect();
        for worker in named.into_iter().filter(|worker| !resumption.children.contains_key(worker)) {
            if let Some(pidfd) = resumption.descriptors.remove(&holding::pid(worker)) {
                // It may have ended by itself.
                let _ = send_signal(&pidfd, Signal::KILL);
            }
        }
        let known = |name: &str| {
            let number = name.parse().ok().map(WorkerId);
            number.is_some_and(|worker| resumption.children.contains_key(&worker))
        };
        let ended = self.tracking.end_survivors(known);
        if let Err(error) = ended {
            self.trouble(format!("end processes that a former arbiter left: {error}"));
        }
    }

    /// A worker of which no process can be found any more.
    fn lose(&mut self, worker: WorkerId, lost: &mut u32) {
        if self.arbiter.knows(worker) {
            *lost += 1;
            self.vanished.push(worker);
        }
    }

    fn child(&mut self, record: &ChildRecord, resumption: &mut Resumption) -> Option<Child> {
        let worker = record.worker;
        let standing = self.arbiter.standing(worker)?;
        let descriptors = &mut resumption.descriptors;
        let pidfd = descriptors.remove(&holding::pid(worker))?;
        let sockets: Vec<Arc<Bound>> =
            record.sockets.iter().filter_map(|id| resumption.sockets.get(id).cloned()).collect();
        let main = descriptors.remove(&holding::main(worker));
        let main = main.zip(standing.pid).map(|(pidfd, pid)| MainProcess { pid, pidfd });
        let notify = self.notify_socket(worker, descriptors.remove(&holding::notify(worker)));
        let notify = notify.map_err(|error| resumption.troubles.push(error.to_string())).ok();
        let cgroup = if record.cgroup { self.tracking.create(worker) } else { Ok(None) };
        let cgroup = cgroup.unwrap_or_else(|error| {
            resumption.troubles.push(format!("find the control group of worker {worker}: {error}"));
            None
        });
        Some(Child {
            id: worker,
            slot: standing.slot,
            generation: standing.generation,
            spec: standing.spec,
            pid: record.pid,
            pidfd,
            start_time: record.start_time,
            status: None,
            user: record.user,
            ended: false,
            main,
            notify,
            ready: descriptors.remove(&holding::ready(worker)),
            held: descriptors.remove(&holding::stdin(worker)),
            workers: record.workers,
            sockets,
            cgroup,
        })
    }

    /// The socket that was held, or, if its file is gone, another one where its worker looks for it.
    fn notify_socket(&self, worker: WorkerId, held: Option<OwnedFd>) -> Result<Notified, CallError> {
        let path = self.folder.notify_socket(worker.0);
        let socket = match held.filter(|_| path.exists()) {
            Some(fd) => NotifySocket::from(fd),
            None => {
                // A file without its socket is of no use to anybody.
                let _ = std::fs::remove_file(&path);
                NotifySocket::bind(&path)?
            }
        };
        Ok(Notified { socket, path })
    }

    fn take_in(&mut self, child: Child, record: &ChildRecord, resumption: &mut Resumption) {
        let worker = child.id;
        self.foresee(&child);
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Err(error) = self.take_output(&child, stream, resumption) {
                resumption.troubles.push(format!(
                    "read the {stream} of {} pid {}: {error}; it is lost",
                    child.spec.name, record.pid
                ));
            }
        }
        let poller = self.poller.get_ref();
        let watched = [
            Some(poller.add(&child.pidfd, Source::Exit(worker).token(), Interest::Read)),
            child
                .main
                .as_ref()
                .map(|main| poller.add(&main.pidfd, Source::MainExit(worker).token(), Interest::Read)),
            child
                .notify
                .as_ref()
                .map(|notify| poller.add(&notify.socket, Source::Notify(worker).token(), Interest::Read)),
            child
                .ready
                .as_ref()
                .map(|fd| poller.add(fd, Source::ReadyDescriptor(worker).token(), Interest::Read)),
        ];
        for error in watched.into_iter().flatten().filter_map(Result::err) {
            resumption.troubles.push(format!("watch worker {worker}: {error}"));
        }
        self.specs.entry(child.spec.name.clone()).or_insert_with(|| Arc::clone(&child.spec));
        self.children.insert(worker, child);
    }

    /// Goes on with a worker's output: first what it had begun, then what was read meanwhile, then its pipe.
    fn take_output(
        &mut self,
        child: &Child,
        stream: Stream,
        resumption: &mut Resumption,
    ) -> Result<(), CallError> {
        let worker = child.id;
        let mut before = Vec::new();
        let begun = |line: &&BegunLine| line.worker == worker && line.stream == stream;
        if let Some(line) = resumption.begun_lines.iter().find(begun) {
            before.extend_from_slice(&line.bytes);
        }
        if let Some(spill) = resumption.descriptors.remove(&holding::spill(worker, stream)) {
            before.extend(memfd::content(&spill, SPILL_MAX_BYTES)?);
        }
        let (service, slot, pid) = (child.spec.name.clone(), child.slot, child.pid);
        let writer = Writer { worker: Some(worker), service, slot, pid, stream };
        let line_max = self.config.instance.log_line_max;
        match resumption.descriptors.remove(&holding::log(worker, stream)) {
            Some(pipe) => self.capture.add_after(&before, pipe, writer, line_max),
            None => {
                self.capture.finish_output(&before, &writer, line_max);
                Ok(())
            }
        }
    }

    /// Workers whose set-up was under way: their trampoline's report went to nobody. Who is through runs; who is not
    /// is ended.
    fn see_who_is_set_up(&mut self) {
        for worker in std::mem::take(&mut self.vanished) {
            self.take(Input::Exited { worker, status: remuda_model::ExitStatus::Unknown });
        }
        let spawning: Vec<WorkerId> = self
            .children
            .keys()
            .filter(|worker| {
                let standing = self.arbiter.standing(**worker);
                standing.is_some_and(|standing| standing.phase == WorkerPhase::Spawning)
            })
            .copied()
            .collect();
        for worker in spawning {
            let Some(child) = self.children.get(&worker) else { continue };
            if is_trampoline(child.pid) {
                // Its end is seen like any other.
                let _ = send_signal(child.pidfd.as_fd(), Signal::KILL);
            } else {
                self.take(Input::Running { worker });
            }
        }
    }
}

/// The keeper that came along, if one did.
fn keeper(will: Option<&Will>, descriptors: &mut BTreeMap<String, OwnedFd>) -> Option<Keeper> {
    let link = descriptors.remove(holding::KEEPER_LINK);
    let pidfd = descriptors.remove(holding::KEEPER_PID);
    let (pid, (link, pidfd)) = will.and_then(|will| will.keeper).zip(link.zip(pidfd))?;
    Keeper::from_descriptors(pid, link, pidfd).ok()
}

/// What there is to say of it.
fn told(how: Result<(Will, Option<String>), Option<Duration>>, workers: u32, lost: u32) -> EventKind {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let version = crate::VERSION.to_owned();
    match how {
        Err(alone) => EventKind::InstanceResumed { version, workers, lost, alone_ms: alone.map(millis) },
        Ok((_, Some(reason))) => EventKind::UpgradeFailed { reason },
        Ok((will, None)) => EventKind::InstanceUpgraded {
            from: will.version,
            to: version,
            stall_ms: millis(clock::boottime().since(will.since)),
        },
    }
}

/// Whether a worker is still being set up; what the spawner starts looks like the spawner until then.
fn is_trampoline(pid: u32) -> bool {
    let is_ours = |word: &str| [EXEC_WORD, SPAWNER_WORD].contains(&word);
    command_line(pid).is_ok_and(|line| line.split(' ').nth(1).is_some_and(is_ours))
}
