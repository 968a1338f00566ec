//! Locks at a PostgreSQL, exact: an advisory lock of our session, and a row with the lease.
//!
//! The row says who has the lock, with which fence and until when; it is what is exact, since PostgreSQL changes a row for
//! one after the other. It outlives our session: when this hub dies, its holders keep their locks for as long as they were
//! promised. The advisory lock stands in front of it for as long as our session lives: it keeps others away even where
//! PostgreSQL's clock is set forward, by which leases are measured. A session that is lost is followed by another, which
//! takes the advisory lock again with the next renewal.
//!
//! Fences come from a sequence: they grow for as long as PostgreSQL loses nothing it has confirmed, whichever hub asks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use remuda_model::hub::EngineUrl;
use remuda_store::{EngineAnswer, EngineAsk};
use remuda_wire::postgres::{Account, Answer, Postgres as Session};

use super::{Said, millis};

/// Types of values, as PostgreSQL numbers them.
const BYTEA: u32 = 17;
const BIGINT: u32 = 20;

/// The same key for the same name everywhere.
macro_rules! advisory {
    ($function:literal) => {
        concat!($function, "(hashtextextended('remuda lock ' || encode($1, 'hex'), 0))")
    };
}

/// Name, milliseconds, owner. The fence, or null; what is left of another's lease, in milliseconds, where it has a row.
const ACQUIRE: &str = concat!(
    "WITH seat AS MATERIALIZED (SELECT ",
    advisory!("pg_try_advisory_lock"),
    " AS ok), taken AS (INSERT INTO remuda_locks AS l (name, fence, until, owner) ",
    "SELECT $1, nextval('remuda_fence'), clock_timestamp() + $2 * interval '1 millisecond', $3 FROM seat WHERE ok ",
    "ON CONFLICT (name) DO UPDATE SET fence = excluded.fence, until = excluded.until, owner = excluded.owner ",
    "WHERE l.until <= clock_timestamp() RETURNING fence) ",
    "SELECT (SELECT fence FROM taken), ",
    "(SELECT greatest(0, extract(epoch FROM until - clock_timestamp()) * 1000)::bigint FROM remuda_locks WHERE name = $1), ",
    "CASE WHEN ok AND NOT EXISTS (SELECT FROM taken) THEN ",
    advisory!("pg_advisory_unlock"),
    " END FROM seat"
);
/// Name. Whether our session has the advisory lock now.
const RETAKE: &str = concat!("SELECT ", advisory!("pg_try_advisory_lock"));
/// Name.
const UNLOCK: &str = concat!("SELECT ", advisory!("pg_advisory_unlock"));
/// Name, fence, milliseconds. A row if it is done.
const RENEW: &str = "UPDATE remuda_locks SET until = clock_timestamp() + $3 * interval '1 millisecond' \
                     WHERE name = $1 AND fence = $2 RETURNING 1";
/// Name, fence. A row if it is done.
const RELEASE: &str = "DELETE FROM remuda_locks WHERE name = $1 AND fence = $2 RETURNING 1";

/// All that is prepared, with the types of the values.
const STATEMENTS: [(&str, &str, &[u32]); 5] = [
    ("acquire", ACQUIRE, &[BYTEA, BIGINT, BYTEA]),
    ("retake", RETAKE, &[BYTEA]),
    ("unlock", UNLOCK, &[BYTEA]),
    ("renew", RENEW, &[BYTEA, BIGINT, BIGINT]),
    ("release", RELEASE, &[BYTEA, BIGINT]),
];

/// A session that is cut off from us ends within half a minute, and a statement that waits for somebody is given up
/// before we give up the connection. What is confirmed is on PostgreSQL's disk.
const SET_UP: &str = "SELECT set_config(name, value, false) FROM (VALUES ('statement_timeout', '4s'), \
                      ('lock_timeout', '4s'), ('idle_session_timeout', '0'), ('tcp_keepalives_idle', '10'), \
                      ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '4'), ('tcp_user_timeout', '30s'), \
                      ('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
                      ELSE current_setting('synchronous_commit') END)) AS wanted(name, value) \
                      JOIN pg_settings USING (name)";

