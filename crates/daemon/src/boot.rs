//! What a daemon is started with, and why it may not start.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use remuda_model::Config;
use remuda_sys::CallError;
use remuda_sys::socket::{Activation, BindError};

use crate::hub::HubError;
use crate::instance::{InstanceError, PidFileError};
use crate::recovery::RecoveryError;
use crate::sockets::SocketError;
use crate::succession::Succession;

/// Everything a daemon is started with.
#[derive(Debug)]
pub struct Boot {
    /// What it begins with.
    pub beginning: Beginning,
    /// Where it came from.
    pub source: ConfigSource,
    /// Our own environment variables, as they were at the start.
    pub environment: BTreeMap<String, String>,
    /// Descriptors passed to us by a service manager.
    pub activation: Activation,
    /// Decides all jitter.
    pub seed: u64,
}

/// What a daemon begins with.
#[derive(Debug)]
pub enum Beginning {
    /// A config. If a former arbiter left workers, it is applied to them.
    Config(Box<Config>),
    /// Another program's place in this process.
    Succession(Box<Succession>),
}

/// Reads the config anew; the error is a report to be shown as it is.
type Read = dyn Fn() -> Result<Config, String> + Send + Sync;

/// The config's source, to be read again when it has changed.
pub struct ConfigSource {
    name: String,
    read: Box<Read>,
}

impl ConfigSource {
    /// A source that is called `name` in `status` and read by `read`.
    pub fn new(name: String, read: impl Fn() -> Result<Config, String> + Send + Sync + 'static) -> Self {
        Self { name, read: Box::new(read) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn read(&self) -> Result<Config, String> {
        (self.read)()
    }
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSource").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a daemon does not start. Nothing is left bound or running.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Its folder cannot be had, or another one has it.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// Workers of a former arbiter live and cannot be taken over.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A socket cannot be had.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// What the program before left cannot be gone on with.
    #[error("go on in place of another program: {0}")]
    Succession(String),
    /// Its pid cannot be written.
    #[error("{0}; nothing was started")]
    PidFile(#[source] PidFileError),
    /// The hub has no folder or no secret.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The kernel refused something it needs.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl BootError {
    /// Whether somebody else has an address that it is to listen on.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Socket(SocketError::Bind { source, .. }) if matches!(**source, BindError::Taken { .. }))
    }
}

/// Binds the control socket for its owner alone. A file left by a dead arbiter is replaced: we hold the lock.
pub(crate) fn bind_control(path: &Path) -> Result<UnixListener, CallError> {
    let failed = |what: &str| {
        let attempt = format!("{what} the control socket {}", path.display());
        move |error| CallError::new(attempt.clone(), error)
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed("replace")(error)),
        Ok(()) | Err(_) => {}
    }
    // Bound under another name until its mode is right: nobody else can connect in between.
    let hidden = path.with_extension("new");
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden).map_err(failed("bind"))?;
    std::fs::set_permissions(&hidden, PermissionsExt::from_mode(0o600)).map_err(failed("set the mode of"))?;
    std::fs::rename(&hidden, path).map_err(failed("name"))?;
    listener.set_nonblocking(true).map_err(failed("set up"))?;
    Ok(listener)
}
