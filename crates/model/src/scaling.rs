//! How many workers, when their number follows the load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of workers that follows the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scaling {
    /// At least so many, 1 or more.
    pub min: u32,
    /// At most so many, `min` or more.
    pub max: u32,
    /// What asks for more.
    pub on: Load,
}

/// What asks for more workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// Connections that wait in the queues of its sockets.
    #[default]
    Backlog,
    /// The processor time that its workers use.
    Cpu,
}
