//! Herds on real disks and real sockets, and what does not belong to them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without fails it")]

mod enrolment;
mod folder;
mod harness;
mod hostile;
mod openssl;
mod rotation;
mod sessions;
