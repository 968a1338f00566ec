//! From a spec to a listener.

use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use remuda_model::{Address, Mode, SocketKind, SocketSpec};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use super::diagnosis;
use super::holder::Holder;
use super::listener::{Family, InspectError, Listener};
use super::options::{self, Moment, OptionError};
use super::unix;
use crate::CallError;
use crate::users::LookupError;

/// Why a socket is not bound; nothing is left behind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Somebody listens there.
    #[error("{address} is taken by {}", holder.as_ref().map_or_else(|| "another process".into(), ToString::to_string))]
    Taken {
        /// The address.
        address: String,
        /// Who, if `/proc` tells.
        holder: Option<Holder>,
    },
    /// The address may not be bound by this user.
    #[error("bind {address}: EACCES (permission denied){hint}")]
    Denied {
        /// The address.
        address: String,
        /// What would help.
        hint: String,
    },
    /// This machine does not have the address.
    #[error(
        "bind {0}: EADDRNOTAVAIL (no interface has this address); free_bind = true binds an address that comes later"
    )]
    NoSuchAddress(String),
    /// A host name did not resolve.
    #[error("resolve {host}: {why}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// A socket option was refused.
    #[error("set up {address}: {source}")]
    Option {
        /// The address.
        address: String,
        /// Which, and why.
        source: OptionError,
    },
    /// The folder of a Unix socket is missing.
    #[error("bind {path}: its folder does not exist")]
    NoFolder {
        /// The socket's path.
        path: PathBuf,
    },
    /// A Unix path or abstract name does not fit.
    #[error("bind {0}: a Unix socket's address has at most 107 bytes")]
    TooLong(String),
    /// Something that is no socket lies at the path; it was not touched.
    #[error("bind {path}: a file that is not a socket is in the way")]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// The owner of the socket's file is unknown.
    #[error("bind {path}: {source}")]
    Owner {
        /// The path.
        path: PathBuf,
        /// Which name.
        source: LookupError,
    },
    /// `systemd:` and `fd:` addresses are adopted, not bound.
    #[error("{0} is handed to us by somebody else and cannot be bound")]
    NotBoundHere(String),
    /// The new socket is not what was asked for.
    #[error("look at {address}: {source}")]
    Inspect {
        /// The address.
        address: String,
        /// In which way.
        source: InspectError,
    },
    /// Another step failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Binds a shared socket, or the first slot's listener of a per-worker one.
///
/// # Errors
/// Nothing is bound, and no file is left behind.
pub fn bind(spec: &SocketSpec) -> Result<Listener, BindError> {
    bind_slot(spec, None)
}

/// Binds the listener of one slot: on the real address of `like`, another slot's listener, so that port 0 means the
/// same port for all. A shared socket has no slots: `like` is ignored.
///
/// # Errors
/// Nothing is bound, and no file is left behind.
pub fn bind_slot(spec: &SocketSpec, like: Option<&Listener>) -> Result<Listener, BindError> {
    let shown = spec.listen.to_string();
    let like = like.filter(|_| spec.mode == Mode::PerWorker).and_then(Listener::internet);
    match &spec.listen {
        Address::Tcp(address) => internet(spec, like.unwrap_or(*address), SocketKind::Stream),
        Address::Udp(address) => internet(spec, like.unwrap_or(*address), SocketKind::Datagram),
        Address::TcpHost { host, port } => {
            let address = like.map_or_else(|| resolve(host, *port), Ok)?;
            internet(spec, address, SocketKind::Stream)
        }
        Address::UnixStream(path) => unix::bind(spec, path, SocketKind::Stream),
        Address::UnixDatagram(path) => unix::bind(spec, path, SocketKind::Datagram),
        Address::UnixSeqpacket(path) => unix::bind(spec, path, SocketKind::Seqpacket),
        Address::Abstract(name) => abstract_name(spec, name),
        Address::Systemd(_) | Address::Fd(_) => Err(BindError::NotBoundHere(shown)),
    }
}

pub(super) fn resolve(host: &str, port: u16) -> Result<SocketAddr, BindError> {
    let failed = |why: String| BindError::Resolve { host: host.into(), why };
    let mut found = (host, port).to_socket_addrs().map_err(|error| failed(error.to_string()))?;
    found.next().ok_or_else(|| failed("the name has no address".into()))
}

fn internet(spec: &SocketSpec, address: SocketAddr, kind: SocketKind) -> Result<Listener, BindError> {
    let family = if address.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let shown = if kind == SocketKind::Datagram { format!("udp:{address}") } else { address.to_string() };
    let fd = open(&shown, family, kind)?;
    set(spec, fd.as_fd(), &shown, family, kind, Moment::Bind)?;
    rustix::net::bind(&fd, &address).map_err(|errno| diagnosis::internet(&shown, address, kind, errno))?;
    finish(spec, fd, &shown, family, kind)
}

