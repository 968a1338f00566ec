//! Workers that end unasked, or cannot begin: who gets a successor, when, and what is told.

use std::os::unix::fs::PermissionsExt;

use remuda_model::view::ServicePhase;
use remuda_model::{Event, EventKind, ExitStatus, SpawnFailure};
use rustix::process::Signal;

use crate::harness::{Instance, Setup, process};

fn exited(event: &Event) -> bool {
    matches!(event.kind, EventKind::WorkerExited { .. })
}

#[test]
fn a_killed_worker_gets_a_successor_and_the_others_are_not_touched() {
    let instance = Instance::up("[service.web]\ncommand = \"sleep 600\"\nworkers = 3\n");
    let before = instance.pids("web");
    let seen = instance.last_event();
    process::signal(before[1], Signal::KILL);
    let end = instance.wait_event_after(seen, "its end", exited);
    assert_eq!((end.event.pid, end.event.slot), (Some(before[1]), Some(1)));
    assert!(
        matches!(
            end.event.kind,
            EventKind::WorkerExited {
                status: ExitStatus::Signal { signal: remuda_model::Signal::KILL, .. },
                expected: false,
                ..
            }
        ),
        "{end:?}"
    );
    instance.wait_event_after(end.seq, "its successor", |event| {
        event.kind == EventKind::WorkerSpawned && event.slot == Some(1)
    });
    let service = instance.wait_phase("web", ServicePhase::Running);
    assert_eq!(service.failures_total, 1);
    let after = instance.pids("web");
    assert_eq!((after[0], after[2]), (before[0], before[2]));
    assert_ne!(after[1], before[1]);
    instance.end();
}

#[test]
fn an_exit_with_0_is_followed_by_a_successor_only_as_restart_says() {
    let service = |name: &str, restart: &str, code: u8| {
        format!(
            "[service.{name}]\ncommand = [\"sh\", \"-c\", \"read _ < gate.{name}; exit {code}\"]\nrestart = \"{restart}\"\n"
        )
    };
    let setup = Setup::new(
        &[
            service("always", "always", 0),
            service("failed", "on-failure", 1),
            service("well", "on-failure", 0),
            service("never", "never", 1),
        ]
        .concat(),
    );
    let names = ["always", "failed", "well", "never"];
    names.iter().for_each(|name| setup.gate(&format!("gate.{name}")));
    let instance = setup.up();
    instance.settled();
    let seen = instance.last_event();
    let gates = names.map(|name| instance.open_gate(&format!("gate.{name}")));
    for name in ["always", "failed"] {
        instance.wait_event_after(seen, "a successor", |event| {
            event.kind == EventKind::WorkerSpawned
                && event.service.as_ref().is_some_and(|is| is.as_str() == name)
        });
    }
    for name in ["well", "never"] {
        instance.wait_status("its end", |view| {
            view.services.iter().any(|service| service.name.as_str() == name && service.workers.is_empty())
        });
    }
    drop(gates);
    let after = instance.events();
    for name in ["well", "never"] {
        let spawns = after.iter().filter(|record| {
            record.event.kind == EventKind::WorkerSpawned
                && record.event.service.as_ref().is_some_and(|is| is.as_str() == name)
        });
        assert_eq!(spawns.count(), 1, "{name}");
    }
    instance.end();
}

#[test]
fn a_service_that_cannot_boot_is_held_with_one_slot_on_probation_and_recovers_when_it_is_repaired() {
    let setup = Setup::new(
        "[service.web]\ncommand = \"./run\"\nworkers = 4\n\
         backoff = { base = \"10ms\", cap = \"50ms\", crash_loop_after = 6 }\n\
         [service.other]\ncommand = \"sleep 600\"\n",
    );
    setup.program("run", "#!/bin/sh\ntest -e fixed || { echo no database; exit 3; }\nexec sleep 600\n");
    let instance = setup.up();
    let other = instance.wait_phase("other", ServicePhase::Running).workers[0].pid;
    instance.wait_event("the crash loop", |event| matches!(event.kind, EventKind::CrashLoop { .. }));
    instance.wait_status("what the worker said", |view| {
        let service = view.services.iter().find(|service| service.name.as_str() == "web").unwrap();
        service.reason.as_deref() == Some("exit 3 (no database)")
    });
    let service = instance.wait_status("one slot on probation", |view| {
        let service = view.services.iter().find(|service| service.name.as_str() == "web").unwrap();
        let held = service.backoffs.iter().filter(|pause| pause.retry_in_ms.is_none()).count();
        service.phase == ServicePhase::CrashLoop && held == 3 && service.workers.len() <= 1
    });
    let service = service.services.iter().find(|service| service.name.as_str() == "web").unwrap();
    assert!(service.reason.as_deref().is_some_and(|reason| reason.contains("exit 3")), "{service:?}");
    instance.remuda(&["status"]).exits(1);
    let after_loop = instance.last_event();
    instance.wait_event_after(after_loop, "another try", exited);
    let slots: std::collections::BTreeSet<_> = instance
        .events()
        .iter()
        .filter(|record| record.seq > after_loop && record.event.kind == EventKind::WorkerSpawned)
        .map(|record| record.event.slot)
        .collect();
    assert!(slots.len() <= 1, "only one slot goes on trying: {slots:?}");
    assert_eq!(instance.service("other").workers[0].pid, other);

    instance.write("fixed", "");
    instance.wait_event("recovery", |event| event.kind == EventKind::Recovered);
    assert_eq!(instance.wait_phase("web", ServicePhase::Running).workers_ready, 4);
    instance.remuda(&["status"]).done();
    instance.end();
}

