//! A gateway's life: its listeners, its one loop, and a good end.
//!
//! The sockets are those the arbiter passed. Ready is who accepts. Asked to end, it lets go of its listeners first, so
//! that new connections go to its successor, and then lets those it has come to their end.

mod door;

use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use remuda_model::gateway::{GatewaySettings, figures_socket};
use remuda_toolkit::daemon::AnyError;
use remuda_toolkit::logging::Logger;
use remuda_toolkit::notify::NotifyError;
use remuda_toolkit::watchdog::Pulse;
use remuda_toolkit::{Daemon, DaemonError, Notifier, Quit, Watchdog};
use tokio::net::unix::pipe::Receiver;

use crate::acme::{self, Pace};
use crate::server::{Handler, Limits, Listener, ListenerError, Server};
use crate::tls::{Secured, Tls, TlsError, TlsSettings};
use door::FiguresDoor;

/// What a gateway's process is, beside what it answers.
#[derive(Debug, Clone)]
pub struct Process {
    /// Limits of connections and requests.
    pub limits: Limits,
    /// Routes to count requests under; the first is for none.
    pub routes: Vec<String>,
    /// How long connections have to come to their end when the process is asked to. Default 25 s, below the 30 s after
    /// which the arbiter kills.
    pub drain_within: Duration,
    /// TLS, and certificates that are ordered. Default none.
    pub tls: Option<TlsSettings>,
    /// A Unix socket on which the figures can be asked for. Default: none.
    pub figures: Option<PathBuf>,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            routes: Vec::new(),
            drain_within: Duration::from_secs(25),
            tls: None,
            figures: None,
        }
    }
}

impl Process {
    /// That of a worker with `settings`. Routes are counted in the order of the config, behind the one for none.
    #[must_use]
    pub fn of(settings: &GatewaySettings) -> Self {
        let spec = &settings.spec;
        let mut limits = Limits::of(&spec.limits, &spec.timeouts);
        limits.uncounted.extend(&spec.trusted_proxies);
        limits.introducers.clone_from(&spec.trusted_proxies);
        limits.http2.without_tls = spec.h2c;
        limits.introduced = spec.proxy_protocol.iter().map(ToString::to_string).collect();
        let name = figures_socket(&settings.service, settings.worker);
        Self {
            limits,
            routes: std::iter::once(String::new())
                .chain(spec.routes.iter().map(|route| route.name.clone()))
                .collect(),
            tls: TlsSettings::of(settings),
            figures: Some(settings.peers_dir.join(name)),
            ..Self::default()
        }
    }
}

/// A gateway cannot serve, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The listeners.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// There is nothing to accept on.
    #[error("no listening socket was passed to this gateway; it serves nothing")]
    NoListener,
    /// The loop.
    #[error("start the gateway's loop: {0}")]
    Loop(#[source] io::Error),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What answers.
    #[error(transparent)]
    Handler(AnyError),
    /// Nobody heard that it is ready.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

/// Threads that wait for disks in the loop's place. More would not make a disk faster.
const DISK_THREADS: usize = 4;
/// A turn of the loop that takes longer than this is one that does not end.
const TURN_MAX: Duration = Duration::from_secs(20);
/// How often the loop shows that it turns.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// What the end takes beside the connections.
const END_WITHIN: Duration = Duration::from_secs(3);

/// Serves with what `make` gives until the process is asked to end.
///
/// # Errors
/// Why it ended otherwise.
pub fn run<H: Handler>(
    process: Process,
    make: impl FnOnce(&Rc<Server>) -> Result<H, AnyError> + Send + 'static,
) -> Result<(), DaemonError> {
    let _limits = remuda_sys::limits::raise_nofile();
    let daemon = Daemon::new("gateway").quit_within(process.drain_within.saturating_add(END_WITHIN));
    let logging = Logger::new("gateway").install();
    let notifier = Notifier::from_environment().unwrap_or_else(|error| {
        log::warn!("{error}");
        Notifier::silent()
    });
    let watchdog = Watchdog::new();
    let (pulse, told) = (watchdog.pulse("serve", TURN_MAX), notifier.clone());
    let ended = daemon
        .notifier(notifier)
        .watchdog(&watchdog)
        .ready_by_hand()
        .main_loop("serve", move |quit| serve(process, make, &told, &pulse, quit))
        .run();
    drop(logging);
    ended
}

fn serve<H: Handler>(
    process: Process,
    make: impl FnOnce(&Rc<Server>) -> Result<H, AnyError>,
    notifier: &Notifier,
    pulse: &Pulse,
    quit: &Quit,
) -> Result<(), ProcessError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(DISK_THREADS)
        .build()
        .map_err(ProcessError::Loop)?;
    let seed = u64::from_le_bytes(
        remuda_sys::random::bytes().map_err(|error| ProcessError::Loop(io::Error::other(error)))?,
    );
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let asked = quit.as_fd().try_clone_to_owned().and_then(Receiver::from_owned_fd);
        let asked = asked.map_err(ProcessError::Loop)?;
        let listeners = Listener::inherited()?;
        if listeners.is_empty() {
            return Err(ProcessError::NoListener);
        }
        let server = Server::new(process.limits, process.routes, seed);
        let tls = process.tls.map(Tls::open).transpose()?;
        let listeners = match &tls {
            Some(tls) => listeners.into_iter().map(|listener| listener.with_tls(tls)).collect(),
            None => listeners,
        };
        let handler = make(&server).map_err(ProcessError::Handler)?;
        let handler = Rc::new(Secured::new(handler, tls.clone()));
        let door = process.figures.and_then(FiguresDoor::open);
        be_ready(notifier).await?;
        let quit = async {
            let _broken = asked.readable().await;
        };
        tokio::select! {
            () = server.run(listeners, handler, quit, process.drain_within) => {}
            never = beat(pulse) => match never {},
            never = tell(door.as_ref(), &server) => match never {},
            never = watch(tls.as_deref(), &server) => match never {},
            never = order(tls.as_deref(), &server) => match never {},
        }
        Ok(())
    })
}

/// A supervisor that does not read for a moment is told again.
async fn be_ready(notifier: &Notifier) -> Result<(), NotifyError> {
    const TRIES: u32 = 50;
    for _ in 0..TRIES {
        match notifier.ready() {
            Err(NotifyError::Send { source, .. }) if source.errno == EAGAIN => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            told => return told.map(drop),
        }
    }
    notifier.ready().map(drop)
}

/// `EAGAIN` of Linux, on all architectures Remuda runs on.
const EAGAIN: i32 = 11;

async fn beat(pulse: &Pulse) -> std::convert::Infallible {
    loop {
        pulse.beat();
        tokio::time::sleep(BEAT_EVERY).await;
    }
}

async fn watch(tls: Option<&Tls>, server: &Server) -> std::convert::Infallible {
    match tls {
        Some(tls) => tls.watch(server).await,
        None => std::future::pending().await,
    }
}

async fn order(tls: Option<&Tls>, server: &Server) -> std::convert::Infallible {
    match tls.and_then(|tls| tls.settings().acme.clone()) {
        Some(spec) => acme::keep(spec, Pace::default(), server).await,
        None => std::future::pending().await,
    }
}

async fn tell(door: Option<&FiguresDoor>, server: &Server) -> std::convert::Infallible {
    match door {
        Some(door) => door.tell(server).await,
        None => std::future::pending().await,
    }
}