fn abstract_name(spec: &SocketSpec, name: &str) -> Result<Listener, BindError> {
    let (family, kind) = (Family::Unix, SocketKind::Stream);
    let shown = spec.listen.to_string();
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes())
        .ok()
        .ok_or_else(|| BindError::TooLong(shown.clone()))?;
    let fd = open(&shown, family, kind)?;
    set(spec, fd.as_fd(), &shown, family, kind, Moment::Bind)?;
    rustix::net::bind(&fd, &address).map_err(|errno| match errno {
        Errno::ADDRINUSE => BindError::Taken { address: shown.clone(), holder: None },
        errno => CallError::new(format!("bind {shown}"), errno).into(),
    })?;
    finish(spec, fd, &shown, family, kind)
}

pub(super) fn open(shown: &str, family: Family, kind: SocketKind) -> Result<OwnedFd, BindError> {
    let family = match family {
        Family::Inet => AddressFamily::INET,
        Family::Inet6 => AddressFamily::INET6,
        Family::Unix => AddressFamily::UNIX,
    };
    socket_with(family, socket_type(kind), SocketFlags::CLOEXEC, None)
        .map_err(|errno| CallError::new(format!("open a socket for {shown}"), errno).into())
}

pub(super) fn socket_type(kind: SocketKind) -> SocketType {
    match kind {
        SocketKind::Stream => SocketType::STREAM,
        SocketKind::Datagram => SocketType::DGRAM,
        SocketKind::Seqpacket => SocketType::SEQPACKET,
    }
}

pub(super) fn set(
    spec: &SocketSpec,
    fd: BorrowedFd<'_>,
    shown: &str,
    family: Family,
    kind: SocketKind,
    moment: Moment,
) -> Result<(), BindError> {
    let settings = options::settings(family, kind, &spec.options, spec.mode == Mode::PerWorker);
    options::set_all(fd, &settings, moment)
        .map_err(|source| BindError::Option { address: shown.into(), source })
}

/// The steps after `bind`: the other options, `listen`, blocking or not.
pub(super) fn finish(
    spec: &SocketSpec,
    fd: OwnedFd,
    shown: &str,
    family: Family,
    kind: SocketKind,
) -> Result<Listener, BindError> {
    set(spec, fd.as_fd(), shown, family, kind, Moment::Any)?;
    if kind != SocketKind::Datagram {
        listen(fd.as_fd(), spec.options.backlog).map_err(|errno| match (errno, family) {
            (Errno::ADDRINUSE, Family::Inet | Family::Inet6) => diagnosis::taken(shown, &fd, kind),
            (errno, _) => CallError::new(format!("listen on {shown}"), errno).into(),
        })?;
    }
    set_nonblocking(fd.as_fd(), spec.options.nonblocking)
        .map_err(|errno| CallError::new(format!("set the blocking mode of {shown}"), errno))?;
    Listener::inspect(fd).map_err(|source| BindError::Inspect { address: shown.into(), source })
}

/// Has a listener that was shut down listen again, with the same address; says whether it could keep that: without a
/// number of its own it gets another port.
///
/// # Errors
/// It cannot listen any more.
pub fn listen_again(listener: &Listener, backlog: u32) -> Result<bool, CallError> {
    let attempt = || format!("listen again on {}", listener.address);
    if listener.family == Family::Unix {
        return Err(CallError::new(attempt(), Errno::INVAL));
    }
    listen(listener.fd.as_fd(), backlog).map_err(|errno| CallError::new(attempt(), errno))?;
    Ok(listener.internet().is_some_and(|now| listener.address == now.to_string()))
}

/// Has a listener refuse who comes from now on, whoever else holds it; what waits in its queue is reset. For connections
/// alone: datagrams are not refused so.
///
/// # Errors
/// It does not listen.
pub fn stop_listening(listener: &Listener) -> Result<(), CallError> {
    rustix::net::shutdown(&listener.fd, rustix::net::Shutdown::Both)
        .map_err(|errno| CallError::new(format!("stop listening on {}", listener.address), errno))
}

pub(super) fn listen(fd: BorrowedFd<'_>, backlog: u32) -> Result<(), Errno> {
    rustix::net::listen(fd, i32::try_from(backlog).unwrap_or(i32::MAX))
}

pub(super) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> Result<(), Errno> {
    let flags = fcntl_getfl(fd)?;
    let mut wanted = flags;
    wanted.set(OFlags::NONBLOCK, nonblocking);
    if wanted == flags { Ok(()) } else { fcntl_setfl(fd, wanted) }
}

impl BindError {
    /// The kernel's words for an unexpected refusal of `bind`.
    pub(super) fn other(shown: &str, errno: Errno) -> Self {
        Self::Call(CallError::new(format!("bind {shown}"), errno))
    }

    pub(super) fn denied(shown: &str, hint: &str) -> Self {
        Self::Denied { address: shown.into(), hint: hint.into() }
    }
}
