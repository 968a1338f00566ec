//! Carrying out orders.

use std::os::fd::AsFd;

use remuda_arbiter::{Input, Order};
use remuda_model::{Event, EventKind, ServiceName, Signal, StopScope, WorkerId};
use remuda_sys::CallError;
use remuda_sys::cgroup::WorkerCgroup;
use remuda_sys::event::Interest;
use remuda_sys::process::{pidfd_open, reap, send_signal, signal_group};

use crate::child::Child;
use crate::daemon::Daemon;
use crate::gateway::Seat;
use crate::logs::Stream;
use crate::logs::capture::Writer;
use crate::source::Source;
use crate::spawner::{Hatched, Newcomer, Workshop};

/// Trampolines at work at once: enough to keep every processor busy, few enough that the loop stays quick.
const SPAWNING_MAX: usize = 16;
/// Last lines of a worker that go into its exit event.
const LAST_LINES: usize = 20;

impl Daemon {
    /// Carries out one order; a fact it brings at once is returned.
    pub(crate) fn perform(&mut self, order: Order) -> Option<Input> {
        match order {
            Order::Spawn { .. } => self.spawns.push_back(order),
            Order::Refuse { service } => self.refuse_newcomers(&service),
            Order::Probe { worker } => return self.probe(worker),
            Order::StopProbe { worker } => {
                self.tasks.stop_probe(worker);
                if let Some(service) = self.children.get(&worker).map(|child| child.spec.name.clone()) {
                    self.slots_changed(&service);
                }
                self.capture.unwatch(worker);
            }
            Order::Signal { worker, signal, scope } => self.signal(worker, signal, scope),
            Order::Kill { worker } => return self.kill(worker),
            Order::Bury { worker } => self.bury(worker),
            Order::RunHook { call, hook } => self.run_hook(call, hook),
            Order::Watch { service } => self.watch(&service),
            Order::Unwatch { service } => self.unwatch(&service),
            Order::CountConnections { service } => {
                let count = self.count_connections(&service);
                return Some(Input::Connections { service, count });
            }
            Order::Measure { service } => return self.measure(service),
            Order::Steer { service, slot, away } => self.steer(&service, slot, away),
            Order::Drain { service, slot } => return self.drain(service, slot),
            Order::Arm { service } => self.arm(&service),
            Order::Disarm { service } => {
                if let Err(error) = self.schedules.disarm(&service) {
                    self.trouble(format!("forget the next run of {service}: {error}"));
                }
            }
            Order::Forget { service } => {
                self.stored.forget(self.poller.get_ref(), &service);
                self.specs.remove(&service);
                self.logs.close(&service);
                self.capture.files().open(&service, None);
                let _ = self.schedules.disarm(&service);
            }
            Order::Tell(event) => self.tell_order(event),
            Order::Reply { id, reply } => {
                if let Some(answer) = self.answers.remove(&id) {
                    // An asker that has gone away loses its answer.
                    let _ = answer.send(reply);
                }
            }
            Order::Exit { code } => self.exit = Some(code),
        }
        None
    }

    /// Starts an ordered worker, if a trampoline is free. Says whether one more could be started at once.
    pub(crate) fn spawn_waiting(&mut self) -> bool {
        if self.spawning >= SPAWNING_MAX {
            return false;
        }
        let arbiter = &self.arbiter;
        // The order of a worker that was given up meanwhile is void.
        let wanted = |order: &Order| matches!(order, Order::Spawn { worker, .. } if arbiter.knows(*worker));
        let order = std::iter::from_fn(|| self.spawns.pop_front()).find(wanted);
        let Some(Order::Spawn { worker, slot, generation, workers, spec }) = order else { return false };
        let share = match self.share_of(&spec, &Seat { worker, slot, generation }) {
            Ok(share) => share,
            Err(failure) => {
                self.take(Input::NotSpawned { worker, failure });
                return !self.spawns.is_empty();
            }
        };
        let stored = self.stored.of_slot(&spec.name, slot).collect();
        let newcomer = Newcomer { worker, slot, generation, workers, spec: &spec, stored };
        let mut workshop = Workshop {
            folder: &self.folder,
            sockets: &self.sockets,
            tracking: &self.tracking,
            launcher: &mut self.launcher,
            ours: &self.ours,
            nofile: &self.nofile,
            share,
        };
        let hatched = workshop.spawn(newcomer);
        self.mind_spawner();
        match hatched {
            Ok(hatched) => self.adopt(hatched),
            Err(failure) => self.take(Input::NotSpawned { worker, failure }),
        }
        self.spawning < SPAWNING_MAX && !self.spawns.is_empty()
    }

