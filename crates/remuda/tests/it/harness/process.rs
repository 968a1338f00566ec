//! Processes as `/proc` shows them, and waits for their end.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::PATIENCE;

/// How long a process is watched that should sleep.
const WATCHED_FOR: Duration = Duration::from_secs(3);

fn open(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Sends a signal; a process that is gone gets none.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pidfd) = open(pid) {
        // It may have ended meanwhile, which is what was wanted or shows in the test.
        let _ = pidfd_send_signal(&pidfd, signal);
    }
}

/// Waits until a process has ended; whether it has. A zombie has.
pub(crate) fn wait_end(pid: u32, patience: Duration) -> bool {
    let Some(pidfd) = open(pid) else { return true };
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref()) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(_) => {}
        }
    }
}

/// Whether a process of this pid runs (a zombie does not).
pub(crate) fn is_alive(pid: u32) -> bool {
    open(pid).is_some() && !wait_end(pid, Duration::ZERO)
}

/// The variables a process was started with.
pub(crate) fn environment(pid: u32) -> BTreeMap<String, String> {
    // A process in the middle of `execve` shows none for a moment, or a part of them: two looks have to agree.
    let deadline = Instant::now() + PATIENCE;
    let look = || std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let mut bytes = look();
    loop {
        let again = look();
        let agrees = !again.is_empty() && again == bytes;
        bytes = again;
        if agrees || Instant::now() > deadline {
            break;
        }
        std::thread::yield_now();
    }
    let texts = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    texts.filter_map(|text| text.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()))).collect()
}

/// The arguments of a process.
pub(crate) fn arguments(pid: u32) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let mut words: Vec<_> =
        bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    words.pop();
    words
}

/// What the descriptors of a process are: number to target.
pub(crate) fn descriptors(pid: u32) -> BTreeMap<u32, String> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().map(Result::unwrap);
    let numbered = entries.filter_map(|entry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, target.to_string_lossy().into_owned()))
    });
    numbered.collect()
}

/// A field of `/proc/PID/status`.
pub(crate) fn status(pid: u32, field: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("/proc/{pid}/status has no {field}")).trim().to_owned()
}

/// Voluntary context switches of a process so far, of all its threads: each is a wait that has ended.
fn wake_ups(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let statuses =
        threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap());
    let counts = statuses.map(|status| {
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.unwrap().trim().parse::<u64>().unwrap()
    });
    counts.sum()
}

/// Watches a process until nothing has woken it for [`WATCHED_FOR`].
#[track_caller]
pub(crate) fn falls_asleep(pid: u32) {
    // It may settle in the first of these times; what wakes it again and again wakes it in each.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = wake_ups(pid);
        std::thread::sleep(WATCHED_FOR);
        let woken = wake_ups(pid) - before;
        if woken == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "woken {woken} times in {WATCHED_FOR:?}, and not less before");
    }
}

/// Processes that were started with `mark` in a variable, as far as we may look.
pub(crate) fn marked(mark: &Path) -> Vec<u32> {
    let mark = mark.as_os_str().as_bytes();
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_mark = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|window| window == mark)
    };
    pids.filter(has_mark).filter(|pid| *pid != std::process::id()).collect()
}

/// Kills everything that bears the mark, and what it starts while it is killed.
pub(crate) fn kill_marked(mark: &Path) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = marked(mark);
        if left.is_empty() || Instant::now() > deadline {
            return;
        }
        for pid in &left {
            signal(*pid, Signal::KILL);
        }
        for pid in left {
            wait_end(pid, Duration::from_secs(5));
        }
    }
}

/// Control groups of the instance `name`, innermost first.
pub(crate) fn control_groups(name: &str) -> Vec<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mut found = Vec::new();
    for mount in mounts.lines() {
        let mut words = mount.split(' ');
        if let (Some(_), Some(path), Some("cgroup2")) = (words.next(), words.next(), words.next()) {
            find_folders(Path::new(path), &format!("remuda-{name}"), false, &mut found);
        }
    }
    found
}

/// Folders called `name` below `folder`, with all below them.
fn find_folders(folder: &Path, name: &str, inside: bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let inside = inside || entry.file_name() == name;
            find_folders(&entry.path(), name, inside, found);
            if inside {
                found.push(entry.path());
            }
        }
    }
}

/// Removes what an arbiter that was killed could not.
pub(crate) fn remove_control_groups(name: &str) {
    for folder in control_groups(name) {
        // One that is still busy is left; it does no harm to another test.
        let _ = std::fs::remove_dir(folder);
    }
}
