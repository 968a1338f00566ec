//! Finding out when a worker is ready, for the ways that need looking.
//!
//! A probe looks soon, then less often, until it succeeds or is aborted: the arbiter's `ready_timeout` bounds it.
//! Where several workers share a listener an answer may come from another one; so an answer counts only if the
//! connection was accepted by the worker that is probed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use remuda_model::WorkerId;
use remuda_sys::process::{Server, owned_sockets, server_of};
use remuda_sys::spawn::{Credentials, EnvironmentValue};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use crate::helper::Helper;
use crate::tasks::{Done, Helpers};

/// Before the second look; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Between two looks at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// One try to connect, or to get an answer.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
/// Of an answer only its status line is read.
const STATUS_LINE_MAX_BYTES: usize = 64;

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    /// `host:port`; for `[::]` and `0.0.0.0` the loopback address.
    Internet(String),
    /// A Unix socket's path.
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
        pause = (pause * 2).min(LONGEST_PAUSE);
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
    match door {
        Door::Internet(address) => match TcpStream::connect(address.as_str()).await {
            Ok(stream) => !shared || is_accepted_by(pid, &stream).await,
            Err(_) => false,
        },
        Door::Unix(path) => UnixStream::connect(path).await.is_ok(),
    }
}

/// Waits until somebody has accepted a connection on this machine; whether that is the tree of `pid`.
async fn is_accepted_by(pid: u32, stream: &TcpStream) -> bool {
    let (Ok(ours), Ok(theirs)) = (stream.local_addr(), stream.peer_addr()) else { return false };
    let mut pause = FIRST_PAUSE;
    loop {
        match server_of(pid, theirs, ours) {
            Server::Tree => return true,
            Server::Another => return false,
            Server::Nobody => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn get(door: &Door, host: &str, path: &str, pid: u32, shared: bool) -> Option<bool> {
    let head =
        format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: remuda-probe\r\nConnection: close\r\n");
    match door {
        Door::Internet(address) => {
            let mut stream = TcpStream::connect(address.as_str()).await.ok()?;
            stream.write_all(head.as_bytes()).await.ok()?;
            // The end of the request is held back until it is known who will answer: afterwards it may be too late, for
            // a worker that has answered closes its end.
            let counts = !shared || is_accepted_by(pid, &stream).await;
            answers(&mut stream).await.map(|success| success && counts)
        }
        Door::Unix(path) => {
            let mut stream = UnixStream::connect(path).await.ok()?;
            stream.write_all(head.as_bytes()).await.ok()?;
            answers(&mut stream).await
        }
    }
}

/// Ends a request, and reads whether the answer is a success.
async fn answers(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<bool> {
    stream.write_all(b"\r\n").await.ok()?;
    let mut start = [0_u8; STATUS_LINE_MAX_BYTES];
    let length = stream.read(&mut start).await.ok()?;
    Some(is_success(start.get(..length)?))
}

fn is_success(start: &[u8]) -> bool {
    let line = String::from_utf8_lossy(start);
    let code = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse::<u16>().ok());
    code.is_some_and(|code| (200..400).contains(&code))
}