#[derive(Debug)]
enum Sent {
    /// The login, or what follows it, which has to go well.
    Begin,
    /// The last of those.
    Ready,
    Ping,
    Acquire(Arc<[u8]>),
    Retake(Arc<[u8]>, u64),
    Renew(Arc<[u8]>, u64),
    Release,
    Unlock,
    /// What was known without asking.
    Known(EngineAnswer),
}

/// The conversation.
#[derive(Debug)]
pub(super) struct Postgres {
    session: Option<Session>,
    sent: VecDeque<Sent>,
    /// Advisory locks of our session, with the fence of the row behind each.
    owned: BTreeMap<Arc<[u8]>, u64>,
    own_name: String,
    /// Fences begin here, where there are none yet.
    floor: u64,
}

impl Postgres {
    pub(super) fn new(own_name: &str, floor: u64) -> Self {
        let own_name = format!("remuda-hub-{own_name}");
        Self { session: None, sent: VecDeque::new(), owned: BTreeMap::new(), own_name, floor }
    }

    pub(super) fn greet(&mut self, address: &EngineUrl, out: &mut BytesMut) -> Result<(), String> {
        self.sent.clear();
        self.owned.clear();
        let user = address.user.clone().unwrap_or_default();
        let account = Account {
            database: address.catalog.clone().unwrap_or_else(|| user.clone()),
            user,
            password: address.password.clone(),
            application: self.own_name.clone(),
        };
        self.session = Some(Session::begin(account, out).map_err(told)?);
        self.sent.push_back(Sent::Begin);
        Ok(())
    }

    /// We are let in: all that is needed is set up, and prepared.
    fn set_up(&mut self, out: &mut BytesMut) -> Result<(), String> {
        let Some(session) = &self.session else { return Ok(()) };
        session.query(SET_UP, out).map_err(told)?;
        // One hub at a time: two that make the same table at once would both fail.
        let make = format!(
            "DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtextextended('remuda locks', 0)); \
             IF to_regclass('remuda_locks') IS NULL THEN CREATE TABLE remuda_locks (name bytea PRIMARY KEY, \
             fence bigint NOT NULL, until timestamptz NOT NULL, owner bytea NOT NULL); END IF; \
             IF to_regclass('remuda_fence') IS NULL THEN CREATE SEQUENCE remuda_fence START {}; END IF; END $$",
            self.floor
        );
        session.query(&make, out).map_err(told)?;
        self.sent.extend([Sent::Begin, Sent::Begin]);
        for (name, sql, types) in STATEMENTS {
            session.prepare(name, sql, types, out).map_err(told)?;
            self.sent.push_back(Sent::Begin);
        }
        if let Some(last) = self.sent.back_mut() {
            *last = Sent::Ready;
        }
        Ok(())
    }

    pub(super) fn ping(&mut self, out: &mut BytesMut) -> Result<(), String> {
        if let Some(session) = &self.session {
            session.query("SELECT 1", out).map_err(told)?;
            self.sent.push_back(Sent::Ping);
        }
        Ok(())
    }

    pub(super) fn ask(&mut self, ask: &EngineAsk, out: &mut BytesMut) -> Result<(), String> {
        let Some(session) = &self.session else { return Err("there is no session".to_owned()) };
        let bytes = |number: u64| i64::try_from(number).unwrap_or(i64::MAX).to_be_bytes();
        match ask {
            EngineAsk::Acquire { name, .. } if self.owned.contains_key(name) => {
                // A session gets its own advisory lock any number of times: it is ours, and so somebody here has it.
                self.sent.push_back(Sent::Known(EngineAnswer::Taken { left: None }));
                // An answer makes the reader look.
                session.query("", out).map_err(told)?;
            }
            EngineAsk::Acquire { name, ttl, owner } => {
                session.run("acquire", &[name, &bytes(millis(*ttl)), owner], out).map_err(told)?;
                self.sent.push_back(Sent::Acquire(Arc::clone(name)));
            }
            EngineAsk::Renew { name, fence, ttl } => {
                // Not where a question under way may bring it: it would be taken twice, and given back once.
                let comes = |sent: &Sent| matches!(sent, Sent::Acquire(other) if other == name);
                if !self.owned.contains_key(name) && !self.sent.iter().any(comes) {
                    session.run("retake", &[name], out).map_err(told)?;
                    self.sent.push_back(Sent::Retake(Arc::clone(name), *fence));
                    self.owned.insert(Arc::clone(name), *fence);
                }
                session.run("renew", &[name, &bytes(*fence), &bytes(millis(*ttl))], out).map_err(told)?;
                self.sent.push_back(Sent::Renew(Arc::clone(name), *fence));
            }
            EngineAsk::Release { name, fence } => {
                session.run("release", &[name, &bytes(*fence)], out).map_err(told)?;
                self.sent.push_back(Sent::Release);
                self.unlock(name, *fence, out)?;
            }
        }
        Ok(())
    }

