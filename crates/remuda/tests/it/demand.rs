//! Services that start with the first connection, and services that run at times.

use std::collections::BTreeSet;

use remuda_model::view::ServicePhase;
use remuda_model::{Event, EventKind};

use crate::harness::{Instance, Setup, http};

const ON_DEMAND: &str = r#"
    [socket.web]
    listen = "127.0.0.1:0"
    [service.web]
    command = "python3 @WORKERS@/notify_worker.py"
    sockets = ["web"]
    workers = 2
    ready = "notify"
    on_demand = { idle = "400ms" }
"#;

#[test]
fn the_first_connection_starts_the_service_and_it_stops_when_it_is_idle() {
    let instance = Instance::up(ON_DEMAND);
    let service = instance.wait_phase("web", ServicePhase::Idle);
    assert!(service.workers.is_empty(), "{service:?}");
    let address = instance.address("web");
    let first = http::get(&address, "/").unwrap().pid();
    let demanded = instance.wait_event("the demand", |event| event.kind == EventKind::Demanded);
    assert!(instance.wait_phase("web", ServicePhase::Idle).workers.is_empty(), "it stops by itself");
    let again = http::get(&address, "/").unwrap().pid();
    assert_ne!(again, first);
    instance.wait_event_after(demanded.seq, "the second demand", |event| event.kind == EventKind::Demanded);
    instance.wait_phase("web", ServicePhase::Idle);
    let failed = |event: &Event| {
        matches!(
            event.kind,
            EventKind::WorkerKilling { .. } | EventKind::WorkerExited { expected: false, .. }
        )
    };
    assert!(!instance.events().iter().any(|record| failed(&record.event)));
    instance.end();
}

#[test]
fn a_service_on_demand_is_not_idle_while_a_connection_is_open() {
    let instance = Instance::up(ON_DEMAND);
    let address = instance.address("web");
    let answer = http::get(&address, "/slow?ms=1500").unwrap();
    assert_eq!(answer.status, 200);
    let demands = instance.events().into_iter().filter(|record| record.event.kind == EventKind::Demanded);
    assert_eq!(demands.count(), 1);
    instance.wait_phase("web", ServicePhase::Idle);
    instance.end();
}

#[test]
fn a_service_on_demand_that_is_stopped_is_not_started_by_a_connection_until_it_is_started_again() {
    let instance = Instance::up(ON_DEMAND);
    instance.remuda(&["stop", "web"]).done();
    let address = instance.address("web");
    let mut waiting = http::connect(&address).unwrap();
    http::send(&mut *waiting, "GET", "/", "").unwrap();
    let service = instance.service("web");
    assert_eq!((service.phase, service.workers.len()), (ServicePhase::Stopped, 0));
    instance.remuda(&["start", "web"]).done();
    assert_eq!(http::answer(&mut *waiting).unwrap().status, 200);
    instance.end();
}

fn count(instance: &Instance, wanted: &EventKind) -> usize {
    instance.events().iter().filter(|record| record.event.kind == *wanted).count()
}

#[test]
fn a_schedule_runs_every_second_and_skips_while_the_last_run_goes_on() {
    let setup = Setup::new(
        r#"
        [service.tick]
        command = ["sh", "-c", "echo ran; read _ < gate"]
        schedule = "* * * * * *"
        [service.quick]
        command = "true"
        schedule = { cron = "* * * * * *", timezone = "Europe/Paris" }
        "#,
    );
    setup.gate("gate");
    let instance = setup.up();
    let service = instance.service("tick");
    assert!(service.next_run_ms.is_some(), "{service:?}");
    let skipped = instance.wait_event("a skipped run", |event| event.kind == EventKind::DueSkipped);
    assert_eq!(skipped.event.service.as_ref().map(|name| name.as_str()), Some("tick"));
    assert_eq!(instance.transcript.locked().lines.len(), 1, "one run at a time");
    let _gate = instance.open_gate("gate");
    let done = instance.wait_event("the end of the run", |event| {
        event.service.as_ref().is_some_and(|name| name.as_str() == "tick")
            && matches!(event.kind, EventKind::WorkerExited { .. })
    });
    instance.wait_event_after(done.seq, "the next run", |event| {
        event.service.as_ref().is_some_and(|name| name.as_str() == "tick") && event.kind == EventKind::Due
    });
    let runs: BTreeSet<_> = instance
        .events()
        .iter()
        .filter(|record| record.event.service.as_ref().is_some_and(|name| name.as_str() == "quick"))
        .filter(|record| record.event.kind == EventKind::WorkerSpawned)
        .filter_map(|record| record.event.pid)
        .collect();
    assert!(runs.len() >= 2, "{runs:?}");
    assert!(count(&instance, &EventKind::Due) >= 3);
    instance.end();
}

