//! What the config asks of a socket.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Address, SocketName};

/// How the workers of a service share a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One accept queue for all.
    #[default]
    Shared,
    /// One `SO_REUSEPORT` listener per slot, kept across the slot's occupants.
    PerWorker,
}

/// How new connections are spread over the slots of a per-worker socket. They only go to slots whose worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// By the kernel's hash of the addresses and ports; at random over the others while a slot does not serve.
    #[default]
    Hash,
    /// At random.
    Random,
    /// By the processor that takes in the connection, modulo the slots that serve.
    Cpu,
}

/// What flows through a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SocketKind {
    /// Connections; the worker accepts.
    Stream,
    /// Datagrams.
    Datagram,
    /// Connections that keep message borders.
    Seqpacket,
}

/// Owner of a Unix socket's file, by name or number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnixOwner {
    /// User name or number; the arbiter's own when absent.
    pub user: Option<String>,
    /// Group name or number; the arbiter's own when absent.
    pub group: Option<String>,
}

/// A socket of the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketSpec {
    /// Its name.
    pub name: SocketName,
    /// Where it listens.
    pub listen: Address,
    /// Shared or per worker.
    pub mode: Mode,
    /// How connections are spread in per-worker mode. Default [`Balance::Hash`].
    pub balance: Balance,
    /// Everything settable on it.
    pub options: SocketOptions,
}

/// Socket options. `None` leaves the kernel's default. Meanings: socket(7), ip(7), tcp(7), unix(7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOptions {
    /// Length of the accept queue; the kernel caps it at `net.core.somaxconn`. Default 2048, as in Circus.
    pub backlog: u32,
    /// `SO_REUSEADDR`; default true for TCP.
    pub reuse_address: bool,
    /// `SO_REUSEPORT` on a shared socket, so that somebody else of the same user may bind beside us. Default false.
    pub reuse_port: bool,
    /// `O_NONBLOCK` of the open file description, which all its workers share. Default false: what
    /// blocking-accept programs expect; event loops set it themselves.
    pub nonblocking: bool,
    /// `TCP_NODELAY`, inherited by accepted connections.
    pub nodelay: bool,
    /// `SO_KEEPALIVE`, inherited by accepted connections.
    pub keepalive: bool,
    /// `TCP_KEEPIDLE`: idle time before the first probe. Whole seconds.
    pub keepalive_time: Option<Duration>,
    /// `TCP_KEEPINTVL`: time between probes. Whole seconds.
    pub keepalive_interval: Option<Duration>,
    /// `TCP_KEEPCNT`: lost probes until the connection is dropped.
    pub keepalive_probes: Option<u32>,
    /// `TCP_DEFER_ACCEPT`: wake an acceptor only when data has come, for at most this long. Whole seconds.
    pub defer_accept: Option<Duration>,
    /// `TCP_FASTOPEN` queue length.
    pub fast_open: Option<u32>,
    /// `SO_RCVBUF` in bytes.
    pub receive_buffer: Option<u64>,
    /// `SO_SNDBUF` in bytes.
    pub send_buffer: Option<u64>,
    /// `IP_FREEBIND`: bind an address that does not exist yet.
    pub free_bind: bool,
    /// `IPV6_V6ONLY`; `None` keeps `net.ipv6.bindv6only`.
    pub v6_only: Option<bool>,
    /// `SO_MARK`; needs `CAP_NET_ADMIN`.
    pub mark: Option<u32>,
    /// `SO_BINDTODEVICE`: the interface's name.
    pub device: Option<String>,
    /// `SO_BROADCAST`, for UDP.
    pub broadcast: bool,
    /// Mode of a Unix socket's file. Default 0o666 like systemd's `SocketMode=`.
    pub file_mode: u32,
    /// Owner of a Unix socket's file.
    pub owner: UnixOwner,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            backlog: 2048,
            reuse_address: true,
            reuse_port: false,
            nonblocking: false,
            nodelay: false,
            keepalive: false,
            keepalive_time: None,
            keepalive_interval: None,
            keepalive_probes: None,
            defer_accept: None,
            fast_open: None,
            receive_buffer: None,
            send_buffer: None,
            free_bind: false,
            v6_only: None,
            mark: None,
            device: None,
            broadcast: false,
            file_mode: 0o666,
            owner: UnixOwner::default(),
        }
    }
}
