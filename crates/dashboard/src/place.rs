//! The folder where a dashboard keeps what outlives its process: the hashes of its tokens and the address it had.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use remuda_sys::CallError;
use remuda_sys::files::{Durability, read, replace};

/// Longest file of ours, bytes; they have some hundred.
const FILE_BYTES_MAX: usize = 4096;
const TOKENS: &str = "tokens.json";
const ADDRESS: &str = "address";

/// The folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// The folder at `path`, which need not be there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The address that a dashboard of this folder listens at, or listened at last.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        read(&self.0.join(ADDRESS), FILE_BYTES_MAX).ok()?.trim().parse().ok()
    }

    pub(crate) fn make(&self) -> Result<(), CallError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|error| CallError::new(format!("create the folder {}", self.0.display()), error))
    }

    pub(crate) fn keep_address(&self, address: SocketAddr) -> Result<(), CallError> {
        self.write(ADDRESS, &format!("{address}\n"))
    }

    /// The text of the tokens' file; `None` when there is none.
    pub(crate) fn tokens(&self) -> Result<Option<String>, CallError> {
        match read(&self.tokens_path(), FILE_BYTES_MAX) {
            Ok(text) => Ok(Some(text)),
            Err(error) if io::Error::from_raw_os_error(error.errno).kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn keep_tokens(&self, text: &str) -> Result<(), CallError> {
        self.write(TOKENS, text)
    }

    pub(crate) fn tokens_path(&self) -> PathBuf {
        self.0.join(TOKENS)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), CallError> {
        replace(&self.0.join(name), text.as_bytes(), 0o600, Durability::Process)
    }
}
