//! The next arbiter's side: finding what the last one left with its keeper.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use remuda_sys::socket::{Arrival, Link};
use remuda_sys::users;

use super::error::KeeperError;
use super::protocol::{Answer, Holding, Request, State, decode, encode};

/// How long looking and taking may take.
const LIMIT: Duration = Duration::from_secs(2);

/// A keeper that waits under a name.
#[derive(Debug)]
pub struct Orphans {
    name: String,
}

/// What a keeper says of what it hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// How it stood with it when the taking began.
    pub state: State,
    /// What is known of each descriptor, by name.
    pub items: BTreeMap<String, Holding>,
}

/// Everything a keeper held. Until it is [confirmed](Self::confirm) the keeper goes on holding it, and goes back to
/// waiting when this is dropped; so read nothing from the pipes before.
#[derive(Debug)]
pub struct Taken {
    /// The descriptors, by name. What the keeper read from a log pipe is a memory file under `spill/` and the pipe's
    /// name; it comes before anything that is read from the pipe.
    pub descriptors: BTreeMap<String, OwnedFd>,
    /// What is known of them.
    pub holdings: Holdings,
    link: Link,
    name: String,
}

impl Orphans {
    /// The keeper under `abstract_name` ([`keeper_name`](super::keeper_name)), if there is one. It may be one whose
    /// arbiter lives.
    ///
    /// # Errors
    /// [`Foreign`](KeeperError::Foreign): the name is another user's; nothing was asked.
    pub fn find(abstract_name: &str) -> Result<Option<Self>, KeeperError> {
        let orphans = Self { name: abstract_name.to_owned() };
        Ok(orphans.connect()?.map(|_| orphans))
    }

    fn connect(&self) -> Result<Option<Link>, KeeperError> {
        let Some(link) = Link::connect(&self.name, LIMIT)? else { return Ok(None) };
        let peer = link.peer()?;
        if peer.uid != 0 && peer.uid != users::effective_user() {
            return Err(KeeperError::Foreign { name: self.name.clone(), uid: peer.uid });
        }
        Ok(Some(link))
    }

    /// How it stands with it; takes at most 2 s.
    ///
    /// # Errors
    /// [`Busy`](KeeperError::Busy): its arbiter lives. [`Gone`](KeeperError::Gone), [`Late`](KeeperError::Late).
    pub fn look(&self) -> Result<State, KeeperError> {
        let link = self.connect()?.ok_or(KeeperError::Gone)?;
        match ask(&link, Request::Look, LIMIT)?.0 {
            Answer::State(state) => Ok(state),
            _ => Err(KeeperError::Unclear),
        }
    }

    /// Takes everything; takes at most 2 s. Meanwhile the keeper does not read log pipes.
    ///
    /// # Errors
    /// [`Busy`](KeeperError::Busy): its arbiter lives, or another one is taking. [`Stopping`](KeeperError::Stopping),
    /// [`Gone`](KeeperError::Gone), [`Late`](KeeperError::Late). What was received is closed, the keeper still has it.
    pub fn take(&self) -> Result<Taken, KeeperError> {
        let deadline = Instant::now() + LIMIT;
        let left = || deadline.saturating_duration_since(Instant::now());
        let link = self.connect()?.ok_or(KeeperError::Gone)?;
        let Answer::State(state) = ask(&link, Request::Take, left())?.0 else {
            return Err(KeeperError::Unclear);
        };
        let mut descriptors = BTreeMap::new();
        let mut items = BTreeMap::new();
        loop {
            let (answer, received) = ask(&link, Request::Next, left())?;
            let Answer::Batch { entries, left } = answer else { return Err(KeeperError::Unclear) };
            if entries.len() != received.len() || (entries.is_empty() && left > 0) {
                return Err(KeeperError::Unclear);
            }
            for (entry, fd) in entries.into_iter().zip(received) {
                items.insert(entry.name.clone(), entry.holding);
                descriptors.insert(entry.name, fd);
            }
            if left == 0 {
                return Ok(Taken {
                    descriptors,
                    holdings: Holdings { state, items },
                    link,
                    name: self.name.clone(),
                });
            }
        }
    }

    /// Has the keeper end all workers and itself, and waits for that, at most `limit`.
    ///
    /// # Errors
    /// [`Busy`](KeeperError::Busy): nothing is ended. [`Late`](KeeperError::Late): some worker still lives; the keeper
    /// goes on with ending them.
    pub fn stop(&self, limit: Duration) -> Result<(), KeeperError> {
        let Some(link) = self.connect()? else { return Ok(()) };
        match ask(&link, Request::Stop, limit) {
            Ok((Answer::Stopped, _)) => ended(&link),
            Ok(_) => Err(KeeperError::Unclear),
            Err(KeeperError::Late { .. }) => Err(KeeperError::Late { what: "end all workers", limit }),
            Err(error) => Err(error),
        }
    }
}

impl Taken {
    /// Tells the keeper that it can go, and waits until it has let go everything, its name too; at most 2 s. It waits
    /// 10 s for that.
    ///
    /// # Errors
    /// [`Late`](KeeperError::Late): it still holds everything, and may read the pipes again.
    pub fn confirm(&self) -> Result<(), KeeperError> {
        match self.link.send(&encode(Request::Taken), &[], LIMIT).map_err(KeeperError::from) {
            Ok(()) => ended(&self.link)?,
            Err(KeeperError::Gone) => {}
            Err(error) => return Err(error),
        }
        // It also closes the link when it has lost patience; but its name it gives up only at its end.
        let Some(link) = Link::connect(&self.name, LIMIT)? else { return Ok(()) };
        match ask(&link, Request::Look, LIMIT) {
            // It was just ending: whom it does not let in any more it leaves after it has given up the name.
            Err(KeeperError::Gone) => Ok(()),
            _ => Err(KeeperError::Late { what: "let go what was taken", limit: LIMIT }),
        }
    }
}

/// Waits for the end of the keeper.
fn ended(link: &Link) -> Result<(), KeeperError> {
    match link.receive(LIMIT)? {
        Arrival::Closed => Ok(()),
        Arrival::Message { .. } => Err(KeeperError::Unclear),
    }
}

fn ask(link: &Link, request: Request, limit: Duration) -> Result<(Answer, Vec<OwnedFd>), KeeperError> {
    link.send(&encode(request), &[], limit)?;
    match link.receive(limit)? {
        Arrival::Closed => Err(KeeperError::Gone),
        Arrival::Message { bytes, descriptors } => match decode(&bytes) {
            Some(Answer::Busy { pid }) => Err(KeeperError::Busy { pid }),
            Some(Answer::Stopping) => Err(KeeperError::Stopping),
            Some(answer) => Ok((answer, descriptors)),
            None => Err(KeeperError::Unclear),
        },
    }
}
