//! The one loop: what happened becomes an input, the machine answers with orders, the orders are carried out.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_model::hub::Secret;
use remuda_model::{
    Config, Event, EventKind, Record, Reply, RequestId, ResourceLimit, ServiceName, ServiceSpec, Tick,
    WorkerId,
};
use remuda_sys::clock;
use remuda_sys::event::{Poller, Signals};
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::boot::ConfigSource;
use crate::child::Child;
use crate::doors::Doors;
use crate::einhorn_server::EinhornServer;
use crate::fdstore::FdStore;
use crate::handle::{Command, Handle};
use crate::instance::InstanceFolder;
use crate::keeping::Keeping;
use crate::load::LoadMeter;
use crate::logs::capture::Capture;
use crate::manager::ServiceManager;
use crate::record::Entry;
use crate::record::journal::Journal;
use crate::resumption::Resumption;
use crate::schedule::Schedules;
use crate::socket_files::SocketFiles;
use crate::sockets::{Bound, SocketTable};
use crate::spawner::Launcher;
use crate::steering::Steering;
use crate::tasks::{Done, Tasks};
use crate::tracking::Tracking;
use crate::upgrade::Upgrade;
use crate::{EventLog, LogStore};

/// The arbiter with the world around it.
#[derive(Debug)]
pub struct Daemon {
    pub(crate) arbiter: Arbiter,
    /// Orders not carried out yet.
    pub(crate) orders: VecDeque<Order>,
    /// Workers that are ordered and wait for a trampoline to be free.
    pub(crate) spawns: VecDeque<Order>,
    /// Trampolines at work.
    pub(crate) spawning: usize,
    pub(crate) children: BTreeMap<WorkerId, Child>,
    pub(crate) poller: AsyncFd<Poller>,
    pub(crate) signals: Signals,
    pub(crate) sockets: SocketTable,
    pub(crate) doors: Option<Doors>,
    pub(crate) files: SocketFiles,
    pub(crate) steering: Steering,
    pub(crate) load: LoadMeter,
    /// Services whose sockets are watched for a connection.
    pub(crate) watched: BTreeMap<ServiceName, Vec<u64>>,
    pub(crate) capture: Capture,
    pub(crate) schedules: Schedules,
    pub(crate) tasks: Tasks,
    pub(crate) stored: FdStore,
    pub(crate) einhorn: EinhornServer,
    pub(crate) manager: ServiceManager,
    pub(crate) tracking: Tracking,
    pub(crate) launcher: Launcher,
    pub(crate) journal: Journal,
    pub(crate) keeping: Keeping,
    pub(crate) upgrade: Option<Upgrade>,
    /// The program that runs, by the path it was started from.
    pub(crate) program: PathBuf,
    /// A duplicate of the control socket, for a successor.
    pub(crate) control: UnixListener,
    pub(crate) config: Arc<Config>,
    /// The last spec of each service, those included that have left the config and are still stopping.
    pub(crate) specs: BTreeMap<ServiceName, Arc<ServiceSpec>>,
    pub(crate) source: ConfigSource,
    pub(crate) ours: BTreeMap<String, String>,
    /// The limit of descriptors we were started with: ours is higher, that of workers is not.
    pub(crate) nofile: ResourceLimit,
    pub(crate) folder: InstanceFolder,
    /// The secret of which the tokens for the hub are made, once it was needed.
    pub(crate) secret: Option<Secret>,
    /// What all gateway workers share, once it was needed. Another arbiter has another: it is for what may be lost.
    pub(crate) gateway_secret: Option<Secret>,
    /// The last line of the worker of each service that ended badly last, until it runs again.
    pub(crate) last_words: BTreeMap<ServiceName, String>,
    pub(crate) events: EventLog,
    pub(crate) logs: LogStore,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) answers: BTreeMap<RequestId, oneshot::Sender<Reply>>,
    pub(crate) next_request: u64,
    /// When the first arbiter of this line of them started.
    pub(crate) started: Tick,
    /// Signals TERM, INT and QUIT so far.
    pub(crate) asked_to_end: u32,
    pub(crate) exit: Option<i32>,
    /// What the first turn is to begin with.
    pub(crate) opening: Option<Opening>,
    /// Workers of a former arbiter without a trace, whose end is to be told to the machine.
    pub(crate) vanished: Vec<WorkerId>,
}

/// How a daemon begins.
#[derive(Debug)]
pub(crate) enum Opening {
    /// With sockets that were just bound.
    Anew(Vec<Arc<Bound>>),
    /// With what another one left.
    Again(Box<Resumption>),
}

/// What [`Daemon::start`] hands out: the loop, the way to it, and the control socket to serve.
#[derive(Debug)]
pub struct Started {
    /// To be [run](Daemon::run).
    pub daemon: Daemon,
    /// For surfaces.
    pub handle: Handle,
    /// Bound, mode 0600, non-blocking.
    pub control: UnixListener,
}

