//! The hub from the command line: `pub` and `sub`, `get set del keys watch`, `lock` and `locks`.
//!
//! The running instance says where its hub is; from there on these commands are clients of the store's Unix socket like
//! any worker. What they print is data: on a terminal it is made harmless, anywhere else it goes out byte by byte.

mod bus;
mod guarded;
mod keys;
mod lease;
mod lock;
mod locks;
pub(crate) mod peers;
mod shown;
mod watch;

use std::io::Read as _;

use remuda_model::hub::HUB;
use remuda_model::view::ServicePhase;
use remuda_toolkit::client::{Address, ClientError, Hub};

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::instance;

pub(crate) use bus::{publish, subscribe};
pub(crate) use keys::{delete, get, keys, set};
pub(crate) use lock::lock;
pub(crate) use locks::locks;
pub(crate) use peers::peers;
pub(crate) use watch::watch;

/// Most that is read from standard input: what one command to the hub may have.
const INPUT_BYTES_MAX: u64 = 64 << 20;

/// What to do about a hub that does not answer.
const HUB_AWAY: &str = "`remuda status hub` and `remuda logs hub` show how it is";

/// The hub of the instance that is meant.
pub(crate) async fn find(global: &Global, database: u32) -> Result<Hub, Failure> {
    let view = instance::find(global).await?.status().await?;
    let Some(path) = view.hub.as_ref().and_then(|hub| hub.store_path()) else {
        let message = format!("instance {} has no hub", view.name);
        return Err(Failure::new(Exit::Refused, message)
            .hint("write [bus] or [store] into remuda.toml, then `remuda apply`"));
    };
    // Its sockets are there as long as the instance is: who connects would wait for nobody.
    if let Some(service) = view.services.iter().find(|service| service.name.as_str() == HUB) {
        let stopped = match service.phase {
            ServicePhase::Stopped | ServicePhase::Stopping => Some("`remuda start hub` starts it"),
            ServicePhase::Failed | ServicePhase::CrashLoop => Some("`remuda logs hub` may say more"),
            _ => None,
        };
        if let Some(hint) = stopped {
            let reason = service.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let message = format!("the hub is {}{reason}", service.phase);
            return Err(Failure::new(Exit::No, message).hint(hint));
        }
    }
    Ok(Hub::new(Address::unix(path).database(database)))
}

/// A value of the command line, or standard input for `-`.
fn value(text: String) -> Result<Vec<u8>, Failure> {
    if text != "-" {
        return Ok(text.into_bytes());
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::misuse(format!("cannot read standard input: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > INPUT_BYTES_MAX) {
        return Err(Failure::misuse(format!(
            "standard input has more than the {INPUT_BYTES_MAX} bytes that the hub takes at once"
        )));
    }
    Ok(bytes)
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let (exit, hint) = match &error {
            ClientError::Connect { .. } | ClientError::Lost { .. } | ClientError::Late { .. } => {
                (Exit::No, Some(HUB_AWAY))
            }
            // Its engine is away: it is as if the hub did not answer.
            ClientError::Said(_) if error.is_passing() => (Exit::No, None),
            ClientError::Said(_) | ClientError::Refused { .. } => (Exit::Refused, None),
            ClientError::TooLong { .. } | ClientError::NoDatabase { .. } => (Exit::Misuse, None),
            ClientError::NoHub
            | ClientError::Address(_)
            | ClientError::Malformed { .. }
            | ClientError::Unexpected { .. } => (Exit::No, None),
        };
        let message = match &error {
            ClientError::Said(text) => format!("the hub refuses: {text}"),
            error => error.to_string(),
        };
        let failure = Self::new(exit, message);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