    /// Takes in a new process.
    fn adopt(&mut self, hatched: Hatched) {
        let Hatched { child, stdout, stderr, refusals } = hatched;
        let (worker, pid) = (child.id, child.pid);
        let service = child.spec.name.clone();
        let line_max = self.config.instance.log_line_max;
        self.foresee(&child);
        self.keep_child(&child, [(Stream::Stdout, stdout.as_fd()), (Stream::Stderr, stderr.as_fd())]);
        for (fd, stream) in [(stdout, Stream::Stdout), (stderr, Stream::Stderr)] {
            let writer =
                Writer { worker: Some(worker), service: service.clone(), slot: child.slot, pid, stream };
            if let Err(error) = self.capture.add(fd, writer, line_max) {
                self.trouble(format!("read the output of {service} pid {pid}: {error}; it is lost"));
            }
        }
        let poller = self.poller.get_ref();
        let watched = [
            child.status.as_ref().map(|fd| poller.add(fd, Source::Status(worker).token(), Interest::Read)),
            Some(poller.add(&child.pidfd, Source::Exit(worker).token(), Interest::Read)),
            child
                .notify
                .as_ref()
                .map(|n| poller.add(&n.socket, Source::Notify(worker).token(), Interest::Read)),
            child
                .ready
                .as_ref()
                .map(|fd| poller.add(fd, Source::ReadyDescriptor(worker).token(), Interest::Read)),
        ];
        self.children.insert(worker, child);
        self.spawning += 1;
        for error in watched.into_iter().flatten().filter_map(Result::err) {
            self.trouble_of(worker, format!("watch it: {error}"));
        }
        for refusal in refusals {
            self.trouble_of(
                worker,
                format!(
                    "limit its {} to {}: {}; it runs without",
                    refusal.limit, refusal.value, refusal.reason
                ),
            );
        }
        self.take(Input::Spawned { worker, pid });
    }

    fn signal(&mut self, worker: WorkerId, signal: Signal, scope: StopScope) {
        let Some(child) = self.children.get(&worker) else { return };
        let sent = match scope {
            StopScope::Main => send_signal(child.main_pidfd(), signal),
            // The session's leader is not reaped yet, so its number is still its group's.
            StopScope::Group => signal_group(child.pid, signal),
            StopScope::Tree => {
                for pid in child.pids() {
                    // Whoever is gone needs no signal.
                    drop(pidfd_open(pid).and_then(|pidfd| send_signal(&pidfd, signal)));
                }
                Ok(())
            }
        };
        // A worker that has just ended takes no signal; its exit is on its way.
        if let Err(error) =
            sent.or_else(|error| if error.errno == NO_SUCH_PROCESS { Ok(()) } else { Err(error) })
        {
            self.trouble_of(worker, format!("send it {signal}: {error}"));
        }
    }

    fn kill(&mut self, worker: WorkerId) -> Option<Input> {
        let Some(child) = self.children.get(&worker) else {
            // It waits for a trampoline: there is nothing to kill.
            let known = self.arbiter.knows(worker);
            return known.then_some(Input::Exited { worker, status: remuda_model::ExitStatus::Unknown });
        };
        match &child.cgroup {
            Some(cgroup) => {
                if let Err(error) = kill_group(child, cgroup) {
                    self.trouble_of(worker, format!("kill it: {error}"));
                }
            }
            None => self.tracking.condemn(worker),
        }
        None
    }

