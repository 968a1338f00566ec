//! The other end: typed calls and streams over the Unix socket. Each call has a connection of its own.

mod error;
mod stream;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use remuda_daemon::{LogQuery, Stream};
use remuda_model::{Plan, Reply, view};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::body::{
    About, ActBody, Answer, EffectiveConfig, HoldBody, ReleaseBody, ScaleBody, SignalBody, UpgradeBody,
};
use crate::percent;
use crate::route::{Action, Operation, Question, routes};

pub use error::ClientError;
pub use stream::{EventItem, EventStream, LogItem, LogStream};

/// A question is answered within this time, or its caller is told that it was not. Actions take as long as they take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a call answers when the request is done, or when it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// When it is done.
    #[default]
    UntilDone,
    /// At once.
    No,
}

/// A way to one arbiter. Clones share nothing but its address.
#[derive(Debug, Clone)]
pub struct Client {
    path: PathBuf,
}

impl Client {
    /// Checks that an arbiter answers at the socket `path`.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] when nobody listens there.
    pub async fn connect(path: impl Into<PathBuf>) -> Result<Self, ClientError> {
        let client = Self { path: path.into() };
        client.about().await?;
        Ok(client)
    }

    /// The socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who answers.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn about(&self) -> Result<About, ClientError> {
        self.ask(Question::About).await
    }

    /// A picture of the present.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn status(&self) -> Result<view::Instance, ClientError> {
        self.ask(Question::Status).await
    }

    /// Figures in the text format of Prometheus.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let body = self.answer_to(Question::Metrics).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// The config in force, as TOML.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn config(&self) -> Result<String, ClientError> {
        self.ask(Question::Config).await.map(|config: EffectiveConfig| config.toml)
    }

    /// What [`Self::apply`] would do now.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Refused`] when the config file is bad.
    pub async fn plan(&self) -> Result<Plan, ClientError> {
        self.ask(Question::Plan).await
    }

    /// Has the config read anew and applied.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn apply(&self, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Apply, None::<&()>, wait).await
    }

    /// Starts services.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn start(&self, body: &ActBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Start, Some(body), wait).await
    }

    /// Stops services.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn stop(&self, body: &ActBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Stop, Some(body), wait).await
    }

    /// Stops, then starts.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn restart(&self, body: &ActBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Restart, Some(body), wait).await
    }

    /// New workers for old ones.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn reload(&self, body: &ActBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Reload, Some(body), wait).await
    }

    /// Another number of workers.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn scale(&self, body: &ScaleBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Scale, Some(body), wait).await
    }

    /// Lets new connections wait while the workers of a service are gone.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn hold(&self, body: &HoldBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Hold, Some(body), wait).await
    }

    /// Starts a held service again.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn release(&self, body: &ReleaseBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Release, Some(body), wait).await
    }

    /// A signal for workers.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn signal(&self, body: &SignalBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Signal, Some(body), wait).await
    }

    /// Ends everything.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn shutdown(&self, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Shutdown, None::<&()>, wait).await
    }

    /// Has another program take the arbiter's place. Done when it is about to: the events tell what came of it.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn upgrade(&self, body: &UpgradeBody, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::Upgrade, Some(body), wait).await
    }

    /// Has log files opened anew.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn reopen_logs(&self, wait: Wait) -> Result<Answer, ClientError> {
        self.act(Action::ReopenLogs, None::<&()>, wait).await
    }

    /// The events after number `after`. Without it: those to come, or all that are kept when not following.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn events(&self, after: Option<u64>, follow: bool) -> Result<EventStream, ClientError> {
        let mut target = path_of(Operation::Ask(Question::Events)).to_owned();
        if let Some(after) = after {
            percent::append(&mut target, "after", &after.to_string());
        }
        percent::append(&mut target, "follow", &follow.to_string());
        EventStream::open(self.clone(), target).await
    }

    /// The lines that `query` wants.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn logs(&self, query: &LogQuery, follow: bool) -> Result<LogStream, ClientError> {
        LogStream::open(self.clone(), logs_target(query, follow)).await
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, ClientError> {
        let body = self.answer_to(question).await?;
        self.parse(StatusCode::OK, &body)
    }

    async fn answer_to(&self, question: Question) -> Result<Bytes, ClientError> {
        let request = self.build(Method::GET, path_of(Operation::Ask(question)), Bytes::new())?;
        let exchange = tokio::time::timeout(QUESTION_TIMEOUT, self.exchange(request)).await;
        let late =
            |_elapsed| ClientError::Late { path: self.path.clone(), seconds: QUESTION_TIMEOUT.as_secs() };
        let (status, body) = exchange.map_err(late)??;
        if status == StatusCode::OK { Ok(body) } else { Err(self.error_of(status, &body)) }
    }

    async fn act(
        &self,
        action: Action,
        body: Option<&impl Serialize>,
        wait: Wait,
    ) -> Result<Answer, ClientError> {
        let mut target = path_of(Operation::Act(action)).to_owned();
        if wait == Wait::No {
            percent::append(&mut target, "wait", "false");
        }
        let body = body.map(serde_json::to_vec).transpose();
        let body =
            body.map_err(|error| ClientError::Unwritable { why: error.to_string() })?.unwrap_or_default();
        let request = self.build(Method::POST, &target, body.into())?;
        let (status, body) = self.exchange(request).await?;
        self.parse(status, &body)
    }

    fn build(&self, method: Method, target: &str, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
        let request = Request::builder().method(method).uri(target).header("host", "localhost");
        request.body(Full::new(body)).map_err(|error| ClientError::Unwritable { why: error.to_string() })
    }

    fn parse<T: DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|error| self.unexpected(status, &error.to_string()))
    }

    fn error_of(&self, status: StatusCode, body: &[u8]) -> ClientError {
        match serde_json::from_slice(body) {
            Ok(Reply::Refused(refusal)) => ClientError::Refused(refusal),
            Ok(Reply::Failed { lines }) => ClientError::Failed { why: lines.join("; ") },
            Ok(Reply::Done { .. }) => self.unexpected(status, "it says that it is done"),
            Err(error) => self.unexpected(status, &error.to_string()),
        }
    }

    fn unexpected(&self, status: StatusCode, why: &str) -> ClientError {
        ClientError::Unexpected { path: self.path.clone(), status: status.as_u16(), why: why.to_owned() }
    }
}

fn path_of(operation: Operation) -> &'static str {
    // The table has every operation; a test holds it to that.
    routes().iter().find(|route| route.operation == operation).map_or("/v1", |route| route.path)
}

fn logs_target(query: &LogQuery, follow: bool) -> String {
    let mut target = path_of(Operation::Ask(Question::Logs)).to_owned();
    for service in &query.services {
        percent::append(&mut target, "service", service.as_str());
    }
    let stream = query.stream.map(|stream| match stream {
        Stream::Stdout => "stdout".to_owned(),
        Stream::Stderr => "stderr".to_owned(),
    });
    let parameters = [
        ("slot", query.slot.map(|slot| slot.to_string())),
        ("stream", stream),
        ("since_ms", query.since_ms.map(|since| since.to_string())),
        ("after", query.after.map(|after| after.to_string())),
        ("last", query.last.map(|last| last.to_string())),
        ("follow", Some(follow.to_string())),
    ];
    for (name, value) in parameters {
        if let Some(value) = value {
            percent::append(&mut target, name, &value);
        }
    }
    target
}
