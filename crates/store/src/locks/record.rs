//! What the disk, or the next hub, has of the locks: commands, and how they make the same locks again.

use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;

use super::{Held, LockOrder, Locks};

/// One fact about locks, as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockRecord {
    /// `LOCK name fence ttl_ms owner`: held.
    Held {
        /// The lock.
        name: Arc<[u8]>,
        /// The acquisition.
        fence: u64,
        /// For how long.
        ttl: Duration,
        /// Whose it is.
        owner: Arc<[u8]>,
    },
    /// `UNLOCK name fence`: held no more by that acquisition.
    Free {
        /// The lock.
        name: Arc<[u8]>,
        /// The acquisition.
        fence: u64,
    },
    /// `FENCE n`: no smaller one is given any more, nor this one.
    Fence(u64),
}

impl LockRecord {
    /// What is to be kept of an order, if anything is.
    #[must_use]
    pub fn of(order: &LockOrder) -> Option<Self> {
        match order {
            LockOrder::Keep { name, fence, ttl, owner } => Some(Self::Held {
                name: Arc::clone(name),
                fence: *fence,
                ttl: *ttl,
                owner: Arc::clone(owner),
            }),
            LockOrder::Forget { name, fence } => Some(Self::Free { name: Arc::clone(name), fence: *fence }),
            LockOrder::Granted { .. } | LockOrder::Denied { .. } | LockOrder::Tell { .. } => None,
        }
    }

    /// Reads the words of a record; `None` where they are none.
    #[must_use]
    pub fn parse(words: &[&[u8]]) -> Option<Self> {
        let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u64>().ok();
        Some(match words {
            [b"LOCK", name, fence, ttl, owner] => Self::Held {
                name: Arc::from(*name),
                fence: number(fence)?,
                ttl: Duration::from_millis(number(ttl)?),
                owner: Arc::from(*owner),
            },
            [b"UNLOCK", name, fence] => Self::Free { name: Arc::from(*name), fence: number(fence)? },
            [b"FENCE", fence] => Self::Fence(number(fence)?),
            _ => return None,
        })
    }

    /// Gives its words to `write`.
    pub fn write(&self, write: &mut dyn FnMut(&[&[u8]])) {
        match self {
            Self::Held { name, fence, ttl, owner } => {
                let (fence, ttl) = (fence.to_string(), ttl.as_millis().to_string());
                write(&[b"LOCK", name, fence.as_bytes(), ttl.as_bytes(), owner]);
            }
            Self::Free { name, fence } => write(&[b"UNLOCK", name, fence.to_string().as_bytes()]),
            Self::Fence(fence) => write(&[b"FENCE", fence.to_string().as_bytes()]),
        }
    }
}

impl Locks {
    /// Takes in a record of an earlier life. What is held is held for its whole ttl from `now` on, and by no connection.
    pub fn replay(&mut self, now: Tick, record: &LockRecord) {
        match record {
            LockRecord::Held { name, fence, ttl, owner } => {
                let owner = Arc::clone(owner);
                let (fence, ttl) = (*fence, *ttl);
                self.put_held(
                    name,
                    Held { fence, owner, session: None, ttl, until: now + ttl, kept_ttl: ttl },
                );
            }
            LockRecord::Free { name, fence } => {
                self.last_fence = self.last_fence.max(*fence);
                if self.held.get(name).is_some_and(|held| held.fence == *fence) {
                    self.held.remove(name);
                }
            }
            LockRecord::Fence(fence) => self.last_fence = self.last_fence.max(*fence),
        }
    }

    /// Takes over a lock from a hub that lives: its lease goes on where it was, and so does its tie to a connection.
    pub fn take_over(&mut self, name: &[u8], held: Held) {
        self.put_held(&name.into(), held);
    }

    /// Records that make locks with the same holders.
    pub fn dump(&self, write: &mut dyn FnMut(&[&[u8]])) {
        LockRecord::Fence(self.last_fence).write(write);
        for (name, held) in self.held.iter() {
            let Held { fence, owner, kept_ttl, .. } = held;
            let (name, owner) = (Arc::clone(name), Arc::clone(owner));
            LockRecord::Held { name, fence: *fence, ttl: *kept_ttl, owner }.write(write);
        }
    }
}

impl Held {
    /// A lock as a hub that lives hands it over; the disk is to learn of it anew.
    #[must_use]
    pub fn new(fence: u64, owner: &[u8], session: Option<u64>, ttl: Duration, until: Tick) -> Self {
        Self { fence, owner: owner.into(), session, ttl, until, kept_ttl: ttl }
    }
}
