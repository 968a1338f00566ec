//! What depends on the machine alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use remuda_sys::cgroup::Cgroups;
use remuda_sys::users::effective_user;

use super::Finding;
use crate::instance::own_runtime_root;

/// Kernels before this have no `pidfd_open`.
const KERNEL_NEEDED: (u32, u32) = (5, 3);
/// `close_range`, `cgroup.kill` and `pidfd_getfd` are all there.
const KERNEL_WANTED: (u32, u32) = (5, 14);
/// Descriptors a worker costs the arbiter: pidfd, two pipes, notify socket, cgroup files; a thousand workers and room.
const NOFILE_WANTED: u64 = 16_384;
/// A thousand workers with some processes each.
const PID_MAX_WANTED: u64 = 32_768;
/// Pages of pipe buffers that a user without privileges has: two pipes a worker, 64 pages each.
const PIPE_PAGES_PER_WORKER: u64 = 128;

pub(super) fn findings() -> Vec<Finding> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    let mut findings =
        vec![kernel(&release), processes(), nofile(), pids(number("kernel/pid_max")), cgroups()];
    findings.extend(pipes(number("fs/pipe-user-pages-soft"), effective_user() == 0));
    findings.push(runtime_folder(&own_runtime_root(), effective_user()));
    findings
}

/// A number of `/proc/sys`.
pub(super) fn number(name: &str) -> Option<u64> {
    fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?.trim().parse().ok()
}

pub(super) fn kernel(release: &str) -> Finding {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit()).map(str::parse);
    let version = match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => (0, 0),
    };
    let what = format!("kernel {release}");
    let fix = format!("use Linux {}.{} or newer", KERNEL_WANTED.0, KERNEL_WANTED.1);
    if version < KERNEL_NEEDED {
        return Finding::fail(what, "it has no pidfds, by which workers are watched", fix);
    }
    if version < KERNEL_WANTED {
        return Finding::warn(
            what,
            "it cannot kill a control group at once; trees of workers are killed one by one",
            fix,
        );
    }
    Finding::ok(what)
}

fn processes() -> Finding {
    match remuda_sys::process::pidfd_open(std::process::id()) {
        Ok(_) => Finding::ok("pidfds work"),
        Err(error) => Finding::fail(
            format!("pidfds do not work: {error}"),
            "workers cannot be watched",
            "allow pidfd_open in the container's seccomp profile",
        ),
    }
}

fn nofile() -> Finding {
    let hard = remuda_sys::limits::nofile().hard;
    match hard {
        Some(hard) if hard < NOFILE_WANTED => Finding::warn(
            format!("limit of open files: {hard} at most"),
            format!("enough for about {} workers", hard / 16),
            format!("LimitNOFILE={} in the unit, or a higher hard limit in limits.conf", NOFILE_WANTED * 4),
        ),
        Some(hard) => Finding::ok(format!("limit of open files: {hard} at most")),
        None => Finding::ok("limit of open files: none"),
    }
}

pub(super) fn pids(pid_max: Option<u64>) -> Finding {
    match pid_max {
        Some(pid_max) if pid_max < PID_MAX_WANTED => Finding::warn(
            format!("kernel.pid_max is {pid_max}"),
            "pids come round soon, and all processes of the machine share them",
            "sysctl kernel.pid_max=4194304",
        ),
        Some(pid_max) => Finding::ok(format!("kernel.pid_max is {pid_max}")),
        None => Finding::warn("kernel.pid_max cannot be read", "/proc/sys is not there", "mount /proc"),
    }
}

fn cgroups() -> Finding {
    match Cgroups::detect(&format!("doctor-{}", std::process::id())) {
        Err(why) => Finding::warn(
            format!("no control groups: {why}"),
            "a worker's runaway children are found by descent, which is best effort; limits of memory, cpu and pids do not apply",
            "run under systemd with Delegate=yes, or in a container with a writable cgroup v2",
        ),
        Ok(cgroups) => {
            let controllers = cgroups.controllers().join(", ");
            let root = cgroups.root().display().to_string();
            // What is left of an empty group is found and removed by the next arbiter of that name.
            let _ = cgroups.remove();
            if controllers.is_empty() {
                return Finding::warn(
                    format!("control groups at {root}, without controllers"),
                    "trees of workers are killed whole; limits of memory, cpu and pids do not apply",
                    "Delegate=yes in the unit, or cgroup v2 alone instead of beside version 1",
                );
            }
            Finding::ok(format!("control groups with {controllers}"))
        }
    }
}

pub(super) fn pipes(soft: Option<u64>, root: bool) -> Option<Finding> {
    let soft = soft.filter(|_| !root)?;
    let what = format!("fs.pipe-user-pages-soft is {soft}");
    if soft == 0 || soft >= 1000 * PIPE_PAGES_PER_WORKER {
        return Some(Finding::ok(what));
    }
    let workers = soft / PIPE_PAGES_PER_WORKER;
    let meaning = format!(
        "beyond {workers} workers of one user, log pipes are small, and a worker that writes in bursts waits"
    );
    Some(Finding::warn(
        what,
        meaning,
        format!("sysctl fs.pipe-user-pages-soft={}", 1000 * PIPE_PAGES_PER_WORKER),
    ))
}

pub(super) fn runtime_folder(folder: &Path, uid: u32) -> Finding {
    let what = format!("runtime folder {}", folder.display());
    // The nearest folder that is there is the one in which the others are made.
    let Some((path, metadata)) = folder.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)))
    else {
        return Finding::fail(what, "no part of it exists", "set [remuda] runtime_dir");
    };
    let mode = metadata.permissions().mode();
    if path == folder && metadata.uid() != uid {
        let meaning = format!("it belongs to uid {}, who could replace our sockets", metadata.uid());
        return Finding::fail(what, meaning, "remove it, or set [remuda] runtime_dir");
    }
    if path == folder && mode & 0o022 != 0 {
        return Finding::fail(
            what,
            format!("others may write to it (mode {:o})", mode & 0o777),
            format!("chmod 755 {}", folder.display()),
        );
    }
    if !remuda_sys::files::is_writable_folder(path) {
        let meaning = format!("{} may not be written", path.display());
        return Finding::fail(what, meaning, "set XDG_RUNTIME_DIR or [remuda] runtime_dir");
    }
    Finding::ok(what)
}
