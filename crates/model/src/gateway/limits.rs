//! How much a gateway takes, and how long it waits. Each default has its reason; each limit hit is counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much one gateway worker takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitSpec {
    /// Connections of clients at once; further ones wait in the queue of the listener. 0 is what the limit of
    /// descriptors allows. Default 0.
    pub connections: u32,
    /// Connections at once of one address, or of one /64 of IPv6; further ones are closed. 0 is any number; addresses of
    /// trusted proxies and of this machine are not counted. Default 256.
    pub connections_per_address: u32,
    /// Requests on one connection of HTTP/1; the last one's answer says `Connection: close`. 0 is any number. Default 0.
    pub requests_per_connection: u64,
    /// Bytes of a request's head, its line and all headers; 431, and for the line alone 414. Default 32 KiB.
    pub head_bytes: u32,
    /// Bytes of a request's target; 414. Default 8 KiB, as most servers take.
    pub target_bytes: u32,
    /// Headers of a request; 431. Default 100.
    pub headers: u32,
    /// Bytes of a request's body where the route says nothing; 413. 0 is any number. Default 0 for what is passed on
    /// to services and upstreams, since they have their own limit.
    pub body_bytes: u64,
    /// Bytes a body that is kept whole may have: for a JSON schema, `before` and `alter`. 413 or 502. Default 1 MiB.
    pub kept_body_bytes: u64,
    /// Bytes of trailers of a chunked body, and of the extensions of one chunk. Default 4 KiB.
    pub trailer_bytes: u32,
    /// Streams of one HTTP/2 connection at once. Default 100, the least that RFC 9113 recommends.
    pub http2_streams: u32,
    /// Bytes of the list of headers of an HTTP/2 request, each counted with 32 more (RFC 9113, 6.5.2). Default 16 KiB.
    pub http2_header_list_bytes: u32,
    /// Streams that one HTTP/2 connection may open and reset before it is answered, until it is closed. Default 200.
    pub http2_resets: u32,
    /// Addresses, tokens and other keys that rate limits remember, each route; the one that was seen longest ago goes.
    /// Default 65,536.
    pub rate_keys: u32,
}

impl Default for LimitSpec {
    fn default() -> Self {
        Self {
            connections: 0,
            connections_per_address: 256,
            requests_per_connection: 0,
            head_bytes: 32 << 10,
            target_bytes: 8 << 10,
            headers: 100,
            body_bytes: 0,
            kept_body_bytes: 1 << 20,
            trailer_bytes: 4 << 10,
            http2_streams: 100,
            http2_header_list_bytes: 16 << 10,
            http2_resets: 200,
            rate_keys: 1 << 16,
        }
    }
}

/// How long a gateway waits for its clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeoutSpec {
    /// From the first byte of a request to the end of its head, and from the begin of a connection to its first byte;
    /// 408, or closed. Default 10 s.
    pub header: Duration,
    /// A TLS handshake, and the header of the PROXY protocol. Default 10 s.
    pub handshake: Duration,
    /// A body may be slower than `body_rate` for so long. Default 10 s.
    pub body_grace: Duration,
    /// Bytes a second that a body comes with at least, once `body_grace` is over; 408. 0 is any. Default 240.
    pub body_rate: u32,
    /// A connection without a request is closed. Default 75 s, as nginx has it.
    pub idle: Duration,
    /// A client that takes nothing of what is sent to it is cut off. Default 60 s.
    pub send: Duration,
    /// After an answer that comes before the whole request, so long the rest is read and dropped, so that the answer is
    /// not lost to a reset. Default 5 s.
    pub linger: Duration,
    /// When a worker ends: idle connections are closed at once that were idle for so long, the others when they have
    /// been. Default 1 s.
    pub drain_idle: Duration,
}

impl Default for TimeoutSpec {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            body_grace: Duration::from_secs(10),
            body_rate: 240,
            idle: Duration::from_secs(75),
            send: Duration::from_secs(60),
            linger: Duration::from_secs(5),
            drain_idle: Duration::from_secs(1),
        }
    }
}
