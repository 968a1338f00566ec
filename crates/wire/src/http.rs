//! HTTP/1.0 and HTTP/1.1 (RFC 9110, 9112), for both sides of a proxy.
//!
//! A server reads a [`Head`] with a [`RequestParser`], then the body with a [`BodyDecoder`]; a client reads a
//! [`ResponseHead`] with a [`ResponseParser`]. Parsers answer with numbers of bytes in the caller's buffer or wait for
//! more of it, and remember where they stopped: a head that comes byte by byte is searched once.
//!
//! Two programs that read one stream of bytes differently are how requests are smuggled past a proxy, so what is not
//! beyond doubt is refused, even where the standard allows a guess: a line that ends in LF alone, a length beside a
//! transfer coding, a second Host. `httparse` splits the lines; the rules about what they mean are here.
//!
//! A head is one buffer with places in it. It can be cleared and filled again, so that a connection that is used for
//! many requests allocates for the first of them only. HTTP/2 fills the same form with [`Head::compose`].

mod body;
mod chunk;
mod connection;
mod fault;
mod fields;
mod framing;
mod limits;
mod list;
mod method;
mod path;
mod request;
mod response;
mod scan;
mod status;
mod target;

pub use body::{BodyDecoder, Piece};
pub use chunk::{LAST_CHUNK, write_chunk_head, write_trailers};
pub use connection::ConnectionOptions;
pub use fault::{BodyFault, HeadFault, PathFault};
pub use fields::{Fields, is_field_name, is_field_value};
pub use framing::Framing;
pub use limits::{BodyLimits, HeadLimits};
pub use list::{has_token, tokens};
pub use method::Method;
pub use path::{decode_segment, normalize};
pub use request::{Head, RequestParser, Version};
pub use response::{ResponseHead, ResponseParser};
pub use status::reason;
pub use target::Target;
