//! What applying a changed config would do.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ServiceName, SocketName};

/// The difference between the config in force and another one, as actions. Empty when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What happens to sockets, by name.
    pub sockets: Vec<SocketChange>,
    /// What happens to services, by name.
    pub services: Vec<ServiceChange>,
    /// Keys of the instance itself that need a restart of the arbiter to take effect.
    pub instance: Vec<String>,
}

impl Plan {
    /// Nothing would happen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty() && self.services.is_empty() && self.instance.is_empty()
    }

    /// One line for each action: `+ service web …`, `~ …`, `- …`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let sockets = self.sockets.iter().map(|change| change.change.line("socket", change.name.as_str()));
        let services = self.services.iter().map(|change| change.change.line("service", change.name.as_str()));
        let instance =
            self.instance.iter().map(|key| format!("! {key} changes when the arbiter is restarted"));
        sockets.chain(services).chain(instance).collect()
    }
}

/// What happens to a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SocketChange {
    /// Which.
    pub name: SocketName,
    /// What.
    pub change: Change,
}

/// What happens to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceChange {
    /// Which.
    pub name: ServiceName,
    /// What.
    pub change: Change,
}

/// What happens to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// It is new: bound, started.
    Added,
    /// It goes: closed, stopped.
    Removed,
    /// Only the number of workers changes; those that stay keep their pids.
    Scaled {
        /// Before.
        from: u32,
        /// After.
        to: u32,
    },
    /// The number of workers follows the load within these bounds; the present one stays if it is within them.
    Bounded {
        /// At least so many.
        min: u32,
        /// At most so many.
        max: u32,
    },
    /// It takes effect without touching a worker or a listener.
    Adjusted {
        /// The keys that differ.
        keys: Vec<String>,
    },
    /// Workers are replaced (a reload); a socket is bound anew before the old one is let go.
    Replaced {
        /// The keys that differ.
        keys: Vec<String>,
    },
}

impl Change {
    fn line(&self, what: &str, name: &str) -> String {
        match self {
            Self::Added => format!("+ {what} {name}"),
            Self::Removed => format!("- {what} {name}"),
            Self::Scaled { .. } | Self::Bounded { .. } | Self::Adjusted { .. } | Self::Replaced { .. } => {
                format!("~ {what} {name}: {self}")
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Scaled { from, to } => write!(f, "workers {from} -> {to}"),
            Self::Bounded { min, max } => write!(f, "workers between {min} and {max}"),
            Self::Adjusted { keys } => write!(f, "{} (no worker is touched)", keys.join(", ")),
            Self::Replaced { keys } => write!(f, "{} (replaced without a gap)", keys.join(", ")),
        }
    }
}
