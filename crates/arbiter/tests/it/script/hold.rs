//! Services whose connections wait for a while.

use insta::assert_snapshot;

use super::run;

#[test]
fn a_held_service_has_no_workers_until_it_is_released() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve all
            at 5s hold web 30s
            exited web/0
            exited web/1
            view
            at 15s release web
            serve all
            until 300s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 2: web
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    5000ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
      steer away from web/1
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #2
    5000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 5000 }
      bury #1
    5000ms> exited web/1
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 5000 }
      bury #2
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    web: held 0/2 g1 []
    15000ms> release web
      ~ web ServiceReleased { reason: "request" }
      ~ web ServiceStarting
      spawn #3 in web/0 g1 of 2: web
      spawn #4 in web/1 g1 of 2: web
    15000ms> serve #3
      ~ web/0 #3 WorkerSpawned
      steer to web/0
      ~ web/0 #3 WorkerReady { after_ms: 0 }
    15000ms> serve #4
      ~ web/1 #4 WorkerSpawned
      steer to web/1
      ~ web/1 #4 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 2 done: web runs with 2 workers
    16000ms> woke
    25000ms> woke
    "#);
}

#[test]
fn a_hold_ends_with_its_time() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            at 5s hold web 30s
            exited web/0
            until 60s
            serve all
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    5000ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    5000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 5000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    35000ms> woke
      ~ web ServiceReleased { reason: "time" }
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    60000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      steer to web/0
      ~ web/0 #2 WorkerReady { after_ms: 25000 }
      ~ web ServiceRunning
    "#);
}

#[test]
fn a_hold_whose_time_is_over_before_the_workers_are_gone_is_no_hold() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            at 5s hold web 2s
            at 9s exited web/0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    5000ms> hold web 2s
      ~ web ServiceHeld { for_ms: 2000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    7000ms> woke
      ~ web ServiceReleased { reason: "time" }
      reply 1 failed: web was released meanwhile
    9000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 9000 }
      bury #1
      ~ web ServiceStopped
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    "#);
}

#[test]
fn a_longer_hold_takes_the_place_of_a_shorter_one() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            at 5s hold web 2s
            at 6s hold web 10s
            exited web/0
            at 8s hold web 1s
            until 60s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    5000ms> hold web 2s
      ~ web ServiceHeld { for_ms: 2000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    6000ms> hold web 10s
      ~ web ServiceHeld { for_ms: 10000 }
    6000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 6000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 10 s
      reply 2 done: web is held: its workers are gone, new connections wait for at most 10 s
    8000ms> hold web 1s
      ~ web ServiceHeld { for_ms: 1000 }
      reply 3 done: web is held: its workers are gone, new connections wait for at most 1 s
    9000ms> woke
      ~ web ServiceReleased { reason: "time" }
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    "#);
}

#[test]
fn a_stop_during_a_hold_wins() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            at 5s hold web 30s
            at 6s stop web
            exited web/0
            until 60s
            release web
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    5000ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    6000ms> stop web
      reply 1 failed: web was stopped meanwhile
    6000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 6000 }
      bury #1
      ~ web ServiceStopped
      reply 2 done: web is stopped
    60000ms> release web
      reply 3 refused: web is not held (it is stopped)
    "#);
}

#[test]
fn a_start_and_a_restart_release() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            hold web 30s
            exited web/0
            start web
            serve all
            hold web 30s
            restart web
            exited web/0
            serve all
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    0ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    0ms> start web
      ~ web ServiceReleased { reason: "request" }
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      steer to web/0
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 2 done: web runs with 1 worker
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #2
    0ms> restart web
      ~ web ServiceReleased { reason: "request" }
      reply 3 failed: web was released meanwhile
    0ms> exited web/0
      ~ web/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ServiceStopped
      ~ web ServiceStarting
      spawn #3 in web/0 g1 of 1: web
    0ms> serve #3
      ~ web/0 #3 WorkerSpawned
      steer to web/0
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 4 done: web runs with 1 worker
    "#);
}

