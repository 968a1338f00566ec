//! The whole config, resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ServiceName, ServiceSpec, SocketName, SocketSpec};

/// The whole config, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// What concerns the arbiter itself.
    pub instance: InstanceSpec,
    /// Sockets.
    pub sockets: BTreeMap<SocketName, SocketSpec>,
    /// Services.
    pub services: BTreeMap<ServiceName, Arc<ServiceSpec>>,
}

/// What concerns the arbiter itself (`[remuda]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSpec {
    /// Name of the instance. Default: the name of the config file's folder.
    pub name: String,
    /// Folder of the control socket, lock and notify sockets, mode 0711. Default `/run/remuda/NAME` for root,
    /// `$XDG_RUNTIME_DIR/remuda/NAME` or `/tmp/remuda-UID/NAME` otherwise.
    pub runtime_dir: PathBuf,
    /// Where the pid is written besides.
    pub pid_file: Option<PathBuf>,
    /// The arbiter ends with this service, with its exit code.
    pub exit_with: Option<ServiceName>,
    /// The service that TTIN and TTOU scale. Default: the only one, or the first with a socket.
    pub scale_on_signal: Option<ServiceName>,
    /// Lines kept in memory for each service, bytes. Default 1 MiB.
    pub log_memory: u64,
    /// Longest line; longer ones are cut into several. Default 64 KiB.
    pub log_line_max: u64,
    /// Events kept for those who resume. Default 4096.
    pub events_kept: u32,
    /// Workers of one service at most. Default 10,000.
    pub workers_max: u32,
    /// What becomes of the workers when the arbiter is killed. Default: they are kept.
    #[serde(default)]
    pub on_crash: OnCrash,
    /// After this long a stop of everything kills what is left. Default: the longest stop timeout plus 5 s;
    /// that of the hub comes on top.
    pub stop_timeout: Option<Duration>,
}

/// What becomes of the workers when the arbiter is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnCrash {
    /// They go on; the next arbiter of the instance takes them over.
    #[default]
    Keep,
    /// They are told to end.
    Stop,
}
