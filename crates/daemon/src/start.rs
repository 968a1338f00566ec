//! The beginning of a daemon: anew, or where another one was.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use remuda_arbiter::Arbiter;
use remuda_model::{Config, Event, EventKind, ResourceLimit, Tick};
use remuda_sys::clock;
use remuda_sys::event::{Interest, Poller, Signals};
use remuda_sys::lock::Lock;
use remuda_sys::socket::Activation;
use remuda_sys::{CallError, limits, process};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use crate::boot::{Beginning, Boot, BootError, ConfigSource, bind_control};
use crate::daemon::{Daemon, Opening, Started};
use crate::einhorn_server::EinhornServer;
use crate::fdstore::FdStore;
use crate::handle::{COMMANDS_WAITING, Handle};
use crate::hub;
use crate::instance::{InstanceFolder, einhorn_socket};
use crate::keeping::Keeping;
use crate::load::LoadMeter;
use crate::logs::LogLine;
use crate::logs::capture::Capture;
use crate::logs::files::LogFiles;
use crate::manager::ServiceManager;
use crate::record::holding;
use crate::record::journal::{Journal, path_in};
use crate::record::replay::{Past, replay};
use crate::recovery::{self, Found};
use crate::resumption::{How, Resumption};
use crate::schedule::Schedules;
use crate::socket_files::SocketFiles;
use crate::sockets::SocketTable;
use crate::sockets::records::Returned;
use crate::source::Source;
use crate::spawner::Launcher;
use crate::steering::Steering;
use crate::succession::Succession;
use crate::tasks::Tasks;
use crate::tracking::Tracking;
use crate::{EventLog, LogStore};

/// What a daemon keeps of what it was started with.
#[derive(Debug)]
struct Context {
    source: ConfigSource,
    environment: BTreeMap<String, String>,
    /// The limit of descriptors before we raise it.
    nofile: ResourceLimit,
}

/// The control socket, for the surface that serves it and for a successor.
struct Control {
    served: UnixListener,
    kept: UnixListener,
}

impl Control {
    fn from(served: UnixListener) -> Result<Self, CallError> {
        let kept =
            served.try_clone().map_err(|error| CallError::new("duplicate the control socket", error))?;
        Ok(Self { served, kept })
    }
}

/// What differs between a daemon that begins and one that goes on.
#[derive(Debug)]
struct Begun {
    arbiter: Arbiter,
    config: Arc<Config>,
    sockets: SocketTable,
    events: EventLog,
    next_request: u64,
    started: Tick,
    opening: Opening,
    /// Lines of workers that are kept.
    lines: Vec<Arc<LogLine>>,
}

