//! From bodies to requests.

use std::path::PathBuf;
use std::time::Duration;

use hyper::body::Bytes;
use remuda_daemon::Gone;
use remuda_model::view::{Instance, ServicePhase};
use remuda_model::{Refusal, Reply, Request, ServiceName, Target};
use serde::de::DeserializeOwned;

use crate::body::{
    ActBody, DeleteKeysBody, HoldBody, PublishBody, ReleaseBody, ScaleBody, SetKeyBody, SignalBody,
    UpgradeBody,
};
use crate::hub::{self, HubError};
use crate::route::Action;
use crate::served::Served;
use crate::server::answer::{Declined, refused};

/// A hold lasts so long when nobody says how long.
const HOLD_DEFAULT: Duration = Duration::from_secs(30);

/// What the arbiter is to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// A request of the model.
    Request(Request),
    /// Read the config anew and apply it.
    Apply,
    /// Open log files anew.
    ReopenLogs,
    /// Another program takes over.
    Upgrade(Option<PathBuf>),
    /// A string for a key of the store.
    SetKey(SetKeyBody),
    /// Keys of the store are to go.
    DeleteKeys(DeleteKeysBody),
    /// A message for the bus.
    Publish(PublishBody),
}

impl Order {
    /// The order that `body` describes; the refusal when it describes none.
    pub(crate) async fn read<S: Served>(action: Action, body: &Bytes, served: &S) -> Result<Self, Declined> {
        let request = match action {
            Action::Apply => return empty(body).map(|()| Self::Apply),
            Action::ReopenLogs => return empty(body).map(|()| Self::ReopenLogs),
            Action::Upgrade => return upgrade(body).map(Self::Upgrade),
            Action::SetKey => return parse(body).map(Self::SetKey),
            Action::DeleteKeys => return parse(body).map(Self::DeleteKeys),
            Action::Publish => return parse(body).map(Self::Publish),
            Action::Shutdown => empty(body).map(|()| Request::Shutdown)?,
            Action::Start => Request::Start(services(action, parse(body)?, served).await?),
            Action::Stop => Request::Stop(services(action, parse(body)?, served).await?),
            Action::Restart => Request::Restart(targets(action, parse(body)?, served).await?),
            Action::Reload => Request::Reload(targets(action, parse(body)?, served).await?),
            Action::Scale => scale(parse(body)?, served).await?,
            Action::Hold => hold(&parse(body)?),
            Action::Release => Request::Release(parse::<ReleaseBody>(body)?.service),
            Action::Signal => signal(parse(body)?)?,
        };
        Ok(Self::Request(request))
    }

    /// Has it done.
    pub(crate) async fn run<S: Served>(self, served: S, by: String) -> Result<Reply, Gone> {
        match self {
            Self::Request(request) => served.request(request, by).await,
            Self::Apply => served.apply(by).await,
            Self::Upgrade(to) => served.upgrade(to, by).await,
            Self::ReopenLogs => {
                served.reopen_logs().await?;
                Ok(Reply::Done { lines: vec!["log files are open anew".to_owned()] })
            }
            Self::SetKey(body) => {
                let set = with_hub(&served, async |path| hub::set(&path, &body).await).await?;
                Ok(told(set, |()| "the key is set".to_owned()))
            }
            Self::DeleteKeys(body) => {
                let deleted = with_hub(&served, async |path| hub::delete(&path, &body).await).await?;
                Ok(told(deleted, |count| counted(count, "key was deleted", "keys were deleted")))
            }
            Self::Publish(body) => {
                let heard = with_hub(&served, async |path| hub::publish(&path, &body).await).await?;
                Ok(told(heard, |count| counted(count, "subscriber hears it", "subscribers hear it")))
            }
        }
    }
}

async fn with_hub<S: Served, T>(
    served: &S,
    ask: impl AsyncFnOnce(PathBuf) -> Result<T, HubError>,
) -> Result<Result<T, HubError>, Gone> {
    Ok(match hub::path(&served.view().await?) {
        Ok(path) => ask(path).await,
        Err(error) => Err(error),
    })
}

