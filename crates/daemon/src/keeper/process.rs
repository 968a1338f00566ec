//! The keeper's own process: one thread, one loop.

use std::os::fd::{OwnedFd, RawFd};
use std::time::{Duration, Instant};

use remuda_model::Signal;
use remuda_sys::event::{Interest, Poller, Token, block_signals};
use remuda_sys::socket::{Arrival, Link, LinkError, LinkListener};
use remuda_sys::{CallError, limits};

use super::KEEP_WORD;
use super::estate::Estate;
use super::policy::{OnCrash, Policy};
use super::protocol::{Answer, Numbered, Order, Receipt, decode, encode};
use super::visitors::Visitors;

/// The arbiter's link, as it is passed.
const LINK: RawFd = 3;
/// The listener under the abstract name, as it is passed.
const LISTENER: RawFd = 4;
/// Of all processes with as much memory this one should be among the last to be killed for it: it is tiny, and without
/// it the others' output is lost.
const OOM_SCORE_ADJUST: &str = "-500";

/// What [`Instant`] can surely be moved by; nobody waits longer for a worker.
const GRACE_LIMIT: Duration = Duration::from_secs(30 * 24 * 3600);

const ARBITER: Token = Token(0);
pub(super) const PIPES: Token = Token(1);
const WORKERS: Token = Token(2);
/// Visitors have the numbers after it.
const DOOR: Token = Token(3);

/// Becomes a keeper if the command line says so, and does not return then. Has to come right after
/// [`run_trampoline_if_asked`](remuda_sys::spawn::run_trampoline_if_asked) in `main`: before a thread is started or a
/// descriptor opened.
pub fn run_keeper_if_asked() {
    if std::env::args_os().nth(1).is_none_or(|word| word != KEEP_WORD) {
        return;
    }
    // Nobody reads what a keeper says; the arbiter sees that it has ended.
    let ended = Process::begin().and_then(Process::run);
    #[expect(clippy::exit, reason = "the rest of the program is not for this process")]
    std::process::exit(i32::from(ended.is_err()));
}

/// What the keeper is doing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// The arbiter lives.
    Serving,
    /// It has died; since when no worker lives either.
    Alone { empty_since: Option<Instant> },
    /// Workers have been told to end; when they are killed, unless they have been.
    Stopping { kill_at: Option<Instant> },
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    On,
    Over,
}

/// Whom everything is being handed to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taker {
    pub(super) id: u64,
    pub(super) pid: u32,
    /// How many items it has.
    pub(super) handed: usize,
}

/// Fields are dropped in this order: what is held goes first, then the abstract name, then the visitor who waits to
/// see both gone.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) estate: Estate,
    pub(super) visitors: Visitors,
    arbiter: Option<Link>,
    pub(super) arbiter_pid: u32,
    pub(super) policy: Policy,
    pub(super) phase: Phase,
    pub(super) alone_since: Instant,
    pub(super) taker: Option<Taker>,
    pub(super) poller: Poller,
}

