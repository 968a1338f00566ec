//! What a daemon among Remuda's workers is built of.
//!
//! A worker needs little: it listens on sockets somebody bound for it, says when it is ready, does its work in a few
//! loops, and ends when it is asked to. This crate is that little, on plain threads, without a runtime:
//!
//! - [`Daemon`]: named loops that live and die together, signals, a deadline for the end;
//! - [`adopt`]: the sockets that were passed on, by name;
//! - [`notify`] and [`Watchdog`]: what the supervisor is told, and signs of life that mean something;
//! - [`logging`]: lines on stderr that name daemon and loop, and onwards to syslog or anywhere;
//! - [`heartbeat`] and [`Grace`]: "I am here", and who is not any more;
//! - [`environment`]: who we are and where the hub is;
//! - [`client`]: the hub's bus, store and services;
//! - [`Backoff`]: how long to wait before the next try.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! use remuda_toolkit::Daemon;
//!
//! fn main() -> ExitCode {
//!     let ended = Daemon::new("clock")
//!         .main_loop("tick", |quit| {
//!             while !quit.wait(Duration::from_secs(1)) {
//!                 eprintln!("tick");
//!             }
//!             Ok::<(), std::io::Error>(())
//!         })
//!         .run();
//!     match ended {
//!         Ok(()) => ExitCode::SUCCESS,
//!         Err(error) => {
//!             eprintln!("{error}");
//!             ExitCode::from(error.exit_code())
//!         }
//!     }
//! }
//! ```

pub mod adopt;
mod backoff;
pub mod client;
pub mod daemon;
pub mod environment;
pub mod grace;
pub mod heartbeat;
pub mod logging;
pub mod notify;
mod quit;
pub mod watchdog;

pub use backoff::Backoff;
pub use daemon::{Daemon, DaemonError};
pub use environment::Environment;
pub use grace::Grace;
pub use notify::Notifier;
pub use quit::{Quit, Wake};
pub use watchdog::Watchdog;
