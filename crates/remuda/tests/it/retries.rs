//! What counts as a failure, what ends a row of failures, and what is told of it.

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;

use crate::harness::{Instance, Setup};

#[test]
fn a_service_that_exits_well_but_should_run_counts_each_end_as_a_failure_wherever_failures_are_told() {
    let instance = Setup::new(
        "[service.web]\ncommand = \"true\"\nbackoff = { base = \"10ms\", cap = \"20ms\", give_up_after = 3 }\n",
    )
    .up();
    let failed =
        instance.wait_event("the last one", |event| matches!(event.kind, EventKind::ServiceFailed { .. }));
    let EventKind::ServiceFailed { reason } = failed.event.kind else { unreachable!("waited for it") };
    assert_eq!(reason, "gave up after 4 failures in a row; the last: exit 0");
    let service = instance.wait_phase("web", ServicePhase::Failed);
    assert_eq!(service.failures_total, 4);
    let text = instance.remuda(&["status", "web"]).exits(1).out;
    assert!(text.contains("4 failures") && text.contains("exit 0"), "{text}");
    instance.end();
}

#[test]
fn a_task_that_ends_well_and_is_done_has_not_failed() {
    let instance = Setup::new("[service.web]\ncommand = \"true\"\nrestart = \"on-failure\"\n").up();
    let service = instance.wait_phase("web", ServicePhase::Done);
    assert_eq!(service.failures_total, 0);
    instance.end();
}

/// A service that gives up after two failures in a row. Its worker does `early` and exits with 1 five times, then
/// serves.
fn stumbler(backoff: &str, early: &str) -> Instance {
    let setup = Setup::new(&format!(
        "[service.web]\ncommand = \"python3 stumble.py\"\nready = \"notify\"\n\
         backoff = {{ base = \"10ms\", cap = \"20ms\", give_up_after = 2{backoff} }}\n\
         [service.web.env]\nPYTHONPATH = \"@WORKERS@\"\n"
    ));
    setup.write(
        "stumble.py",
        &format!(
            "import os, signal, sys, time\nfrom notify_worker import notify\n\
             with open('runs', 'a+') as runs:\n    runs.write('x')\n    runs.seek(0)\n    run = len(runs.read())\n\
             notify('READY=1')\nif run <= 5:\n    {early}\n    sys.exit(1)\nprint('serves', flush=True)\nsignal.pause()\n"
        ),
    );
    setup.up()
}

fn gave_up(instance: &Instance) {
    instance.wait_event("the end of the retries", |event| {
        matches!(&event.kind, EventKind::ServiceFailed { reason } if reason.contains("gave up after 3 failures"))
    });
    assert_eq!(instance.wait_phase("web", ServicePhase::Failed).failures_total, 3);
}

fn went_on(instance: &Instance) {
    instance.wait_line("serves");
    let service = instance.wait_phase("web", ServicePhase::Running);
    assert_eq!(service.failures_total, 5, "each is counted, but they are no row");
    let slowed = |kind: &EventKind| matches!(kind, EventKind::Backoff { failures, .. } if *failures > 1);
    assert!(!instance.events().iter().any(|record| slowed(&record.event.kind)));
}

#[test]
fn failures_in_a_row_end_the_retries_unless_the_worker_says_that_they_do_not_count() {
    let instance = stumbler("", "pass");
    gave_up(&instance);
    instance.end();
    let instance = stumbler("", "notify('RESTART_RESET=1')");
    went_on(&instance);
    instance.end();
}

#[test]
fn a_life_that_the_config_calls_healthy_ends_the_row_of_failures() {
    let instance = stumbler(", healthy_after = \"1h\"", "time.sleep(0.4)");
    gave_up(&instance);
    instance.end();
    let instance = stumbler(", healthy_after = \"50ms\"", "time.sleep(0.4)");
    went_on(&instance);
    instance.end();
}
