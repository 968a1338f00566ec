//! The one loop: what happened becomes an input, the machine answers with orders, the orders are carried out.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_model::{
    Config, Event, EventKind, Reply, RequestId, ResourceLimit, ServiceName, ServiceSpec, WorkerId,
};
use remuda_sys::CallError;
use remuda_sys::clock;
use remuda_sys::event::{Interest, Poller, Signals};
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::boot::{Boot, BootError, ConfigSource};
use crate::child::Child;
use crate::einhorn_server::EinhornServer;
use crate::fdstore::FdStore;
use crate::handle::{COMMANDS_WAITING, Command, Handle};
use crate::instance::InstanceFolder;
use crate::logs::capture::Capture;
use crate::logs::files::LogFiles;
use crate::manager::ServiceManager;
use crate::schedule::Schedules;
use crate::sockets::SocketTable;
use crate::source::Source;
use crate::steering::Steering;
use crate::tasks::{Done, Tasks};
use crate::tracking::Tracking;
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
    pub(crate) steering: Steering,
    /// Services whose sockets are watched for a connection.
    pub(crate) watched: BTreeMap<ServiceName, Vec<u64>>,
    pub(crate) capture: Capture,
    pub(crate) schedules: Schedules,
    pub(crate) tasks: Tasks,
    pub(crate) stored: FdStore,
    pub(crate) einhorn: EinhornServer,
    pub(crate) manager: ServiceManager,
    pub(crate) tracking: Tracking,
    pub(crate) config: Arc<Config>,
    /// The last spec of each service, those included that have left the config and are still stopping.
    pub(crate) specs: BTreeMap<ServiceName, Arc<ServiceSpec>>,
    pub(crate) source: ConfigSource,
    pub(crate) ours: BTreeMap<String, String>,
    /// The limit of descriptors we were started with: ours is higher, that of workers is not.
    pub(crate) nofile: ResourceLimit,
    pub(crate) folder: InstanceFolder,
    pub(crate) events: EventLog,
    pub(crate) logs: LogStore,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) answers: BTreeMap<RequestId, oneshot::Sender<Reply>>,
    pub(crate) next_request: u64,
    pub(crate) started_ms: u64,
    /// Signals TERM, INT and QUIT so far.
    pub(crate) asked_to_end: u32,
    pub(crate) exit: Option<i32>,
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
    /// Takes the instance's folder, binds its sockets and gets ready to run. Nothing is spawned yet.
    ///
    /// # Errors
    /// What was taken is let go; no process was started.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(boot: Boot) -> Result<Started, BootError> {
        let config = Arc::new(boot.loaded);
        let instance = &config.instance;
        let mut folder = InstanceFolder::take(&instance.runtime_dir, &instance.name)?;
        let mut sockets = SocketTable::new(boot.activation);
        let bound = sockets.bind_all(&config)?;
        if let Some(path) = &instance.pid_file {
            folder.write_pid(path).map_err(BootError::PidFile)?;
        }
        let control = crate::boot::bind_control(&folder.control_socket())?;
        let Watching { poller, signals, schedules, einhorn } = Watching::begin(&folder)?;
        remuda_sys::process::set_subreaper()?;
        let nofile = remuda_sys::limits::nofile();
        // What it is then shows when descriptors run out, with a message of its own.
        let _ = remuda_sys::limits::raise_nofile();
        let logs = LogStore::new();
        let files = LogFiles::start()
            .map_err(|error| CallError::new("start the thread that writes log files", error))?;
        let capture = Capture::start(logs.clone(), files)?;
        let (sender, commands) = mpsc::channel(COMMANDS_WAITING);
        let events = EventLog::new(instance.events_kept, 1);
        let handle = Handle { commands: sender, events: events.clone(), logs: logs.clone() };
        let mut daemon = Self {
            arbiter: Arbiter::new(boot.seed),
            orders: VecDeque::new(),
            spawns: VecDeque::new(),
            spawning: 0,
            children: BTreeMap::new(),
            poller,
            signals,
            sockets,
            steering: Steering::default(),
            watched: BTreeMap::new(),
            capture,
            schedules,
            tasks: Tasks::default(),
            stored: FdStore::default(),
            einhorn,
            manager: ServiceManager::from_env(&boot.environment),
            tracking: Tracking::detect(&config.instance),
            config: Arc::clone(&config),
            specs: config.services.clone(),
            source: boot.source,
            ours: boot.environment,
            nofile,
            folder,
            events,
            logs,
            commands,
            answers: BTreeMap::new(),
            next_request: 1,
            started_ms: clock::boottime().0,
            asked_to_end: 0,
            exit: None,
        };
        daemon.open_logs(&config);
        daemon.tell(Event::instance(EventKind::InstanceStarted { version: crate::VERSION.to_owned() }));
        for socket in bound {
            let (name, address) = (socket.name.clone(), socket.address());
            daemon.tell(Event::instance(EventKind::SocketBound { socket: name, address }));
        }
        Ok(Started { daemon, handle, control })
    }

    /// Runs until everything is stopped; returns the exit code.
    ///
    /// # Cancel safety
    /// None: a dropped loop leaves its workers without an arbiter.
    pub async fn run(mut self) -> i32 {
        self.take(Input::Boot(Box::new((*self.config).clone())));
        loop {
            let more = self.spawn_waiting();
            if self.exit.is_some() {
                return self.finish().await;
            }
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
            },
            () = self.capture.matched() => {
                for worker in self.capture.take_ready() {
                    self.take(Input::Ready { worker });
                }
            },
            () = sleep_until(heartbeat.unwrap_or_else(Instant::now)), if heartbeat.is_some() => self.manager.alive(),
            () = sleep_until(look.unwrap_or_else(Instant::now)), if look.is_some() => self.look_at_drains(),
            () = std::future::ready(()), if more => {}
        }
    }

    /// Gives a fact to the machine and carries out what it orders, and what follows from that.
    pub(crate) fn take(&mut self, input: Input) {
        let mut orders = Vec::new();
        self.arbiter.step(clock::boottime(), input, &mut orders);
        self.orders.extend(orders);
        // An order can bring a fact at once (a spawn that fails); facts nest no deeper than this queue is long.
        while let Some(order) = self.orders.pop_front() {
            if let Some(input) = self.perform(order) {
                let mut orders = Vec::new();
                self.arbiter.step(clock::boottime(), input, &mut orders);
                self.orders.extend(orders);
            }
        }
        self.steer_sockets();
        self.tell_manager();
    }

    /// Everything is stopped: the last words go out, then the threads.
    async fn finish(self) -> i32 {
        self.tasks.finish().await;
        self.capture.finish();
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
        let time_ms = u64::try_from(clock::realtime().as_millis()).unwrap_or(u64::MAX);
        self.events.push(time_ms, event);
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

/// The loop's standing sources, all watched by one poller.
struct Watching {
    poller: AsyncFd<Poller>,
    signals: Signals,
    schedules: Schedules,
    einhorn: EinhornServer,
}

impl Watching {
    fn begin(folder: &InstanceFolder) -> Result<Self, CallError> {
        let poller = Poller::new()?;
        let signals = Signals::new()?;
        poller.add(&signals, Source::Signals.token(), Interest::Read)?;
        let schedules = Schedules::new()?;
        poller.add(schedules.timer(), Source::WallClock.token(), Interest::Read)?;
        let einhorn = EinhornServer::bind(&folder.einhorn_socket())?;
        einhorn.watch(&poller)?;
        #[expect(
            deprecated,
            reason = "unsound only for types that change their descriptor, which a Poller does not"
        )]
        let poller = AsyncFd::new(poller).map_err(|error| CallError::new("watch the event poll", error))?;
        Ok(Self { poller, signals, schedules, einhorn })
    }
}

/// A pause of nothing is over at once, where the runtime's timer would take a millisecond.
async fn pause(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}
