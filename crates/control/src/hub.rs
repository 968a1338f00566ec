//! The hub, asked on behalf of who asks the arbiter: its figures for monitors, its keys and messages for people.
//!
//! The hub is a worker of ours, and yet nothing it does may keep the arbiter: each question has a connection of its own,
//! a short time and a bound for its answer, and where one of them is exceeded, or the answer makes no sense, the asker is
//! told that and everything else goes on as ever.

mod herd;
mod keys;
mod locks;
mod session;
mod tail;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use remuda_model::hub::HubMetrics;
use remuda_model::view;
use remuda_wire::resp::Value;

pub(crate) use herd::check;
pub(crate) use keys::{delete, key, keys, set};
pub(crate) use locks::locks;
pub(crate) use tail::Tail;

use crate::body::PublishBody;
use session::Session;

/// The hub answers between two turns of its loop: a script may hold it for longer, and a monitor does not wait so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why the hub did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubError {
    /// There is none.
    #[error("this instance has no hub: [bus] or [store] in its config makes one")]
    None,
    /// It did not answer in time.
    #[error("the hub did not answer within {PATIENCE:?}; whether it did what was asked is not known")]
    Late,
    /// It is not there, or went meanwhile.
    #[error("the hub cannot be asked: {0}")]
    Away(#[from] io::Error),
    /// It says no.
    #[error("the hub refuses: {0}")]
    Said(String),
    /// What is asked for makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// There is no such key.
    #[error("there is no such key in database {database}")]
    NoKey {
        /// Where.
        database: u32,
    },
}

/// Where the hub of a picture answers.
pub(crate) fn path(view: &view::Instance) -> Result<PathBuf, HubError> {
    view.hub.as_ref().and_then(view::Hub::store_path).map(Path::to_owned).ok_or(HubError::None)
}

/// The figures of the hub in the picture; `None` when there is a hub that does not tell them.
pub(crate) async fn figures(hub: &view::Hub) -> Option<HubMetrics> {
    metrics(hub.store_path()?).await.ok()
}

/// The figures of the hub at `path`.
pub(crate) async fn metrics(path: &Path) -> Result<HubMetrics, HubError> {
    soon(async {
        let mut session = Session::open(path, 0).await?;
        match session.command(&[b"HUB.METRICS"]).await? {
            Value::Bulk(text) => Ok(serde_json::from_slice(&text).map_err(io::Error::other)?),
            other => Err(unexpected(&other)),
        }
    })
    .await
}

/// Publishes a message; how many heard it.
pub(crate) async fn publish(path: &Path, body: &PublishBody) -> Result<i64, HubError> {
    let malformed = |error: crate::body::NoBase64| HubError::Malformed(error.to_string());
    let (topic, payload) = (body.topic.bytes().map_err(malformed)?, body.payload.bytes().map_err(malformed)?);
    soon(async {
        match Session::open(path, 0).await?.command(&[b"PUBLISH", &topic, &payload]).await? {
            Value::Integer(heard) => Ok(heard),
            other => Err(unexpected(&other)),
        }
    })
    .await
}

async fn soon<T>(asked: impl Future<Output = Result<T, HubError>>) -> Result<T, HubError> {
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(HubError::Late))
}

fn unexpected(value: &Value) -> HubError {
    match value {
        Value::Error(text) => HubError::Said(String::from_utf8_lossy(text).into_owned()),
        _ => HubError::Away(io::Error::other("it answers what means nothing here: is it another version?")),
    }
}

#[cfg(test)]
mod tests;