impl Process {
    fn begin() -> Result<Self, CallError> {
        // It ends by farewell, hand-over, emptiness or SIGKILL only: blocked signals wait for ever.
        block_signals()?;
        // Neither is allowed everywhere, and both are only wishes.
        let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJUST);
        let _ = std::fs::write("/proc/self/comm", "remuda-keeper");
        let (nofile, _) = limits::raise_nofile();
        let arbiter = Link::inherited(LINK)?;
        let poller = Poller::new()?;
        let visitors = Visitors::new(&poller, LinkListener::inherited(LISTENER)?, DOOR)?;
        let estate = Estate::new(nofile)?;
        poller.add(&arbiter, ARBITER, Interest::Read)?;
        poller.add(estate.drain.poller(), PIPES, Interest::Read)?;
        poller.add(estate.workers.poller(), WORKERS, Interest::Read)?;
        Ok(Self {
            estate,
            visitors,
            arbiter_pid: arbiter.peer()?.pid,
            arbiter: Some(arbiter),
            policy: Policy::default(),
            phase: Phase::Serving,
            alone_since: Instant::now(),
            taker: None,
            poller,
        })
    }

    fn run(mut self) -> Result<(), CallError> {
        loop {
            let wait = self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let tokens: Vec<Token> = self.poller.wait(wait)?.map(|readiness| readiness.token).collect();
            let now = Instant::now();
            for token in tokens {
                let going = match token {
                    ARBITER => self.hear_arbiter(now)?,
                    PIPES => self.estate.drain.read().map(|()| Going::On)?,
                    WORKERS => self.estate.workers.look().map(|()| Going::On)?,
                    DOOR => self.visitors.accept(&self.poller, now).map(|()| Going::On)?,
                    Token(id) => self.hear_visitor(id, now)?,
                };
                if going == Going::Over {
                    return Ok(());
                }
            }
            if self.pass_time(now)? == Going::Over {
                return Ok(());
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let own = match self.phase {
            Phase::Alone { empty_since } if self.taker.is_none() => {
                empty_since.and_then(|since| since.checked_add(self.policy.empty_wait))
            }
            Phase::Serving | Phase::Alone { .. } => None,
            Phase::Stopping { kill_at } => kill_at,
        };
        own.into_iter().chain(self.visitors.deadline()).min()
    }

    /// Does what the time has come for.
    fn pass_time(&mut self, now: Instant) -> Result<Going, CallError> {
        for id in self.visitors.late(&self.poller, now)? {
            if self.visitors.is_put_off(id) {
                self.visitors.heard(id, now);
                self.answer(id, &Answer::Busy { pid: self.arbiter_pid }, now)?;
            } else {
                self.leave(id, now)?;
            }
        }
        let living = self.estate.workers.living();
        match &mut self.phase {
            Phase::Serving => {}
            Phase::Alone { empty_since } => {
                let since = *empty_since.get_or_insert(now);
                if living > 0 {
                    *empty_since = None;
                } else if self.taker.is_none() && now.duration_since(since) >= self.policy.empty_wait {
                    return Ok(Going::Over);
                }
            }
            Phase::Stopping { .. } if living == 0 => {
                self.visitors.tell_waiting(&Answer::Stopped);
                return Ok(Going::Over);
            }
            Phase::Stopping { kill_at } => {
                if kill_at.take_if(|at| *at <= now).is_some() {
                    self.estate.workers.signal(Signal::KILL);
                }
            }
        }
        Ok(Going::On)
    }

    /// Takes everything the arbiter has said. There is not more of it than its outbox lets under way.
    pub(super) fn hear_arbiter(&mut self, now: Instant) -> Result<Going, CallError> {
        while let Some(arbiter) = &self.arbiter {
            let receipt = match arbiter.receive_now() {
                Ok(None) => break,
                Ok(Some(Arrival::Message { bytes, descriptors })) => match decode::<Numbered>(&bytes) {
                    Some(Numbered { order: Order::Farewell, .. }) => return Ok(Going::Over),
                    Some(Numbered { number, order }) => {
                        Receipt { done: Some(number), refused: self.obey(order, descriptors).err() }
                    }
                    None => Receipt { done: None, refused: Some("it was not understood".to_owned()) },
                },
                Err(error @ LinkError::Size) => Receipt { done: None, refused: Some(error.to_string()) },
                Ok(Some(Arrival::Closed)) | Err(_) => {
                    self.be_alone(now)?;
                    break;
                }
            };
            if let Some(arbiter) = &self.arbiter {
                // Receipts always have room; an arbiter that has died needs none.
                let _ = arbiter.send_now(&encode(receipt), &[]);
            }
        }
        Ok(Going::On)
    }

    fn obey(&mut self, order: Order, descriptors: Vec<OwnedFd>) -> Result<(), String> {
        match order {
            Order::Keep(names) => self.estate.keep(names, descriptors)?,
            Order::Forget(names) => self.estate.forget(&names),
            Order::Policy(policy) => self.policy = policy,
            Order::Farewell => {}
        }
        Ok(())
    }

    /// The arbiter is gone.
    fn be_alone(&mut self, now: Instant) -> Result<(), CallError> {
        self.arbiter = None;
        self.alone_since = now;
        self.phase = Phase::Alone { empty_since: None };
        self.estate.take_care(&self.policy)?;
        if self.policy.on_crash == OnCrash::Stop {
            self.stop(now);
        }
        for (id, request) in self.visitors.take_put_off() {
            self.visitors.heard(id, now);
            self.request(id, request, now)?;
        }
        Ok(())
    }

    /// Tells the workers to end.
    pub(super) fn stop(&mut self, now: Instant) {
        self.estate.workers.signal(Signal::TERM);
        let grace = self.policy.grace.min(GRACE_LIMIT);
        self.phase = Phase::Stopping { kill_at: Some(now + grace) };
    }
}
