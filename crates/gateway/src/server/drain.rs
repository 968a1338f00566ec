//! The end of a process, as its connections see it.
//!
//! First no new connection is taken and each answer says that its connection closes; what has no request ends soon.
//! Whoever holds a connection for long (a WebSocket, a stream) is told, and may say good-bye.

use std::cell::Cell;

use tokio::sync::Notify;

/// Whether the process is about to end; shared by all on its thread.
#[derive(Debug, Default)]
pub struct Drain {
    has_begun: Cell<bool>,
    bell: Notify,
}

impl Drain {
    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.has_begun.get()
    }

    /// Waits until it begins.
    pub async fn begun(&self) {
        let notified = self.bell.notified();
        if !self.has_begun.get() {
            notified.await;
        }
    }

    /// Begins.
    pub(crate) fn begin(&self) {
        self.has_begun.set(true);
        self.bell.notify_waiters();
    }
}
