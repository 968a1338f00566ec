//! Subscribers of a pattern of Redis channels, which read and count what others cause.
//!
//! Key events differ in length, so bytes are counted: that every subscriber had the same number of them says that
//! none lost any that another had.

use std::time::{Duration, Instant};

use remuda_sys::event::{Interest, Poller, Token};
use serde_json::{Value, json};

use crate::dialect::Dialect;
use crate::failure::LoadError;
use crate::idle;
use crate::plan::Plan;
use crate::stage;

/// One read of a subscriber.
const BUFFER_BYTES: usize = 512 * 1024;
/// Longest wait of a turn.
const TURN: Duration = Duration::from_millis(50);
/// After the end of stdin: nothing more is on its way after this long without a byte.
const SETTLED_AFTER: Duration = Duration::from_millis(300);
/// After the end of stdin: longest wait for the rest.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);
/// The token of stdin; subscribers have their index.
const STDIN: Token = Token(u64::MAX);

/// Subscribes, says so, reads until stdin ends and everything has come.
pub(crate) fn run(plan: &Plan, pattern: &str) -> Result<Value, LoadError> {
    if plan.dialect != Dialect::Redis {
        return Err(LoadError::NoPatterns);
    }
    let mut connections = Vec::with_capacity(plan.subscribers);
    for _ in 0..plan.subscribers {
        connections.push(stage::open(&plan.subscribe, |connection| {
            Dialect::greet_pattern(connection, plan.login.as_ref(), pattern)
        })?);
    }
    let mut poller = Poller::new()?;
    poller.add(std::io::stdin(), STDIN, Interest::Read)?;
    for (token, connection) in (0..).zip(&connections) {
        poller.add(connection, Token(token), Interest::Read)?;
    }
    idle::announce();
    let mut read_bytes = vec![0_u64; connections.len()];
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut disconnected = 0;
    let mut stdin_ended: Option<Instant> = None;
    let mut last_news = Instant::now();
    let mut ready = Vec::new();
    while stdin_ended.is_none_or(|at| last_news.elapsed() < SETTLED_AFTER && at.elapsed() < SETTLE_WITHIN) {
        ready.clear();
        ready.extend(poller.wait(Some(TURN))?.map(|news| news.token));
        for token in &ready {
            if *token == STDIN {
                idle::wait_for_end()?;
                poller.remove(std::io::stdin())?;
                (stdin_ended, last_news) = (Some(Instant::now()), Instant::now());
                continue;
            }
            let Ok(index) = usize::try_from(token.0) else { continue };
            match connections[index].read(&mut buffer) {
                Ok(None) => {}
                Ok(Some(0)) | Err(_) => {
                    disconnected += 1;
                    poller.remove(&connections[index])?;
                }
                Ok(Some(count)) => {
                    read_bytes[index] += u64::try_from(count).unwrap_or(u64::MAX);
                    last_news = Instant::now();
                }
            }
        }
    }
    Ok(json!({
        "bytes_min": read_bytes.iter().min(),
        "bytes_max": read_bytes.iter().max(),
        "disconnected": disconnected,
    }))
}
