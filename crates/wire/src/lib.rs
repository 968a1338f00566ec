//! ZMTP, RESP and NATS: bytes in, messages out.
//!
//! The edges of the two protocols workers speak with clients they already have: [`zmtp`] is ZeroMQ's, [`resp`] is
//! Redis'; and [`nats`], which the hub speaks as a client. All are machines without sockets, clocks or tasks: what arrived is handed in, what is to be sent is taken
//! out, and the shell around them does the rest. What arrives is not trusted: every length is held against a limit
//! before anything is kept for it, and nothing is allocated because a peer announced it.

pub mod nats;
pub mod resp;
pub mod zmtp;