/// Two services that are due every second: `quick`, and after it, in the same moment, `tick`.
fn ticking(command: &str, overlap: &str) -> Setup {
    Setup::new(&format!(
        "[service.quick]\ncommand = \"true\"\nschedule = \"* * * * * *\"\n\
         [service.tick]\ncommand = {command}\n\
         schedule = {{ cron = \"* * * * * *\", overlap = \"{overlap}\" }}\n"
    ))
}

fn of(event: &Event, service: &str) -> bool {
    event.service.as_ref().is_some_and(|name| name.as_str() == service)
}

#[test]
fn a_run_that_is_due_while_the_last_one_goes_on_waits_for_its_end_when_overlap_is_queue() {
    let setup = ticking(r#"["sh", "-c", "echo ran; read _ < gate"]"#, "queue");
    setup.gate("gate");
    let instance = setup.up();
    let mut seen = instance
        .wait_event("the first run", |event| of(event, "tick") && event.kind == EventKind::WorkerSpawned)
        .seq;
    for _ in 0..2 {
        let due = |event: &Event| of(event, "quick") && event.kind == EventKind::Due;
        seen = instance.wait_event_after(seen, "a later second", due).seq;
    }
    assert_eq!(instance.service("tick").workers.len(), 1, "one run at a time");
    let _gate = instance.open_gate("gate");
    let end = instance.wait_event_after(seen, "its end", |event| {
        of(event, "tick") && matches!(event.kind, EventKind::WorkerExited { .. })
    });
    let next = instance.wait_event_after(end.seq, "the run that waited", |event| {
        of(event, "tick") && event.kind == EventKind::WorkerSpawned
    });
    let skipped_or_due = |kind: &EventKind| matches!(kind, EventKind::Due | EventKind::DueSkipped);
    let between = instance.events().into_iter().filter(|record| (end.seq..next.seq).contains(&record.seq));
    let between: Vec<_> = between.filter(|record| of(&record.event, "tick")).collect();
    assert!(!between.iter().any(|record| skipped_or_due(&record.event.kind)), "it waited: {between:?}");
    instance.end();
}

#[test]
fn a_run_that_is_due_takes_the_place_of_the_last_one_when_overlap_is_replace() {
    let instance = ticking(r#""sleep 1000""#, "replace").up();
    let first = instance
        .wait_event("the first run", |event| of(event, "tick") && event.kind == EventKind::WorkerSpawned);
    let asked = instance.wait_event_after(first.seq, "its end", |event| {
        matches!(&event.kind, EventKind::WorkerStopping { reason, .. } if reason == "replaced by the next run")
    });
    assert_eq!(asked.event.pid, first.event.pid);
    let end = instance.wait_event_after(asked.seq, "its exit", |event| {
        of(event, "tick") && matches!(event.kind, EventKind::WorkerExited { expected: true, .. })
    });
    let next = instance.wait_event_after(end.seq, "the next run", |event| {
        of(event, "tick") && event.kind == EventKind::WorkerSpawned
    });
    assert_ne!(next.event.pid, first.event.pid);
    let status = instance.service("tick");
    assert!(status.failures_total == 0 && status.workers.len() <= 1, "{status:?}");
    instance.end();
}
