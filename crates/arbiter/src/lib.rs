//! The arbiter: which workers should run, when they start, stop, and are replaced.
//!
//! It is a machine without a world. Facts come in as [`Input`]s, what is to be done goes out as [`Order`]s, and
//! [`Arbiter::view`] gives a picture. There is no clock (each step is told the time), no I/O, no randomness but
//! from a seed, no map without order: the same inputs give the same orders, byte for byte, so that a crash, a
//! reload or a bad day replays in a test.
//!
//! How it thinks:
//!
//! - *Wanted* and *actual* are separate. The config and operators set what is wanted (`wanted`,
//!   the number of workers); every step brings the actual closer (`settle`). What an operator stopped stays
//!   stopped.
//! - A service is `Down`, or on its way through `Waiting` (for others) and `Opening` (its hook) to `Up`, or through
//!   `Closing` (its hook) and `Draining` (its workers) back.
//! - While it is up each *slot* has a seat, and one worker at most sits in it. A reload puts a *candidate* beside
//!   the seat, and only when it is ready the old one retires (`rollout`).
//! - A worker's own life is one table, `life::react`, total over phases and causes.
//! - Each wait has a timer (`timers`); [`Arbiter::deadline`] is the next one, and none means: sleep.

mod activation;
mod apply;
mod arbiter;
mod audit;
mod course;
mod exit;
mod hold;
mod hooks;
mod input;
mod life;
mod notify;
mod order;
mod pending;
mod picture;
mod plan;
mod random;
mod recycle;
mod reload;
mod request;
mod resume;
mod retry;
mod rollback;
mod rollout;
mod scaling;
mod service;
mod settle;
mod shutdown;
mod snapshot;
mod steer;
mod table;
mod timers;
mod worker;

pub use arbiter::Arbiter;
pub use input::Input;
pub use order::Order;
pub use picture::Standing;
pub use plan::plan;
pub use snapshot::Snapshot;
pub use table::life_table;
