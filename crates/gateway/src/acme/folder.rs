//! What is kept on disk, for all workers of an instance and for the next start.
//!
//! ```text
//! acme.lock             whoever orders
//! account-….json        the account at one authority, with its key
//! certificates/HOST.pem certificate and key, in one file so that they change together
//! hosts/HOST.json       attempts: when the next may be, and why the last failed
//! challenges/TOKEN      what an authority is to be answered
//! handshakes/HOST       the same for a challenge in a handshake
//! ```
//!
//! All of it is readable by its user alone, and written beside and renamed.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

/// Where the certificate of `host` lies, in the folder `root`.
pub(crate) fn certificate_path(root: &Path, host: &str) -> PathBuf {
    root.join("certificates").join(format!("{host}.pem"))
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes what is missing.
    pub(super) fn make(&self) -> io::Result<()> {
        for part in ["", "certificates", "hosts", "challenges", "handshakes"] {
            DirBuilder::new().recursive(true).mode(0o700).create(self.root.join(part))?;
        }
        Ok(())
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("acme.lock")
    }

    /// Of the authority with this directory; another directory is another account.
    pub(super) fn account(&self, directory: &str) -> PathBuf {
        let digest = ring::digest::digest(&ring::digest::SHA256, directory.as_bytes());
        let name = data_encoding::HEXLOWER.encode(&digest.as_ref()[..8]);
        self.root.join(format!("account-{name}.json"))
    }

    pub(super) fn certificate(&self, host: &str) -> PathBuf {
        certificate_path(&self.root, host)
    }

    pub(super) fn attempts(&self, host: &str) -> PathBuf {
        self.root.join("hosts").join(format!("{host}.json"))
    }

    pub(super) fn challenge(&self, token: &str) -> PathBuf {
        self.root.join("challenges").join(token)
    }

    pub(super) fn handshake(&self, host: &str) -> PathBuf {
        self.root.join("handshakes").join(host)
    }
}

/// Puts `bytes` at `path`, whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // One that a worker left behind which was killed.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// What lies at `path` as JSON; `None`: nothing.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write(path, &serde_json::to_vec_pretty(value)?)
}
