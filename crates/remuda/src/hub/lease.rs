//! A lock held over time: a thread that asks for it, renews it, and gives it back.
//!
//! It says by a bell what became of it; how long the lease is good for is always there to look at, also while the thread
//! waits for a hub that does not answer. A lease is counted from before it was asked for, by the clock that goes on while
//! the machine sleeps: so it never seems to last longer than the hub thinks it does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use remuda_model::Tick;
use remuda_sys::clock;
use remuda_sys::eventfd::EventFd;
use remuda_toolkit::client::{ClientError, Hub, LockAsk, Store, Timeouts};

use crate::exit::Failure;

/// The longest one wait for the lock; then it is asked for again.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// Between two tries to reach a hub that is away.
const RETRY: Duration = Duration::from_millis(100);
/// How often it is tried to give a lock back.
const RELEASES: u32 = 3;
/// The shortest and the longest time for a reply to a renewal.
const REPLY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(6));

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: Vec<u8>,
    pub(super) owner: Vec<u8>,
    pub(super) ttl: Duration,
    /// `None`: as long as it takes.
    pub(super) wait: Option<Duration>,
}

/// How it stands.
#[derive(Debug)]
pub(super) enum Standing {
    Waiting,
    /// Until when, at least.
    Held {
        fence: u64,
        until: Tick,
    },
    /// Another had it for all of the wait.
    Taken,
    /// Another has it, or may have it.
    Lost(String),
    Failed(Failure),
}

/// The thread.
#[derive(Debug)]
pub(super) struct Lease {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    turned: Condvar,
    bell: EventFd,
}

#[derive(Debug)]
struct State {
    standing: Standing,
    is_over: bool,
}

impl Lease {
    /// Begins to ask for it.
    pub(super) fn begin(hub: &Hub, wanted: Wanted) -> std::io::Result<Self> {
        let bell = EventFd::new().map_err(std::io::Error::other)?;
        let state = State { standing: Standing::Waiting, is_over: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), turned: Condvar::new(), bell });
        let reply = (wanted.ttl / 3).clamp(REPLY.0, REPLY.1);
        let hub = hub.clone().timeouts(Timeouts { connect: reply, reply, ..Timeouts::default() });
        let theirs = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("lease".into()).spawn(move || theirs.run(&hub, &wanted))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Readable when something became of it.
    pub(super) fn bell(&self) -> &EventFd {
        &self.shared.bell
    }

    /// Looks at how it stands.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Standing) -> T) -> T {
        // Whoever looks has been rung for.
        let _ = self.shared.bell.clear();
        look(&self.shared.lock().standing)
    }

    /// Gives the lock back, as far as the hub can be told. Who waits still does so no more when the program ends: the hub
    /// sees the connection close.
    pub(super) fn end(mut self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        let waits = matches!(state.standing, Standing::Waiting);
        drop(state);
        self.shared.turned.notify_all();
        if let Some(thread) = self.thread.take().filter(|_| !waits) {
            // A panic in it ended the program.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, standing: Standing) {
        self.lock().standing = standing;
        self.bell.ring();
    }

    /// Sleeps; says whether it is over.
    fn sleep(&self, time: Duration) -> bool {
        let waited = self.turned.wait_timeout_while(self.lock(), time, |state| !state.is_over);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    fn run(&self, hub: &Hub, wanted: &Wanted) {
        let mut store = hub.store();
        let fence = match self.acquire(&mut store, wanted) {
            Ok(Some(fence)) => fence,
            Ok(None) => return self.set(Standing::Taken),
            Err(error) => return self.set(Standing::Failed(error.into())),
        };
        self.keep(&mut store, wanted, fence);
        // The connection may be to a hub that is gone. What cannot be given back now is free when its ttl is over.
        for _ in 0..RELEASES {
            match store.release(&wanted.name, fence) {
                Err(error) if error.is_passing() => std::thread::sleep(RETRY),
                _ => return,
            }
        }
    }

    /// Waits for the lock; a hub that goes away meanwhile is asked again.
    fn acquire(&self, store: &mut Store, wanted: &Wanted) -> Result<Option<u64>, ClientError> {
        let end = wanted.wait.map(|wait| clock::boottime() + wait);
        let mut has_waited = false;
        loop {
            let left = end.map_or(WAIT_MAX, |end| end.since(clock::boottime()).min(WAIT_MAX));
            let ask = LockAsk { ttl: wanted.ttl, wait: left, owner: &wanted.owner };
            let is_last = end.is_some_and(|end| end <= clock::boottime() + left);
            match store.acquire(&wanted.name, &ask) {
                Ok(None) if !is_last => has_waited = true,
                Err(error) if error.is_passing() && (has_waited || !left.is_zero()) => {
                    if end.is_some_and(|end| end <= clock::boottime()) {
                        return Err(error);
                    }
                    has_waited = true;
                    if self.sleep(RETRY) {
                        return Ok(None);
                    }
                }
                other => return other,
            }
        }
    }

    /// Renews the lease until it is over, or lost.
    fn keep(&self, store: &mut Store, wanted: &Wanted, fence: u64) {
        // Nobody knows when the hub began to count: the first renewal says so, at once.
        let mut until = Tick(0);
        loop {
            let asked = clock::boottime();
            match store.renew(&wanted.name, fence, wanted.ttl) {
                Ok(true) => {
                    until = asked + wanted.ttl;
                    self.set(Standing::Held { fence, until });
                    if self.sleep(wanted.ttl / 3) {
                        return;
                    }
                    continue;
                }
                Ok(false) => {
                    let why = "the hub has given it to another, or its lease ended".to_owned();
                    return self.set(Standing::Lost(why));
                }
                Err(error) if until == Tick(0) && asked + wanted.ttl <= clock::boottime() => {
                    return self.set(Standing::Failed(error.into()));
                }
                Err(error) if until != Tick(0) && until <= clock::boottime() => {
                    return self.set(Standing::Lost(error.to_string()));
                }
                Err(_) => {}
            }
            if self.sleep(RETRY) {
                return;
            }
        }
    }
}
