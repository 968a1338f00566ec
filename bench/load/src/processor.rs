//! Time on a processor, as the scheduler counts it.

/// Nanoseconds that all threads of `pids` have been on a processor; a thread that has ended counts no more.
pub(crate) fn used_ns(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| threads_ns(&format!("/proc/{pid}/task"))).sum()
}

/// The same of this program, which has one thread.
pub(crate) fn own_ns() -> u64 {
    threads_ns("/proc/self/task")
}

fn threads_ns(folder: &str) -> u64 {
    let Ok(threads) = std::fs::read_dir(folder) else { return 0 };
    let schedules = threads.flatten().map(|thread| thread.path().join("schedstat"));
    schedules.filter_map(|path| on_processor_ns(&std::fs::read_to_string(path).ok()?)).sum()
}

/// The first number of a schedstat, see Documentation/scheduler/sched-stats.rst of Linux.
fn on_processor_ns(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}
