//! What bounds services and their workers.

use std::time::Duration;

/// Bounds of all services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicesOptions {
    /// Services known; 1,000. When a new one comes, one that has neither workers nor calls is forgotten for it.
    pub services_max: usize,
    /// Workers of one service; 1,000.
    pub workers_max: usize,
    /// Calls that wait for a worker of one service; 1,000.
    pub waiting_max: usize,
    /// Calls that wait or are worked on, of all services; 100,000.
    pub calls_max: usize,
    /// Bytes of the bodies of calls that wait for a worker, of all services; 256 MiB.
    pub waiting_bytes_max: usize,
    /// Length of the body of a call or an answer in bytes; 16 MiB.
    pub body_bytes_max: usize,
    /// Length of a service's name in bytes; 255.
    pub name_bytes_max: usize,
    /// Timeout of a call at most, whatever it asks for; 1 h.
    pub timeout_max: Duration,
    /// How long a call that has timed out still counts as its worker's; 60 s.
    pub abandoned_after: Duration,
    /// The number of the first call; 1.
    pub first_call: u64,
}

/// How much a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Calls it works on at once; 1,000, 1 for a worker that takes one at a time. At least 1.
    pub outstanding_max: usize,
    /// Whether it gets calls only when it asks for the [`next`](super::Services::next).
    pub is_pull: bool,
}

/// Why a worker was not registered; nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The name is empty or longer than [`ServicesOptions::name_bytes_max`].
    #[error("cannot register: a service's name has 1 to {bytes_max} bytes, not {bytes}")]
    Name {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// [`ServicesOptions::services_max`] are in use.
    #[error("cannot register: there are {0} services, as many as there may be")]
    TooManyServices(usize),
    /// [`ServicesOptions::workers_max`] are registered.
    #[error("cannot register: the service has {0} workers, as many as it may")]
    TooManyWorkers(usize),
}

impl ServicesOptions {
    /// The longest a call, or the wait for one, takes by default.
    pub const TIMEOUT_MAX: Duration = Duration::from_hours(1);
}

impl Default for ServicesOptions {
    fn default() -> Self {
        Self {
            services_max: 1000,
            workers_max: 1000,
            waiting_max: 1000,
            calls_max: 100_000,
            waiting_bytes_max: 256 * 1024 * 1024,
            body_bytes_max: 16 * 1024 * 1024,
            name_bytes_max: 255,
            timeout_max: Self::TIMEOUT_MAX,
            abandoned_after: Duration::from_mins(1),
            first_call: 1,
        }
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self { outstanding_max: 1000, is_pull: false }
    }
}
