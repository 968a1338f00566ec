//! What descriptors tell, as facts for the machine.

use remuda_arbiter::Input;
use remuda_model::{
    Event, EventKind, ExitStatus, NotifyAccess, NotifyMessage, Request, ServiceName, Signal, WorkerId,
};
use remuda_sys::event::{Interest, Readiness};
use remuda_sys::notify::{Datagram, NotifyField, parse};
use remuda_sys::process::{foreign_exit, peek_exit, pidfd_open, reap, reap_strangers};
use remuda_sys::spawn::{StatusReport, read_status};

use crate::child::MainProcess;
use crate::daemon::Daemon;
use crate::source::Source;

/// Datagrams taken from one worker in its turn.
const DATAGRAMS_PER_TURN: usize = 32;

impl Daemon {
    /// One descriptor has news.
    pub(crate) fn happened(&mut self, news: &Readiness) {
        let Some(source) = Source::of(news.token) else { return };
        match source {
            Source::Signals => self.signals_came(),
            Source::WallClock => match self.schedules.rung() {
                Ok(due) => due.into_iter().for_each(|service| self.take(Input::Due { service })),
                Err(error) => self.trouble(format!("read the wall clock's timer: {error}")),
            },
            Source::Status(worker) => self.trampoline_reports(worker),
            Source::Exit(worker) => self.first_process_ended(worker),
            Source::MainExit(worker) => self.main_process_ended(worker),
            Source::Notify(worker) => self.notified(worker),
            Source::ReadyDescriptor(worker) => self.ready_descriptor(worker),
            Source::Demand(socket) => self.demanded(socket),
            Source::Einhorn => self.einhorn.accept(self.poller.get_ref()),
            Source::EinhornClient(client) => {
                let (user, acked) = self.einhorn.read(self.poller.get_ref(), client);
                for pid in acked {
                    self.acknowledged(pid, user);
                }
            }
            Source::Stored(number) => self.stored.hung_up(self.poller.get_ref(), number),
            Source::Doors => self.doors_closed(),
            Source::Files => self.files_changed(),
            Source::KeeperExit => self.keeper_ended(),
            Source::SpawnerExit => self.spawner_ended(),
            Source::KeeperLink => self.keeper_speaks(),
        }
    }

    fn signals_came(&mut self) {
        loop {
            match self.signals.take() {
                Ok(Some(received)) => self.signalled(received.signal),
                Ok(None) => return,
                Err(error) => return self.trouble(format!("read signals: {error}")),
            }
        }
    }

    fn signalled(&mut self, signal: Signal) {
        match signal.to_string().as_str() {
            "CHLD" => self.reap_strangers(),
            "TERM" | "INT" | "QUIT" => {
                self.asked_to_end += 1;
                self.heard(signal, if self.asked_to_end == 1 { "stop" } else { "stop at once" });
                if self.asked_to_end == 1 {
                    let id = self.new_request(None);
                    self.take(Input::Request { id, request: Request::Shutdown });
                } else {
                    self.take(Input::KillAll);
                }
            }
            "HUP" => {
                self.heard(signal, "apply the config");
                self.apply_config(None);
            }
            "USR1" => {
                self.heard(signal, "reopen log files");
                self.capture.files().reopen();
            }
            "USR2" => self.upgrade(None, &format!("signal {signal}"), None),
            "TTIN" => self.scale_by_signal(signal, 1),
            "TTOU" => self.scale_by_signal(signal, -1),
            _ => {}
        }
    }

    fn heard(&mut self, signal: Signal, request: &str) {
        let (request, by) = (request.to_owned(), format!("signal {signal}"));
        self.tell(Event::instance(EventKind::Requested { request, by }));
    }

    fn scale_by_signal(&mut self, signal: Signal, by: i64) {
        let Some(service) = self.scaled_service() else {
            return self.trouble(format!(
                "{signal}: no service has a socket; name one as scale_on_signal in [remuda]"
            ));
        };
        let wanted = i64::from(self.arbiter.workers_wanted(&service));
        let to = u32::try_from((wanted + by).max(1)).unwrap_or(u32::MAX);
        // There is nobody to whom a refusal could be told.
        let bounds = self.config.services.get(&service).and_then(|spec| spec.scaling);
        let to = bounds.map_or(to, |bounds| to.clamp(bounds.min, bounds.max));
        self.heard(signal, &format!("scale {service} to {to}"));
        let id = self.new_request(None);
        self.take(Input::Request { id, request: Request::Scale { service, to } });
    }