fn told<T>(outcome: Result<T, HubError>, done: impl FnOnce(T) -> String) -> Reply {
    match outcome {
        Ok(done_with) => Reply::Done { lines: vec![done(done_with)] },
        Err(HubError::Malformed(reason)) => Reply::Refused(Refusal::Malformed { reason }),
        Err(error) => Reply::Failed { lines: vec![error.to_string()] },
    }
}

fn counted(count: i64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// The program that is to take over. A relative path would mean another file here than where it was written.
fn upgrade(body: &Bytes) -> Result<Option<PathBuf>, Declined> {
    let body: UpgradeBody = if body.trim_ascii().is_empty() { UpgradeBody::default() } else { parse(body)? };
    match &body.to {
        Some(path) if !path.is_absolute() => {
            Err(Declined::malformed(format!("{} is not an absolute path", path.display())))
        }
        _ => Ok(body.to),
    }
}

/// Refuses a body where none belongs; `{}` is none.
fn empty(body: &Bytes) -> Result<(), Declined> {
    match body.trim_ascii() {
        b"" | b"{}" => Ok(()),
        _ => Err(Declined::malformed("this request takes no body".to_owned())),
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Declined> {
    serde_json::from_slice(body).map_err(|error| {
        let hint = if body.is_empty() { "; it is empty" } else { "" };
        Declined::malformed(format!("the body is not what this request takes: {error}{hint}"))
    })
}

async fn targets<S: Served>(action: Action, body: ActBody, served: &S) -> Result<Vec<Target>, Declined> {
    match (body.all, body.targets.is_empty()) {
        (false, false) => Ok(body.targets),
        (false, true) => {
            Err(Declined::malformed("no targets: name services, or say \"all\": true".to_owned()))
        }
        (true, false) => Err(Declined::malformed("either targets or \"all\": true, not both".to_owned())),
        (true, true) => {
            let view = served.view().await?;
            Ok(all(action, &view).map(Target::service).collect())
        }
    }
}

/// What `all` means: for start and stop every service, for restart and reload those that run.
fn all(action: Action, view: &Instance) -> impl Iterator<Item = ServiceName> {
    let every = matches!(action, Action::Start | Action::Stop);
    let services = view.services.iter().filter(move |service| {
        every
            || !matches!(service.phase, ServicePhase::Stopped | ServicePhase::Stopping | ServicePhase::Done)
                && service.wanted
    });
    services.map(|service| service.name.clone())
}

async fn services<S: Served>(
    action: Action,
    body: ActBody,
    served: &S,
) -> Result<Vec<ServiceName>, Declined> {
    let targets = targets(action, body, served).await?;
    let services = targets.into_iter().map(|target| match target.slot {
        None => Ok(target.service),
        Some(_) => Err(Declined::malformed(format!(
            "{target} is a slot; only whole services are started and stopped"
        ))),
    });
    services.collect()
}

async fn scale<S: Served>(body: ScaleBody, served: &S) -> Result<Request, Declined> {
    let to = match (body.to, body.by) {
        (Some(to), None) => to,
        (None, Some(by)) => {
            let view = served.view().await?;
            let service = view.services.iter().find(|service| service.name == body.service);
            let service = service.ok_or_else(|| {
                Declined::new(refused(Refusal::NoSuchService {
                    name: body.service.to_string(),
                    nearest: None,
                }))
            })?;
            let workers = service.workers_wanted;
            workers.checked_add_signed(by).ok_or_else(|| {
                let more = if by < 0 { "fewer is below zero" } else { "more is beyond what can be counted" };
                Declined::malformed(format!(
                    "{} is to have {workers}, and {} {more}; nothing was changed",
                    body.service,
                    by.unsigned_abs()
                ))
            })?
        }
        _ => return Err(Declined::malformed("either \"to\" or \"by\", exactly one of them".to_owned())),
    };
    Ok(Request::Scale { service: body.service, to })
}

fn hold(body: &HoldBody) -> Request {
    let lasting = body.for_ms.map_or(HOLD_DEFAULT, Duration::from_millis);
    Request::Hold { service: body.service.clone(), lasting }
}

fn signal(body: SignalBody) -> Result<Request, Declined> {
    if body.targets.is_empty() {
        return Err(Declined::malformed("no targets: name at least one service".to_owned()));
    }
    Ok(Request::Signal { targets: body.targets, signal: body.signal, scope: body.scope })
}
