//! Killing whole trees, with and without control groups.

use std::os::fd::AsFd;

use remuda_model::{CgroupLimits, ExitStatus};
use remuda_sys::cgroup::{Cgroups, KillWay, Leader, Unavailable, WorkerCgroup, kill_tree};
use remuda_sys::event::Interest;
use remuda_sys::pipe::{self, Pipe};
use remuda_sys::process::{reap_strangers, start_time};
use remuda_sys::spawn::{EnvironmentValue, SpawnPlan, StatusReport};

use crate::support::{Child, is_ours, is_root, orphanage, plan, read_all, wait_for};

/// A leader with two escapees: own sessions, and parents that are gone.
const ESCAPE: &str = "for i in 1 2; do setsid sh -c '(sleep 600 & echo) & exit' ; done; exec sleep 600";

/// A worker whose escapees run. All of its processes hold the pipe's writer, so the reader hangs up when the last is
/// dead.
fn escaping(marker: &str, cgroup: Option<&WorkerCgroup>) -> (Child, Pipe) {
    let text = |value: &str| EnvironmentValue::Text(value.into());
    let alive = pipe::plain().unwrap();
    let said = pipe::plain().unwrap();
    let child = Child::running(&SpawnPlan {
        environment: vec![("PATH".into(), text("/usr/bin:/bin")), ("REMUDA_WORKER".into(), text(marker))],
        stdout: Some(said.writer.as_fd()),
        passed: vec![alive.writer.as_fd()],
        cgroup_procs: cgroup.map(WorkerCgroup::procs),
        ..plan(&["sh", "-c", ESCAPE])
    });
    let mut lines = 0;
    while lines < 2 {
        wait_for(said.reader.as_fd(), Interest::Read);
        lines += rustix::io::read(&said.reader, &mut [0_u8; 8]).unwrap();
    }
    (child, alive)
}

fn assert_all_die(child: &Child, alive: Pipe) {
    drop(alive.writer);
    assert!(matches!(child.wait(), ExitStatus::Signal { .. }));
    wait_for(alive.reader.as_fd(), Interest::Nothing);
    let _orphans = reap_strangers(is_ours).unwrap();
}

fn leader<'text>(child: &Child, marker: &'text str) -> Leader<'text> {
    Leader { pid: child.0.pid, start_time: start_time(child.0.pid).unwrap(), marker: Some(marker) }
}

#[test]
pub(crate) fn escapees_are_killed_without_a_control_group() {
    let _orphanage = orphanage();
    let marker = format!("fallback-{}", std::process::id());
    let (child, alive) = escaping(&marker, None);
    let bystander = Child::running(&plan(&["/bin/sleep", "60"]));
    let entry = format!("REMUDA_WORKER={marker}");
    let report = kill_tree(None, &leader(&child, &entry)).unwrap();
    assert_eq!(report.way, KillWay::Descent);
    assert!(report.found.len() >= 3 && report.found.contains(&child.0.pid), "{report:?}");
    assert_all_die(&child, alive);
    assert_eq!(remuda_sys::process::peek_exit(&bystander.0.pidfd), Ok(None), "others live on");
}

#[test]
pub(crate) fn a_dead_leaders_escapees_are_still_found() {
    let _orphanage = orphanage();
    let marker = format!("dead-{}", std::process::id());
    let (child, alive) = escaping(&marker, None);
    let entry = format!("REMUDA_WORKER={marker}");
    let leader = leader(&child, &entry);
    remuda_sys::process::send_signal(&child.0.pidfd, remuda_model::Signal::KILL).unwrap();
    child.wait();
    let report = kill_tree(None, &leader).unwrap();
    assert!(report.found.len() >= 2 && !report.found.contains(&child.0.pid), "{report:?}");
    assert_all_die(&child, alive);
}

#[test]
pub(crate) fn a_reused_pid_is_not_killed() {
    let innocent = Child::running(&plan(&["/bin/sleep", "60"]));
    let stale = Leader { pid: innocent.0.pid, start_time: 1, marker: None };
    assert!(kill_tree(None, &stale).unwrap().found.is_empty());
    assert_eq!(remuda_sys::process::peek_exit(&innocent.0.pidfd), Ok(None));
}

/// The groups of a test of its own, or nothing where none can be had, which has to have its reason.
fn cgroups(test: &str) -> Option<Cgroups> {
    match Cgroups::detect(&format!("test-{test}-{}", std::process::id())) {
        Ok(cgroups) => Some(cgroups),
        Err(reason) => {
            assert!(!is_root() || matches!(reason, Unavailable::NotMounted), "{reason}");
            None
        }
    }
}

