//! The whole config, resolved.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
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
    /// Where people look at the instance (`[dashboard]`).
    #[serde(default)]
    pub dashboard: DashboardSpec,
}

/// Where people look at the instance in a browser (`[dashboard]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardSpec {
    /// Its TCP address; with port 0 a free one is chosen and kept in [`Self::state`]. `None` is "off". Default:
    /// `127.0.0.1:0`.
    pub listen: Option<SocketAddr>,
    /// It may be reached from other machines, though what it says and is told goes over the wire as it is.
    pub exposed: bool,
    /// Names besides `localhost` and addresses by which browsers may call it.
    pub hosts: Vec<String>,
    /// Folder of its tokens. Default: `dashboard` in the runtime folder, which ends with the instance.
    pub state: Option<PathBuf>,
}

impl Default for DashboardSpec {
    fn default() -> Self {
        let listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Self { listen, exposed: false, hosts: Vec::new(), state: None }
    }
}

impl InstanceSpec {
    /// Folder of the dashboard's tokens.
    #[must_use]
    pub fn dashboard_state(&self) -> PathBuf {
        self.dashboard.state.clone().unwrap_or_else(|| self.runtime_dir.join("dashboard"))
    }
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
