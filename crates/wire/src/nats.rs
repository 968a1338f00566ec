//! NATS' client protocol (docs.nats.io, "Client protocol"): what a server says, and what a client says to it.
//!
//! A line names each operation; messages have a body behind it, whose length the line tells. Here is the client's side
//! without a socket: [`Parser`] reads operations at the front of a buffer and answers with places in it, and the
//! functions of [`encode`](encode_publish) append what is to be sent. Only core NATS is spoken: no streams, no JetStream.

mod encode;
mod error;
mod headers;
mod parser;

pub use encode::{
    Login, encode_connect, encode_ping, encode_pong, encode_publish, encode_subscribe, encode_unsubscribe,
};
pub use error::NatsError;
pub use headers::{encode_headers, header};
pub use parser::{Limits, Message, Operation, Parser};
