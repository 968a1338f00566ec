//! What clients of both protocols say about locks.
//!
//! | Redis | ZeroMQ | answer |
//! |---|---|---|
//! | `LOCK.ACQUIRE name ttl_ms [WAIT ms] [OWNER text] [SESSION]` | `LOCK …` | the fence, or null |
//! | `LOCK.RENEW name fence ttl_ms` | `RENEW …` | 1, or 0 where that acquisition holds it no more |
//! | `LOCK.RELEASE name fence` | `UNLOCK …` | the same |
//! | `LOCK.INFO name` | `LOCKINFO name` | fence, owner, milliseconds left, how many wait; null where it is free |
//! | `LOCK.LIST` | `LOCKS` | name and the same for each; 10,000 at most |

use std::time::Duration;

use remuda_model::Tick;
use remuda_store::{Asker, Held, LockAsk};

use crate::access::User;
use crate::core::Core;
use crate::hub::moment;
use crate::redis::text::{is, number};

/// Locks of one answer to `LOCK.LIST`: it is made in one turn.
pub(crate) const LISTED_MAX: usize = 10_000;

/// What is shown of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: Vec<u8>,
    pub(crate) fence: u64,
    pub(crate) owner: Vec<u8>,
    pub(crate) left_ms: u64,
    pub(crate) ttl_ms: u64,
    pub(crate) waiting: u64,
    pub(crate) is_session: bool,
}

fn whole(word: &[u8], what: &str) -> Result<u64, String> {
    let parsed = number(word).and_then(|number| u64::try_from(number).ok());
    parsed.ok_or_else(|| format!("ERR {what} is a whole number"))
}

/// Not the moment of the turn: whoever asked during a long one counts its lease from when it asked, which may be later.
pub(super) fn now() -> Tick {
    moment().tick
}

fn millis(word: &[u8], what: &str) -> Result<Duration, String> {
    whole(word, what).map(Duration::from_millis)
}

impl Core {
    /// In a herd: whether this server is the one that keeps the locks.
    fn is_home_of_locks(&self) -> Result<(), String> {
        let (Some(home), Some(herd)) = (&self.settings.spec.locks.home, &self.herd) else { return Ok(()) };
        let this = match herd.node_name() {
            Some(name) if name == home => return Ok(()),
            Some(name) => format!("this is '{name}'"),
            None => "this server is no member of its herd yet".to_owned(),
        };
        Err(format!("LOCKSELSEWHERE the locks are kept by the hub of '{home}' ([locks] home), and {this}"))
    }

    /// `name ttl_ms [WAIT ms] [OWNER text] [SESSION]`: the answer comes later.
    pub(crate) fn acquire_lock(&mut self, who: Asker, words: &[&[u8]]) -> Result<(), String> {
        self.is_home_of_locks()?;
        let [name, ttl, options @ ..] = words else {
            return Err("ERR a lock has a name and a ttl".to_owned());
        };
        let ttl = millis(ttl, "the ttl in milliseconds")?;
        let mut ask = LockAsk { who, name, ttl, wait: Duration::ZERO, owner: b"", is_session: false };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            if is(option, "SESSION") {
                ask.is_session = true;
                continue;
            }
            match options.next() {
                Some(value) if is(option, "WAIT") => ask.wait = millis(value, "WAIT in milliseconds")?,
                Some(value) if is(option, "OWNER") => ask.owner = value,
                _ => return Err("ERR syntax error: name ttl_ms [WAIT ms] [OWNER text] [SESSION]".to_owned()),
            }
        }
        self.locks.acquire(now(), &ask)
    }

    /// `name fence ttl_ms`: the answer comes later.
    pub(crate) fn renew_lock(&mut self, who: Asker, words: &[&[u8]]) -> Result<(), String> {
        self.is_home_of_locks()?;
        let [name, fence, ttl] = words else { return Err("ERR syntax error: name fence ttl_ms".to_owned()) };
        let (fence, ttl) = (whole(fence, "the fence")?, millis(ttl, "the ttl in milliseconds")?);
        self.locks.renew(now(), who, name, fence, ttl)
    }

    /// `name fence`: the answer comes later.
    pub(crate) fn release_lock(&mut self, who: Asker, words: &[&[u8]]) -> Result<(), String> {
        self.is_home_of_locks()?;
        let [name, fence] = words else { return Err("ERR syntax error: name fence".to_owned()) };
        let fence = whole(fence, "the fence")?;
        self.locks.release(now(), who, name, fence)
    }

    /// One lock; `None` where it is free.
    pub(crate) fn lock_shown(&self, name: &[u8]) -> Result<Option<Shown>, String> {
        self.is_home_of_locks()?;
        let locks = self.locks.look()?;
        Ok(locks.get(name).map(|held| self.shown(name, held, locks.waiting(name))))
    }

    /// All locks that `user` may know of.
    pub(crate) fn locks_shown(&self, user: Option<&User>) -> Result<Vec<Shown>, String> {
        self.is_home_of_locks()?;
        let locks = self.locks.look()?;
        let may = |name: &[u8]| user.is_some_and(|user| user.access.may_read(name));
        let seen = locks.view().filter(|(name, _)| may(name)).take(LISTED_MAX);
        Ok(seen.map(|(name, held)| self.shown(name, held, locks.waiting(name))).collect())
    }

    fn shown(&self, name: &[u8], held: &Held, waiting: usize) -> Shown {
        let whole = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Shown {
            name: name.to_vec(),
            fence: held.fence,
            owner: held.owner.to_vec(),
            left_ms: whole(held.until.since(self.moment.tick)),
            ttl_ms: whole(held.ttl),
            waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
            is_session: held.session.is_some(),
        }
    }
}
