//! A second name of a socket's file, by which the first one can be put back.
//!
//! Servers remove the file of "their" socket when they stop, also where the socket was passed to them. It lives on, but
//! a client finds it by its inode, and an inode whose last name has gone can never be given another. So a hard link
//! lies beside it, hidden, and is linked to the path again when that is free; what somebody else has put there stays.
//!
//! There would be no gap at all if the hidden name were the one that is bound, and the path the link: a worker would
//! remove the name it knows. But that is also the name which `ss`, logs and peers would show, and servers that know their
//! listener by its path among those passed (Puma; `sd_is_socket_unix(3)`) would not find it, and bind one of their own.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use remuda_model::SocketKind;
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use super::bind::BindError;
use super::listener::SocketFile;
use super::unix::{is_alive, remove_stale};
use crate::CallError;

/// What is at the path of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its file, as it should be.
    Kept,
    /// Its file, which was away until now.
    PutBack,
    /// Somebody else's file, which was not touched.
    Taken,
}

impl SocketFile {
    /// The same file under its spare name: `.NAME.remuda`, in the same folder.
    #[must_use]
    pub fn spare(&self) -> Self {
        Self { path: spare_path(&self.path), ..self.clone() }
    }

    /// Whether it is at its path.
    fn is_there(&self) -> bool {
        Self::at(&self.path).is_ok_and(|present| present == *self)
    }

    /// Makes sure that it has its spare name. One that a dead socket has left is replaced.
    ///
    /// # Errors
    /// It has none: it is not at its path, hard links are not possible there, or the name is somebody else's, whose
    /// file is not touched.
    pub fn keep_spare(&self) -> Result<(), CallError> {
        let spare = self.spare();
        let failed = |error: std::io::Error| {
            CallError::new(format!("link {} to {}", self.path.display(), spare.path.display()), error)
        };
        if spare.is_there() {
            return Ok(());
        }
        if !self.is_there() {
            return Err(failed(Errno::NOENT.into()));
        }
        match fs::hard_link(&self.path, &spare.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                clear_spare(&spare.path)?;
                fs::hard_link(&self.path, &spare.path).map_err(failed)?;
            }
            linked => linked.map_err(failed)?,
        }
        if spare.is_there() {
            return Ok(());
        }
        // What was linked is somebody else's, who has just taken the path; the name it was given by us goes again.
        drop(fs::remove_file(&spare.path));
        Err(failed(Errno::NOENT.into()))
    }

    /// Has the path lead to the socket again, if nothing is there.
    ///
    /// # Errors
    /// Nothing is there, and it cannot be put back: its spare name is gone too, or its folder, or the kernel refuses.
    pub fn put_back(&self) -> Result<Place, CallError> {
        let spare = self.spare();
        let failed = |error| {
            CallError::new(format!("link {} to {}", spare.path.display(), self.path.display()), error)
        };
        match Self::at(&self.path) {
            Ok(present) if present == *self => return Ok(Place::Kept),
            Ok(_) => return Ok(Place::Taken),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Err(_) => {}
        }
        if !spare.is_there() {
            return Err(failed(Errno::NOENT.into()));
        }
        match fs::hard_link(&spare.path, &self.path) {
            Ok(()) => Ok(Place::PutBack),
            // Somebody was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok(if self.is_there() { Place::Kept } else { Place::Taken })
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn spare_path(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".remuda");
    path.with_file_name(name)
}

/// Removes a dead socket's file from the spare name; nothing else ever.
fn clear_spare(path: &Path) -> Result<(), CallError> {
    let attempt = || format!("use the name {}", path.display());
    let taken = |errno: Errno| CallError::new(attempt(), errno);
    let status = fs::symlink_metadata(path).map_err(|error| CallError::new(attempt(), error))?;
    if !status.file_type().is_socket() {
        return Err(taken(Errno::EXIST));
    }
    let found = SocketFile::at(path).map_err(|error| CallError::new(attempt(), error))?;
    let address = SocketAddrUnix::new(path).map_err(taken)?;
    // Of what type it is matters to the living only.
    if is_alive(&address, SocketKind::Stream)? {
        return Err(taken(Errno::ADDRINUSE));
    }
    remove_stale(path, &found).map_err(|error| match error {
        BindError::Call(call) => call,
        _foreign => taken(Errno::EXIST),
    })
}