#[test]
fn retries_end_when_the_config_says_so() {
    let instance = Setup::new(
        "[service.web]\ncommand = \"false\"\nbackoff = { base = \"10ms\", cap = \"20ms\", give_up_after = 3 }\n",
    )
    .up();
    instance
        .wait_event("the end of the retries", |event| matches!(event.kind, EventKind::ServiceFailed { .. }));
    let service = instance.wait_phase("web", ServicePhase::Failed);
    assert!(service.reason.is_some_and(|reason| reason.contains("exit 1")));
    assert_eq!(
        instance.events().iter().filter(|record| exited(&record.event)).count(),
        4,
        "once and 3 retries"
    );
    instance.end();
}

/// Runs a service that cannot be set up beside one that can; the one failure that is told of it.
fn set_up_failure(service: &str, files: impl FnOnce(&Setup)) -> (Instance, SpawnFailure) {
    let setup = Setup::new(&format!(
        "[service.web]\nworkers = 2\n{service}\n[service.other]\ncommand = \"sleep 600\"\n"
    ));
    files(&setup);
    let instance = setup.up();
    instance.wait_phase("other", ServicePhase::Running);
    let state = instance.wait_phase("web", ServicePhase::Failed);
    let mut failures = Vec::new();
    for record in instance.events() {
        if let EventKind::SpawnFailed { failure } = record.event.kind {
            failures.push(failure);
        }
    }
    assert_eq!(failures.len(), 2, "each slot tried once: {failures:?}");
    let failure = failures.pop().unwrap();
    assert!(failure.permanent, "{failure:?}");
    assert!(state.reason.is_some_and(|reason| reason.contains(&failure.stage)), "{failure:?}");
    instance.remuda(&["status"]).exits(1);
    (instance, failure)
}

#[test]
fn a_program_that_does_not_exist_is_told_with_its_errno_and_not_retried() {
    let (instance, failure) = set_up_failure("command = \"no-such-program --flag\"", |_| {});
    assert_eq!((failure.stage.as_str(), failure.errno), ("program", 2));
    assert!(failure.detail.contains("no-such-program"), "{failure:?}");
    instance.end();
}

#[test]
fn a_program_that_may_not_be_executed_is_told_and_runs_when_it_is_repaired_and_started() {
    let (instance, failure) = set_up_failure("command = \"./run\"", |setup| {
        setup.write("run", "#!/bin/sh\nexec sleep 600\n");
    });
    assert_eq!((failure.stage.as_str(), failure.errno), ("program", 13));
    let path = instance.dir().join("run");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    instance.remuda(&["start", "web"]).done();
    assert_eq!(instance.wait_phase("web", ServicePhase::Running).workers_ready, 2);
    instance.end();
}

#[test]
fn a_script_whose_interpreter_does_not_exist_is_told_with_the_interpreter() {
    let (instance, failure) = set_up_failure("command = \"./run\"", |setup| {
        setup.program("run", "#!/no/such/interpreter\n");
    });
    assert_eq!((failure.stage.as_str(), failure.errno), ("program", 2));
    assert!(failure.detail.contains("/no/such/interpreter"), "{failure:?}");
    instance.end();
}

#[test]
fn a_folder_that_does_not_exist_is_told_with_its_path() {
    let (instance, failure) = set_up_failure("command = \"sleep 600\"\ndirectory = \"gone\"", |_| {});
    assert_eq!((failure.stage.as_str(), failure.errno), ("directory", 2));
    assert!(failure.detail.contains("gone"), "{failure:?}");
    instance.end();
}
