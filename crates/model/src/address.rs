//! Where a socket listens, as written in `listen = "…"`.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address to listen on, or a listener to adopt.
///
/// | text | meaning |
/// |---|---|
/// | `0.0.0.0:8080`, `[::]:80`, `tcp:127.0.0.1:0` | TCP |
/// | `8080`, `:8080` | TCP on all addresses, IPv6 and IPv4 (`[::]`, dual-stack) |
/// | `localhost:8080` | TCP; a host name is resolved once, when bound |
/// | `unix:/run/a.sock`, `/run/a.sock` | Unix stream |
/// | `unix-dgram:/…`, `unix-seqpacket:/…` | Unix datagram, sequenced packets |
/// | `unix:@name` | Unix, abstract name space |
/// | `udp:127.0.0.1:53` | UDP |
/// | `systemd:NAME` | the descriptor systemd passed under that name |
/// | `fd:3`, `fd://3` | an inherited descriptor |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Address {
    /// TCP on a numeric address.
    Tcp(SocketAddr),
    /// TCP on a name that is resolved when bound; the first address wins.
    TcpHost {
        /// The name.
        host: String,
        /// The port, 0 for any free one.
        port: u16,
    },
    /// UDP on a numeric address.
    Udp(SocketAddr),
    /// A Unix stream socket at an absolute path, or relative to the config file until resolved.
    UnixStream(PathBuf),
    /// A Unix datagram socket.
    UnixDatagram(PathBuf),
    /// A Unix sequenced-packet socket.
    UnixSeqpacket(PathBuf),
    /// A Unix stream socket in the abstract name space, without the leading `@`.
    Abstract(String),
    /// Passed by systemd under this name.
    Systemd(String),
    /// Inherited under this number.
    Fd(i32),
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of any known form.
    #[error(
        "{0:?} is not an address; write \"127.0.0.1:8080\", \"[::]:80\", \"unix:/run/x.sock\", \"udp:0.0.0.0:53\", \"systemd:NAME\" or \"fd:3\""
    )]
    Form(String),
    /// The port is no number up to 65535.
    #[error("{0:?} has no valid port; a port is a number from 0 to 65535")]
    Port(String),
    /// `unix:` without a path, `systemd:` without a name, `fd:` without a number.
    #[error("{0:?} lacks what comes after the colon")]
    Missing(String),
}

impl Address {
    /// The path of a Unix socket that lives in the file system.
    #[must_use]
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::UnixStream(path) | Self::UnixDatagram(path) | Self::UnixSeqpacket(path) => Some(path),
            Self::Tcp(_)
            | Self::TcpHost { .. }
            | Self::Udp(_)
            | Self::Abstract(_)
            | Self::Systemd(_)
            | Self::Fd(_) => None,
        }
    }

    /// The same address with a relative Unix path made absolute below `base`.
    #[must_use]
    pub fn below(self, base: &std::path::Path) -> Self {
        match self {
            Self::UnixStream(path) => Self::UnixStream(base.join(path)),
            Self::UnixDatagram(path) => Self::UnixDatagram(base.join(path)),
            Self::UnixSeqpacket(path) => Self::UnixSeqpacket(base.join(path)),
            Self::Tcp(_)
            | Self::TcpHost { .. }
            | Self::Udp(_)
            | Self::Abstract(_)
            | Self::Systemd(_)
            | Self::Fd(_) => self,
        }
    }

    /// Whether the arbiter binds it (and not somebody before it).
    #[must_use]
    pub fn is_bound_here(&self) -> bool {
        !matches!(self, Self::Systemd(_) | Self::Fd(_))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::TcpHost { host, port } => write!(f, "{host}:{port}"),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::UnixStream(path) => write!(f, "unix:{}", path.display()),
            Self::UnixDatagram(path) => write!(f, "unix-dgram:{}", path.display()),
            Self::UnixSeqpacket(path) => write!(f, "unix-seqpacket:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let some = |rest: &str| {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            if rest.is_empty() { Err(AddressError::Missing(text.into())) } else { Ok(rest.to_owned()) }
        };
        match text.split_once(':') {
            Some(("unix", rest)) => unix(&some(rest)?),
            Some(("unix-dgram", rest)) => Ok(Self::UnixDatagram(file(&some(rest)?)?)),
            Some(("unix-seqpacket", rest)) => Ok(Self::UnixSeqpacket(file(&some(rest)?)?)),
            Some(("udp", rest)) => match internet(&some(rest)?, text)? {
                Self::Tcp(address) => Ok(Self::Udp(address)),
                _ => Err(AddressError::Form(text.into())),
            },
            Some(("tcp", rest)) => internet(&some(rest)?, text),
            Some(("systemd", rest)) => Ok(Self::Systemd(some(rest)?)),
            Some(("fd", rest)) => {
                some(rest)?.parse().map(Self::Fd).ok().ok_or_else(|| AddressError::Form(text.into()))
            }
            _ if text.starts_with('/') => file(text).map(Self::UnixStream),
            _ if text.starts_with('@') => unix(text),
            _ => internet(text, text),
        }
    }
}

/// A path with one slash in front at most: more of them would read as those of `unix://`.
fn file(path: &str) -> Result<PathBuf, AddressError> {
    let name = path.trim_start_matches('/');
    if name.is_empty() {
        return Err(AddressError::Missing(path.into()));
    }
    Ok(if path.starts_with('/') { format!("/{name}").into() } else { path.into() })
}

fn unix(rest: &str) -> Result<Address, AddressError> {
    Ok(match rest.strip_prefix('@') {
        Some("") => return Err(AddressError::Missing(format!("unix:{rest}"))),
        Some(name) => Address::Abstract(name.to_owned()),
        None => Address::UnixStream(file(rest)?),
    })
}

fn internet(rest: &str, text: &str) -> Result<Address, AddressError> {
    if let Ok(address) = rest.parse() {
        return Ok(Address::Tcp(address));
    }
    let (host, port) = rest.rsplit_once(':').unwrap_or(("", rest));
    if !host.is_empty() && !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte)) {
        return Err(AddressError::Form(text.into()));
    }
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(if host.is_empty() {
            AddressError::Form(text.into())
        } else {
            AddressError::Port(text.into())
        });
    }
    let port = port.parse().ok().ok_or_else(|| AddressError::Port(text.into()))?;
    match host {
        "" | "*" => Ok(Address::Tcp(SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, port)))),
        host => Ok(Address::TcpHost { host: host.to_owned(), port }),
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}
