//! A server in this process, and clients that write and read bytes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without fails it")]

mod acme;
mod boundary;
mod connections;
mod drain;
mod files;
mod http2;
mod http2_floods;
mod peers;
mod proxy;
mod realtime;
mod secure;
mod slowness;
mod support;
mod tls;
mod tls_reload;
mod waiting;
