//! Why a hub cannot run.

use std::io;
use std::path::PathBuf;

use remuda_sys::CallError;

use crate::journal::OpenError;

/// The hub's worker ends with this; the arbiter starts another one, with backoff.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The settings on standard input cannot be read.
    #[error("read the hub's settings from standard input: {0}; this is started by `remuda up`, not by hand")]
    Settings(String),
    /// A listener is missing or of no use.
    #[error("take over the listener {name}: {why}")]
    Listener {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
    /// The kernel refused something the loop cannot do without.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A file or folder could not be used.
    #[error("{what} {}: {why}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// The store's journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The key file of the bus is no key file.
    #[error("read the keys of the bus in {}: {why}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The former hub could not be relieved.
    #[error("take over from the former hub: {0}")]
    Handover(String),
    /// Another server that is to carry the bus or hold the store cannot be reached.
    #[error("reach the engines before taking over: {0}; the former hub goes on")]
    Engine(String),
    /// The scripts' engine could not be made.
    #[error("prepare the script engine: {0}")]
    Scripts(String),
}
