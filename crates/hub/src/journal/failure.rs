//! Why a journal was not opened, or not closed as it should be.

use std::io;
use std::path::PathBuf;

use remuda_sys::CallError;
use remuda_sys::lock::LockError;

/// Why a journal could not be opened. No file was changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("open the store's journal: {0}; stop the hub that has it, or give this one another folder")]
    Lock(#[from] LockError),
    /// A descriptor, or the manifest.
    #[error("open the store's journal: {0}")]
    Call(#[from] CallError),
    /// The folder or a file that the manifest names.
    #[error("read {path}: {source}; the store's journal is not complete without it")]
    Read {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The log to go on with.
    #[error("write {path}, of the store's journal: {source}; what is recorded stays as it is")]
    Write {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Neither a manifest nor a file that says which journal it belongs to.
    #[error(
        "read the journal in {folder}: neither the manifest nor the beginning of any file is readable; put a backup in its place, or move the files away to begin anew"
    )]
    Unreadable {
        /// The folder.
        folder: PathBuf,
    },
    /// No thread for it.
    #[error("start the thread that writes the journal: {0}")]
    Thread(#[source] io::Error),
}

/// What was not written when the journal was closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("close the journal: {why}; {records} records in memory are not on the disk")]
pub struct CloseError {
    /// What failed last.
    pub why: String,
    /// How many.
    pub records: u64,
}
