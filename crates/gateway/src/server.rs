//! Connections, and requests as calls.
//!
//! A [`Server`] is what all connections of a process share: limits, figures, buffers, and whether it is about to end.
//! [`Server::run`] accepts on listeners and has each connection served by a task of its own, all on one thread. What is
//! to be done for a request is a [`Handler`]'s: it gets a [`Request`] (its head, and a body that is read on demand) and
//! returns a [`Response`] (a head, and a [`Body`] that is bytes, parts of files, a stream, or the connection itself). A
//! handler knows nothing of versions of HTTP, chunks, or how a file is sent; the driver of a version ([`http1`]) knows
//! nothing of routes.
//!
//! ```text
//! accept ── Connection ── http1: head → Request ──► Handler::handle ──► Response ──► head and body written
//!               │                          └ RequestBody (read on demand, with the route's limit)
//!               └ Patience: one look at all of them each half second finds who is too slow
//! ```
//!
//! An idle connection holds no buffer: one is borrowed for the moment of a read, and kept only if something came. It
//! has no timer either; a sweep over all connections counts for how long each has been waiting, which costs less than
//! to set and cancel a timer for each request.

mod accept;
mod accept_queue;
mod begin;
mod body;
mod buffers;
mod clock;
mod connection;
mod drain;
mod error_page;
mod figures;
mod handler;
mod histogram;
pub mod http1;
pub mod http2;
mod introduction;
mod limits;
mod listener;
mod patience;
mod request;
mod response;
mod shared;
mod tcp;
mod transport;
mod watched;

pub(crate) use buffers::{BUFFER_BYTES, Buffers};

pub use body::{Body, Broken, FilePart, Part, Source, Step, TakeOver};
pub use connection::Connection;
pub use drain::Drain;
pub use error_page::error_response;
pub(crate) use error_page::escape;
pub use figures::Figures;
pub use handler::{Ending, Handler};
pub use histogram::Histogram;
pub use limits::{Http2Limits, Limits};
pub use listener::{Listener, ListenerError};
pub use request::{BodyError, BodyReader, Peer, Request, RequestBody, RequestId};
pub use response::Response;
pub use shared::Server;
pub use tcp::Tcp;
pub use transport::{Duplex, Transport};
pub(crate) use watched::watched;
