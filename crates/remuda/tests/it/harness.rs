//! What every test stands on: an arbiter of its own, ways to watch it, and the certainty that nothing stays behind.
//!
//! [`Setup`] is a folder with a config; [`Instance`] is `remuda up` on it. The arbiter runs with `--log-format json`,
//! so its output is the stream of events and lines that tests wait on. No wait takes longer than [`PATIENCE`].

pub(crate) mod http;
pub(crate) mod instance;
pub(crate) mod load;
pub(crate) mod peers;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod setup;
pub(crate) mod succession;
pub(crate) mod transcript;

use std::time::{Duration, Instant};

pub(crate) use instance::Instance;
pub(crate) use run::Said;
pub(crate) use setup::Setup;

/// No single wait takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until it is so; for what tells nobody when it changes.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what} in vain");
        std::thread::yield_now();
    }
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
