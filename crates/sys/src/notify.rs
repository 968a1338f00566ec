//! The notify protocol of sd_notify(3), both ends.
//!
//! Workers send datagrams of `KEY=VALUE` lines to a [`NotifySocket`]; the kernel adds who sent them. [`notify`] sends
//! such a datagram for ourselves, to the service manager above us.

mod client;
mod message;
mod socket;

pub use client::{notify, notify_with};
pub use message::{NotifyField, parse};
pub use socket::{Datagram, NotifySocket, Sender};
