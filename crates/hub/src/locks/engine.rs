//! The engine that keeps the locks of several hubs: one connection to it, on the hub's loop, on which one question follows
//! the other.
//!
//! | engine | a lock is | a lease ends by | its fence is | module |
//! |---|---|---|---|---|
//! | PostgreSQL | an advisory lock of our session, and a row | the row's time, by PostgreSQL's clock | of a sequence | `postgres` |
//! | etcd | a key with a lease | the lease, by etcd's steady clock | the revision that made the key | `etcd` |
//! | Redis | a key that expires | the key's expiry | of a counter that is never behind its clock | `redis` |
//!
//! A connection that does not answer within [`ANSWER_WITHIN`] is given up, and made anew; what it was asked may have been
//! done or not, and is answered so. Leases go on meanwhile: they are the engine's.

mod etcd;
mod postgres;
mod redis;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use remuda_model::Tick;
use remuda_model::hub::{EngineKind, EngineMetrics, EngineUrl};
use remuda_store::{EngineAnswer, EngineAsk};
use remuda_sys::event::{Poller, Readiness, Token};

use self::etcd::Etcd;
use self::postgres::Postgres;
use self::redis::Redis;
use crate::engine::line::{Heard, Line, told};

/// An answer that takes longer is none: an engine that is alive and well answers within milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// An engine that said nothing for so long is asked for a sign of life.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Questions that are on their way at once; the rest waits its turn here.
const UNDER_WAY_MAX: usize = 64;
/// Questions that wait here; more are refused. They are short, so this is some megabytes.
const WAITING_MAX: usize = 20_000;
/// Bytes read in one turn.
const READ_PER_TURN: usize = 1 << 20;

/// What an engine has said.
#[derive(Debug)]
enum Said {
    /// It has let us in.
    Greeted,
    /// To the first question that it has not answered.
    Answer(EngineAnswer),
    /// It is alive.
    Alive,
}

/// How to speak with an engine.
#[derive(Debug)]
enum Tongue {
    Postgres(Box<Postgres>),
    Etcd(Etcd),
    Redis(Redis),
}

impl Tongue {
    fn greet(&mut self, address: &EngineUrl, out: &mut BytesMut) -> Result<(), String> {
        match self {
            Self::Postgres(postgres) => postgres.greet(address, out),
            Self::Etcd(etcd) => {
                etcd.greet(address, out);
                Ok(())
            }
            Self::Redis(redis) => {
                redis.greet(address, out);
                Ok(())
            }
        }
    }

    fn ask(&mut self, ask: &EngineAsk, out: &mut BytesMut) -> Result<(), String> {
        match self {
            Self::Postgres(postgres) => postgres.ask(ask, out),
            Self::Etcd(etcd) => {
                etcd.ask(ask, out);
                Ok(())
            }
            Self::Redis(redis) => {
                redis.ask(ask, out);
                Ok(())
            }
        }
    }

    fn ping(&mut self, out: &mut BytesMut) -> Result<(), String> {
        match self {
            Self::Postgres(postgres) => postgres.ping(out),
            Self::Etcd(etcd) => {
                etcd.ping(out);
                Ok(())
            }
            Self::Redis(redis) => {
                redis.ping(out);
                Ok(())
            }
        }
    }

    fn read(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<Option<Said>, String> {
        match self {
            Self::Postgres(postgres) => postgres.read(input, out),
            Self::Etcd(etcd) => etcd.read(input, out),
            Self::Redis(redis) => redis.read(input),
        }
    }

    /// Questions that may be on their way at once.
    fn under_way_max(&self) -> usize {
        match self {
            Self::Postgres(_) | Self::Redis(_) => UNDER_WAY_MAX,
            // One question is several requests there.
            Self::Etcd(_) => 1,
        }
    }
}

/// The connection.
#[derive(Debug)]
pub(crate) struct LockLink {
    pub(crate) line: Line,
    tongue: Tongue,
    /// On their way, with the time by which there has to be an answer.
    under_way: VecDeque<(u64, Tick)>,
    waiting: VecDeque<(u64, EngineAsk)>,
    answers: Vec<(u64, EngineAnswer)>,
    /// Why it is away, as the machine knows it; `None`: it is there.
    known: Option<String>,
    asked_total: u64,
}

impl LockLink {
    /// To the engine at `address`. `own_name` names this hub there; `wall_ms` is a time below which no fence begins.
    pub(crate) fn new(address: EngineUrl, token: Token, own_name: &str, wall_ms: u64, seed: u64) -> Self {
        let tongue = match address.kind {
            EngineKind::Postgres => {
                Tongue::Postgres(Box::new(Postgres::new(own_name, super::floor_of(wall_ms))))
            }
            EngineKind::Etcd => Tongue::Etcd(Etcd::default()),
            // The config lets no other kind in; it would not greet as a Redis does.
            EngineKind::Redis | EngineKind::Nats => Tongue::Redis(Redis::default()),
        };
        Self {
            line: Line::new(address, token, "locks", seed),
            tongue,
            under_way: VecDeque::new(),
            waiting: VecDeque::new(),
            answers: Vec::new(),
            known: Some(String::new()),
            asked_total: 0,
        }
    }

