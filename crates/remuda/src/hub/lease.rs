//! A lock held over time: a thread that asks for it, renews it, and gives it back.
//!
//! It says by a bell what became of it; how long the lease is good for is always there to look at, also while the thread
//! waits for a hub that does not answer. A lease is counted from before it was asked for, by the clock that goes on while
//! the machine sleeps: so it never seems to last longer than the hub thinks it does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
/// So long a lock may take to be given back when nothing was amiss with the hub, and when it was not heard of last: it is
/// free when its ttl is over, and whoever waits for the command waits for us.
const RELEASE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(200));
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
    /// Still waiting; who is asked does not answer.
    Away(String),
    /// Until when, at least.
    Held {
        fence: u64,
        until: Tick,
    },
    /// Another had it for all of the wait.
    Taken,
    /// Another has it, or may have it.
    Lost(String),
    /// Nobody answered in time.
    Unanswered(String),
    Failed(Failure),
}

/// The thread.
#[derive(Debug)]
pub(super) struct Lease {
    shared: Arc<Shared>,
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
    /// The lock is wanted no more.
    is_over: bool,
    /// The thread has nothing to do any more.
    is_done: bool,
    /// The hub answered what it was asked last.
    is_heard: bool,
}

impl Lease {
    /// Begins to ask for it.
    pub(super) fn begin(hub: &Hub, wanted: Wanted) -> std::io::Result<Self> {
        let bell = EventFd::new().map_err(std::io::Error::other)?;
        let state = State { standing: Standing::Waiting, is_over: false, is_done: false, is_heard: true };
        let shared = Arc::new(Shared { state: Mutex::new(state), turned: Condvar::new(), bell });
        let reply = reply(&wanted);
        let hub = hub.clone().timeouts(Timeouts { connect: reply, reply, ..Timeouts::default() });
        let theirs = Arc::clone(&shared);
        // A panic in it ends the program.
        std::thread::Builder::new().name("lease".into()).spawn(move || {
            theirs.run(&hub, &wanted);
            theirs.note(|state| state.is_done = true);
        })?;
        Ok(Self { shared })
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

    /// Gives the lock back, as far as the hub can be told in time. Who waits still does so no more when the program ends:
    /// the hub sees the connection close.
    pub(super) fn end(self) {
        self.shared.note(|state| state.is_over = true);
        let began = clock::boottime();
        let mut state = self.shared.lock();
        while !state.is_done && !matches!(state.standing, Standing::Waiting | Standing::Away(_)) {
            let bound = if state.is_heard { RELEASE.0 } else { RELEASE.1 };
            let left = (began + bound).since(clock::boottime());
            if left.is_zero() {
                return;
            }
            let waited = self.shared.turned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
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

    /// Changes something that others wait for.
    fn note(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.turned.notify_all();
    }

    fn run(&self, hub: &Hub, wanted: &Wanted) {
        let mut store = hub.store();
        let fence = match self.acquire(hub, &mut store, wanted) {
            Ok(Some(fence)) => fence,
            Ok(None) => return self.set(Standing::Taken),
            Err(error) => return self.set(refused(error)),
        };
        self.keep(&mut store, wanted, fence);
        // Also when it is lost: its command may not have ended, and a hub that comes back after a crash holds it on.
        let over = self.turned.wait_while(self.lock(), |state| !state.is_over);
        drop(over.unwrap_or_else(PoisonError::into_inner));
        self.give_back(hub, &mut store, &wanted.name, fence);
    }

    /// Waits for the lock; a hub that goes away meanwhile is asked again.
    fn acquire(&self, hub: &Hub, store: &mut Store, wanted: &Wanted) -> Result<Option<u64>, ClientError> {
        let end = wanted.wait.map(|wait| clock::boottime() + wait);
        let mut has_waited = false;
        let mut is_away = false;
        loop {
            let remaining = || end.map_or(WAIT_MAX, |end| end.since(clock::boottime()).min(WAIT_MAX));
            // The answer to a question for the lock may take as long as the wait: who was away is asked something else.
            let is_back =
                if is_away { answers(hub, remaining().clamp(REPLY.0, reply(wanted))) } else { Ok(()) };
            let left = remaining();
            let is_last = end.is_some_and(|end| end <= clock::boottime() + left);
            let answer = is_back.and_then(|()| {
                if std::mem::take(&mut is_away) {
                    self.set(Standing::Waiting);
                }
                let ask = LockAsk { ttl: wanted.ttl, wait: left, owner: &wanted.owner };
                store.acquire(&wanted.name, &ask)
            });
            match answer {
                Ok(None) if !is_last => has_waited = true,
                Err(error) if error.is_passing() && (has_waited || !left.is_zero()) => {
                    if end.is_some_and(|end| end <= clock::boottime()) {
                        return Err(error);
                    }
                    if !std::mem::replace(&mut is_away, true) {
                        self.set(Standing::Away(who(&error).to_owned()));
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

    /// Gives it back. The connection may be to a hub that is gone: another one is tried, where somebody answers.
    fn give_back(&self, hub: &Hub, store: &mut Store, name: &[u8], fence: u64) {
        if !store.release(name, fence).is_err_and(|error| error.is_passing()) {
            return;
        }
        self.note(|state| state.is_heard = false);
        if answers(hub, RELEASE.1).is_ok() {
            self.note(|state| state.is_heard = true);
            // It has been tried twice.
            let _ = hub.store().release(name, fence);
        }
    }

    /// Renews the lease until it is over, or lost.
    fn keep(&self, store: &mut Store, wanted: &Wanted, fence: u64) {
        // Nobody knows when the hub began to count: the first renewal says so, at once.
        let mut until = Tick(0);
        loop {
            let asked = clock::boottime();
            self.note(|state| state.is_heard = false);
            let answer = store.renew(&wanted.name, fence, wanted.ttl);
            self.note(|state| state.is_heard = answer.is_ok());
            match answer {
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
                    return self.set(refused(error));
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

/// How long a reply to a renewal may take.
fn reply(wanted: &Wanted) -> Duration {
    (wanted.ttl / 3).clamp(REPLY.0, REPLY.1)
}

/// Whether the hub answers, by a connection of its own.
fn answers(hub: &Hub, within: Duration) -> Result<(), ClientError> {
    let timeouts = Timeouts { connect: within, reply: within, ..Timeouts::default() };
    hub.clone().timeouts(timeouts).store().command(&[b"PING"]).map(drop)
}

/// What it is when the lock cannot be had.
fn refused(error: ClientError) -> Standing {
    match error {
        ClientError::Late { place, .. } => {
            Standing::Unanswered(format!("the hub at {place} does not answer"))
        }
        ClientError::Lost { .. } | ClientError::Connect { .. } => Standing::Unanswered(error.to_string()),
        error => Standing::Failed(error.into()),
    }
}

/// Who is away when this is the answer.
fn who(error: &ClientError) -> &'static str {
    match error {
        ClientError::Said(_) => "what keeps the locks",
        _ => "the hub",
    }
}
