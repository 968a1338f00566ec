//! An arbiter with nothing to do does nothing.

use std::time::{Duration, Instant};

use crate::harness::{Instance, PATIENCE};

/// How long it is watched.
const WATCHED_FOR: Duration = Duration::from_secs(3);

/// Voluntary context switches so far, of all threads: each is a wait that has ended.
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

#[test]
fn an_arbiter_of_fifty_workers_sleeps_when_nothing_happens() {
    let instance = Instance::up(
        "[service.web]\ncommand = \"sleep 1000\"\nworkers = 50\nbackoff = { healthy_after = \"100ms\" }\n",
    );
    assert_eq!(instance.service("web").workers_ready, 50);
    // It may settle in the first of these times; what wakes it again and again wakes it in each.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = wake_ups(instance.pid());
        std::thread::sleep(WATCHED_FOR);
        let woken = wake_ups(instance.pid()) - before;
        if woken == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "woken {woken} times in {WATCHED_FOR:?}, and not less before");
    }
    instance.end();
}