    /// Asks; the answer is among the [answers](Self::take_answers) later.
    pub(crate) fn ask(&mut self, number: u64, ask: EngineAsk, now: Tick) {
        if !self.line.is_up() || self.waiting.len() >= WAITING_MAX {
            let why = if self.line.is_up() {
                "the engine of the locks is too slow".to_owned()
            } else {
                self.line.refusal()
            };
            return self.answers.push((number, EngineAnswer::Failed { why: why.into() }));
        }
        self.asked_total += 1;
        self.waiting.push_back((number, ask));
        self.send(now);
    }

    /// Sends what may be under way.
    fn send(&mut self, now: Tick) {
        while self.line.is_up() && self.under_way.len() < self.tongue.under_way_max() {
            let Some((number, ask)) = self.waiting.pop_front() else { return };
            match self.tongue.ask(&ask, &mut self.line.output) {
                Ok(()) => self.under_way.push_back((number, now + ANSWER_WITHIN)),
                Err(why) => self.answers.push((number, EngineAnswer::Failed { why: why.into() })),
            }
        }
    }

    /// News of its socket.
    pub(crate) fn hear(&mut self, news: Readiness, now: Tick, scratch: &mut [u8]) {
        let heard = self.line.hear(news, now, scratch, READ_PER_TURN);
        let read = heard.and_then(|heard| match heard {
            Heard::Nothing => Ok(()),
            Heard::Connected => self.tongue.greet(&self.line.address, &mut self.line.output),
            Heard::Something => self.read(now),
        });
        if let Err(why) = read {
            self.fail(&why, now);
        }
    }

    fn read(&mut self, now: Tick) -> Result<(), String> {
        while let Some(said) = self.tongue.read(&mut self.line.input, &mut self.line.output)? {
            match said {
                Said::Greeted => self.line.greeted(now),
                Said::Alive => {}
                Said::Answer(answer) => {
                    let Some((number, _)) = self.under_way.pop_front() else {
                        return Err("it answered what it was not asked".to_owned());
                    };
                    self.answers.push((number, answer));
                    self.send(now);
                }
            }
        }
        Ok(())
    }

    /// The connection is of no use any more: what it was asked is answered so.
    pub(crate) fn fail(&mut self, why: &str, now: Tick) {
        self.line.fail(why, now);
        let why = told(why);
        let lost: Arc<str> = format!(
            "the engine of the locks at {}: {why}; whether it was done is not known",
            self.line.address
        )
        .into();
        for (number, _) in self.under_way.drain(..) {
            self.answers.push((number, EngineAnswer::Failed { why: Arc::clone(&lost) }));
        }
        let unsent: Arc<str> = self.line.refusal().into();
        for (number, _) in self.waiting.drain(..) {
            self.answers.push((number, EngineAnswer::Failed { why: Arc::clone(&unsent) }));
        }
    }

    /// What is due, and what is to be written.
    pub(crate) fn check(&mut self, now: Tick, poller: &Poller) {
        let is_late = self.under_way.front().is_some_and(|(_, until)| *until <= now);
        let checked = if is_late {
            Err("it does not answer".to_owned())
        } else if !self.under_way.is_empty() {
            // What was asked has a limit of its own.
            Ok(())
        } else {
            match self.line.asks(now, SILENT_AFTER) {
                Ok(true) => self.tongue.ping(&mut self.line.output),
                Ok(false) => Ok(()),
                Err(why) => Err(why),
            }
        };
        if let Err(why) = checked.and_then(|()| self.line.flush(poller)) {
            self.fail(&why, now);
        }
    }

    /// When something is due.
    pub(crate) fn due(&self) -> Option<Tick> {
        let answer = self.under_way.front().map(|(_, until)| *until);
        let line = if answer.is_some() { None } else { self.line.due(SILENT_AFTER) };
        line.into_iter().chain(answer).min()
    }

    /// Answers that came.
    pub(super) fn take_answers(&mut self) -> Vec<(u64, EngineAnswer)> {
        std::mem::take(&mut self.answers)
    }

    /// Whether something is to be told to the machine.
    pub(crate) fn has_news(&self) -> bool {
        !self.answers.is_empty() || self.known.is_none() != self.line.is_up()
    }

    /// What the machine has to learn: that it is there (nothing), or why it is away.
    pub(super) fn turned(&mut self) -> Option<Option<String>> {
        let now = (!self.line.is_up()).then(|| self.line.refusal());
        (now != self.known).then(|| {
            self.known.clone_from(&now);
            now
        })
    }

    /// Whether answers are on their way.
    pub(crate) fn is_busy(&self) -> bool {
        !self.under_way.is_empty() || !self.waiting.is_empty()
    }

    pub(crate) fn metrics(&self) -> EngineMetrics {
        EngineMetrics {
            sent_total: self.asked_total,
            waiting_bytes: self.line.output.len() as u64,
            ..self.line.metrics()
        }
    }
}

/// The shortest and exact time in whole milliseconds, as all engines count.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
