//! Certificates that are ordered, by ACME (RFC 8555).
//!
//! All gateway workers of an instance share a folder. One of them, whoever holds its lock, orders and renews
//! ([`keep()`]); when it ends, another goes on. What is issued is a file that all workers look at as they do at certificates
//! of others ([`tls`](crate::tls)), and what an authority asks for is a file that each of them answers with
//! ([`Challenges`]): it does not matter where the authority's connection arrives.
//!
//! A certificate that works is never taken away: it is replaced, in one rename, by one that was read back and found whole.
//! What fails is tried again after longer and longer times, which are kept across restarts, since authorities count.

mod account;
mod challenges;
mod folder;
mod keep;
mod order;
mod schedule;

pub use challenges::{Challenges, token};
pub(crate) use folder::certificate_path;
pub use keep::keep;
pub use schedule::Pace;
