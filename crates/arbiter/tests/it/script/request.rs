//! Requests: restart, scale, signals, what an operator stopped.

use insta::assert_snapshot;

use super::run;

#[test]
fn a_restart_stops_then_starts_the_service() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            restart web
            exited web/0 code=0
            serve web/0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> restart web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "restart" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      ~ web ServiceStarting
      spawn #2 in web/0 g2 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 1 worker
    "#);
}

#[test]
fn one_slot_is_restarted_alone() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            restart web.1
            exited web/1 code=0
            serve web/1
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 2: web
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> restart web.1
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "restart" }
      signal TERM #2
    0ms> exited web/1 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      spawn #3 in web/1 g1 of 2: web
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      ~ web/1 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    "#);
}

#[test]
fn more_workers_start_and_fewer_stop_at_once() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            scale web 3
            serve all
            scale web 1
            exited web/2 code=0
            exited web/1 code=0
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> scale web 3
      ~ web Scaled { from: 1, to: 3, reason: Some("request") }
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      ~ web/2 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 3 workers
    0ms> scale web 1
      ~ web Scaled { from: 3, to: 1, reason: Some("request") }
      ~ web/2 #3 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #3
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
      ~ web ServiceRunning
    0ms> exited web/2 code=0
      ~ web/2 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #3
    0ms> exited web/1 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      reply 2 done: web runs with 1 worker
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn a_scale_up_again_waits_for_the_seat_to_be_free() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            scale web 1
            scale web 2
            exited web/1 code=0
            serve web/1
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 2: web
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> scale web 1
      ~ web Scaled { from: 2, to: 1, reason: Some("request") }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
      ~ web ServiceRunning
    0ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
    0ms> exited web/1 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      spawn #3 in web/1 g1 of 2: web
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      ~ web/1 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
      reply 2 done: web runs with 2 workers
    "#);
}

#[test]
fn scale_has_limits() {
    assert_snapshot!(run(
        "
            service one singleton
            service web
            boot
            scale one 2
            scale web 10001
            scale wbe 2
        "
    ), @"
    0ms> boot
      ~ one ServiceStarting
      spawn #1 in one/0 g1 of 1: one
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    0ms> scale one 2
      reply 1 refused: one is a singleton and has at most one worker
    0ms> scale web 10001
      reply 2 refused: 10001 workers are more than the limit of 10000
    0ms> scale wbe 2
      reply 3 refused: there is no service wbe; did you mean web?
    ");
}

#[test]
fn a_scale_during_a_reload_takes_effect_at_once() {
    assert_snapshot!(run(
        "
            service web workers=3
            boot
            serve all
            reload web
            scale web 1
            exited #2 code=0
            exited #3 code=0
            serve web/0
            exited #1 code=0
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 3: web
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      ~ web/2 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 3 }
      spawn #4 in web/0 g2 of 3: web
    0ms> scale web 1
      ~ web Scaled { from: 3, to: 1, reason: Some("request") }
      ~ web/2 #3 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #3
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
      ~ web ServiceRunning
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
    0ms> exited #3 code=0
      ~ web/2 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #3
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 3 }
      ~ web ReloadDone { workers: 1 }
      reply 1 done: web is reloaded: 1 worker replaced, generation 2
      reply 2 done: web runs with 1 worker
    web: running 1/1 g2 [0:#4 g2 ready]
    "#);
}

#[test]
fn what_an_operator_stopped_stays_stopped() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            stop web
            exited web/0 code=1
            until 600s
            service web command=new workers=2
            apply
            view
            start web
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    600000ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command, workers (replaced without a gap)"] }
      ~ web Scaled { from: 1, to: 2, reason: Some("config") }
      reply 2 done: ~ service web: command, workers (replaced without a gap)
    web: stopped 0/2 g1 []
    600000ms> start web
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 2: new
      spawn #3 in web/1 g1 of 2: new
    web: starting 0/2 g1 [0:#2 g1 spawning, 1:#3 g1 spawning]
    "#);
}

#[test]
fn a_start_during_a_stop_wins_over_it() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            stop web
            start web
            exited web/0 code=0
            serve web/0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> start web
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
      reply 1 failed: web was started meanwhile
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 2 done: web runs with 1 worker
    "#);
}

#[test]
fn a_stop_during_a_restart_wins_over_it() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            restart web
            stop web
            exited web/0 code=0
            until 60s
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> restart web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "restart" }
      signal TERM #1
    0ms> stop web
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 failed: web was stopped meanwhile
      reply 2 done: web is stopped
    web: stopped 0/1 g2 []
    "#);
}

#[test]
fn a_signal_goes_to_programs_that_run() {
    assert_snapshot!(run(
        "
            service web workers=3
            boot
            serve web/0
            spawned web/1
            signal USR1 web
            signal USR1 web.0
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 3: web
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> spawned web/1
    0ms> signal USR1 web
      signal USR1 #1
      reply 1 done: USR1 sent to 1 worker
    0ms> signal USR1 web.0
      signal USR1 #1
      reply 2 done: USR1 sent to 1 worker
    ");
}

#[test]
fn a_start_gives_a_crash_loop_a_new_chance() {
    assert_snapshot!(run(
        "
            service web crash_loop_after=1
            boot
            exited web/0 code=1
            view
            start web
            serve web/0
            view
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      ~ web CrashLoop { failures: 1 }
      spawn #2 in web/0 g1 of 1: web
    web: crash-loop 0/1 g1 (exit 1) [0:#2 g1 spawning]
    0ms> start web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 1 worker
    web: running 1/1 g1 [0:#2 g1 ready]
    ");
}

#[test]
fn past_failures_of_a_worker_that_serves_do_not_fail_a_request() {
    assert_snapshot!(run(
        "
            service web
            boot
            exited web/0 code=1
            exited web/0 code=1
            until 1s
            serve web/0
            scale web 2
            serve web/1
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    0ms> exited web/0 code=1
      ~ web/0 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      ~ web/0 #2 Backoff { delay_ms: 94, failures: 2 }
    94ms> woke
      spawn #3 in web/0 g1 of 1: web
    1000ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 906 }
      ~ web ServiceRunning
    1000ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      spawn #4 in web/1 g1 of 2: web
    1000ms> serve #4
      ~ web/1 #4 WorkerSpawned
      ~ web/1 #4 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    "#);
}

#[test]
fn a_reload_during_a_restart_is_done_by_it() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            restart web
            reload web
            exited web/0 code=0
            serve web/0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> restart web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "restart" }
      signal TERM #1
    0ms> reload web
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      ~ web ServiceStarting
      spawn #2 in web/0 g2 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 1 worker
      reply 2 done: web runs with 1 worker
    "#);
}

#[test]
fn a_reload_of_what_is_being_stopped_is_refused() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            stop web
            reload web
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> reload web
      reply 2 refused: web does not run (it is stopping)
    "#);
}
