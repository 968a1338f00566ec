//! The gateways' figures, asked of each worker when a monitor asks the arbiter.
//!
//! Each worker tells its own on a socket in one folder; what workers of one service tell is added up. As with the hub
//! nothing they do may keep the arbiter: all of it has a short time, each answer a bound, and who does not answer is
//! left out.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use remuda_model::gateway::{FIGURES_BYTES_MAX, FIGURES_ENDING, GatewayMetrics};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use crate::body::GatewayFigures;

/// For all workers together: they answer between two turns of their loops.
const PATIENCE: Duration = Duration::from_secs(1);
/// Workers that are asked; an instance has as many gateways as processors.
const WORKERS_MAX: usize = 1024;

/// The figures of all gateways whose sockets are in `folder`, by service.
pub(crate) async fn figures(folder: &Path) -> BTreeMap<String, GatewayFigures> {
    let mut all: BTreeMap<String, GatewayFigures> = BTreeMap::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    for (service, path) in sockets(folder) {
        let answer = tokio::time::timeout_at(deadline, ask(path)).await;
        if let Ok(Ok(metrics)) = answer {
            let figures = all.entry(service).or_default();
            figures.workers += 1;
            figures.metrics = std::mem::take(&mut figures.metrics).plus(&metrics);
        }
    }
    all
}

/// Sockets named `SERVICE.WORKER.figures`, with their services.
fn sockets(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let service = |name: &str| Some(name.strip_suffix(FIGURES_ENDING)?.rsplit_once('.')?.0.to_owned());
    let socket = |entry: std::fs::DirEntry| Some((service(entry.file_name().to_str()?)?, entry.path()));
    entries.flatten().filter_map(socket).take(WORKERS_MAX).collect()
}

async fn ask(path: PathBuf) -> io::Result<GatewayMetrics> {
    let mut answer = Vec::new();
    let bound = u64::try_from(FIGURES_BYTES_MAX).unwrap_or(u64::MAX);
    UnixStream::connect(path).await?.take(bound).read_to_end(&mut answer).await?;
    serde_json::from_slice(&answer).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