#[test]
fn a_changed_config_and_a_reload_take_effect_at_the_release() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            hold web 30s
            exited web/0
            service web command=new workers=2
            apply
            reload web
            until 30s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    0ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command, workers (replaced without a gap)"] }
      ~ web Scaled { from: 1, to: 2, reason: Some("config") }
      reply 2 done: ~ service web: command, workers (replaced without a gap)
    0ms> reload web
      reply 3 done: web is held; it comes back with new workers
    30000ms> woke
      ~ web ServiceReleased { reason: "time" }
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 2: new
      spawn #3 in web/1 g1 of 2: new
    "#);
}

#[test]
fn a_removed_service_is_held_no_longer() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            hold web 30s
            exited web/0
            remove web
            apply
            until 60s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    0ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    0ms> apply
      ~ instance ConfigApplied { changes: ["- service web"] }
      ~ web ServiceStopped
      forget web
      reply 2 done: - service web; web is removed
    "#);
}

#[test]
fn a_shutdown_does_not_wait_for_a_hold() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            hold web 30s
            exited web/0
            shutdown
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    0ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      ~ web ServiceStopped
      reply 2 done: everything is stopped
      exit 0
    web: stopped 0/1 g1 []
    "#);
}

#[test]
fn a_service_that_starts_on_demand_does_not_while_it_is_held() {
    assert_snapshot!(run(
        "
            service web sockets=web on_demand=5s
            boot
            hold web 30s
            demand web
            release web
            demand web
        "
    ), @r#"
    0ms> boot
      watch web
      ~ web Idle
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      unwatch web
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    0ms> demand web
    0ms> release web
      ~ web ServiceReleased { reason: "request" }
      watch web
      ~ web Idle
      reply 2 done: web waits for a connection
    0ms> demand web
      unwatch web
      ~ web Demanded
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    "#);
}

#[test]
fn a_reload_under_way_ends_with_a_hold() {
    assert_snapshot!(run(
        "
            service web sockets=web
            boot
            serve all
            reload web
            hold web 30s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web/0 #2 WorkerKilling { reason: "reload failed" }
      kill #2
      ~ web ReloadFailed { reason: "ended by hold", done: 0, total: 1, rolled_back: false }
      reply 1 failed: the reload of web is ended by hold, 0 of 1 replaced
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "hold" }
      signal TERM #1
    "#);
}

#[test]
fn what_cannot_be_held_is_refused() {
    assert_snapshot!(run(
        "
            service web sockets=web
            service job
            service off sockets=off manual
            boot
            serve all
            hold nobody 1s
            hold job 1s
            hold off 1s
            hold web 601s
            release web
        "
    ), @"
    0ms> boot
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    0ms> serve #1
      ~ job/0 #1 WorkerSpawned
      ~ job/0 #1 WorkerReady { after_ms: 0 }
      ~ job ServiceRunning
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      steer to web/0
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> hold nobody 1s
      reply 1 refused: there is no service nobody
    0ms> hold job 1s
      reply 2 refused: job has no socket, so nobody would wait for it
    0ms> hold off 1s
      reply 3 refused: off does not run (it is stopped)
    0ms> hold web 601s
      reply 4 refused: a service is held for at most 600 s; 601 s are more
    0ms> release web
      reply 5 refused: web is not held (it is running)
    ");
}

#[test]
fn a_scheduled_run_that_is_due_during_a_hold_is_skipped() {
    assert_snapshot!(run(
        "
            service web sockets=web schedule=skip
            boot
            hold web 30s
            due web
            release web
            due web
        "
    ), @r#"
    0ms> boot
      arm web
    0ms> hold web 30s
      ~ web ServiceHeld { for_ms: 30000 }
      ~ web ServiceStopped
      reply 1 done: web is held: its workers are gone, new connections wait for at most 30 s
    0ms> due web
      arm web
      ~ web DueSkipped
    0ms> release web
      ~ web ServiceReleased { reason: "request" }
      arm web
      reply 2 done: web waits for its time
    0ms> due web
      arm web
      ~ web Due
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    "#);
}
