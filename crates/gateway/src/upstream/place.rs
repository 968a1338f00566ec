//! Where a server is, and how a connection to it is made.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remuda_model::Address;
use remuda_model::gateway::ServerAddress;
use tokio::net::{TcpStream, UnixStream, lookup_host};

use crate::server::Transport;

/// How long a name's addresses are remembered.
const NAME_FOR: Duration = Duration::from_secs(30);
/// A Unix listener's queue is full: how long until it is asked again, at first and at most. The kernel makes nobody wait
/// there who does not want to block.
const FULL_PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// How long the file of a service's socket may be missing: a worker that stops may remove it, and the arbiter, which
/// needs less than a millisecond where a processor is to be had, puts it back.
const MISSING_MAX: Duration = Duration::from_millis(250);

/// Where a server is.
#[derive(Debug)]
pub(super) struct Place {
    text: String,
    /// As it is written, without the port.
    host: Option<String>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Numeric(SocketAddr),
    Name {
        host: String,
        port: u16,
        found: RefCell<Option<(Instant, Vec<SocketAddr>)>>,
    },
    Unix(PathBuf),
    /// The file is kept there by the arbiter.
    Kept(PathBuf),
}

/// The way of connections that are made to an address a worker cannot be reached at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no address requests can be passed on to")]
pub struct PlaceError(String);

impl Place {
    /// Of a server that is listed.
    pub(super) fn of_server(address: &ServerAddress) -> Self {
        let way = match address {
            ServerAddress::Tcp { host, port } => match host.parse() {
                Ok(ip) => Way::Numeric(SocketAddr::new(ip, *port)),
                Err(_name) => Way::Name { host: host.clone(), port: *port, found: RefCell::default() },
            },
            ServerAddress::Unix(path) => Way::Unix(path.clone()),
            ServerAddress::Abstract(name) => Way::Unix(in_abstract(name)),
        };
        let host = match address {
            ServerAddress::Tcp { host, .. } => Some(host.clone()),
            ServerAddress::Unix(_) | ServerAddress::Abstract(_) => None,
        };
        Self { text: address.to_string(), host, way }
    }

    /// Of a service's listener.
    pub(super) fn of_listener(address: &Address) -> Result<Self, PlaceError> {
        let way = match address {
            Address::Tcp(address) => Way::Numeric(reachable(*address)),
            Address::UnixStream(path) => Way::Kept(path.clone()),
            Address::Abstract(name) => Way::Unix(in_abstract(name)),
            other => return Err(PlaceError(other.to_string())),
        };
        Ok(Self { text: address.to_string(), host: None, way })
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The host whose certificate is expected there; a service and a Unix socket have none.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Whether it is on this machine and reached by a file.
    pub(super) fn is_unix(&self) -> bool {
        matches!(self.way, Way::Unix(_) | Way::Kept(_))
    }

    /// Makes a connection. `full` is called each time a listener's queue has no room.
    pub(super) async fn connect(&self, full: impl Fn()) -> io::Result<Transport> {
        match &self.way {
            Way::Numeric(address) => tcp(*address).await,
            Way::Unix(path) => unix(path, Duration::ZERO, full).await,
            Way::Kept(path) => unix(path, MISSING_MAX, full).await,
            Way::Name { host, port, found } => {
                let known = found.borrow().clone().filter(|(at, _)| at.elapsed() < NAME_FOR);
                let addresses = match known {
                    Some((_, addresses)) => addresses,
                    None => {
                        let addresses: Vec<_> = lookup_host((host.as_str(), *port)).await?.collect();
                        found.replace(Some((Instant::now(), addresses.clone())));
                        addresses
                    }
                };
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                for address in addresses {
                    match tcp(address).await {
                        Ok(transport) => return Ok(transport),
                        Err(error) => last = error,
                    }
                }
                found.replace(None);
                Err(last)
            }
        }
    }
}

/// Connects to a file, which may be missing for a while.
async fn unix(path: &Path, missing: Duration, full: impl Fn()) -> io::Result<Transport> {
    let begun = Instant::now();
    let mut pause = FULL_PAUSE.0;
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => full(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && begun.elapsed() < missing => {}
            connected => return connected.map(Transport::from),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(FULL_PAUSE.1);
    }
}

async fn tcp(address: SocketAddr) -> io::Result<Transport> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream.into())
}

/// What listens on every address of this machine is reached at its own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let ip = if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        };
        address.set_ip(ip);
    }
    address
}

/// The way tokio writes it: with a leading NUL.
fn in_abstract(name: &str) -> PathBuf {
    PathBuf::from(format!("\0{name}"))
}
