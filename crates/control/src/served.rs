//! What the server needs of an arbiter: the questions of [`Handle`], so that a test can answer them from a script.

use std::path::PathBuf;
use std::sync::Arc;

use remuda_daemon::{EventLog, Gone, Handle, LogStore};
use remuda_model::{Config, Plan, Refusal, Reply, Request, view};

/// An arbiter, as far as the API is concerned. Clones share it.
pub trait Served: Clone + Send + Sync + 'static {
    /// Makes a request and waits until it is done; `by` says who asks.
    fn request(&self, request: Request, by: String) -> impl Future<Output = Result<Reply, Gone>> + Send;
    /// Reads the config anew and applies it.
    fn apply(&self, by: String) -> impl Future<Output = Result<Reply, Gone>> + Send;
    /// What [`Self::apply`] would do now.
    fn plan(&self) -> impl Future<Output = Result<Result<Plan, Refusal>, Gone>> + Send;
    /// A picture of the present.
    fn view(&self) -> impl Future<Output = Result<view::Instance, Gone>> + Send;
    /// The config in force.
    fn config(&self) -> impl Future<Output = Result<Arc<Config>, Gone>> + Send;
    /// Has the program at `to` (that of the arbiter, if none) take the arbiter's place.
    fn upgrade(&self, to: Option<PathBuf>, by: String) -> impl Future<Output = Result<Reply, Gone>> + Send;
    /// Closes log files and opens them anew.
    fn reopen_logs(&self) -> impl Future<Output = Result<(), Gone>> + Send;
    /// The stream of events.
    fn events(&self) -> &EventLog;
    /// The lines of workers.
    fn logs(&self) -> &LogStore;
}

impl Served for Handle {
    async fn request(&self, request: Request, by: String) -> Result<Reply, Gone> {
        Self::request(self, request, by).await
    }

    async fn apply(&self, by: String) -> Result<Reply, Gone> {
        Self::apply(self, by).await
    }

    async fn plan(&self) -> Result<Result<Plan, Refusal>, Gone> {
        Self::plan(self).await
    }

    async fn view(&self) -> Result<view::Instance, Gone> {
        Self::view(self).await
    }

    async fn config(&self) -> Result<Arc<Config>, Gone> {
        Self::config(self).await
    }

    async fn upgrade(&self, to: Option<PathBuf>, by: String) -> Result<Reply, Gone> {
        Self::upgrade(self, to, by).await
    }

    async fn reopen_logs(&self) -> Result<(), Gone> {
        Self::reopen_logs(self).await
    }

    fn events(&self) -> &EventLog {
        Self::events(self)
    }

    fn logs(&self) -> &LogStore {
        Self::logs(self)
    }
}
