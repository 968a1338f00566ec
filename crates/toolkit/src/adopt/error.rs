//! Why a socket was not adopted: each says what was expected under which name, and what was found.

use std::io;

use remuda_sys::socket::AdoptError as Refusal;

use super::Expected;

/// Why a socket was not adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The announcement in the environment is malformed or untrue; nothing is adopted.
    #[error("adopt the sockets announced in LISTEN_FDS: {0}")]
    Announced(#[source] Refusal),
    /// Nothing of that name was passed.
    #[error(
        "adopt {expected} named {name:?}: neither LISTEN_FDNAMES nor {variable} names it; {}",
        passed(known)
    )]
    NoSuchName {
        /// The name asked for.
        name: String,
        /// The variable that would name it too.
        variable: String,
        /// What it should have been.
        expected: Expected,
        /// The names there are.
        known: Vec<String>,
    },
    /// The variable is no number of a descriptor.
    #[error("adopt {name:?}: {variable}={value:?} is not the number of a descriptor")]
    Number {
        /// The name asked for.
        name: String,
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
    },
    /// The descriptor is closed, taken already, or no socket.
    #[error("adopt {expected} named {name:?}: {source}")]
    Refused {
        /// The name asked for.
        name: String,
        /// What it should have been.
        expected: Expected,
        /// What it is.
        source: Refusal,
    },
    /// It is another kind of socket than the daemon can use; it is closed here, its sender still has it.
    #[error("adopt {expected} named {name:?}: it is {found} at {address}")]
    Kind {
        /// The name asked for.
        name: String,
        /// What it should have been.
        expected: Expected,
        /// What it is.
        found: String,
        /// Where it is bound.
        address: String,
    },
    /// Several came under one name, and one was asked for; they are closed here.
    #[error("adopt {expected} named {name:?}: {count} descriptors have that name")]
    Several {
        /// The name.
        name: String,
        /// What it should have been.
        expected: Expected,
        /// How many.
        count: usize,
    },
    /// The blocking mode could not be set.
    #[error("set the blocking mode of {name:?}: {source}")]
    Mode {
        /// The name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

fn passed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing was passed to us".into()
    } else {
        format!("there is {}", names.join(", "))
    }
}
