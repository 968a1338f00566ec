//! What the loop and the writing thread share: a queue one way, a few numbers and a bell the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use remuda_sys::eventfd::EventFd;

use super::rewrite::{RewriteError, Rewritten};

/// Most emptied buffers that are kept for the loop, and the largest that is.
const SPARE_MAX: usize = 8;
const SPARE_BYTES_MAX: usize = 256 * 1024;

/// What the thread is asked to do, in this order.
#[derive(Debug)]
pub(super) enum Item {
    /// Write these records, the last of which is `position`.
    Records { bytes: Vec<u8>, position: u64 },
    /// Close the log and go on in that of this number.
    Turn { number: u64 },
}

/// How the writing of a base ended.
#[derive(Debug)]
pub(super) enum BaseEnd {
    /// It is whole and on disk; the manifest has to name it, once the log of its number has begun.
    Finished { number: u64, length: u64, began: Instant },
    /// It came to nothing.
    Failed(RewriteError),
}

/// Both sides hold it.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    /// Rung when the loop has something to look at.
    pub(super) bell: EventFd,
    /// The last record that is written, or synced where that is asked for.
    pub(super) settled: AtomicU64,
    /// Bytes of records that are queued or being written.
    pub(super) pending: AtomicU64,
    /// Bytes of the logs, and of the base.
    pub(super) log_bytes: AtomicU64,
    pub(super) base_bytes: AtomicU64,
    /// Calls of fdatasync(2) that succeeded, and failures of any call.
    pub(super) syncs: AtomicU64,
    pub(super) failures: AtomicU64,
    /// Whether [`Queue::trouble`] says something.
    pub(super) is_in_trouble: AtomicBool,
    /// Whether only a rewrite makes the files trustworthy again: a sync failed, or there was damage.
    pub(super) wants_rewrite: AtomicBool,
}

/// What the lock guards.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) items: VecDeque<Item>,
    /// Apart from the items: what frees room on a full disk must not wait behind what needs it.
    pub(super) base: Option<BaseEnd>,
    pub(super) spare: Vec<Vec<u8>>,
    /// When set the thread writes what is queued, and gives up at this moment.
    pub(super) closing: Option<Instant>,
    pub(super) trouble: Option<Arc<str>>,
    pub(super) rewritten: Option<Result<Rewritten, RewriteError>>,
}

impl Shared {
    pub(super) fn new(bell: EventFd) -> Self {
        Self {
            queue: Mutex::default(),
            work: Condvar::new(),
            bell,
            settled: AtomicU64::new(0),
            pending: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
            base_bytes: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            is_in_trouble: AtomicBool::new(false),
            wants_rewrite: AtomicBool::new(false),
        }
    }

    /// The queue. Nobody panics while holding it, and if so it is whole all the same.
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item and wakes the thread.
    pub(super) fn push(&self, item: Item) {
        self.lock().items.push_back(item);
        self.work.notify_one();
    }

    /// Tells the thread of a base.
    pub(super) fn end_base(&self, end: BaseEnd) {
        self.lock().base = Some(end);
        self.work.notify_one();
    }

    /// Asks the thread to come to an end by then.
    pub(super) fn close(&self, by: Instant) {
        self.lock().closing = Some(by);
        self.work.notify_one();
    }

    /// An empty buffer, used before if there is one.
    pub(super) fn spare(&self) -> Vec<u8> {
        self.lock().spare.pop().unwrap_or_default()
    }

    /// Keeps an emptied buffer for the loop.
    pub(super) fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut queue = self.lock();
        if queue.spare.len() < SPARE_MAX && buffer.capacity() <= SPARE_BYTES_MAX {
            queue.spare.push(buffer);
        }
    }

    /// Waits for an item, the end, or `until`.
    pub(super) fn wait(&self, until: Option<Instant>) -> MutexGuard<'_, Queue> {
        self.wait_while(until, |queue| {
            queue.items.is_empty() && queue.base.is_none() && queue.closing.is_none()
        })
    }

    /// Waits until `until`, or for the end.
    pub(super) fn pause(&self, until: Instant) -> MutexGuard<'_, Queue> {
        self.wait_while(Some(until), |queue| queue.closing.is_none())
    }

    /// Says what is wrong, or that nothing is any more.
    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        let is = trouble.is_some();
        self.lock().trouble = trouble.map(Arc::from);
        if self.is_in_trouble.swap(is, Ordering::AcqRel) || is {
            self.bell.ring();
        }
    }

    fn wait_while(
        &self,
        until: Option<Instant>,
        condition: impl Fn(&Queue) -> bool,
    ) -> MutexGuard<'_, Queue> {
        let mut queue = self.lock();
        while condition(&queue) {
            let Some(until) = until else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = self.work.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue
    }
}