impl Daemon {
    /// Takes the instance's folder, and either binds its sockets, or takes over what an arbiter that was killed left:
    /// its sockets and workers, which have gone on meanwhile. Nothing is spawned yet.
    ///
    /// # Errors
    /// What was taken is let go; no process was started or ended.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(boot: Boot) -> Result<Started, BootError> {
        let Boot { beginning, source, environment, activation, seed } = boot;
        let context = Context { source, environment, nofile: limits::nofile() };
        match beginning {
            Beginning::Config(config) => Self::start_with(*config, activation, seed, context),
            Beginning::Succession(succession) => Self::succeed(*succession, context),
        }
    }

    fn start_with(
        config: Config,
        activation: Activation,
        seed: u64,
        context: Context,
    ) -> Result<Started, BootError> {
        let instance = &config.instance;
        let mut folder = InstanceFolder::take(&instance.runtime_dir, &instance.name)?;
        if let Some(path) = &instance.pid_file {
            folder.write_pid(path).map_err(BootError::PidFile)?;
        }
        let control = Control::from(bind_control(&folder.control_socket())?)?;
        let world = World::begin(&folder.einhorn_socket())?;
        // What is taken over has nobody else to hold it: nothing may fail from there on.
        let begun = match recovery::find(folder.path())? {
            Some(Found { past, descriptors, dropped, alone }) => {
                Begun::again(past, activation, descriptors, dropped, How::Crash(alone))
            }
            None => {
                folder.prepare()?;
                hub::furnish(&config)?;
                Begun::anew(config, activation, seed)?
            }
        };
        Ok(Self::assemble(context, folder, control, world, begun))
    }

    /// Until the very end nothing is made that would be undone if this failed: the way back must find all as it was.
    fn succeed(mut succession: Succession, mut context: Context) -> Result<Started, BootError> {
        let read = replay(&succession.record).map_err(|error| error.to_string()).and_then(|past| {
            let folder = &past.config.instance.runtime_dir;
            // Somebody may have taken it away.
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o711)
                .create(folder)
                .map_err(|error| format!("make the runtime folder {}: {error}", folder.display()))?;
            let einhorn = einhorn_socket(folder);
            World::begin(&einhorn).map(|world| (past, world)).map_err(|error| error.to_string())
        });
        let mut descriptors = std::mem::take(&mut succession.descriptors);
        let lacking = |what: &str| format!("the will lacks its {what}");
        let lock = descriptors.remove(holding::LOCK).ok_or_else(|| lacking("lock"));
        let control = descriptors.remove(holding::CONTROL).ok_or_else(|| lacking("control socket"));
        let control =
            control.and_then(|fd| Control::from(UnixListener::from(fd)).map_err(|error| error.to_string()));
        let made = read.and_then(|(past, world)| Ok((past, world, lock.map(Lock::from)?, control?)));
        let (past, world, lock, control) = match made {
            Ok(made) => made,
            Err(reason) => {
                succession.give_up(&reason);
                return Err(BootError::Succession(reason));
            }
        };
        context.nofile = succession.will.nofile.clone();
        let instance = &past.config.instance;
        let folder = InstanceFolder::inherited(&instance.runtime_dir, lock, instance.pid_file.clone());
        let how = How::Upgrade(Box::new(succession));
        let begun = Begun::again(past, Activation::default(), descriptors, BTreeMap::new(), how);
        Ok(Self::assemble(context, folder, control, world, begun))
    }

    fn assemble(
        context: Context,
        folder: InstanceFolder,
        control: Control,
        world: World,
        begun: Begun,
    ) -> Started {
        let Begun { arbiter, config, sockets, events, next_request, started, opening, lines } = begun;
        let World { poller, signals, schedules, einhorn, logs, capture } = world;
        let (sender, commands) = mpsc::channel(COMMANDS_WAITING);
        let handle = Handle { commands: sender, events: events.clone(), logs: logs.clone() };
        let program = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
        let Control { served, kept } = control;
        let daemon = Self {
            arbiter,
            orders: VecDeque::new(),
            spawns: VecDeque::new(),
            spawning: 0,
            children: BTreeMap::new(),
            poller,
            signals,
            sockets,
            doors: None,
            files: SocketFiles::default(),
            steering: Steering::default(),
            load: LoadMeter::default(),
            watched: BTreeMap::new(),
            capture,
            schedules,
            tasks: Tasks::default(),
            stored: FdStore::default(),
            einhorn,
            manager: ServiceManager::from_env(&context.environment),
            tracking: Tracking::detect(&config.instance),
            launcher: Launcher::default(),
            journal: Journal::new(path_in(folder.path())),
            keeping: Keeping::new(folder.path()),
            upgrade: None,
            program,
            control: kept,
            specs: config.services.clone(),
            config: Arc::clone(&config),
            source: context.source,
            ours: context.environment,
            nofile: context.nofile,
            folder,
            secret: None,
            gateway_secret: None,
            last_words: BTreeMap::new(),
            events,
            logs,
            commands,
            answers: BTreeMap::new(),
            next_request,
            started,
            asked_to_end: 0,
            exit: None,
            opening: Some(opening),
            vanished: Vec::new(),
        };
        daemon.open_logs(&config);
        daemon.logs.resume(lines);
        Started { daemon, handle, control: served }
    }

    /// The first turn: what begins or goes on is told, written down, and set going.
    pub(crate) fn open(&mut self) {
        match self.opening.take() {
            Some(Opening::Anew(bound)) => {
                // Who escaped from the workers of a former arbiter, when all of those have ended.
                if let Err(error) = self.tracking.end_survivors(|_| false) {
                    self.trouble(format!("end processes that a former arbiter left: {error}"));
                }
                self.start_spawner();
                self.tell(Event::instance(EventKind::InstanceStarted { version: crate::VERSION.to_owned() }));
                for socket in bound {
                    let (name, address) = (socket.name.clone(), socket.address());
                    self.tell(Event::instance(EventKind::SocketBound { socket: name, address }));
                }
                self.begin_record();
                self.start_keeper();
                self.take(remuda_arbiter::Input::Boot(Box::new((*self.config).clone())));
            }
            Some(Opening::Again(resumption)) => {
                self.resume(*resumption);
                self.start_spawner();
            }
            None => {}
        }
    }
}