    fn bury(&mut self, worker: WorkerId) {
        self.tasks.stop_probe(worker);
        self.capture.unwatch(worker);
        let Some(mut child) = self.children.remove(&worker) else { return };
        self.forget_child(worker);
        let poller = self.poller.get_ref();
        if let Some(status) = child.status.take() {
            let _ = poller.remove(&status);
            self.spawning -= 1;
        }
        let poller = self.poller.get_ref();
        // Every descriptor but the store's is ours alone: closing it ends its watch. The pidfd was removed at exit.
        if let Some(notify) = &child.notify {
            let _ = poller.remove(&notify.socket);
        }
        if let Some(ready) = &child.ready {
            let _ = poller.remove(ready);
        }
        if let Some(main) = &child.main {
            let _ = poller.remove(&main.pidfd);
        }
        self.slots_changed(&child.spec.name);
        let Some(group) = child.cgroup.take() else { return self.tracking.lay_out(child) };
        let killed = kill_group(&child, &group);
        // Its end was seen, so it can be taken; if it was taken already, nobody needs it.
        let _ = reap(&child.pidfd);
        match killed {
            Ok(()) => self.tracking.bury(group),
            Err(error) => self.trouble(format!("kill what {} left behind: {error}", child.spec.name)),
        }
    }

    fn watch(&mut self, service: &ServiceName) {
        self.unwatch(service);
        let Some(spec) = self.config.services.get(service) else { return };
        let bound: Vec<_> = spec.sockets.iter().filter_map(|name| self.sockets.get(name).cloned()).collect();
        let mut failed = None;
        for socket in &bound {
            let (poller, token) = (self.poller.get_ref(), Source::Demand(socket.id).token());
            socket.each(|listener| {
                failed = poller.add(listener, token, Interest::Read).err().or(failed.take());
            });
        }
        self.watched.insert(service.clone(), bound.iter().map(|socket| socket.id).collect());
        if let Some(error) = failed {
            self.trouble(format!("watch the sockets of {service}: {error}"));
        }
    }

    pub(crate) fn unwatch(&mut self, service: &ServiceName) {
        if self.watched.remove(service).is_none() {
            return;
        }
        let Some(spec) = self.config.services.get(service) else { return };
        for socket in spec.sockets.iter().filter_map(|name| self.sockets.get(name)) {
            socket.each(|listener| {
                // It may be watched no more because it was replaced.
                let _ = self.poller.get_ref().remove(listener);
            });
        }
    }

    fn count_connections(&self, service: &ServiceName) -> u32 {
        let Some(spec) = self.config.services.get(service) else { return 0 };
        spec.sockets.iter().filter_map(|name| self.sockets.get(name)).map(|socket| socket.connections()).sum()
    }

    fn arm(&mut self, service: &ServiceName) {
        let schedule = self.config.services.get(service).and_then(|spec| spec.schedule.clone());
        let armed = schedule.map_or(Ok(()), |schedule| self.schedules.arm(service, &schedule));
        if let Err(error) = armed {
            self.trouble(format!("await the next run of {service}: {error}; it will not run"));
        }
    }

    /// An event of the machine, with what only the shell knows.
    fn tell_order(&mut self, mut event: Event) {
        let tail = match (&event.service, event.pid) {
            (Some(service), Some(pid)) => self.logs.tail(service, pid, LAST_LINES),
            (Some(_) | None, _) => Vec::new(),
        };
        match &mut event.kind {
            EventKind::Scaled { .. } => {
                if let Some(service) = &event.service {
                    self.slots_changed(service);
                }
            }
            EventKind::WorkerExited { last_lines, expected: false, .. } => {
                if let (Some(service), Some(line)) =
                    (&event.service, tail.iter().rfind(|line| !line.is_empty()))
                {
                    self.last_words.insert(service.clone(), line.clone());
                }
                *last_lines = tail;
            }
            EventKind::ServiceRunning | EventKind::Recovered => {
                if let Some(service) = &event.service {
                    self.last_words.remove(service);
                }
            }
            EventKind::ReloadFailed { last_lines, reason, .. } => {
                let pid = reason.split("pid ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
                let of = event.service.as_ref().zip(pid);
                *last_lines =
                    of.map(|(service, pid)| self.logs.tail(service, pid, LAST_LINES)).unwrap_or_default();
            }
            _ => {}
        }
        self.tell(event);
    }
}

/// `ESRCH`.
const NO_SUCH_PROCESS: i32 = 3;

/// Kills a worker's processes through their control group.
fn kill_group(child: &Child, group: &WorkerCgroup) -> Result<(), CallError> {
    if let Some(main) = &child.main {
        // Gone is what it should be.
        drop(send_signal(&main.pidfd, Signal::KILL));
    }
    group.kill()
}
