//! ZeroMQ's transport protocol, versions 3.0 and 3.1 (RFC 23 and 37), as accepting and as connecting side.
//!
//! A [`Connection`] is fed what a socket gave and answers with an [`Event`] at a time; what it wants sent, the
//! greeting, commands, heartbeats, collects in [`Connection::output`]. Data never goes through it twice: a frame on
//! its way in has the same bytes as on its way out, so the traffic is only walked, header by header, and cut into
//! [`Batch`](remuda_model::message::Batch)es of whole messages without a copy.
//!
//! One accepting endpoint may serve every kind of socket: it waits for the peer to say what it is and answers with the
//! [`SocketType`] that fits. Peers are let in as they are ([`AcceptMechanism::Null`]), by a password (`Plain`) or by
//! their key over a sealed connection (`Curve`); who may come in is the shell's decision.
//!
//! What libzmq does and the RFCs do not say was checked against libzmq 4.3.5: heartbeats may come between the frames
//! of one message, sealed data travels in ordinary frames, and subscriptions have one of two forms.

mod command;
mod connection;
mod credentials;
mod curve;
mod error;
mod established;
mod event;
mod frame;
mod greeting;
mod handshake;
mod key;
mod limits;
mod metadata;
mod options;
mod plain;
mod saved;
mod socket_type;
mod traffic;
mod whole;

pub use command::{encode_cancel, encode_subscribe};
pub use connection::Connection;
pub use credentials::Credentials;
pub use error::ProtocolError;
pub use event::{Event, Peer};
pub use frame::{Frames, encode_message, frames_of};
pub use key::{KeyError, PublicKey, SecretKey};
pub use limits::Limits;
pub use options::{AcceptMechanism, AcceptOptions, ConnectMechanism, ConnectOptions};
pub use saved::{SavedConnection, SavedCurve};
pub use socket_type::{SocketType, SocketTypes};
pub use whole::whole_messages;
