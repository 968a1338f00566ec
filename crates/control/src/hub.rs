//! The hub's figures, asked of the hub when a monitor asks the arbiter.
//!
//! The hub is a worker of ours, and yet nothing it does may keep the arbiter: the question has a short time, the answer a
//! bound, and where either is exceeded, or the answer makes no sense, the hub is told as down and everything else is told
//! as ever.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use remuda_model::hub::HubMetrics;
use remuda_model::view;
use remuda_wire::resp::{Limits, Value, ValueParser};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// The hub answers between two turns of its loop: a script may hold it for longer, and a monitor does not wait so long.
const PATIENCE: Duration = Duration::from_secs(1);
/// 20 members and 200 services of some hundred bytes each are 100 KiB at most.
const ANSWER_BYTES_MAX: usize = 1 << 20;
const READ_BYTES: usize = 16 * 1024;
const QUESTION: &[u8] = b"*1\r\n$11\r\nHUB.METRICS\r\n";

/// The figures of the hub in the picture; `None` when there is a hub that does not tell them.
pub(crate) async fn figures(hub: &view::Hub) -> Option<HubMetrics> {
    let path = hub.store_path()?.to_owned();
    tokio::time::timeout(PATIENCE, ask(path)).await.ok()?.ok()
}

async fn ask(path: PathBuf) -> io::Result<HubMetrics> {
    let mut stream = UnixStream::connect(path).await?;
    stream.write_all(QUESTION).await?;
    let limits =
        Limits { bulk_max: ANSWER_BYTES_MAX, query_max: ANSWER_BYTES_MAX + READ_BYTES, ..Limits::default() };
    let (mut parser, mut answer) = (ValueParser::new(limits), Vec::with_capacity(READ_BYTES));
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match parser.parse(&answer).map_err(io::Error::other)? {
            Some((Value::Bulk(text), _)) => return serde_json::from_slice(&text).map_err(io::Error::other),
            Some(_) => return Err(io::Error::other("the hub says no")),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
