//! Both sides of both protocols against each other, against real peers, and against noise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without fails it")]

mod golden;
mod hostile;
mod http;
mod nats;
mod peers;
mod postgres;
mod pyzmq;
mod resp_command;
mod resp_value;
mod resp_writer;
mod wire;
mod zmtp_commands;
mod zmtp_handshake;
mod zmtp_messages;
