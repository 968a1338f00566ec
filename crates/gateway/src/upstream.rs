//! Passing requests on to who answers them.
//!
//! An [`Upstream`] is a group of servers behind us: the workers of a service, or servers Remuda does not run. Its
//! [`forward`](Upstream::forward) is an answer to a request as a handler gives one. [`Upstreams`] is all of them, with
//! what looks after them while nobody asks: times that run out, probes, idle connections.
//!
//! ```text
//! Request ─► balance: who ─► pool: a connection ─► head rewritten, body streamed ─► head of the answer ─► Response
//!               └ a queue, where all are busy          └ again at another, where that is safe       └ body: a Source
//! ```
//!
//! Bytes are passed through once: the request's head is written from its places in what came into the buffer that goes
//! out; of the answer's body, what is read goes to the client from the same buffer. A connection that waits holds none.
//!
//! What was promised is kept or broken aloud: until the head of an answer is there, a failure may be tried again
//! ([`balance::retry`](crate::balance::retry)) and is told to the client with its stage; behind it, what is missing of a
//! body cuts the client's connection, so that nobody takes a part for the whole.

mod attempt;
mod deadlines;
mod failure;
mod figures;
mod forward;
mod forwarded;
mod group;
mod head;
mod http2;
mod lease;
mod link;
mod look_after;
mod place;
mod pool;
mod probe;
mod relay;
mod security;
mod sending;
mod spool;
mod tunnel;

pub use failure::{Stage, UpstreamError};
pub use forward::Forward;
pub use forwarded::{Client, Forwarding, client_of, is_forwarded_field};
pub use group::{SettingError, Upstream};
pub use look_after::Upstreams;
pub use place::PlaceError;
pub use security::SecurityError;
