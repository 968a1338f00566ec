//! What the arbiter's one thread waits for.
//!
//! A [`Poller`] is one epoll instance; signals arrive in it as readable descriptors ([`Signals`]).

mod file_watch;
mod poller;
mod readable;
mod signals;

pub use file_watch::{Changed, FileWatch, WatchId};
pub use poller::{Interest, Poller, Readiness, Token};
pub use readable::wait_readable;
pub(crate) use signals::ANSWERED;
pub use signals::{Received, Signals, block_signals};
