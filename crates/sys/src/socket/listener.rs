//! A listener as the kernel describes it.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use remuda_model::SocketKind;
use rustix::net::{AddressFamily, SocketAddrAny, SocketType, getsockname, sockopt};
use serde::{Deserialize, Serialize};

use crate::CallError;

/// Address family of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6, maybe with IPv4 mapped into it.
    Inet6,
    /// Unix.
    Unix,
}

/// The file of a bound Unix socket, recognisable: a path alone may be somebody else's file by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketFile {
    /// Where it was bound.
    pub path: PathBuf,
    /// Its device.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// When it was made, in nanoseconds since 1970, 0 if the file system does not say: inodes are soon used again.
    pub created: u64,
}

impl SocketFile {
    /// What lies at `path` now; symbolic links are not followed.
    pub(super) fn at(path: &Path) -> std::io::Result<Self> {
        let status = std::fs::symlink_metadata(path)?;
        let created = status.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let created = created.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(0));
        Ok(Self { path: path.into(), device: status.dev(), inode: status.ino(), created })
    }

    /// Removes the file if it still is the one that was bound; says whether it did.
    ///
    /// # Errors
    /// It is ours and cannot be removed.
    pub fn unlink_if_ours(&self) -> Result<bool, CallError> {
        if !Self::at(&self.path).is_ok_and(|present| present == *self) {
            return Ok(false);
        }
        std::fs::remove_file(&self.path)
            .map(|()| true)
            .map_err(|error| CallError::new(format!("remove socket file {}", self.path.display()), error))
    }
}

/// A socket that workers get.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub fd: OwnedFd,
    /// What flows through it.
    pub kind: SocketKind,
    /// Its family.
    pub family: Family,
    /// Whether it accepts connections; false for datagrams.
    pub listening: bool,
    /// Its real local address as a user writes it: `127.0.0.1:40123`, `unix:/run/a.sock`, `udp:[::]:53`.
    pub address: String,
    /// `SO_COOKIE`: the socket's number since boot, never used twice.
    pub cookie: u64,
    /// Its file, if it was bound here and has one.
    pub file: Option<SocketFile>,
}

/// Why a descriptor cannot serve as listener.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// It is no socket.
    #[error("it is not a socket")]
    NotASocket,
    /// Its family is not one workers are given.
    #[error("its address family {0} is not IPv4, IPv6 or Unix")]
    Family(u16),
    /// Its type is not one workers are given.
    #[error("its socket type {0} is not stream, datagram or seqpacket")]
    Kind(u32),
    /// The kernel would not tell.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Listener {
    /// Asks the kernel what `fd` is.
    ///
    /// # Errors
    /// It is nothing that can be given to workers; `fd` is closed.
    pub fn inspect(fd: OwnedFd) -> Result<Self, InspectError> {
        let failed = |what: &str, errno| CallError::new(format!("ask a socket for its {what}"), errno);
        let family = match sockopt::socket_domain(&fd) {
            Ok(AddressFamily::INET) => Family::Inet,
            Ok(AddressFamily::INET6) => Family::Inet6,
            Ok(AddressFamily::UNIX) => Family::Unix,
            Ok(other) => return Err(InspectError::Family(other.as_raw())),
            Err(rustix::io::Errno::NOTSOCK) => return Err(InspectError::NotASocket),
            Err(errno) => return Err(failed("family", errno).into()),
        };
        let kind = match sockopt::socket_type(&fd).map_err(|errno| failed("type", errno))? {
            SocketType::STREAM => SocketKind::Stream,
            SocketType::DGRAM => SocketKind::Datagram,
            SocketType::SEQPACKET => SocketKind::Seqpacket,
            other => return Err(InspectError::Kind(other.as_raw())),
        };
        let listening = sockopt::socket_acceptconn(&fd).map_err(|errno| failed("state", errno))?;
        let name = getsockname(&fd).map_err(|errno| failed("address", errno))?;
        let cookie = sockopt::socket_cookie(&fd).map_err(|errno| failed("cookie", errno))?;
        Ok(Self { address: text(&name, family, kind), fd, kind, family, listening, cookie, file: None })
    }

    /// The port, for IPv4 and IPv6.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.internet().map(|address| address.port())
    }

    /// The address, for IPv4 and IPv6.
    #[must_use]
    pub fn internet(&self) -> Option<SocketAddr> {
        getsockname(&self.fd).ok().and_then(|name| SocketAddr::try_from(name).ok())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn text(name: &SocketAddrAny, family: Family, kind: SocketKind) -> String {
    if family != Family::Unix {
        let address =
            SocketAddr::try_from(name.clone()).map(|address| address.to_string()).unwrap_or_default();
        return if kind == SocketKind::Datagram { format!("udp:{address}") } else { address };
    }
    let scheme = match kind {
        SocketKind::Stream => "unix",
        SocketKind::Datagram => "unix-dgram",
        SocketKind::Seqpacket => "unix-seqpacket",
    };
    let Ok(name) = rustix::net::SocketAddrUnix::try_from(name.clone()) else { return scheme.into() };
    if let Some(name) = name.abstract_name() {
        return format!("{scheme}:@{}", String::from_utf8_lossy(name));
    }
    let path =
        name.path().map(|path| std::ffi::OsStr::from_bytes(path.to_bytes()).to_string_lossy().into_owned());
    format!("{scheme}:{}", path.unwrap_or_default())
}
