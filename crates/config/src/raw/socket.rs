//! `[socket.NAME]`.

use remuda_model::{Address, Balance, Mode};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Serialize};

use super::service::Account;
use super::shape::{Shape, read_by_shape};
use super::{Duration, Field, FileMode, Size};

/// A socket that the arbiter binds once and its workers inherit: `[socket.NAME]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Socket {
    /// Where it listens: `127.0.0.1:8080`, `[::]:80`, `8080` (all addresses), `localhost:8080`, `unix:/run/a.sock`
    /// (relative to the config file), `unix:@abstract`, `unix-dgram:/…`, `unix-seqpacket:/…`, `udp:0.0.0.0:53`,
    /// `systemd:NAME`, `fd:3`. Required. The file of a Unix socket has a second name beside it, `.NAME.remuda`, by which
    /// it is put back when somebody removes it.
    pub listen: Field<Address>,
    /// `shared`: one accept queue for all workers. `per-worker`: one `SO_REUSEPORT` listener for each slot, kept
    /// across restarts of its worker; not for Unix sockets. Default: `shared`.
    pub mode: Field<Mode>,
    /// How new connections are spread over the slots of a per-worker socket that serve: `hash` by the kernel's hash of
    /// addresses and ports (at random while a slot does not serve), `random`, or `cpu` by the processor that takes the
    /// connection in. Default: `hash`.
    pub balance: Field<Balance>,
    /// Length of the accept queue; the kernel caps it at `net.core.somaxconn`. Default: 2048.
    pub backlog: Field<u32>,
    /// `SO_REUSEADDR`. Default: true.
    pub reuse_address: Field<bool>,
    /// `SO_REUSEPORT` on a shared socket, so that another process of the same user may bind beside us. Default: false.
    pub reuse_port: Field<bool>,
    /// `O_NONBLOCK`, which all workers of the socket share. Default: false.
    pub nonblocking: Field<bool>,
    /// `TCP_NODELAY`, inherited by accepted connections. Default: false.
    pub nodelay: Field<bool>,
    /// `SO_KEEPALIVE`, inherited by accepted connections: a flag, or a table with its times. Default: false.
    pub keepalive: Field<Keepalive>,
    /// `TCP_DEFER_ACCEPT`: wake a worker only when data has come, for at most this long, in whole seconds.
    /// Default: off.
    pub defer_accept: Field<Duration>,
    /// `TCP_FASTOPEN`: length of its queue. Default: off.
    pub fast_open: Field<u32>,
    /// `SO_RCVBUF`. Default: the kernel's.
    pub receive_buffer: Field<Size>,
    /// `SO_SNDBUF`. Default: the kernel's.
    pub send_buffer: Field<Size>,
    /// `IP_FREEBIND`: bind an address that does not exist yet. Default: false.
    pub free_bind: Field<bool>,
    /// `IPV6_V6ONLY`. Default: `net.ipv6.bindv6only`.
    pub v6_only: Field<bool>,
    /// `SO_MARK`; needs `CAP_NET_ADMIN`. Default: none.
    pub mark: Field<u32>,
    /// `SO_BINDTODEVICE`: name of a network interface. Default: none.
    pub device: Field<String>,
    /// `SO_BROADCAST`, for UDP. Default: false.
    pub broadcast: Field<bool>,
    /// Mode of a Unix socket's file, in octal. Default: "0666".
    pub file_mode: Field<FileMode>,
    /// Owner of a Unix socket's file, name or number. Default: the arbiter's.
    pub user: Field<Account>,
    /// Group of a Unix socket's file, name or number. Default: the arbiter's.
    pub group: Field<Account>,
}

/// Keep-alive probes of connections.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Keepalive {
    /// On, with the kernel's times, or off.
    Flag(bool),
    /// On, with these times.
    Table(KeepaliveTable),
}

/// Times of keep-alive probes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepaliveTable {
    /// `TCP_KEEPIDLE`: idle time before the first probe, in whole seconds. Default: the kernel's.
    pub time: Field<Duration>,
    /// `TCP_KEEPINTVL`: time between probes, in whole seconds. Default: the kernel's.
    pub interval: Field<Duration>,
    /// `TCP_KEEPCNT`: lost probes until the connection is dropped. Default: the kernel's.
    pub probes: Field<u32>,
}

impl Shape for Keepalive {
    const EXPECTED: &'static str = "true, false or { time = \"60s\", interval = \"10s\", probes = 3 }";
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self::Flag(flag))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        KeepaliveTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

read_by_shape!(Keepalive);
