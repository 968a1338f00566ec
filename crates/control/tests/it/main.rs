//! The API over a real socket, in front of a scripted arbiter.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod access;
mod actions;
mod document;
mod routing;
mod scripted;
mod streams;
