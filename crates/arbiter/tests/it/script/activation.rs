//! On demand and at times.

use insta::assert_snapshot;

use super::run;

#[test]
fn a_connection_starts_the_service_and_idleness_stops_it() {
    assert_snapshot!(run(
        "
            service web on_demand=4s
            boot
            demand web
            serve web/0
            until 2s
            connections web 1
            until 4s
            connections web 0
            until 8s
            connections web 0
            exited web/0 code=0
            view
            demand web
            until 12s
        "
    ), @r#"
    0ms> boot
      watch web
      ~ web Idle
    0ms> demand web
      unwatch web
      ~ web Demanded
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    2000ms> woke
      count web
    2000ms> connections web 1
    4000ms> woke
      count web
    4000ms> connections web 0
    6000ms> woke
      count web
    8000ms> connections web 0
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "idle" }
      signal TERM #1
    8000ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 8000 }
      bury #1
      ~ web Idle
      watch web
    web: idle 0/1 g1 []
    8000ms> demand web
      unwatch web
      ~ web Demanded
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    "#);
}

#[test]
fn idleness_is_counted_anew_in_each_life() {
    assert_snapshot!(run(
        "
            service web on_demand=4s
            boot
            demand web
            serve web/0
            until 2s
            connections web 0
            stop web
            exited web/0 code=0
            at 60s start web
            demand web
            serve web/0
            until 62s
            connections web 0
            view
        "
    ), @r#"
    0ms> boot
      watch web
      ~ web Idle
    0ms> demand web
      unwatch web
      ~ web Demanded
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    2000ms> woke
      count web
    2000ms> connections web 0
    2000ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    2000ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 2000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    60000ms> start web
      watch web
      ~ web Idle
      reply 2 done: web waits for a connection
    60000ms> demand web
      unwatch web
      ~ web Demanded
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    60000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    61000ms> woke
    62000ms> woke
      count web
    62000ms> connections web 0
    web: running 1/1 g1 [0:#2 g1 ready]
    "#);
}

#[test]
fn an_on_demand_worker_that_ends_well_is_not_restarted() {
    assert_snapshot!(run(
        "
            service web on_demand=4s
            boot
            demand web
            serve web/0
            exited web/0 code=0
            view
        "
    ), @"
    0ms> boot
      watch web
      ~ web Idle
    0ms> demand web
      unwatch web
      ~ web Demanded
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: false, lived_ms: 0 }
      bury #1
      ~ web Idle
      watch web
    web: idle 0/1 g1 []
    ");
}

#[test]
fn a_service_that_comes_after_an_idle_one_starts() {
    assert_snapshot!(run(
        "
            service api after=web
            service web on_demand=4s
            boot
        "
    ), @r#"
    0ms> boot
      ~ api ServiceWaiting { after: [ServiceName("web")] }
      watch web
      ~ web Idle
      ~ api ServiceStarting
      spawn #1 in api/0 g1 of 1: api
    "#);
}

#[test]
fn a_due_run_takes_place() {
    assert_snapshot!(run(
        "
            service job schedule=skip oneshot
            boot
            due job
            serve job/0
            exited job/0 code=0
            view
        "
    ), @"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> serve #1
      ~ job/0 #1 WorkerSpawned
      ~ job/0 #1 WorkerReady { after_ms: 0 }
      ~ job ServiceRunning
    0ms> exited job/0 code=0
      ~ job/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ job ServiceStopped
    job: scheduled 0/1 g1 []
    ");
}

#[test]
fn a_due_run_is_skipped_while_the_last_one_goes_on() {
    assert_snapshot!(run(
        "
            service job schedule=skip oneshot
            boot
            due job
            due job
        "
    ), @"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> due job
      arm job
      ~ job DueSkipped
    ");
}

#[test]
fn a_due_run_waits_for_the_last_one_once() {
    assert_snapshot!(run(
        "
            service job schedule=queue oneshot
            boot
            due job
            due job
            due job
            running job/0
            exited job/0 code=0
            running job/0
            exited job/0 code=0
        "
    ), @"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> due job
      arm job
    0ms> due job
      arm job
    0ms> running job/0
      ~ job/0 #1 WorkerSpawned
    0ms> exited job/0 code=0
      ~ job/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ job ServiceStopped
      ~ job ServiceStarting
      spawn #2 in job/0 g1 of 1: job
    0ms> running job/0
      ~ job/0 #2 WorkerSpawned
    0ms> exited job/0 code=0
      ~ job/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ job ServiceStopped
    ");
}

#[test]
fn a_due_run_replaces_the_last_one() {
    assert_snapshot!(run(
        "
            service job schedule=replace oneshot
            boot
            due job
            running job/0
            due job
            exited job/0 code=0
        "
    ), @r#"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> running job/0
      ~ job/0 #1 WorkerSpawned
    0ms> due job
      arm job
      ~ job ServiceStopping
      ~ job/0 #1 WorkerStopping { signal: Signal(15), reason: "replaced by the next run" }
      signal TERM #1
    0ms> exited job/0 code=0
      ~ job/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ job ServiceStopped
      ~ job ServiceStarting
      spawn #2 in job/0 g1 of 1: job
    "#);
}

#[test]
fn a_due_run_replaces_one_whose_hook_still_runs() {
    assert_snapshot!(run(
        "
            service job schedule=replace oneshot before_start=abort
            boot
            due job
            due job
            hook 1 failed
            hook 2 passed
        "
    ), @r#"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      hook 1 before_start job
    0ms> due job
      arm job
      ~ job ServiceStopped
      hook 2 before_start job
    0ms> hook 1 failed
      ~ job HookFailed { point: BeforeStart, reason: "exit 3" }
    0ms> hook 2 passed
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    "#);
}

#[test]
fn a_run_that_cannot_be_retried_does_not_end_the_schedule() {
    assert_snapshot!(run(
        "
            service job schedule=skip oneshot
            boot
            due job
            not-spawned job/0 permanent
            view
            due job
        "
    ), @r#"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> not-spawned job/0 permanent
      ~ job/0 #1 SpawnFailed { failure: SpawnFailure { stage: "program", errno: 2, detail: "no such file", permanent: true } }
      ~ job ServiceStopping
      ~ job ServiceFailed { reason: "program: no such file" }
    job: failed 0/1 g1 (program: no such file) []
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #2 in job/0 g1 of 1: job
    "#);
}

#[test]
fn a_stopped_schedule_is_disarmed_and_stays_so() {
    assert_snapshot!(run(
        "
            service job schedule=skip oneshot
            boot
            stop job
            due job
            start job
        "
    ), @"
    0ms> boot
      arm job
    0ms> stop job
      disarm job
      ~ job ServiceStopped
      reply 1 done: job is stopped
    0ms> due job
    0ms> start job
      arm job
      reply 2 done: job waits for its time
    ");
}

#[test]
fn nothing_is_due_while_all_stops() {
    assert_snapshot!(run(
        "
            service job schedule=queue oneshot
            boot
            due job
            running job/0
            shutdown
            due job
            exited job/0 code=0
        "
    ), @r#"
    0ms> boot
      arm job
    0ms> due job
      arm job
      ~ job Due
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> running job/0
      ~ job/0 #1 WorkerSpawned
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      disarm job
      ~ job ServiceStopping
      ~ job/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
    0ms> due job
    0ms> exited job/0 code=0
      ~ job/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ job ServiceStopped
      reply 1 done: everything is stopped
      exit 0
    "#);
}