impl Begun {
    fn anew(config: Config, activation: Activation, seed: u64) -> Result<Self, BootError> {
        let mut sockets = SocketTable::new(activation);
        let bound = sockets.bind_all(&config)?;
        Ok(Self {
            arbiter: Arbiter::new(seed),
            events: EventLog::new(config.instance.events_kept, 1),
            config: Arc::new(config),
            sockets,
            next_request: 1,
            started: clock::boottime(),
            opening: Opening::Anew(bound),
            lines: Vec::new(),
        })
    }

    fn again(
        past: Past,
        activation: Activation,
        mut descriptors: BTreeMap<String, OwnedFd>,
        dropped: BTreeMap<String, u64>,
        how: How,
    ) -> Self {
        let Returned { table, by_id, troubles } =
            SocketTable::restore(activation, &past.sockets, &mut descriptors);
        let events = EventLog::resume(past.config.instance.events_kept, past.events, past.next_event);
        let resumption = Resumption {
            children: past.children,
            stored: past.stored,
            begun_lines: past.begun_lines,
            sockets: by_id,
            descriptors,
            dropped,
            troubles,
            how,
        };
        Self {
            arbiter: past.arbiter,
            config: Arc::new(past.config),
            sockets: table,
            events,
            next_request: past.next_request,
            started: past.started,
            opening: Opening::Again(Box::new(resumption)),
            lines: past.lines,
        }
    }
}

/// What the loop stands on: its sources, all watched by one poller, and the threads of the logs.
struct World {
    poller: AsyncFd<Poller>,
    signals: Signals,
    schedules: Schedules,
    einhorn: EinhornServer,
    logs: LogStore,
    capture: Capture,
}

impl World {
    fn begin(einhorn: &Path) -> Result<Self, CallError> {
        let poller = Poller::new()?;
        let signals = Signals::new()?;
        poller.add(&signals, Source::Signals.token(), Interest::Read)?;
        let schedules = Schedules::new()?;
        poller.add(schedules.timer(), Source::WallClock.token(), Interest::Read)?;
        let einhorn = EinhornServer::bind(einhorn)?;
        einhorn.watch(&poller)?;
        #[expect(
            deprecated,
            reason = "unsound only for types that change their descriptor, which a Poller does not"
        )]
        let poller = AsyncFd::new(poller).map_err(|error| CallError::new("watch the event poll", error))?;
        process::set_subreaper()?;
        // What it is then shows when descriptors run out, with a message of its own.
        let _ = limits::raise_nofile();
        let logs = LogStore::new();
        let files = LogFiles::start()
            .map_err(|error| CallError::new("start the thread that writes log files", error))?;
        let capture = Capture::start(logs.clone(), files)?;
        Ok(Self { poller, signals, schedules, einhorn, logs, capture })
    }
}
