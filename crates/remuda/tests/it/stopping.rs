//! How workers end: asked, then killed, with everything they started; or because they hang.

use std::time::{Duration, Instant};

use remuda_model::view::ServicePhase;
use remuda_model::{Event, EventKind, ExitStatus, Signal as Named};
use rustix::process::Signal;

use crate::harness::{Instance, PATIENCE, Setup, is_root, process};

const WORKER: &str = "command = \"python3 @WORKERS@/notify_worker.py\"\nready = \"notify\"";

fn killing(event: &Event) -> bool {
    matches!(event.kind, EventKind::WorkerKilling { .. })
}

fn exit_of(instance: &Instance, pid: u32) -> (ExitStatus, bool) {
    let end = instance.wait_event("its end", |event| {
        event.pid == Some(pid) && matches!(event.kind, EventKind::WorkerExited { .. })
    });
    match end.event.kind {
        EventKind::WorkerExited { status, expected, .. } => (status, expected),
        _ => unreachable!("it was asked for"),
    }
}

#[test]
fn a_worker_that_ignores_the_signal_is_killed_after_its_grace() {
    let instance = Instance::up(&format!(
        "[service.web]\n{WORKER}\nstop = {{ timeout = \"600ms\" }}\n[service.web.env]\nIGNORE_TERM = 1\n"
    ));
    let pid = instance.pids("web")[0];
    let begun = Instant::now();
    instance.remuda(&["stop", "web"]).done();
    assert!(begun.elapsed() >= Duration::from_millis(600));
    instance.wait_event("the kill", killing);
    let (status, expected) = exit_of(&instance, pid);
    assert_eq!((status, expected), (ExitStatus::Signal { signal: Named::KILL, core: false }, true));
    assert_eq!(instance.service("web").phase, ServicePhase::Stopped);
    instance.end();
}

#[test]
fn the_stop_signal_is_that_of_the_config() {
    let instance = Instance::up(&format!(
        "[service.web]\n{WORKER}\nstop = \"USR1\"\n[service.web.env]\nIGNORE_TERM = 1\n"
    ));
    let pid = instance.pids("web")[0];
    instance.remuda(&["stop", "web"]).done();
    assert_eq!(exit_of(&instance, pid), (ExitStatus::Code(0), true));
    instance.end();
}

#[test]
fn the_stop_signal_reaches_whom_the_scope_says() {
    // The main process outlives its signal and waits for its child, which ends when it gets one.
    let script = "trap : TERM\n\
                  sh -c 'trap \"echo the child heard it; exit 0\" TERM; echo armed $REMUDA_SERVICE; while :; do sleep 0.05; done' &\n\
                  wait\nwait\n";
    let service = |scope: &str| {
        format!(
            "[service.{scope}]\ncommand = \"sh script\"\nstop = {{ scope = \"{scope}\", timeout = \"1s\" }}\n"
        )
    };
    let setup = Setup::new(&["main", "group", "tree"].map(service).concat());
    setup.write("script", script);
    let instance = setup.up();
    for scope in ["main", "group", "tree"] {
        instance.wait_line(&format!("armed {scope}"));
        let seen = instance.last_event();
        instance.remuda(&["stop", scope]).done();
        let killed = instance.events().iter().any(|record| record.seq > seen && killing(&record.event));
        assert_eq!(killed, scope == "main", "{scope}");
    }
    instance.transcript.wait("two children that heard it", |written| {
        (written.lines.iter().filter(|line| line.text.contains("heard")).count() == 2).then_some(())
    });
    instance.end();
}

/// A program that leaves a grandchild behind, with another session and another parent, that ignores what it can.
const ESCAPING: &str = "#!/bin/sh\n\
    (setsid sh -c 'trap \"\" TERM HUP; echo escaped $$; exec sleep 600' &)\n\
    exec sleep 600\n";

fn escaping() -> Setup {
    let setup = Setup::new("[service.web]\ncommand = \"./run\"\nready = \"log:^escaped\"\n");
    setup.program("run", ESCAPING);
    setup
}