#[test]
pub(crate) fn escapees_are_killed_through_their_control_group() {
    let _orphanage = orphanage();
    let Some(cgroups) = cgroups("kill") else { return };
    let group = cgroups.create("web.0").unwrap();
    assert_eq!(group.is_populated(), Ok(false));
    let (child, alive) = escaping("cgroup", Some(&group));
    assert_eq!(group.is_populated(), Ok(true));
    assert!(group.pids().len() >= 3 && group.pids().contains(&child.0.pid));
    let report = kill_tree(Some(&group), &leader(&child, "X=1")).unwrap();
    assert_eq!(report.way, KillWay::Cgroup);
    wait_for(group.events(), Interest::Priority);
    assert_all_die(&child, alive);
    assert_eq!(group.is_populated(), Ok(false));
    group.remove().unwrap();
    assert!(cgroups.remove());
}

#[test]
pub(crate) fn a_program_is_born_in_its_control_group_with_all_signals_at_their_default() {
    let Some(cgroups) = cgroups("born") else { return };
    let group = cgroups.create("web.0").unwrap();
    let folder = std::fs::File::open(group.path()).unwrap();
    let output = pipe::plain().unwrap();
    let script = "cat /proc/self/cgroup; grep Sig[BI] /proc/self/status";
    let child = Child::start(&SpawnPlan {
        cgroup: Some(folder.as_fd()),
        stdout: Some(output.writer.as_fd()),
        ..plan(&["/bin/sh", "-c", script])
    });
    assert_eq!(child.report(), StatusReport::Execed);
    assert_eq!(child.wait(), ExitStatus::Code(0));
    drop(output.writer);
    let said = read_all(output.reader.as_fd());
    let name = group.path().file_name().unwrap().to_str().unwrap();
    assert!(said.lines().any(|line| line.starts_with("0::") && line.ends_with(name)), "{said}");
    for none in ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"] {
        assert!(said.contains(none), "{said}");
    }
    group.remove().unwrap();
    assert!(cgroups.remove());
}

// Elsewhere the child runs on a copy of our memory, and what it could not do shows in its exit code.
#[cfg(target_arch = "x86_64")]
#[test]
pub(crate) fn a_trampoline_that_cannot_be_executed_in_a_group_leaves_nobody_behind() {
    let _orphanage = orphanage();
    let Some(cgroups) = cgroups("unborn") else { return };
    let group = cgroups.create("web.0").unwrap();
    let folder = std::fs::File::open(group.path()).unwrap();
    let plan = SpawnPlan {
        cgroup: Some(folder.as_fd()),
        trampoline: "/no/such/trampoline".into(),
        ..plan(&["/bin/true"])
    };
    assert!(matches!(
        remuda_sys::spawn::spawn(&plan),
        Err(remuda_sys::spawn::SpawnError::Start { errno: libc::ENOENT, .. })
    ));
    assert_eq!(group.is_populated(), Ok(false));
    // A thread that was left with all its signals blocked would be one that nothing can interrupt.
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(status.contains("SigBlk:\t0000000000000000"), "{status}");
    group.remove().unwrap();
    assert!(cgroups.remove());
}

#[test]
pub(crate) fn groups_of_a_dead_predecessor_are_removed_and_survivors_named() {
    let Some(first) = cgroups("stale") else { return };
    let empty = first.create("web.0").unwrap();
    std::fs::create_dir(empty.path().join("inner")).unwrap();
    let busy = first.create("web/../1").unwrap();
    let name = busy.path().file_name().unwrap().to_str().unwrap().to_owned();
    let child =
        Child::running(&SpawnPlan { cgroup_procs: Some(busy.procs()), ..plan(&["/bin/sleep", "60"]) });
    let empty_path = empty.path().to_owned();
    let second = cgroups("stale").unwrap();
    assert_eq!(second.survivors(), [name]);
    assert!(!empty_path.exists());
    busy.kill().unwrap();
    child.wait();
    drop(child);
    busy.remove().unwrap();
    assert!(second.remove());
}

#[test]
pub(crate) fn limits_that_cannot_be_applied_are_listed_with_the_reason() {
    let Some(cgroups) = cgroups("limits") else { return };
    let group = cgroups.create("web.0").unwrap();
    let refused = group.set_limits(&CgroupLimits { memory: Some(64 << 20), cpu: Some(0.5), pids: Some(10) });
    let missing: Vec<&str> = ["memory", "cpu", "pids"]
        .into_iter()
        .filter(|name| cgroups.controllers().iter().all(|known| known != name))
        .collect();
    assert_eq!(refused.iter().map(|refusal| refusal.limit).collect::<Vec<_>>(), missing);
    for refusal in &refused {
        assert!(refusal.to_string().contains("is not available"), "{refusal}");
    }
    assert!(group.set_limits(&CgroupLimits::default()).is_empty());
    assert_eq!(group.memory_events_oom_kill().is_some(), !missing.contains(&"memory"));
    group.remove().unwrap();
    assert!(cgroups.remove());
}
