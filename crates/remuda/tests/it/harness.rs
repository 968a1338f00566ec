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
pub(crate) mod setup;
pub(crate) mod succession;
pub(crate) mod transcript;

use std::time::Duration;

pub(crate) use instance::Instance;
pub(crate) use run::Said;
pub(crate) use setup::Setup;

/// No single wait takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
