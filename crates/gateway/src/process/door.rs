//! Where a gateway's figures can be asked for: a Unix socket that answers each connection with JSON and closes it.
//!
//! There is one for each process, so that a worker and its successor are both heard during a reload.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;

use crate::server::Server;

/// A monitor that does not read its answer is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The socket; its file goes with it.
#[derive(Debug)]
pub(super) struct FiguresDoor {
    listener: UnixListener,
    path: PathBuf,
}

impl FiguresDoor {
    /// At `path`. A gateway that cannot be asked serves all the same.
    pub(super) fn open(path: PathBuf) -> Option<Self> {
        match Self::bind(&path) {
            Ok(listener) => Some(Self { listener, path }),
            Err(error) => {
                log::warn!("tell figures on {}: {error}; nobody can ask for them", path.display());
                None
            }
        }
    }

    fn bind(path: &Path) -> io::Result<UnixListener> {
        // One that somebody left who was killed.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        UnixListener::bind(path)
    }

    /// Answers whoever connects, one after another.
    pub(super) async fn tell(&self, server: &Server) -> Infallible {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(PATIENCE).await;
                continue;
            };
            let text = serde_json::to_vec(&server.figures().tell()).unwrap_or_default();
            let _unheard = tokio::time::timeout(PATIENCE, stream.write_all(&text)).await;
        }
    }
}

impl Drop for FiguresDoor {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.path);
    }
}
