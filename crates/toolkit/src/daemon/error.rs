//! Why a daemon ended otherwise than well.

use std::fmt;
use std::time::Duration;

use remuda_sys::CallError;

use super::{AnyError, LOOPS_LIMIT, NAME_LIMIT_BYTES};
use crate::notify::NotifyError;

/// How a loop ended that was not asked to, or not like that.
#[derive(Debug, thiserror::Error)]
pub enum Death {
    /// It returned though nobody had asked it to quit.
    #[error("returned though nobody had asked it to quit")]
    Returned,
    /// It returned an error.
    #[error("failed: {}", chain(&**.0))]
    Failed(#[source] AnyError),
    /// It panicked, with these words.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// Loops that did not end in time; they run until the process exits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stuck {
    /// Their names, in the order they were started.
    pub loops: Vec<String>,
    /// They were waited for so long.
    pub waited: Duration,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "within {:.1?} these loops did not end: {}", self.waited, self.loops.join(", "))
    }
}

/// Why [`Daemon::run`](super::Daemon::run) did not end well.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// A name cannot be one. Nothing was started.
    #[error(
        "start daemon {daemon:?}: {name:?} is no name; a name has 1 to {NAME_LIMIT_BYTES} visible ASCII characters"
    )]
    Name {
        /// The daemon.
        daemon: String,
        /// The name in question.
        name: String,
    },
    /// Two loops have one name. Nothing was started.
    #[error("start daemon {daemon}: two of its loops are called {name:?}")]
    SameName {
        /// The daemon.
        daemon: String,
        /// The name of both.
        name: String,
    },
    /// No loop, or too many. Nothing was started.
    #[error("start daemon {daemon}: it has {count} loops; there must be 1 to {LOOPS_LIMIT}")]
    Loops {
        /// The daemon.
        daemon: String,
        /// How many.
        count: usize,
    },
    /// The kernel refused what a daemon needs before its first loop. Nothing was started.
    #[error("start daemon {daemon}: {source}")]
    Start {
        /// The daemon.
        daemon: String,
        /// What was refused.
        source: CallError,
    },
    /// The supervisor's variables make no sense. Nothing was started.
    #[error("start daemon {daemon}: {source}")]
    Supervisor {
        /// The daemon.
        daemon: String,
        /// Which, and why.
        source: NotifyError,
    },
    /// A thread could not be started; the loops started before it were asked to quit.
    #[error("start loop {name:?} of daemon {daemon}: {source}{}", also(stuck.as_ref()))]
    Thread {
        /// The daemon.
        daemon: String,
        /// The loop.
        name: String,
        /// Why.
        source: CallError,
        /// Those that did not quit.
        stuck: Option<Stuck>,
    },
    /// The daemon could not wait for signals any more, and was ended.
    #[error("daemon {daemon} ended: {source}{}", also(stuck.as_ref()))]
    Wait {
        /// The daemon.
        daemon: String,
        /// Why.
        source: CallError,
        /// Loops that did not end then.
        stuck: Option<Stuck>,
    },
    /// A loop died, and the daemon was ended for it, or was ending already.
    #[error("daemon {daemon} ended: its loop {name:?} {death}{}", also(stuck.as_ref()))]
    Died {
        /// The daemon.
        daemon: String,
        /// The loop that died first.
        name: String,
        /// How.
        #[source]
        death: Death,
        /// Loops that did not end then.
        stuck: Option<Stuck>,
    },
    /// The daemon was asked to quit and some of its loops did not.
    #[error("end daemon {daemon}: {stuck}; they are cut off when the process exits")]
    Stuck {
        /// The daemon.
        daemon: String,
        /// Which, after how long.
        stuck: Stuck,
    },
}

impl DaemonError {
    /// What the process should exit with: 2 when the program or its environment is wrong and another try will not help,
    /// 101 (Rust's own) when a loop panicked, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Name { .. } | Self::SameName { .. } | Self::Loops { .. } | Self::Supervisor { .. } => 2,
            Self::Died { death: Death::Panicked(_), .. } => 101,
            _ => 1,
        }
    }

    /// Loops that still run.
    #[must_use]
    pub fn stuck(&self) -> Option<&Stuck> {
        match self {
            Self::Stuck { stuck, .. } => Some(stuck),
            Self::Thread { stuck, .. } | Self::Wait { stuck, .. } | Self::Died { stuck, .. } => {
                stuck.as_ref()
            }
            _ => None,
        }
    }
}

fn also(stuck: Option<&Stuck>) -> String {
    stuck.map_or_else(String::new, |stuck| format!("; {stuck}; they are cut off when the process exits"))
}

/// An error with what caused it: a log line has no other place to show that. A cause whose words the error already
/// has is not said twice.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
