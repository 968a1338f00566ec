//! `remuda upgrade`: another program goes on in the arbiter's process, and we wait to hear from it.

use std::path::PathBuf;
use std::time::Duration;

use remuda_control::{Answer, ClientError, EventItem, EventStream, UpgradeBody, Wait};
use remuda_model::{EventKind, Reply};

use crate::arguments::{Global, UpgradeArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::instance;
use crate::screen::Screen;

/// Longest time until one of the two programs says how it went: the preflight's, the rest's, and the successor's.
const PATIENCE: Duration = Duration::from_secs(40);

/// upgrade.
pub(crate) async fn run(arguments: UpgradeArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    let to = match &arguments.to {
        Some(path) => Some(absolute(path)?),
        None => None,
    };
    // From here on, so that what comes of it is not missed however fast it is.
    let mut events = client.events(None, true).await?;
    let begun = client.upgrade(&UpgradeBody { to }, Wait::UntilDone).await;
    match begun {
        Ok(Answer::Reply(Reply::Failed { lines })) => Err(Failure::new(Exit::No, lines.join("\n"))),
        Ok(Answer::Reply(Reply::Refused(refusal))) => Err(Failure::from(refusal)),
        // An answer that was cut off by what it announces.
        Ok(Answer::Reply(Reply::Done { .. }) | Answer::Accepted(_)) | Err(ClientError::Broken { .. }) => {
            let kind = outcome(&mut events).await?;
            tell(&kind, arguments.json, screen)
        }
        Err(error) => Err(error.into()),
    }
}

fn absolute(path: &PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::file("find", path, &error))
}

/// What the arbiter, or its successor, says of the outcome. The stream finds the successor by itself.
async fn outcome(events: &mut EventStream) -> Result<EventKind, Failure> {
    let heard = async {
        while let Some(item) = events.next().await? {
            let EventItem::Record(record) = item else { continue };
            let kind = record.event.kind;
            if matches!(kind, EventKind::InstanceUpgraded { .. } | EventKind::UpgradeFailed { .. }) {
                return Ok(kind);
            }
        }
        Err(Failure::new(Exit::No, "the arbiter has ended meanwhile"))
    };
    let late = |_elapsed| Failure::new(Exit::No, format!("nobody has said within {PATIENCE:?} how it went"));
    tokio::time::timeout(PATIENCE, heard).await.map_err(late)?
}

fn tell(kind: &EventKind, json: bool, screen: &mut Screen) -> Outcome {
    if json {
        screen.json(kind)?;
    }
    match kind {
        EventKind::UpgradeFailed { reason } => {
            Err(Failure::new(Exit::No, format!("the upgrade failed: {reason}; what ran runs on")))
        }
        EventKind::InstanceUpgraded { from, to, stall_ms } if !json => {
            screen.line(&format!(
                "remuda {to} goes on in place of {from}, with the same workers; nobody answered for {stall_ms} ms"
            ))?;
            Ok(Exit::Done)
        }
        _ => Ok(Exit::Done),
    }
}
