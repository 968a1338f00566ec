//! Why the folder does not give or take something.

use std::io;
use std::path::PathBuf;

use remuda_sys::CallError;
use remuda_sys::lock::LockError;

use super::ledger::{INVITATIONS_MAX, NODES_MAX};

/// Why the folder does not give or take something.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// This is no member of a herd.
    #[error("{path} holds no membership; this node belongs to no herd", path = .0.display())]
    NoMember(PathBuf),
    /// This is a member already, or has begun to become one.
    #[error("{path} is there already, and nothing was overwritten; this node belongs to a herd, or began to", path = .0.display())]
    Member(PathBuf),
    /// A file cannot be read or written.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A folder cannot be made or listed.
    #[error("the folder {path}: {source}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{path} is damaged: {why}; restore it from a backup", path = path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A key is known to others than us.
    #[error("{path} can be read by others (mode {mode:04o}): chmod 600 {path}, and think of the key as known", path = path.display())]
    Exposed {
        /// Its file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Somebody else is at it, and does not end.
    #[error("{0}; gave up after 5 s, and nothing was changed")]
    Locked(LockError),
    /// This signer has signed for too many.
    #[error("there are {NODES_MAX} nodes with certificates of this signer in {path}; those of nodes that are gone expire", path = .0.display())]
    Nodes(PathBuf),
    /// Too many invitations are open.
    #[error("there are {INVITATIONS_MAX} open invitations; let them expire, or remove files from {path}", path = .0.display())]
    Invitations(PathBuf),
}
