//! The folder of an instance: its lock, its sockets, its pid.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use remuda_model::gateway::{PEERS_FOLDER, figures_socket};
use remuda_model::{ServiceName, WorkerId};
use remuda_sys::CallError;
use remuda_sys::lock::{Lock, LockError, try_lock};

use crate::hub::HANDOVER_FOLDER;

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
    Write(#[from] CallError),
}

/// The pid that a file holds, if it holds one and nothing else.
fn pid_in(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Most folders that are made and found to be removed by an arbiter that ends, before it is given up.
const REMOVED_MAX: u32 = 16;

/// The folder of a running instance. Dropping it removes what was put into it, and the folder if nothing else is in it.
#[derive(Debug)]
pub(crate) struct InstanceFolder {
    path: PathBuf,
    pid_file: Option<PathBuf>,
    /// There until the end.
    lock: Option<Lock>,
}

impl InstanceFolder {
    /// Makes the folder if need be, and takes its lock.
    pub(crate) fn take(path: &Path, name: &str) -> Result<Self, InstanceError> {
        let failed =
            |attempt| move |source| InstanceError::Folder { attempt, path: path.to_path_buf(), source };
        let mut tried = 0;
        let lock = loop {
            tried += 1;
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o711)
                .create(path)
                .map_err(failed("create the folder"))?;
            match check_owner(path) {
                // Removed since by an arbiter that ended; locking finds that out too.
                Err(InstanceError::Folder { source, .. })
                    if source.kind() == std::io::ErrorKind::NotFound => {}
                checked => checked?,
            }
            match try_lock(&path.join("lock")) {
                Ok(lock) => break lock,
                Err(LockError::Held { pid, .. }) => {
                    return Err(InstanceError::Running { name: name.to_owned(), holder: pid });
                }
                // An arbiter that ends took the folder away since we saw it.
                Err(LockError::Call(why)) if is_missing(&why) && tried < REMOVED_MAX => {}
                Err(other) => return Err(InstanceError::Lock(other)),
            }
        };
        check_owner(path)?;
        // Workers of other users walk through it to their notify socket; only they can, for no name can be listed.
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o711))
            .map_err(failed("set the mode of"))?;
        Ok(Self { path: path.to_path_buf(), pid_file: None, lock: Some(lock) })
    }

    /// The folder of a predecessor in this process, whose lock is held already.
    pub(crate) fn inherited(path: &Path, lock: Lock, pid_file: Option<PathBuf>) -> Self {
        Self { path: path.to_path_buf(), pid_file, lock: Some(lock) }
    }

    /// The descriptor of its lock.
    pub(crate) fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_ref().expect("it is taken out only when the folder is dropped").as_fd()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes room for the notify sockets of workers. There are none of a former arbiter.
    pub(crate) fn prepare(&self) -> Result<(), InstanceError> {
        let path = self.path.as_path();
        let failed =
            |attempt| move |source| InstanceError::Folder { attempt, path: path.to_path_buf(), source };
        match std::fs::remove_dir_all(path.join("notify")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("clear the folder")(error));
            }
            Ok(()) | Err(_) => {}
        }
        self.make_notify_folder().map_err(failed("create the notify folder of"))
    }

    /// Makes the folder of notify sockets, if somebody took it away.
    pub(crate) fn make_notify_folder(&self) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o711).create(self.path.join("notify"))
    }

    /// All is stopped in good order: nobody needs a notify socket any more.
    pub(crate) fn remove_notify_folder(&self) {
        // If the folder is gone, so is this.
        let _ = std::fs::remove_dir_all(self.path.join("notify"));
    }

    /// So is the hub: nobody hands anything over any more.
    pub(crate) fn remove_handover_folder(&self) {
        // Most instances have none.
        let _ = std::fs::remove_dir_all(self.path.join(HANDOVER_FOLDER));
    }

    /// Nor does a gateway tell its figures.
    pub(crate) fn remove_gateway_folder(&self) {
        // Most instances have none.
        let _ = std::fs::remove_dir_all(self.path.join(PEERS_FOLDER));
    }

    /// What a gateway's worker that was killed could not remove itself.
    pub(crate) fn remove_figures(&self, service: &ServiceName, worker: WorkerId) {
        // One that ended by itself has removed it.
        let _ = std::fs::remove_file(self.path.join(PEERS_FOLDER).join(figures_socket(service, worker.0)));
    }

    /// Nor does anybody look at it: what let people in ends with the instance.
    pub(crate) fn remove_dashboard_folder(&self) {
        // Most are gone with a `state` of their own, or were never there.
        let _ = std::fs::remove_dir_all(self.path.join("dashboard"));
    }

    pub(crate) fn control_socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    pub(crate) fn einhorn_socket(&self) -> PathBuf {
        einhorn_socket(&self.path)
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

fn check_owner(path: &Path) -> Result<(), InstanceError> {
    let failed =
        |source| InstanceError::Folder { attempt: "look at the folder", path: path.to_path_buf(), source };
    let owner = std::fs::metadata(path).map_err(failed)?.uid();
    let ours = remuda_sys::users::effective_user();
    if owner == ours {
        return Ok(());
    }
    Err(InstanceError::Owner { path: path.to_path_buf(), owner, ours })
}

fn is_missing(error: &CallError) -> bool {
    std::io::Error::from_raw_os_error(error.errno).kind() == std::io::ErrorKind::NotFound
}

/// Where the einhorn socket of a runtime folder is.
pub(crate) fn einhorn_socket(folder: &Path) -> PathBuf {
    folder.join("einhorn.sock")
}

impl Drop for InstanceFolder {
    fn drop(&mut self) {
        // What is gone already needs no removal, and what cannot be removed harms nobody.
        let pid_file = self.pid_file.as_ref().filter(|path| pid_in(path) == Some(std::process::id()));
        for path in [self.control_socket(), self.einhorn_socket()].iter().chain(pid_file) {
            let _ = std::fs::remove_file(path);
        }
        // The lock goes last: whoever gets it next finds the folder as it was made, or none.
        if let Some(lock) = self.lock.take() {
            lock.remove(&self.path.join("lock"));
        }
        // Refused by the kernel as long as anything is in it, such as the next arbiter's lock.
        let _ = std::fs::remove_dir(&self.path);
    }
}
