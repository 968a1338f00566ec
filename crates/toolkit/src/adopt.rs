//! Listening sockets that were there before the daemon.
//!
//! Whoever starts a daemon may bind its sockets and pass them on, so that no connection is lost while one daemon
//! follows another. They come by name: in `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` (sd_listen_fds(3)), or one by
//! one in `REMUDA_SOCKET_<NAME>`. What a descriptor *is* is asked of the kernel: a name says what its sender meant, not
//! what it sent. Every adopted descriptor is close-on-exec, and each can be adopted once.
//!
//! The variables stay in the environment. `LISTEN_PID` keeps children from taking them for their own; a child that
//! looks for `REMUDA_SOCKET_<NAME>` finds its descriptor closed and says so.

use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};

use remuda_model::{Address, SocketKind};
use remuda_sys::socket::{Activation, Family, Listener};

mod error;

pub use error::AdoptError;

/// What `REMUDA_SOCKET_WEB` begins with.
const PREFIX: &str = "REMUDA_SOCKET_";

/// What a daemon wants to find under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A TCP listener.
    Tcp,
    /// A Unix stream listener.
    Unix,
    /// A TCP or Unix stream listener.
    Stream,
    /// A UDP socket.
    Udp,
    /// A Unix datagram socket.
    UnixDatagram,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp => "a TCP listener",
            Self::Unix => "a Unix stream listener",
            Self::Stream => "a stream listener",
            Self::Udp => "a UDP socket",
            Self::UnixDatagram => "a Unix datagram socket",
        })
    }
}

impl Expected {
    fn accepts(self, listener: &Listener) -> bool {
        let internet = listener.family != Family::Unix;
        match self {
            Self::Tcp => listener.kind == SocketKind::Stream && listener.listening && internet,
            Self::Unix => listener.kind == SocketKind::Stream && listener.listening && !internet,
            Self::Stream => listener.kind == SocketKind::Stream && listener.listening,
            Self::Udp => listener.kind == SocketKind::Datagram && internet,
            Self::UnixDatagram => listener.kind == SocketKind::Datagram && !internet,
        }
    }
}

