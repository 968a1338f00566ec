//! Requests under way: they belong to the server, not to the connection they came by, so that a client that goes
//! away takes nothing back.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Requests under way at most; more are told to come back.
pub(crate) const REQUESTS_MAX: usize = 256;

/// Too many requests are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{REQUESTS_MAX} requests are under way; ask again when some of them are done")]
pub(crate) struct Busy;

/// The requests under way. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Requests {
    /// Runs `request` to its end, whether or not anybody waits for the answer.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (answer, receive) = oneshot::channel();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        if tasks.len() >= REQUESTS_MAX {
            return Err(Busy);
        }
        tasks.spawn(async move {
            let outcome = request.await;
            // Nobody may be waiting any more.
            let _ = answer.send(outcome);
        });
        Ok(receive)
    }

    /// Waits until none is under way.
    pub(crate) async fn done(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}