    /// Gives an advisory lock of our session back, if it is that of this fence.
    fn unlock(&mut self, name: &Arc<[u8]>, fence: u64, out: &mut BytesMut) -> Result<(), String> {
        if self.owned.get(name) == Some(&fence)
            && let Some(session) = &self.session
        {
            self.owned.remove(name);
            session.run("unlock", &[name], out).map_err(told)?;
            self.sent.push_back(Sent::Unlock);
        }
        Ok(())
    }

    pub(super) fn read(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<Option<Said>, String> {
        loop {
            let Some(session) = &mut self.session else { return Err("there is no session".to_owned()) };
            let Some(answer) = session.read(input, out).map_err(told)? else { return Ok(None) };
            if let Some(said) = self.answered(&answer, out)? {
                return Ok(Some(said));
            }
        }
    }

    fn answered(&mut self, answer: &Answer, out: &mut BytesMut) -> Result<Option<Said>, String> {
        let sent = self.sent.pop_front().ok_or("it answered what it was not asked")?;
        let failure = answer.failure.as_ref().map(|failure| format!("{} ({})", failure.text, failure.code));
        let failed = |why: String| {
            let why = format!("the engine of the locks: {why}; nothing has changed").into();
            Ok(Some(Said::Answer(EngineAnswer::Failed { why })))
        };
        let is_done = answer.row.is_some();
        match (sent, failure) {
            (Sent::Begin | Sent::Ready, Some(why)) => Err(format!("it cannot keep locks for us: {why}")),
            (Sent::Begin, None) => {
                if self.sent.is_empty() {
                    self.set_up(out)?;
                }
                Ok(None)
            }
            (Sent::Ready, None) => Ok(Some(Said::Greeted)),
            (Sent::Ping, _) => Ok(Some(Said::Alive)),
            (Sent::Known(answer), _) => Ok(Some(Said::Answer(answer))),
            (Sent::Acquire(name), Some(why)) => {
                // The advisory lock of a statement that fails stays ours.
                self.owned.insert(Arc::clone(&name), 0);
                self.unlock(&name, 0, out)?;
                failed(why)
            }
            (Sent::Acquire(name), None) => Ok(Some(Said::Answer(self.acquired(name, answer)?))),
            (Sent::Retake(name, fence), why) => {
                let is_ours = why.is_none() && cell(answer, 0) == Some("t");
                if !is_ours && self.owned.get(&name) == Some(&fence) {
                    self.owned.remove(&name);
                }
                Ok(None)
            }
            (Sent::Renew(name, fence), None) => {
                if !is_done {
                    self.unlock(&name, fence, out)?;
                }
                Ok(Some(Said::Answer(EngineAnswer::Done { is_done })))
            }
            (Sent::Release, None) => Ok(Some(Said::Answer(EngineAnswer::Done { is_done }))),
            (Sent::Renew(..) | Sent::Release, Some(why)) => failed(why),
            (Sent::Unlock, _) => Ok(None),
        }
    }

    fn acquired(&mut self, name: Arc<[u8]>, answer: &Answer) -> Result<EngineAnswer, String> {
        let number = |at: usize| cell(answer, at).map(str::parse::<u64>).transpose();
        let wrong = |_not_a_number| "its answer is not that of our statement".to_owned();
        if let Some(fence) = number(0).map_err(wrong)? {
            self.owned.insert(name, fence);
            return Ok(EngineAnswer::Acquired { fence });
        }
        let left = number(1).map_err(wrong)?.map(Duration::from_millis);
        Ok(EngineAnswer::Taken { left })
    }
}

fn cell(answer: &Answer, at: usize) -> Option<&str> {
    answer.row.as_ref()?.get(at)?.as_deref()
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