/// The pid of what escaped from the worker in `pid`.
fn escaped(instance: &Instance, pid: u32) -> u32 {
    instance.transcript.wait("its pid", |written| {
        let line = written.lines.iter().find(|line| line.pid == pid && line.text.starts_with("escaped"))?;
        line.text.strip_prefix("escaped ")?.parse().ok()
    })
}

#[test]
fn a_grandchild_that_left_session_and_parents_is_killed_with_its_worker() {
    let instance = escaping().up();
    let service = instance.wait_phase("web", ServicePhase::Running);
    let worker = service.workers[0].pid.unwrap();
    let first = escaped(&instance, worker);
    assert!(process::is_alive(first));
    let seen = instance.last_event();
    process::signal(worker, Signal::KILL);
    assert!(process::wait_end(first, PATIENCE), "it goes when its worker crashes");
    let ready = instance
        .wait_event_after(seen, "the successor", |event| matches!(event.kind, EventKind::WorkerReady { .. }));
    let second = escaped(&instance, ready.event.pid.unwrap());
    assert!(second != first && process::is_alive(second));
    instance.remuda(&["stop", "web"]).done();
    assert!(process::wait_end(second, PATIENCE), "it goes when its worker is stopped");
    instance.end();
}

#[test]
fn trees_are_killed_where_there_are_no_control_groups_too() {
    let mut setup = escaping();
    if !is_root() {
        // Only root can hide them. Without the right to make some of its own, the arbiter says that it has none.
        let instance = setup.up();
        instance.settled();
        assert!(!instance.status().tracking.is_empty());
        return instance.end();
    }
    let hide = "for mount in $(awk '$3 == \"cgroup2\" { print $2 }' /proc/mounts); do umount -l $mount; done; exec \"$0\" \"$@\"";
    setup.wrapper = ["unshare", "-m", "sh", "-c", hide].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    assert!(instance.status().tracking.starts_with("process tree"), "{}", instance.status().tracking);
    let escaped = escaped(&instance, instance.pids("web")[0]);
    assert!(process::is_alive(escaped));
    instance.remuda(&["stop", "web"]).done();
    assert!(process::wait_end(escaped, PATIENCE));
    instance.end();
}

#[test]
fn a_worker_that_no_longer_pings_is_aborted_and_replaced() {
    let instance = Setup::new(&format!(
        "[service.web]\n{WORKER}\nwatchdog = \"2s\"\n[service.web.env]\nWATCHDOG_STOP_MS = 500\n"
    ))
    .up();
    let spawned = instance.wait_event("the worker", |event| event.kind == EventKind::WorkerSpawned);
    let pid = spawned.event.pid.unwrap();
    assert_eq!(process::environment(pid)["WATCHDOG_USEC"], "2000000");
    assert_eq!(process::environment(pid)["WATCHDOG_PID"], pid.to_string());
    let missed =
        instance.wait_event("the miss", |event| matches!(event.kind, EventKind::WatchdogMissed { .. }));
    assert_eq!(missed.event.pid, Some(pid));
    let (status, expected) = exit_of(&instance, pid);
    assert!(matches!(status, ExitStatus::Signal { signal, .. } if signal == Named::ABRT), "{status}");
    assert!(!expected);
    instance.wait_event_after(missed.seq, "a successor", |event| event.kind == EventKind::WorkerSpawned);
    instance.end();
}

#[test]
fn a_worker_that_pings_is_left_alone() {
    let instance = Instance::up(&format!("[service.web]\n{WORKER}\nwatchdog = \"1s\"\n"));
    let pid = instance.pids("web")[0];
    // Two intervals and more pass: another service lives through them.
    instance.configure(&format!(
        "[service.web]\n{WORKER}\nwatchdog = \"1s\"\n[service.clock]\ncommand = \"sleep 2.5\"\noneshot = true\n"
    ));
    instance.remuda(&["apply"]).done();
    instance.wait_phase("clock", ServicePhase::Done);
    assert_eq!(instance.pids("web"), [pid]);
    instance.end();
}
