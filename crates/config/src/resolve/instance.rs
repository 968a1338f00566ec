//! `[remuda]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use remuda_model::{InstanceSpec, OnCrash, ServiceName};

use super::{Resolution, Services, or};
use crate::raw::{self, Located};
use crate::report::Problem;

const LOG_MEMORY: u64 = 1 << 20;
const LOG_LINE_MAX: u64 = 64 << 10;
const EVENTS_KEPT: u32 = 4096;
const WORKERS_MAX: u32 = 10_000;
/// Longest path of a Unix socket, bytes: `sun_path` has 108, the last one ends it.
pub(super) const SOCKET_PATH_MAX: usize = 107;
/// The longest name in the runtime folder: the notify socket of a worker after some four billion.
const LONGEST_SOCKET: &str = "notify/4294967295";
/// What a stop of everything takes beyond the slowest service.
const STOP_GRACE: Duration = Duration::from_secs(5);

impl Resolution<'_> {
    /// `None` only when its name is wrong.
    pub(super) fn instance(&mut self, services: &Services) -> Option<InstanceSpec> {
        let raw = self.file.remuda.clone().unwrap_or_default();
        let name = self.instance_name(&raw)?;
        self.demand(&raw.log_line_max, |size| size.0 > 0, "a line has at least one byte");
        self.demand(&raw.workers_max, |count| *count > 0, "at least one worker must be allowed");
        let longest = services.values().map(|spec| spec.stop.timeout).max().unwrap_or_default();
        let stop_timeout =
            self.optional_time(&raw.stop_timeout).unwrap_or(longest.saturating_add(STOP_GRACE));
        let exit_with = raw.exit_with.as_ref().and_then(|service| self.known_service(service));
        let scaled = raw.scale_on_signal.as_ref().and_then(|service| self.known_service(service));
        let runtime_dir = match &raw.runtime_dir {
            Some(path) => self.path(path),
            None => self.runtime_dir(&name),
        };
        self.sockets_fit(&runtime_dir, raw.runtime_dir.as_ref());
        let dashboard = self.dashboard(&runtime_dir);
        Some(InstanceSpec {
            runtime_dir,
            pid_file: raw.pid_file.as_ref().map(|path| self.path(path)),
            exit_with,
            scale_on_signal: scaled.or_else(|| default_scaled(services)),
            log_memory: raw.log_memory.as_ref().map_or(LOG_MEMORY, |size| size.0),
            log_line_max: raw.log_line_max.as_ref().map_or(LOG_LINE_MAX, |size| size.0),
            events_kept: or(&raw.events_kept, EVENTS_KEPT),
            workers_max: or(&raw.workers_max, WORKERS_MAX),
            on_crash: or(&raw.on_crash, OnCrash::Keep),
            stop_timeout: Some(stop_timeout),
            dashboard,
            name,
        })
    }

    fn instance_name(&mut self, raw: &raw::Instance) -> Option<String> {
        let Some(name) = &raw.name else {
            let folder = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
            return Some(as_name(&folder.unwrap_or_default()));
        };
        // It becomes the name of a folder, so the rules of service names fit.
        let checked = self.name(name, "instance", ServiceName::new(name))?;
        Some(checked.to_string())
    }

    fn runtime_dir(&self, name: &str) -> PathBuf {
        let uid = self.surroundings.uid;
        let user_dir = self.surroundings.variables.get("XDG_RUNTIME_DIR").map(PathBuf::from);
        match user_dir.filter(|path| path.is_absolute()) {
            _ if uid == 0 => PathBuf::from("/run/remuda").join(name),
            Some(path) => path.join("remuda").join(name),
            None => PathBuf::from(format!("/tmp/remuda-{uid}")).join(name),
        }
    }

    /// The sockets that the arbiter binds in its folder have paths that the kernel takes.
    fn sockets_fit(&mut self, folder: &Path, written: Option<&Located<String>>) {
        let length = folder.as_os_str().len();
        let limit = SOCKET_PATH_MAX - LONGEST_SOCKET.len() - 1;
        if length <= limit {
            return;
        }
        let message = format!(
            "the runtime folder {} is {length} bytes long; {limit} are possible, because {LONGEST_SOCKET} in it is a \
             Unix socket, whose path has at most {SOCKET_PATH_MAX} bytes",
            folder.display()
        );
        let problem = Problem::error(written.and_then(|path| path.span.clone()), message);
        self.problems.push(problem.hint("write a shorter one: runtime_dir = \"/run/NAME\" in [remuda]"));
    }

    /// No service wants more workers than are allowed.
    pub(super) fn worker_counts(&mut self, instance: &InstanceSpec, services: &Services) {
        for spec in services.values() {
            let most = spec.scaling.map_or(spec.workers, |scaling| scaling.max);
            if most > instance.workers_max {
                let message =
                    format!("{most} workers are more than remuda.workers_max = {}", instance.workers_max);
                self.error(self.workers_span(spec).as_ref(), message);
            }
        }
    }
}

/// The only service, or the first by name with a socket.
fn default_scaled(services: &Services) -> Option<ServiceName> {
    let mut all = services.values();
    let scaled = match (all.next(), all.next()) {
        (Some(only), None) => Some(only),
        _ => services.values().find(|spec| !spec.sockets.is_empty()),
    };
    scaled.map(|spec| spec.name.clone())
}

/// A folder's name as the name of an instance.
fn as_name(folder: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@') { c } else { '-' };
    let name: String = folder.chars().map(kept).take(64).collect();
    let name = name.trim_start_matches(['-', '_', '@']);
    if name.is_empty() { "remuda".to_owned() } else { name.to_owned() }
}
