//! What connections and requests may cost.

use std::time::Duration;

use remuda_model::gateway::{IpRange, LimitSpec, TimeoutSpec};
use remuda_wire::http::{BodyLimits, HeadLimits};

/// Limits and patience of a gateway's connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; further ones wait in the listener's queue. Default 16,384; from a spec without a limit,
    /// three quarters of the descriptors this process may have.
    pub connections_max: usize,
    /// Connections at once of one address, or of one /64 of IPv6; further ones are closed. 0 is no limit. Default 256.
    pub connections_per_address_max: u32,
    /// Addresses whose connections are not counted: load balancers, and this machine's own. Default the latter.
    pub uncounted: Vec<IpRange>,
    /// Listeners whose connections begin with the PROXY protocol. Default none.
    pub introduced: Vec<String>,
    /// Peers whose PROXY protocol is believed; connections of others on such listeners are closed. Default none.
    pub introducers: Vec<IpRange>,
    /// How long a connection may take for it. Default 10 s.
    pub introduced_within: Duration,
    /// Requests on one connection; the last one's answer closes it. 0 is no limit, the default.
    pub requests_max: u64,
    /// Heads of requests.
    pub head: HeadLimits,
    /// What stands between and behind chunks.
    pub body: BodyLimits,
    /// From the first byte of a head to its last, and before the first byte on a new connection. Default 10 s.
    pub head_within: Duration,
    /// Without a request on a connection that had one. Default 75 s, as nginx.
    pub idle_within: Duration,
    /// Bytes of a request's body each second, on average, after `body_grace` of waiting. Default 240: what Apache's
    /// mod_reqtimeout and others found to part slow clients from attackers. 0 is no limit.
    pub body_rate_min: u64,
    /// How long is waited for a body before its rate counts. Default 10 s.
    pub body_grace: Duration,
    /// Without a byte taken by a client that has an answer coming. Default 60 s, as nginx.
    pub write_within: Duration,
    /// Bytes of a request's body, unless the route says otherwise. 0 is no limit, the default.
    pub body_max: u64,
    /// After an early answer, for how long what still comes is read and dropped. Default 5 s. A connection that is
    /// closed with bytes unread is reset, and the reset may take the answer from the client's hands.
    pub linger: Duration,
    /// HTTP/2.
    pub http2: Http2Limits,
    /// At the end: how long a connection without a request may stay for one. Default 1 s.
    pub idle_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections_max: 16_384, ..Self::of(&LimitSpec::default(), &TimeoutSpec::default()) }
    }
}

impl Limits {
    /// Those of a config.
    #[must_use]
    pub fn of(limits: &LimitSpec, timeouts: &TimeoutSpec) -> Self {
        let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        let line_max = size(limits.target_bytes).saturating_add(LINE_BESIDE_TARGET);
        let own = ["127.0.0.0/8", "::1"].iter().filter_map(|range| range.parse().ok());
        Self {
            connections_max: if limits.connections > 0 { size(limits.connections) } else { by_descriptors() },
            connections_per_address_max: limits.connections_per_address,
            uncounted: own.collect(),
            introduced: Vec::new(),
            introducers: Vec::new(),
            introduced_within: timeouts.handshake,
            requests_max: limits.requests_per_connection,
            head: HeadLimits {
                head_max: size(limits.head_bytes),
                line_max,
                fields_max: size(limits.headers),
            },
            body: BodyLimits {
                extensions_max: size(limits.trailer_bytes),
                trailers_max: size(limits.trailer_bytes),
                ..BodyLimits::default()
            },
            head_within: timeouts.header,
            idle_within: timeouts.idle,
            body_rate_min: timeouts.body_rate.into(),
            body_grace: timeouts.body_grace,
            write_within: timeouts.send,
            body_max: limits.body_bytes,
            linger: timeouts.linger,
            http2: Http2Limits::of(limits, false),
            idle_grace: timeouts.drain_idle,
        }
    }
}

/// Room in a request line for the method and the version.
const LINE_BESIDE_TARGET: usize = 64;

/// Connections that leave a quarter of the descriptors, which the process raises to what it may have, for files and
/// upstreams.
fn by_descriptors() -> usize {
    let most = remuda_sys::limits::nofile().hard.unwrap_or(u64::MAX).min(1 << 20);
    usize::try_from(most / 4 * 3).unwrap_or(usize::MAX)
}

/// Limits of connections that speak HTTP/2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2Limits {
    /// Streams of a connection at once. Default 100, the least that RFC 9113 recommends.
    pub streams_max: u32,
    /// Bytes of the fields of a request, each counted with 32 more (RFC 9113 6.5.2); 431. Default 16 KiB.
    pub header_list_max: u32,
    /// Streams a client may open and reset before they are answered, each answered one making up for one; then the
    /// connection ends. Default 200.
    pub resets_max: u32,
    /// Whether it is spoken without TLS with who begins with it. Default false.
    pub without_tls: bool,
}

impl Http2Limits {
    /// As the config has them; `without_tls` is its `h2c`.
    #[must_use]
    pub fn of(limits: &LimitSpec, without_tls: bool) -> Self {
        Self {
            streams_max: limits.http2_streams,
            header_list_max: limits.http2_header_list_bytes,
            resets_max: limits.http2_resets,
            without_tls,
        }
    }
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self::of(&LimitSpec::default(), false)
    }
}

/// Of a body nobody read, what is read to keep the connection; more, or an unknown length, closes it.
pub(super) const UNREAD_MAX: u64 = 64 << 10;

/// After an early answer the client may still be sending: how much is thrown away before the connection is cut.
pub(super) const LINGER_BYTES_MAX: usize = 1 << 20;
/// Answers of pipelined requests that are kept to be written together.
pub(super) const OUTPUT_BATCH_MAX: usize = 64 << 10;
/// A body up to this size is copied behind its head; a larger one is written from where it is.
pub(super) const COPY_MAX: usize = 4 << 10;
/// Bytes taken from a body's source before they are written: what a connection may hold for a slow client.
pub(super) const STREAM_WINDOW: usize = 64 << 10;
/// Bytes of one sendfile: then others have their turn.
pub(super) const SENDFILE_MAX: u64 = 1 << 20;
/// Bytes of one read of a file where it cannot be sent by the kernel.
pub(super) const FILE_READ_MAX: usize = 64 << 10;
