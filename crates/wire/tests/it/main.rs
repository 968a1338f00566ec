//! Both sides of both protocols against each other, against real peers, and against noise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without fails it")]

mod engineio;
mod golden;
mod hostile;
mod http_body;
mod http_fields;
mod http_path;
mod http_request;
mod http_response;
mod nats;
mod peers;
mod post;
mod postgres;
mod pyzmq;
mod resp_command;
mod resp_value;
mod resp_writer;
mod socketio;
mod websocket;
mod wire;
mod zmtp_commands;
mod zmtp_handshake;
mod zmtp_messages;