    fn scaled_service(&self) -> Option<ServiceName> {
        let services = &self.config.services;
        let only = services.keys().next().filter(|_| services.len() == 1);
        let first = services.values().find(|spec| !spec.sockets.is_empty()).map(|spec| &spec.name);
        self.config.instance.scale_on_signal.as_ref().or(only).or(first).cloned()
    }

    /// Orphans of workers end up with us, and as PID 1 everybody's do.
    fn reap_strangers(&mut self) {
        let helpers = self.tasks.helpers().clone();
        let children = self.children.values().flat_map(|child| [child.pid, child.main_pid()]);
        let children: std::collections::BTreeSet<u32> = children
            .chain(self.tracking.unburied())
            .chain(self.keeping.pid())
            .chain(self.launcher.pid())
            .collect();
        if let Err(error) = reap_strangers(|pid| children.contains(&pid) || helpers.contains(pid)) {
            self.trouble(format!("reap processes that are nobody's: {error}"));
        }
    }

    fn trampoline_reports(&mut self, worker: WorkerId) {
        let Some(child) = self.children.get_mut(&worker) else { return };
        let Some(status) = &child.status else { return };
        let report = match read_status(status) {
            Ok(Some(report)) => report,
            Ok(None) => return,
            Err(error) => return self.trouble_of(worker, error.to_string()),
        };
        if let Some(status) = child.status.take() {
            let _ = self.poller.get_ref().remove(&status);
            self.spawning -= 1;
        }
        match report {
            StatusReport::Execed => self.take(Input::Running { worker }),
            StatusReport::Failed { .. } => {
                if let Some(failure) = report.failure() {
                    self.take(Input::SetupFailed { worker, failure });
                }
            }
        }
    }

    fn first_process_ended(&mut self, worker: WorkerId) {
        let Some(child) = self.children.get(&worker) else { return };
        let status = match peek_exit(&child.pidfd) {
            Ok(Some(status)) => status,
            Ok(None) => return,
            // Another arbiter spawned it: somebody else is its parent now, and reaps it.
            Err(_) => match foreign_exit(&child.pidfd) {
                Ok(Some(status)) => status,
                Ok(None) | Err(_) => return,
            },
        };
        let _ = self.poller.get_ref().remove(&child.pidfd);
        if child.main.is_some() {
            // It has handed over to another process, whose end is the worker's.
            let _ = reap(&child.pidfd);
            return;
        }
        self.ended(worker, status);
    }

    fn main_process_ended(&mut self, worker: WorkerId) {
        let Some(main) = self.children.get(&worker).and_then(|child| child.main.as_ref()) else { return };
        let status = match peek_exit(&main.pidfd) {
            Ok(Some(status)) => status,
            Ok(None) => return,
            // Its own parent lives and reaps it.
            Err(_) => foreign_exit(&main.pidfd).ok().flatten().unwrap_or(ExitStatus::Unknown),
        };
        let _ = self.poller.get_ref().remove(&main.pidfd);
        let _ = reap(&main.pidfd);
        self.ended(worker, status);
    }

    fn ended(&mut self, worker: WorkerId, status: ExitStatus) {
        // What it said before it ended comes before its end.
        self.trampoline_reports(worker);
        self.notified(worker);
        self.capture.last_words(worker);
        self.look_at_files_of(worker);
        if let Some(child) = self.children.get_mut(&worker)
            && !std::mem::replace(&mut child.ended, true)
        {
            if child.spec.kind.gateway().is_some() {
                self.folder.remove_figures(&child.spec.name, worker);
            }
            self.take(Input::Exited { worker, status });
        }
    }

    fn demanded(&mut self, socket: u64) {
        let wanting = self.watched.iter().filter(|(_, sockets)| sockets.contains(&socket));
        let services: Vec<ServiceName> = wanting.map(|(service, _)| service.clone()).collect();
        for service in services {
            self.unwatch(&service);
            self.take(Input::Demand { service });
        }
    }

    fn ready_descriptor(&mut self, worker: WorkerId) {
        if let Some(ready) = self.children.get_mut(&worker).and_then(|child| child.ready.take()) {
            let _ = self.poller.get_ref().remove(&ready);
            // A newline says ready (s6); an end without one says it too: the program closed it when it was done.
            self.take(Input::Ready { worker });
        }
    }

