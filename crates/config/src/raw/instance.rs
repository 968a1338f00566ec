//! `[remuda]`.

use remuda_model::OnCrash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Field, Size};

/// What concerns the arbiter itself: `[remuda]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Instance {
    /// Name of the instance. Default: the name of the config file's folder.
    pub name: Field<String>,
    /// Folder of the control socket, the lock and the notify sockets; it gets mode 0711. Default:
    /// `/run/remuda/NAME` for root, else `$XDG_RUNTIME_DIR/remuda/NAME` or `/tmp/remuda-UID/NAME`. At most 89 bytes,
    /// because the paths of Unix sockets in it are limited. Removed at the end unless something else is in it.
    pub runtime_dir: Field<String>,
    /// A file that gets the arbiter's pid. Default: none.
    pub pid_file: Field<String>,
    /// The arbiter ends when this service ends, with its exit code. Default: none.
    pub exit_with: Field<String>,
    /// The service that the signals TTIN and TTOU scale. Default: the only one, or the first by name with a socket.
    pub scale_on_signal: Field<String>,
    /// Log lines kept in memory for each service. Default: "1MiB".
    pub log_memory: Field<Size>,
    /// Longest log line; longer ones are cut into several. Default: "64KiB".
    pub log_line_max: Field<Size>,
    /// Events kept for clients that resume. Default: 4096.
    pub events_kept: Field<u32>,
    /// Most workers of one service, by config or by `remuda scale`. Default: 10000.
    pub workers_max: Field<u32>,
    /// What becomes of the workers when the arbiter is killed: `keep` lets them serve on until the next `remuda up` takes
    /// them over, `stop` ends them. Default: "keep".
    pub on_crash: Field<OnCrash>,
    /// After this long, a stop of everything kills what is left. Default: the longest `stop.timeout` plus 5 s; the hub's
    /// comes on top, as it stops last.
    pub stop_timeout: Field<Duration>,
}
