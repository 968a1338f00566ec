//! Finding out when a worker is ready, for the ways that need looking.
//!
//! A probe looks soon, then less often, until it succeeds or is aborted: the arbiter's `ready_timeout` bounds it.
//! Where several workers share a listener an answer may come from another one; so an answer counts only if the
//! connection was accepted by the worker that is probed.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use remuda_model::WorkerId;
use remuda_sys::process::{Server, owned_sockets, server_of};
use remuda_sys::spawn::{Credentials, EnvironmentValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use crate::helper::Helper;
use crate::tasks::{Done, Helpers};

/// Before the second look; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Between two looks at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// The same where others may answer: a look that they caught says nothing, so the next one comes soon.
const SHARED_PAUSE: Duration = Duration::from_millis(40);
/// One try to connect, or to get an answer.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
/// Of an answer only its status line is read.
const STATUS_LINE_MAX_BYTES: usize = 64;

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    /// `host:port`; for `[::]` and `0.0.0.0` the loopback address.
    Internet(String),
    /// A Unix socket's path; with a leading zero byte, its abstract name.
    Unix(PathBuf),
}

/// What is looked at.
#[derive(Debug)]
pub(crate) enum Look {
    /// A connection succeeds.
    Connect { door: Door, shared: bool },
    /// A GET answers 2xx or 3xx.
    Get { door: Door, host: String, path: String, shared: bool },
    /// One of its processes listens on a socket that it was not given.
    Listens { given: Vec<u64> },
    /// This command exits 0.
    Exec {
        argv: Vec<OsString>,
        environment: Vec<(OsString, EnvironmentValue)>,
        directory: PathBuf,
        user: Option<Credentials>,
    },
    /// This time has passed.
    Delay(Duration),
}

/// Looks until it sees that `worker`, whose first process is `pid`, is ready.
///
/// # Cancel safety
/// May be dropped at any time; a command that runs is killed.
pub(crate) async fn probe(worker: WorkerId, pid: u32, look: Look, helpers: Helpers) -> Done {
    if let Look::Delay(delay) = look {
        sleep(delay).await;
        return Done::Ready(worker);
    }
    let mut pause = FIRST_PAUSE;
    loop {
        if succeeds(pid, &look, &helpers).await {
            return Done::Ready(worker);
        }
        sleep(pause).await;
        pause = (pause * 2).min(look.longest_pause());
    }
}

impl Look {
    fn longest_pause(&self) -> Duration {
        match self {
            Self::Connect { shared: true, .. } | Self::Get { shared: true, .. } => SHARED_PAUSE,
            _ => LONGEST_PAUSE,
        }
    }
}

async fn succeeds(pid: u32, look: &Look, helpers: &Helpers) -> bool {
    match look {
        Look::Delay(_) => true,
        Look::Listens { given } => {
            owned_sockets(pid).iter().any(|socket| socket.listens && !given.contains(&socket.inode))
        }
        Look::Connect { door, shared } => {
            matches!(timeout(TRY_TIMEOUT, connect(door, pid, *shared)).await, Ok(true))
        }
        Look::Get { door, host, path, shared } => {
            matches!(timeout(TRY_TIMEOUT, get(door, host, path, pid, *shared)).await, Ok(Some(true)))
        }
        Look::Exec { argv, environment, directory, user } => {
            let helper = Helper {
                argv: argv.clone(),
                environment: environment.clone(),
                directory: directory.clone(),
                user: user.clone(),
                stdin: None,
                stdout: None,
                stderr: None,
                timeout: TRY_TIMEOUT,
            };
            helper.run(helpers).await.is_ok_and(|status| status == remuda_model::ExitStatus::Code(0))
        }
    }
}

/// A connection is established by the kernel as soon as somebody listens. On a socket the arbiter listens on itself,
/// it tells something only when the worker has accepted it.
async fn connect(door: &Door, pid: u32, shared: bool) -> bool {
    match open(door).await {
        Some(stream) => !shared || is_accepted_by(pid, &stream).await,
        None => false,
    }
}

/// A connection through a door.
enum Stream {
    Internet(TcpStream),
    Unix(UnixStream),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Internet(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

async fn open(door: &Door) -> Option<Stream> {
    match door {
        Door::Internet(address) => TcpStream::connect(address.as_str()).await.ok().map(Stream::Internet),
        Door::Unix(path) => UnixStream::connect(path).await.ok().map(Stream::Unix),
    }
}

/// Waits until somebody has accepted a connection; whether that is the tree of `pid`.
async fn is_accepted_by(pid: u32, stream: &Stream) -> bool {
    let mut pause = FIRST_PAUSE;
    loop {
        match server_of(pid, stream) {
            Ok(Server::Tree) => return true,
            Ok(Server::Another) => return false,
            Ok(Server::Nobody) => sleep(pause).await,
            // A kernel that does not tell whose answer it was leaves us with the answer.
            Err(_) => return true,
        }
        pause = (pause * 2).min(SHARED_PAUSE);
    }
}

async fn get(door: &Door, host: &str, path: &str, pid: u32, shared: bool) -> Option<bool> {
    let head =
        format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: remuda-probe\r\nConnection: close\r\n");
    let mut stream = open(door).await?;
    write(&mut stream, head.as_bytes()).await.ok()?;
    // The end of the request is held back until it is known who will answer: afterwards it may be too late, for a
    // worker that has answered closes its end.
    let counts = !shared || is_accepted_by(pid, &stream).await;
    write(&mut stream, b"\r\n").await.ok()?;
    let mut start = [0_u8; STATUS_LINE_MAX_BYTES];
    let length = match &mut stream {
        Stream::Internet(stream) => stream.read(&mut start).await,
        Stream::Unix(stream) => stream.read(&mut start).await,
    };
    Some(counts && is_success(start.get(..length.ok()?)?))
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    match stream {
        Stream::Internet(stream) => stream.write_all(bytes).await,
        Stream::Unix(stream) => stream.write_all(bytes).await,
    }
}

fn is_success(start: &[u8]) -> bool {
    let line = String::from_utf8_lossy(start);
    let code = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse::<u16>().ok());
    code.is_some_and(|code| (200..400).contains(&code))
}
