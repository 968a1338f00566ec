//! Redis' protocol, RESP2 and RESP3 (redis.io, "Redis serialization protocol specification"), for servers and clients.
//!
//! A server reads commands with a [`CommandParser`] and answers with a [`Writer`]; a client writes with
//! [`encode_command`] and reads with a [`ValueParser`]. Parsers answer with places in the caller's buffer or wait for
//! more of it, and remember where they stopped: a command of a million arguments that comes in small pieces is read
//! once. What is refused is refused in the words of Redis, because clients and people know them.

mod command;
mod double;
mod error;
mod inline;
mod limits;
mod line;
mod value;
mod writer;

pub use command::CommandParser;
pub use double::Double;
pub use error::RespError;
pub use limits::Limits;
pub use value::{Value, ValueParser, parse_value};
pub use writer::{Version, Writer, encode_command};
