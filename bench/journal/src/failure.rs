//! Why a run has no figures.

use std::io;
use std::path::{Path, PathBuf};

use remuda_hub::journal::{CloseError, OpenError, RewriteError};
use remuda_sys::CallError;

/// Why a run has no figures; its folder is removed all the same.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The command line.
    #[error("{0}")]
    Misuse(String),
    /// A file or folder.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A disk is to be measured.
    #[error("{0} is in memory (tmpfs); give a folder on a disk with --folder")]
    Memory(PathBuf),
    /// What was written is not what is read.
    #[error("{contender} has {found} of {expected} keys as they were written")]
    Lost {
        /// Who.
        contender: &'static str,
        /// Keys with a right value.
        found: usize,
        /// Keys that were acknowledged.
        expected: usize,
    },
    /// The disk refuses.
    #[error("the journal is in trouble: {0}")]
    Trouble(String),
    /// A wait without an end.
    #[error("the journal did not {0} in time")]
    Late(&'static str),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Close(#[from] CloseError),
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("redb: {0}")]
    Redb(#[from] Box<redb::Error>),
    #[error("fjall: {0}")]
    Fjall(#[from] fjall::Error),
}

impl BenchError {
    pub(crate) fn file(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File { path: path.as_ref().to_owned(), source }
    }
}
