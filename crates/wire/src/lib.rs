//! ZMTP, RESP, NATS, HTTP, WebSocket, Socket.IO and the herd's own: bytes in, messages out.
//!
//! [`zmtp`], which is ZeroMQ's, and [`resp`], which is Redis', are those workers speak with clients they already have;
//! [`nats`], [`postgres`] and [`post`] are the client's side of what engines speak, [`herd`] is spoken among servers; [`http`], [`websocket`], [`engineio`] and
//! [`socketio`] are what browsers speak. All are machines without sockets, clocks or tasks: what arrived is handed in,
//! what is to be sent is taken out, and the shell around them does the rest. What arrives is not trusted: every length
//! is held against a limit before anything is kept for it, and nothing is allocated because a peer announced it.

pub mod engineio;
pub mod herd;
pub mod http;
pub mod nats;
pub mod post;
pub mod postgres;
pub mod proxy_protocol;
pub mod resp;
pub mod socketio;
pub mod websocket;
pub mod zmtp;