/// A stream listener of either family.
#[derive(Debug)]
pub enum StreamListener {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

/// The sockets passed to this process, until they are adopted.
#[derive(Debug)]
pub struct Inherited {
    activation: Activation,
    /// `REMUDA_SOCKET_*`, by the rest of the name.
    numbered: BTreeMap<String, String>,
    nonblocking: Option<bool>,
}

impl Inherited {
    /// Takes over what this process' environment announces. Nothing announced is no error.
    ///
    /// # Errors
    /// The announcement is malformed, or names descriptors that are not open or were taken before.
    pub fn read() -> Result<Self, AdoptError> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment: BTreeMap<String, String> = std::env::vars_os().filter_map(text).collect();
        let activation =
            Activation::from_env(&environment, std::process::id()).map_err(AdoptError::Announced)?;
        let numbered = environment
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value.clone())));
        Ok(Self { activation, numbered: numbered.collect(), nonblocking: None })
    }

    /// Makes what is adopted non-blocking, or blocking. Default: it stays as it was passed. The mode belongs to the
    /// socket, not to the process: all who share a listener see the change.
    #[must_use]
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = Some(nonblocking);
        self
    }

    /// Names that can be asked for: those of `LISTEN_FDNAMES`, and the rest of `REMUDA_SOCKET_<NAME>` in lower case.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.activation.names().map(str::to_owned).collect();
        for name in self.numbered.keys() {
            if !names.iter().any(|known| variable(known) == *name) {
                names.push(name.to_ascii_lowercase());
            }
        }
        names
    }

    /// The TCP listener `name`.
    ///
    /// # Errors
    /// There is none, or several, or it is something else.
    pub fn tcp(&mut self, name: &str) -> Result<TcpListener, AdoptError> {
        self.one(name, Expected::Tcp).map(|listener| listener.fd.into())
    }

    /// The Unix stream listener `name`.
    ///
    /// # Errors
    /// There is none, or several, or it is something else.
    pub fn unix(&mut self, name: &str) -> Result<UnixListener, AdoptError> {
        self.one(name, Expected::Unix).map(|listener| listener.fd.into())
    }

    /// The stream listener `name`, TCP or Unix.
    ///
    /// # Errors
    /// There is none, or several, or it is something else.
    pub fn stream(&mut self, name: &str) -> Result<StreamListener, AdoptError> {
        self.one(name, Expected::Stream).map(stream)
    }

    /// All stream listeners `name`, in the order they were passed: systemd may pass several under one.
    ///
    /// # Errors
    /// There is none, or one of them is something else; all of the name are closed then.
    pub fn streams(&mut self, name: &str) -> Result<Vec<StreamListener>, AdoptError> {
        Ok(self.all(name, Expected::Stream)?.into_iter().map(stream).collect())
    }

    /// The UDP socket `name`.
    ///
    /// # Errors
    /// There is none, or several, or it is something else.
    pub fn udp(&mut self, name: &str) -> Result<UdpSocket, AdoptError> {
        self.one(name, Expected::Udp).map(|listener| listener.fd.into())
    }

    /// The Unix datagram socket `name`.
    ///
    /// # Errors
    /// There is none, or several, or it is something else.
    pub fn unix_datagram(&mut self, name: &str) -> Result<UnixDatagram, AdoptError> {
        self.one(name, Expected::UnixDatagram).map(|listener| listener.fd.into())
    }

    fn one(&mut self, name: &str, expected: Expected) -> Result<Listener, AdoptError> {
        let mut all = self.all(name, expected)?;
        match (all.pop(), all.len()) {
            (Some(listener), 0) => Ok(listener),
            (_, others) => Err(AdoptError::Several { name: name.into(), expected, count: others + 1 }),
        }
    }

    fn all(&mut self, name: &str, expected: Expected) -> Result<Vec<Listener>, AdoptError> {
        let variable_rest = variable(name);
        let address = if self.activation.names().any(|known| known == name) {
            Address::Systemd(name.into())
        } else if let Some(value) = self.numbered.get(&variable_rest) {
            let number = value.parse().ok().filter(|number| *number >= 0);
            let variable = || format!("{PREFIX}{variable_rest}");
            Address::Fd(number.ok_or_else(|| AdoptError::Number {
                name: name.into(),
                variable: variable(),
                value: value.clone(),
            })?)
        } else {
            let (known, variable) = (self.names(), format!("{PREFIX}{variable_rest}"));
            return Err(AdoptError::NoSuchName { name: name.into(), variable, expected, known });
        };
        let listeners = self.activation.adopt(&address).map_err(|source| AdoptError::Refused {
            name: name.into(),
            expected,
            source,
        })?;
        self.numbered.remove(&variable_rest);
        for listener in &listeners {
            self.check(name, expected, listener)?;
        }
        Ok(listeners)
    }

    fn check(&self, name: &str, expected: Expected, listener: &Listener) -> Result<(), AdoptError> {
        if !expected.accepts(listener) {
            return Err(AdoptError::Kind {
                name: name.into(),
                expected,
                found: describe(listener),
                address: listener.address.clone(),
            });
        }
        let Some(nonblocking) = self.nonblocking else { return Ok(()) };
        let set = |fd: OwnedFd| UdpSocket::from(fd).set_nonblocking(nonblocking);
        listener.fd.try_clone().and_then(set).map_err(|source| AdoptError::Mode { name: name.into(), source })
    }
}

fn stream(listener: Listener) -> StreamListener {
    match listener.family {
        Family::Unix => StreamListener::Unix(listener.fd.into()),
        Family::Inet | Family::Inet6 => StreamListener::Tcp(listener.fd.into()),
    }
}

/// `my-web@1` as `MY_WEB_1`.
fn variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn describe(listener: &Listener) -> String {
    let kind = match (listener.family, listener.kind) {
        (Family::Unix, SocketKind::Stream) => "a Unix stream socket",
        (Family::Unix, SocketKind::Datagram) => "a Unix datagram socket",
        (_, SocketKind::Stream) => "a TCP socket",
        (_, SocketKind::Datagram) => "a UDP socket",
        (_, SocketKind::Seqpacket) => "a seqpacket socket",
    };
    let idle = listener.kind == SocketKind::Stream && !listener.listening;
    if idle { format!("{kind} that does not listen") } else { kind.into() }
}
