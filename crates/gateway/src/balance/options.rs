//! How a group is balanced.

use std::time::Duration;

/// How a member is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The less loaded of two that chance names. As good as knowing them all, without everybody running to the same one.
    #[default]
    Random2,
    /// As `Random2`, where load is the time answers took of late, at their worst, times requests in hand (peak EWMA).
    Ewma,
    /// One after another, by weight.
    RoundRobin,
    /// The one with the fewest requests in hand.
    Least,
    /// The same for the same key, as long as it is there (rendezvous hashing): one that goes takes only its own keys
    /// along.
    Hash,
}

/// Options of a group.
#[derive(Debug, Clone, Default)]
pub struct GroupOptions {
    /// How a member is chosen.
    pub method: Method,
    /// Requests a member may have at once, for each unit of its weight; more wait in one queue for all. 0 is no limit,
    /// the default.
    pub concurrency: u32,
    /// Requests all members together may have at once; more wait. 0 is no limit, the default.
    pub in_flight_max: usize,
    /// The queue.
    pub queue: QueueOptions,
    /// How long a member that comes, or comes back, is given less than its share. Default 0: not at all.
    pub slow_start: Duration,
    /// What failed requests do.
    pub ejection: EjectionOptions,
    /// Probes; `None`: nobody is probed, the default.
    pub health: Option<HealthOptions>,
    /// How many requests may be tried again.
    pub budget: BudgetOptions,
}

/// Who waits for a member to be free.
#[derive(Debug, Clone)]
pub struct QueueOptions {
    /// Requests that may wait; further ones are refused with 503. Default 1,000.
    pub max: usize,
    /// How long one waits, then it is refused with 503. Default 5 s: a browser's user has given up by then.
    pub wait: Duration,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { max: 1000, wait: Duration::from_secs(5) }
    }
}

/// When a member whose requests fail gets none for a while.
#[derive(Debug, Clone)]
pub struct EjectionOptions {
    /// So many failures in a row. Default 5; 0: never.
    pub failures: u32,
    /// How long the first time; twice as long each time after. Default 10 s.
    pub base: Duration,
    /// How long at most. Default 5 min.
    pub max: Duration,
    /// Most members that may be out at once, in percent. Default 50.
    pub most_percent: usize,
}

impl Default for EjectionOptions {
    fn default() -> Self {
        Self { failures: 5, base: Duration::from_secs(10), max: Duration::from_secs(300), most_percent: 50 }
    }
}

/// How members are probed.
#[derive(Debug, Clone)]
pub struct HealthOptions {
    /// From one probe to the next, a tenth more or less. Default 2 s.
    pub every: Duration,
    /// How long one may take. Default 1 s.
    pub timeout: Duration,
    /// So many good ones in a row make a member well. Default 2.
    pub rise: u32,
    /// So many bad ones in a row make it ill. Default 3.
    pub fall: u32,
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self { every: Duration::from_secs(2), timeout: Duration::from_secs(1), rise: 2, fall: 3 }
    }
}

/// How many requests may be tried again, of those in the last ten seconds: a group that fails as a whole must not get
/// several times its load for it.
#[derive(Debug, Clone)]
pub struct BudgetOptions {
    /// Of a hundred requests. Default 20.
    pub percent: u64,
    /// And so many each second, for groups with few requests. Default 10.
    pub per_second: u64,
}

impl Default for BudgetOptions {
    fn default() -> Self {
        Self { percent: 20, per_second: 10 }
    }
}

/// Options of a member.
#[derive(Debug, Clone)]
pub struct MemberOptions {
    /// What it is known by, over all processes and restarts: keys go by it.
    pub name: String,
    /// Its share, 1 to 1000. Default 1.
    pub weight: u32,
}

impl MemberOptions {
    /// With weight 1.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), weight: 1 }
    }
}
