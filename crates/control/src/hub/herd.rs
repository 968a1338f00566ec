//! The comparison of the shared keys with all other servers of the herd.

use std::path::Path;
use std::time::{Duration, Instant};

use remuda_model::hub::HerdCheck;
use remuda_wire::resp::Value;

use super::session::Session;
use super::{HubError, soon, unexpected};

/// A million keys are compared in seconds; who asks sees what is known when this is over.
const LASTS: Duration = Duration::from_secs(10);
/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Begins one, and waits for its end.
pub(crate) async fn check(path: &Path) -> Result<HerdCheck, HubError> {
    let until = Instant::now() + LASTS;
    let mut session = soon(Session::open(path, 0)).await?;
    let mut check = ask(&mut session, b"CHECK").await?;
    while check.pending > 0 && Instant::now() < until {
        tokio::time::sleep(LOOK_EVERY).await;
        check = ask(&mut session, b"CHECKED").await?;
    }
    Ok(check)
}

async fn ask(session: &mut Session, what: &[u8]) -> Result<HerdCheck, HubError> {
    let answer = soon(session.ask(&[b"HUB.HERD", what])).await?;
    let Value::Bulk(text) = &answer else { return Err(unexpected(&answer)) };
    serde_json::from_slice(text).map_err(|_not_ours| unexpected(&answer))
}
