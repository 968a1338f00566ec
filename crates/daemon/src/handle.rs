//! What surfaces hold: a way to ask the loop, to read its events and its workers' lines. Never a machine.

use std::path::PathBuf;
use std::sync::Arc;

use remuda_model::{Config, Plan, Refusal, Reply, Request, view};
use tokio::sync::{mpsc, oneshot};

use crate::{EventLog, LogStore};

/// Questions that may wait for the loop; more wait in turn with their askers.
pub(crate) const COMMANDS_WAITING: usize = 64;

/// What a surface asks of the loop.
#[derive(Debug)]
pub(crate) enum Command {
    /// A request for the arbiter, and who makes it.
    Request { request: Request, by: String, answer: oneshot::Sender<Reply> },
    /// Read the config anew and apply it.
    Apply { by: String, answer: oneshot::Sender<Reply> },
    /// Read the config anew and say what applying it would do.
    Plan { answer: oneshot::Sender<Result<Plan, Refusal>> },
    /// A picture of the present.
    View { answer: oneshot::Sender<view::Instance> },
    /// The config in force.
    Config { answer: oneshot::Sender<Arc<Config>> },
    /// Another program takes our place.
    Upgrade { to: Option<PathBuf>, by: String, answer: oneshot::Sender<Reply> },
    /// Close and open log files anew.
    ReopenLogs { answer: oneshot::Sender<()> },
}

/// The way to a running arbiter. Clones share it.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) events: EventLog,
    pub(crate) logs: LogStore,
}

/// The arbiter's loop has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the arbiter has ended")]
pub struct Gone;

impl Handle {
    /// Makes a request and waits until it is done. `by` says who asks, for the event stream.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first.
    ///
    /// # Cancel safety
    /// A dropped future does not take the request back.
    pub async fn request(&self, request: Request, by: String) -> Result<Reply, Gone> {
        self.ask(|answer| Command::Request { request, by, answer }).await
    }

    /// Reads the config anew and applies it, whole or not at all. Done when what it replaces is gone.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first.
    pub async fn apply(&self, by: String) -> Result<Reply, Gone> {
        self.ask(|answer| Command::Apply { by, answer }).await
    }

    /// What [`Self::apply`] would do now.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first; the refusal when the config is bad.
    pub async fn plan(&self) -> Result<Result<Plan, Refusal>, Gone> {
        self.ask(|answer| Command::Plan { answer }).await
    }

    /// A picture of the present.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first.
    pub async fn view(&self) -> Result<view::Instance, Gone> {
        self.ask(|answer| Command::View { answer }).await
    }

    /// The config in force.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first.
    pub async fn config(&self) -> Result<Arc<Config>, Gone> {
        self.ask(|answer| Command::Config { answer }).await
    }

    /// Closes log files and opens them anew, as after a rotation by others.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first.
    pub async fn reopen_logs(&self) -> Result<(), Gone> {
        self.ask(|answer| Command::ReopenLogs { answer }).await
    }

    /// Has the program at `to` (ours, as it lies there by now, if none) take our place. Done when it is about to.
    ///
    /// # Errors
    /// [`Gone`] when the loop ends first.
    pub async fn upgrade(&self, to: Option<PathBuf>, by: String) -> Result<Reply, Gone> {
        self.ask(|answer| Command::Upgrade { to, by, answer }).await
    }

    /// The stream of events.
    #[must_use]
    pub fn events(&self) -> &EventLog {
        &self.events
    }

    /// The lines of workers.
    #[must_use]
    pub fn logs(&self) -> &LogStore {
        &self.logs
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Gone> {
        let (answer, receive) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_closed| Gone)?;
        // The loop answers every command, or drops the sender when it ends.
        receive.await.map_err(|_dropped| Gone)
    }
}
