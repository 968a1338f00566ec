//! Requests without an end, each on a connection of its own, and an account of those that failed.

use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{PATIENCE, http};

/// Time between two requests of a [`Load`].
const PACE: Duration = Duration::from_millis(3);

/// Requests that go on in the background.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Sender<()>,
    sender: JoinHandle<Account>,
    /// Held during a request.
    asking: Arc<Mutex<()>>,
}

/// What became of a [`Load`].
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Requests answered with 200.
    pub(crate) answered: usize,
    /// Pids that answered.
    pub(crate) pids: BTreeSet<u32>,
    /// What became of the others.
    pub(crate) failures: Vec<String>,
}

impl Load {
    /// Begins to ask `address`, whose workers answer with their pid.
    pub(crate) fn start(address: &str) -> Self {
        let (stop, stopped) = channel();
        let address = address.to_owned();
        let asking = Arc::new(Mutex::new(()));
        let held = Arc::clone(&asking);
        let sender = std::thread::spawn(move || {
            let mut account = Account::default();
            while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                let _asking = held.lock().unwrap_or_else(PoisonError::into_inner);
                account.ask(&address);
            }
            account
        });
        Self { stop, sender, asking }
    }

    /// Does `deed` while no request is under way.
    pub(crate) fn while_quiet<T>(&self, deed: impl FnOnce() -> T) -> T {
        let _quiet = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        deed()
    }

    /// Ends it.
    pub(crate) fn finish(self) -> Account {
        drop(self.stop);
        self.sender.join().unwrap()
    }
}

impl Account {
    fn ask(&mut self, address: &str) {
        match http::get(address, "/") {
            Ok(answer) if answer.status == 200 => {
                self.answered += 1;
                self.pids.insert(answer.pid());
            }
            Ok(answer) => self.failures.push(format!("{answer:?}")),
            Err(error) => self.failures.push(error.to_string()),
        }
    }

    /// Fails the test when a request failed, or none was made.
    #[track_caller]
    pub(crate) fn none_failed(&self) {
        assert!(self.answered > 0, "no request was made");
        let made = self.answered + self.failures.len();
        assert!(
            self.failures.is_empty(),
            "{} of {made} requests failed: {:?}",
            self.failures.len(),
            self.failures
        );
    }
}

/// Asks, several times at once, until `count` different pids have answered.
#[track_caller]
pub(crate) fn distinct_pids(address: &str, count: usize) -> BTreeSet<u32> {
    let deadline = Instant::now() + PATIENCE;
    let mut pids = BTreeSet::new();
    while pids.len() < count {
        assert!(Instant::now() < deadline, "wanted {count} different pids, got {pids:?}");
        let askers: Vec<_> = (0..count * 2)
            .map(|_| {
                let address = address.to_owned();
                std::thread::spawn(move || http::get(&address, "/slow?ms=20"))
            })
            .collect();
        for asker in askers {
            let answer = asker.join().unwrap().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            pids.insert(answer.pid());
        }
    }
    pids
}
