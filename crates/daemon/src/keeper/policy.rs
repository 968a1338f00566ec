//! What a keeper does when it is left alone.

use std::time::Duration;

pub use remuda_model::OnCrash;
use serde::{Deserialize, Serialize};

/// What a keeper does when it is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// What becomes of the workers. Default [`OnCrash::Keep`].
    pub on_crash: OnCrash,
    /// How long workers that are told to end may take before they are killed. Default 30 s.
    pub grace: Duration,
    /// Most memory that all workers' output together may take, in bytes; what comes then is read, counted and thrown
    /// away. Default 64 MiB.
    pub spill_total: u64,
    /// The same for one pipe, in bytes. Default 8 MiB.
    pub spill_each: u64,
    /// How long everything is held for the next arbiter when no worker lives. Default 60 s.
    pub empty_wait: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            on_crash: OnCrash::Keep,
            grace: Duration::from_secs(30),
            spill_total: 64 << 20,
            spill_each: 8 << 20,
            empty_wait: Duration::from_secs(60),
        }
    }
}
