//! How many requests may be tried again.

use super::{BudgetOptions, Moment};

/// Seconds that are looked back.
const WINDOW: u64 = 10;
const SECONDS: usize = 10;

/// Counts requests and second tries of the last ten seconds.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    requests: [u64; SECONDS],
    retries: [u64; SECONDS],
    /// The second that is counted.
    second: u64,
}

impl Budget {
    /// A request came.
    pub fn deposit(&mut self, now: Moment) {
        let place = self.turn(now);
        self.requests[place] += 1;
    }

    /// Whether one may be tried again; then it is.
    pub fn withdraw(&mut self, now: Moment, options: &BudgetOptions) -> bool {
        let place = self.turn(now);
        let requests: u64 = self.requests.iter().sum();
        let retries: u64 = self.retries.iter().sum();
        let most = requests.saturating_mul(options.percent) / 100 + options.per_second.saturating_mul(WINDOW);
        if retries >= most {
            return false;
        }
        self.retries[place] += 1;
        true
    }

    /// Forgets what is too long ago; the place of this second.
    fn turn(&mut self, now: Moment) -> usize {
        let second = now.0 / 1_000_000;
        let place = |second: u64| usize::try_from(second % WINDOW).unwrap_or(0);
        let passed = second.saturating_sub(self.second).min(WINDOW);
        for back in 0..passed {
            let place = place(second - back);
            self.requests[place] = 0;
            self.retries[place] = 0;
        }
        self.second = self.second.max(second);
        place(self.second)
    }
}
