//! The hub for a program on plain threads: its store, its bus, and calls between workers.
//!
//! Everything goes over one protocol, RESP3, to the hub's store socket, because it has what the others have not: replies,
//! sequence numbers to go on from, and revisions. Every wait has a bound: connecting, a reply, a write. What only listens
//! ([`Subscription`], [`Watch`]) comes back by itself when the connection is lost, goes on where it was, and says so where
//! something is missing; what asks ([`Store`], [`Caller`], [`Server`]) does not ask twice, since a write whose reply was
//! lost may have been done: it fails, and the next question makes a new connection.
//!
//! ```no_run
//! use std::time::Duration;
//! use remuda_toolkit::Environment;
//! use remuda_toolkit::client::Hub;
//!
//! let hub = Hub::from_environment(&Environment::read()?)?;
//! let mut store = hub.store();
//! store.set(b"greeting", b"hello")?;
//! store.publish(b"news", b"rain")?;
//! let mut news = hub.subscribe([b"news".as_slice()]);
//! while let Some(heard) = news.next(Duration::from_secs(60))? {
//!     println!("{heard:?}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod connection;
mod error;
mod link;
mod scan;
mod service;
mod store;
mod subscription;
#[cfg(test)]
mod tests;
mod watch;

use std::time::{Duration, Instant};

pub use address::{Address, AddressError, Place};
pub use error::ClientError;
pub use link::{Hub, Timeouts};
pub use remuda_wire::resp::Value;
pub use scan::Keys;
pub use service::{Call, Caller, Server};
pub use store::{Condition, LockAsk, SetOptions, Store};
pub use subscription::{Heard, Message, Subscription};
pub use watch::{Change, Seen, Watch};

/// What stands for a time so long that no clock reaches its end.
const ENDLESS: Duration = Duration::from_secs(365 * 24 * 3600);

/// When `timeout` is over, whatever it is: [`Duration::MAX`] is how callers say "never".
fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + ENDLESS)
}
