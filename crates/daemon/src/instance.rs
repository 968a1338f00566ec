//! The folder of an instance: its lock, its sockets, its pid.

use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use remuda_sys::lock::{Lock, LockError, try_lock};

/// Why an instance cannot take its folder. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The folder cannot be made or used.
    #[error("{attempt} {path}: {source}", path = path.display())]
    Folder {
        /// What was tried.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The folder belongs to somebody else, who could replace our sockets.
    #[error("the runtime folder {path} belongs to uid {owner}, not to uid {ours}; set runtime_dir in [remuda], or remove it", path = path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who we are.
        ours: u32,
    },
    /// Another arbiter has it.
    #[error("instance {name} runs already{}; it is not touched\nhint: `remuda apply` makes it take up a changed config, `remuda down` ends it, [remuda] name = \"…\" makes this a second one", holder.map(|pid| format!(" as pid {pid}")).unwrap_or_default())]
    Running {
        /// Its name.
        name: String,
        /// Its pid, if it could write it.
        holder: Option<u32>,
    },
    /// The lock cannot be had for another reason.
    #[error(transparent)]
    Lock(LockError),
}

/// Longest file that can be an old pid file.
const PID_FILE_MAX_BYTES: u64 = 32;

/// Why the pid is not written. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// Something else than a pid file is there.
    #[error("the pid file {path} is something else and is left alone; name another path, or remove it", path = .0.display())]
    Foreign(PathBuf),
    /// What is there cannot be looked at.
    #[error("look at the pid file {path}: {source}", path = path.display())]
    Look {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] remuda_sys::CallError),
}

/// The pid that a file holds, if it holds one and nothing else.
fn pid_in(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The folder of a running instance. Dropping it removes what was put into it.
#[derive(Debug)]
pub(crate) struct InstanceFolder {
    path: PathBuf,
    pid_file: Option<PathBuf>,
    _lock: Lock,
}

impl InstanceFolder {
    /// Makes the folder if need be, and takes its lock.
    pub(crate) fn take(path: &Path, name: &str) -> Result<Self, InstanceError> {
        let failed =
            |attempt| move |source| InstanceError::Folder { attempt, path: path.to_path_buf(), source };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(path)
            .map_err(failed("create the folder"))?;
        let owner = std::fs::metadata(path).map_err(failed("look at the folder"))?.uid();
        let ours = remuda_sys::users::effective_user();
        if owner != ours {
            return Err(InstanceError::Owner { path: path.to_path_buf(), owner, ours });
        }
        let lock = try_lock(&path.join("lock")).map_err(|error| match error {
            LockError::Held { pid, .. } => InstanceError::Running { name: name.to_owned(), holder: pid },
            other @ LockError::Call(_) => InstanceError::Lock(other),
        })?;
        // Workers of other users walk through it to their notify socket; only they can, for no name can be listed.
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o711))
            .map_err(failed("set the mode of"))?;
        let notify = path.join("notify");
        match std::fs::remove_dir_all(&notify) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("clear the folder")(error));
            }
            Ok(()) | Err(_) => {}
        }
        std::fs::DirBuilder::new()
            .mode(0o711)
            .create(&notify)
            .map_err(failed("create the notify folder of"))?;
        Ok(Self { path: path.to_path_buf(), pid_file: None, _lock: lock })
    }

    pub(crate) fn control_socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    pub(crate) fn einhorn_socket(&self) -> PathBuf {
        self.path.join("einhorn.sock")
    }

    pub(crate) fn notify_socket(&self, worker: u64) -> PathBuf {
        self.path.join("notify").join(worker.to_string())
    }

    /// Writes the pid where the config wants it too, whole or not at all.
    /// Nothing but an old pid file is replaced.
    pub(crate) fn write_pid(&mut self, path: &Path) -> Result<(), PidFileError> {
        let failed = |source| PidFileError::Look { path: path.to_path_buf(), source };
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(found) if !found.is_file() || found.len() > PID_FILE_MAX_BYTES || pid_in(path).is_none() => {
                return Err(PidFileError::Foreign(path.to_path_buf()));
            }
            Ok(_) => {}
        }
        let text = format!("{}\n", std::process::id());
        let durability = remuda_sys::files::Durability::Process;
        remuda_sys::files::replace(path, text.as_bytes(), 0o644, durability)?;
        self.pid_file = Some(path.to_path_buf());
        Ok(())
    }
}

impl Drop for InstanceFolder {
    fn drop(&mut self) {
        // What is gone already needs no removal; the lock file stays, for another may be waiting on it.
        let pid_file = self.pid_file.as_ref().filter(|path| pid_in(path) == Some(std::process::id()));
        for path in [self.control_socket(), self.einhorn_socket()].iter().chain(pid_file) {
            let _ = std::fs::remove_file(path);
        }
        let _ = std::fs::remove_dir_all(self.path.join("notify"));
    }
}