    fn acknowledged(&mut self, pid: u32, user: u32) {
        let of_pid = self.children.values().find(|child| child.main_pid() == pid || child.pid == pid);
        let of_pid = of_pid.filter(|child| child.trusts(user));
        if let Some(worker) = of_pid.map(|child| child.id) {
            self.take(Input::Notify { worker, message: NotifyMessage::Ready });
        }
    }

    fn notified(&mut self, worker: WorkerId) {
        for _ in 0..DATAGRAMS_PER_TURN {
            let Some(notify) = self.children.get(&worker).and_then(|child| child.notify.as_ref()) else {
                return;
            };
            match notify.socket.receive() {
                Ok(Some(datagram)) => self.datagram(worker, datagram),
                Ok(None) => return,
                Err(error) => return self.trouble_of(worker, error.to_string()),
            }
        }
    }

    fn datagram(&mut self, worker: WorkerId, datagram: Datagram) {
        let Some(child) = self.children.get(&worker) else { return };
        let Datagram { sender, text, descriptors } = datagram;
        if child.spec.notify_access == NotifyAccess::Main && sender.pid != child.main_pid() {
            let message =
                format!("pid {} spoke on its notify socket and is not its main process", sender.pid);
            return self.trouble_of(worker, message);
        }
        if !child.trusts(sender.uid) {
            let message = format!("uid {} spoke on its notify socket and is a stranger", sender.uid);
            return self.trouble_of(worker, message);
        }
        let fields = parse(&text);
        let name = fields.iter().find_map(|field| match field {
            NotifyField::DescriptorName(name) => Some(name.clone()),
            _ => None,
        });
        let name = name.unwrap_or_else(|| "stored".to_owned());
        let polled = !fields.contains(&NotifyField::DescriptorsUnwatched);
        let mut descriptors = Some(descriptors);
        for field in fields {
            match field {
                NotifyField::StoreDescriptors => {
                    self.store(worker, &name, polled, descriptors.take().unwrap_or_default());
                }
                NotifyField::RemoveDescriptors => {
                    if let Some(child) = self.children.get(&worker) {
                        self.stored.remove(self.poller.get_ref(), &child.spec.name, child.slot, &name);
                    }
                }
                NotifyField::MainPid(pid) => self.main_pid(worker, pid),
                // What came with it is closed when `descriptors` is dropped: that is the answer to a barrier.
                NotifyField::Barrier => {}
                // With `ready = "notify"` only is it the worker's word that counts.
                NotifyField::Ready => {
                    if let Some(message) =
                        NotifyField::Ready.message().filter(|_| self.listens_for_ready(worker))
                    {
                        self.take(Input::Notify { worker, message });
                    }
                }
                other => {
                    if let Some(message) = other.message() {
                        self.take(Input::Notify { worker, message });
                    }
                }
            }
        }
    }

    fn listens_for_ready(&self, worker: WorkerId) -> bool {
        let ready = self.children.get(&worker).map(|child| &child.spec.ready);
        matches!(ready, Some(remuda_model::Readiness::Notify | remuda_model::Readiness::Ack))
    }

    fn store(&mut self, worker: WorkerId, name: &str, polled: bool, descriptors: Vec<std::os::fd::OwnedFd>) {
        let Some(child) = self.children.get(&worker) else { return };
        let place = (&child.spec.name, child.slot, child.spec.fd_store);
        let refused = self.stored.store(self.poller.get_ref(), place, name, polled, descriptors);
        if refused > 0 {
            let limit = child.spec.fd_store;
            self.trouble_of(
                worker,
                format!("{refused} descriptors not stored: fd_store allows {limit} for its slot"),
            );
        }
    }

    /// Another process of its tree is its main one from now on.
    fn main_pid(&mut self, worker: WorkerId, pid: u32) {
        let Some(child) = self.children.get_mut(&worker) else { return };
        if pid == child.main_pid() {
            return;
        }
        if !child.pids().contains(&pid) {
            return self.trouble_of(
                worker,
                format!("it says its main process is {pid}, which is not one of its own"),
            );
        }
        let poller = self.poller.get_ref();
        if let Some(before) = child.main.take() {
            let _ = poller.remove(&before.pidfd);
        }
        if pid != child.pid {
            match pidfd_open(pid) {
                Ok(pidfd) => {
                    let _ = poller.add(&pidfd, Source::MainExit(worker).token(), Interest::Read);
                    child.main = Some(MainProcess { pid, pidfd });
                }
                Err(error) => return self.trouble_of(worker, format!("watch its main process: {error}")),
            }
        }
        self.keep_main(worker);
        self.take(Input::MainPid { worker, pid });
    }
}