impl Daemon {
    /// Runs until everything is stopped; returns the exit code.
    ///
    /// # Cancel safety
    /// None: a dropped loop leaves its workers without an arbiter.
    pub async fn run(mut self) -> i32 {
        self.open();
        loop {
            // A successor comes when nothing of its predecessor is left.
            let more = self.tracking.kill_trees(&self.children) || (!self.is_going() && self.spawn_waiting());
            if self.exit.is_some() {
                return self.finish().await;
            }
            self.keep_up(more);
            self.try_to_go();
            self.wait(more).await;
            // Surfaces share this thread, and in a crowd of events the wait above never waits.
            tokio::task::yield_now().await;
        }
    }

    /// Waits for one cause and deals with it. With `more` to do it takes only what is there already.
    async fn wait(&mut self, more: bool) {
        let deadline = self.arbiter.deadline();
        let until = deadline.map(|deadline| deadline.since(clock::boottime()));
        let heartbeat = self.manager.next_heartbeat();
        let look = self.steering.next_look;
        let going = self.next_try_to_go();
        // Taken by chance, so that a source that never rests (a worker that floods its notify socket) starves none.
        tokio::select! {
            ready = self.poller.readable_mut() => match ready {
                Ok(mut ready) => {
                    let events: Vec<_> = match ready.get_inner_mut().wait(Some(Duration::ZERO)) {
                        Ok(events) => events.collect(),
                        Err(_) => Vec::new(),
                    };
                    if events.is_empty() {
                        ready.clear_ready();
                    }
                    for event in events {
                        self.happened(&event);
                    }
                }
                // The runtime is going down, and we with it.
                Err(_) => self.exit = Some(101),
            },
            () = pause(until.unwrap_or_default()), if until.is_some() => self.take(Input::Woke),
            command = self.commands.recv() => match command {
                Some(command) => self.command(command),
                // Nobody is left who could ask; signals still can.
                None => std::future::pending().await,
            },
            done = self.tasks.next() => match done {
                Done::Hook(id, outcome) => self.take(Input::HookDone { id, outcome }),
                Done::Ready(worker) => self.take(Input::Ready { worker }),
                Done::Preflight(found) => self.preflight_done(found),
            },
            () = self.capture.matched() => {
                for worker in self.capture.take_ready() {
                    self.take(Input::Ready { worker });
                }
            },
            () = self.capture.files().troubled() => self.tell_manager(),
            () = sleep_until(heartbeat.unwrap_or_else(Instant::now)), if heartbeat.is_some() => self.manager.alive(),
            () = sleep_until(look.unwrap_or_else(Instant::now)), if look.is_some() => self.look_at_drains(),
            () = sleep_until(going.unwrap_or_else(Instant::now)), if going.is_some() => {}
            () = std::future::ready(()), if more => {}
        }
    }

    /// Gives a fact to the machine and carries out what it orders, and what follows from that.
    pub(crate) fn take(&mut self, input: Input) {
        self.step(input);
        // An order can bring a fact at once (a spawn that fails); facts nest no deeper than this queue is long.
        while let Some(order) = self.orders.pop_front() {
            if let Some(input) = self.perform(order) {
                self.step(input);
            }
        }
        self.steer_sockets();
        self.tell_manager();
    }

    fn step(&mut self, input: Input) {
        let now = clock::boottime();
        self.note_fact(now, &input);
        let mut orders = Vec::new();
        self.arbiter.step(now, input, &mut orders);
        self.orders.extend(orders);
    }

    /// Everything is stopped: the last words go out, then the threads.
    async fn finish(mut self) -> i32 {
        while self.tracking.kill_trees(&self.children) {}
        self.end_keeping();
        // It has been killed if need be, and whatever else there is to say comes too late.
        let _ = self.launcher.finish();
        self.tasks.finish().await;
        let files = self.capture.files().clone();
        self.capture.finish();
        for message in files.take_troubles() {
            self.events.push(now_ms(), Event::instance(EventKind::Trouble { message }));
        }
        self.tracking.finish();
        self.exit.unwrap_or(0)
    }

    pub(crate) fn new_request(&mut self, answer: Option<oneshot::Sender<Reply>>) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        if let Some(answer) = answer {
            self.answers.insert(id, answer);
        }
        id
    }

    /// Appends an event to the stream.
    pub(crate) fn tell(&mut self, event: Event) {
        let time_ms = now_ms();
        let seq = self.events.push(time_ms, event.clone());
        self.journal.add(&Entry::Told(Cow::Owned(Record { seq, time_ms, event })));
    }

    pub(crate) fn trouble(&mut self, message: String) {
        self.tell(Event::instance(EventKind::Trouble { message }));
    }

    pub(crate) fn trouble_of(&mut self, worker: WorkerId, message: String) {
        let child = self.children.get(&worker);
        let event = Event {
            service: child.map(|child| child.spec.name.clone()),
            slot: child.map(|child| child.slot),
            worker: Some(worker),
            pid: child.map(|child| child.pid),
            generation: None,
            kind: EventKind::Trouble { message },
        };
        self.tell(event);
    }

    /// Gives every service room for its lines, and its file.
    pub(crate) fn open_logs(&self, config: &Config) {
        for (name, spec) in &config.services {
            self.logs.open(name, config.instance.log_memory);
            self.capture.files().open(name, spec.log.clone());
        }
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    u64::try_from(clock::realtime().as_millis()).unwrap_or(u64::MAX)
}

/// A pause of nothing is over at once, where the runtime's timer would take a millisecond.
async fn pause(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}
