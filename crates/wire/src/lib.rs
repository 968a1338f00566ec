//! ZMTP, RESP, NATS and the herd's own: bytes in, messages out.
//!
//! [`zmtp`], which is ZeroMQ's, and [`resp`], which is Redis', are those workers speak with clients they already have;
//! [`nats`], [`postgres`] and [`http`] are the client's side of what engines speak, [`herd`] is spoken among servers. All are machines without sockets, clocks or
//! tasks: what arrived is handed in, what is to be sent is taken out, and the shell around them does the rest. What
//! arrives is not trusted: every length is held against a limit before anything is kept for it, and nothing is allocated
//! because a peer announced it.

pub mod herd;
pub mod http;
pub mod nats;
pub mod postgres;
pub mod resp;
pub mod zmtp;
