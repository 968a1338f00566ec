//! Numbers of workers that follow the load.

use insta::assert_snapshot;

use super::run;

#[test]
fn who_does_not_scale_is_never_measured() {
    let printed = run("
            service web workers=2 sockets=web
            boot
            serve all
            until 3600s
            measured web 9
            until 7200s
        ");
    assert!(!printed.contains("measure web\n") && !printed.contains("Scaled"), "{printed}");
}

#[test]
fn a_service_that_is_up_is_measured_once_a_second_and_one_that_is_stopped_is_not() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            until 2s
            stop web
            exited web/0
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
      measure web
    2000ms> woke
      measure web
    2000ms> stop web
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    2000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 2000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    "#);
}

#[test]
fn a_backlog_in_three_of_five_measurements_brings_a_quarter_more_and_at_least_one() {
    assert_snapshot!(run(
        "
            service web scaling=8..16:backlog sockets=web
            service api scaling=1..2:backlog sockets=api
            boot
            serve all
            load 2s api 1
            until 4s
            load 3s web 12
            load 3s api 1
        "
    ), @r#"
    0ms> boot
      ~ api ServiceStarting
      spawn #1 in api/0 g1 of 1: api
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 8: web
      spawn #3 in web/1 g1 of 8: web
      spawn #4 in web/2 g1 of 8: web
      spawn #5 in web/3 g1 of 8: web
      spawn #6 in web/4 g1 of 8: web
      spawn #7 in web/5 g1 of 8: web
      spawn #8 in web/6 g1 of 8: web
      spawn #9 in web/7 g1 of 8: web
    0ms> serve #1
      ~ api/0 #1 WorkerSpawned
      steer to api/0
      ~ api/0 #1 WorkerReady { after_ms: 0 }
      ~ api ServiceRunning
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      steer to web/0
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      steer to web/1
      ~ web/1 #3 WorkerReady { after_ms: 0 }
    0ms> serve #4
      ~ web/2 #4 WorkerSpawned
      steer to web/2
      ~ web/2 #4 WorkerReady { after_ms: 0 }
    0ms> serve #5
      ~ web/3 #5 WorkerSpawned
      steer to web/3
      ~ web/3 #5 WorkerReady { after_ms: 0 }
    0ms> serve #6
      ~ web/4 #6 WorkerSpawned
      steer to web/4
      ~ web/4 #6 WorkerReady { after_ms: 0 }
    0ms> serve #7
      ~ web/5 #7 WorkerSpawned
      steer to web/5
      ~ web/5 #7 WorkerReady { after_ms: 0 }
    0ms> serve #8
      ~ web/6 #8 WorkerSpawned
      steer to web/6
      ~ web/6 #8 WorkerReady { after_ms: 0 }
    0ms> serve #9
      ~ web/7 #9 WorkerSpawned
      steer to web/7
      ~ web/7 #9 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    3000ms> woke
      measure api
      measure web
    4000ms> woke
      measure api
      measure web
    7000ms> load web 12
      ~ web Scaled { from: 8, to: 10, reason: Some("backlog 12 for 3 s") }
      spawn #10 in web/8 g1 of 10: web
      spawn #11 in web/9 g1 of 10: web
    10000ms> load api 1
      ~ api Scaled { from: 1, to: 2, reason: Some("backlog 1 for 3 s") }
      spawn #12 in api/1 g1 of 2: api
    "#);
}

#[test]
fn nothing_more_comes_until_what_came_is_ready_and_the_backlog_shows_itself_again() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            load 20s web 5
            serve web/1
            load 2s web 5
            load 1s web 5
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
    3000ms> load web 5
      ~ web Scaled { from: 1, to: 2, reason: Some("backlog 5 for 3 s") }
      spawn #2 in web/1 g1 of 2: web
    20000ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 17000 }
      ~ web ServiceRunning
    23000ms> load web 5
      ~ web Scaled { from: 2, to: 3, reason: Some("backlog 5 for 3 s") }
      spawn #3 in web/2 g1 of 3: web
    "#);
}

#[test]
fn no_more_than_the_most_come() {
    assert_snapshot!(run(
        "
            service web scaling=4..5:backlog sockets=web
            boot
            serve all
            load 3s web 5
            serve web/4
            load 60s web 5
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 4: web
      spawn #2 in web/1 g1 of 4: web
      spawn #3 in web/2 g1 of 4: web
      spawn #4 in web/3 g1 of 4: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      steer to web/2
      ~ web/2 #3 WorkerReady { after_ms: 0 }
    0ms> serve #4
      ~ web/3 #4 WorkerSpawned
      steer to web/3
      ~ web/3 #4 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    3000ms> load web 5
      ~ web Scaled { from: 4, to: 5, reason: Some("backlog 5 for 3 s") }
      spawn #5 in web/4 g1 of 5: web
    3000ms> serve #5
      ~ web/4 #5 WorkerSpawned
      steer to web/4
      ~ web/4 #5 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    web: running 5/5 g1 [0:#1 g1 ready, 1:#2 g1 ready, 2:#3 g1 ready, 3:#4 g1 ready, 4:#5 g1 ready]
    "#);
}

#[test]
fn nothing_more_comes_while_the_machine_is_short_of_processors_or_memory() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            load 60s web 5 pressure
            load 1s web 5
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
    61000ms> load web 5
      ~ web Scaled { from: 1, to: 2, reason: Some("backlog 5 for 5 s") }
      spawn #2 in web/1 g1 of 2: web
    "#);
}

#[test]
fn nothing_more_comes_for_a_backlog_that_is_gone_before_a_worker_would_be_ready() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            spawned web/0
            running web/0
            at 10s ready web/0
            measured web 90
            at 11s measured web 60
            at 12s measured web 30
            at 13s measured web 30
            at 14s measured web 30
            at 15s measured web 30
            at 16s measured web 30
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> spawned web/0
    0ms> running web/0
      ~ web/0 #1 WorkerSpawned
    1000ms> woke
      measure web
    2000ms> woke
      measure web
    3000ms> woke
      measure web
    4000ms> woke
      measure web
    5000ms> woke
      measure web
    6000ms> woke
      measure web
    7000ms> woke
      measure web
    8000ms> woke
      measure web
    9000ms> woke
      measure web
    10000ms> ready web/0
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 10000 }
      measure web
      ~ web ServiceRunning
    10000ms> measured web 90
    11000ms> measured web 60
      measure web
    12000ms> measured web 30
      measure web
    13000ms> measured web 30
      measure web
    14000ms> measured web 30
      measure web
    15000ms> measured web 30
      measure web
    16000ms> measured web 30
      ~ web Scaled { from: 1, to: 2, reason: Some("backlog 30 for 5 s") }
      spawn #2 in web/1 g1 of 2: web
      measure web
    "#);
}

#[test]
fn five_busy_measurements_bring_one_more_where_processors_decide() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:cpu
            service api scaling=1..4:backlog sockets=api
            boot
            serve all
            load 4s web 0 cpu=850
            load 1s web 0 cpu=850
            load 60s api 0 cpu=1000
        "
    ), @r#"
    0ms> boot
      ~ api ServiceStarting
      spawn #1 in api/0 g1 of 1: api
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    0ms> serve #1
      ~ api/0 #1 WorkerSpawned
      steer to api/0
      ~ api/0 #1 WorkerReady { after_ms: 0 }
      ~ api ServiceRunning
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    5000ms> load web 0 cpu=850
      ~ web Scaled { from: 1, to: 2, reason: Some("cpu 85 %") }
      spawn #3 in web/1 g1 of 2: web
    65000ms> load api 0 cpu=1000
      ~ web/1 #3 ReadyTimeout { after_ms: 60000 }
      ~ web/1 #3 WorkerKilling { reason: "was not ready within 60.000 s" }
      kill #3
    "#);
}

#[test]
fn after_a_minute_without_work_one_worker_goes_drained_and_another_after_one_more() {
    assert_snapshot!(run(
        "
            service web scaling=1..3:backlog sockets=web stop_timeout=5s
            boot
            serve all
            scale web 3
            serve all
            load 59s web 0 cpu=299
            load 2s web 0 cpu=299
            drained web 2
            exited web/2
            load 59s web 0
            load 2s web 0
            drained web 1
            exited web/1
            load 300s web 0
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
    0ms> scale web 3
      ~ web Scaled { from: 1, to: 3, reason: Some("request") }
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      steer to web/2
      ~ web/2 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 3 workers
    61000ms> load web 0 cpu=299
      ~ web Scaled { from: 3, to: 2, reason: Some("idle") }
      steer away from web/2
      drain web/2
      ~ web ServiceRunning
    61000ms> drained web 2
      ~ web/2 #3 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #3
    61000ms> exited web/2
      ~ web/2 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 61000 }
      bury #3
    122000ms> load web 0
      ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    122000ms> drained web 1
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    122000ms> exited web/1
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 122000 }
      bury #2
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn a_moment_of_work_begins_the_minute_anew() {
    assert_snapshot!(run(
        "
            service web scaling=1..3:backlog sockets=web
            boot
            serve all
            scale web 2
            serve all
            load 50s web 0
            load 1s web 0 cpu=300
            load 60s web 0
            load 1s web 1
            load 60s web 0
            load 1s web 0
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
    0ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    173000ms> load web 0
      ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    "#);
}

#[test]
fn a_slot_on_its_way_out_is_called_back_by_a_backlog() {
    assert_snapshot!(run(
        "
            service web scaling=1..2:backlog sockets=web
            boot
            serve all
            scale web 2
            serve all
            load 61s web 0
            load 3s web 4
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
    0ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    61000ms> load web 0
      ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    64000ms> load web 4
      ~ web Scaled { from: 1, to: 2, reason: Some("backlog 4 for 3 s") }
      steer to web/1
      ~ web ServiceRunning
    web: running 2/2 g1 [0:#1 g1 ready, 1:#2 g1 ready]
    "#);
}

#[test]
fn an_operator_chooses_within_the_bounds_and_the_minute_begins_anew() {
    assert_snapshot!(run(
        "
            service web scaling=2..4:backlog sockets=web
            boot
            serve all
            scale web 1
            scale web 5
            load 50s web 0
            scale web 3
            serve all
            load 59s web 0
            load 2s web 0
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
    0ms> scale web 1
      reply 1 refused: web scales between 2 and 4 workers by itself; 1 is outside
    0ms> scale web 5
      reply 2 refused: web scales between 2 and 4 workers by itself; 5 is outside
    50000ms> scale web 3
      ~ web Scaled { from: 2, to: 3, reason: Some("request") }
      spawn #3 in web/2 g1 of 3: web
    50000ms> serve #3
      ~ web/2 #3 WorkerSpawned
      steer to web/2
      ~ web/2 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 3 done: web runs with 3 workers
    111000ms> load web 0
      ~ web Scaled { from: 3, to: 2, reason: Some("idle") }
      steer away from web/2
      drain web/2
      ~ web ServiceRunning
    "#);
}

#[test]
fn a_number_does_not_change_during_a_reload_or_a_crash_loop() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web reload_timeout=600s
            service api scaling=1..4:backlog sockets=api crash_loop_after=1 cap=600s
            boot
            exited api/0 code=1
            serve web/0
            reload web
            load 30s web 9
            load 30s api 9
            view
        "
    ), @r#"
    0ms> boot
      ~ api ServiceStarting
      spawn #1 in api/0 g1 of 1: api
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    0ms> exited api/0 code=1
      ~ api/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      ~ api CrashLoop { failures: 1 }
      spawn #3 in api/0 g1 of 1: api
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      steer to web/0
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #4 in web/0 g2 of 1: web
    60000ms> load api 9
      ~ api/0 #3 ReadyTimeout { after_ms: 60000 }
      ~ api/0 #3 WorkerKilling { reason: "was not ready within 60.000 s" }
      kill #3
    api: crash-loop 0/1 g1 (exit 1) [0:#3 g1 killing]
    web: reloading 1/1 g2 [0:#2 g1 ready, 0:#4 g2 spawning]
    "#);
}

#[test]
fn a_changed_config_keeps_the_present_number_within_its_bounds() {
    assert_snapshot!(run(
        "
            service web scaling=1..8:backlog sockets=web
            boot
            serve all
            scale web 3
            serve all
            service web scaling=2..4:cpu
            apply
            service web scaling=4..6:cpu
            apply
            serve all
            service web scaling=1..2:cpu command=new
            apply
            view
            service web scaling=none workers=3
            apply
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
    0ms> scale web 3
      ~ web Scaled { from: 1, to: 3, reason: Some("request") }
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      steer to web/2
      ~ web/2 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 3 workers
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: workers between 2 and 4"] }
      reply 2 done: ~ service web: workers between 2 and 4; web runs with 3 workers
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: workers between 4 and 6"] }
      ~ web Scaled { from: 3, to: 4, reason: Some("config") }
      spawn #4 in web/3 g1 of 4: web
    0ms> serve #4
      ~ web/3 #4 WorkerSpawned
      steer to web/3
      ~ web/3 #4 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 3 done: ~ service web: workers between 4 and 6; web runs with 4 workers
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command, workers (replaced without a gap)"] }
      ~ web Scaled { from: 4, to: 2, reason: Some("config") }
      steer away from web/3
      drain web/3
      steer away from web/2
      drain web/2
      ~ web ReloadStarted { workers: 2 }
      spawn #5 in web/0 g2 of 2: new
      ~ web ServiceRunning
    web: reloading 2/2 g2 [0:#1 g1 ready, 0:#5 g2 spawning, 1:#2 g1 ready, 2:#3 g1 draining, 3:#4 g1 draining]
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: workers 1 -> 3"] }
      ~ web Scaled { from: 2, to: 3, reason: Some("config") }
      steer to web/2
      ~ web ServiceRunning
    "#);
}

#[test]
fn bounds_that_did_not_come_up_are_given_up_with_their_number() {
    assert_snapshot!(run(
        "
            service web scaling=1..2:backlog sockets=web no_canary
            boot
            serve all
            service web scaling=3..4:backlog command=new
            apply
            exited web/0
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command, workers (replaced without a gap)"] }
      ~ web Scaled { from: 1, to: 3, reason: Some("config") }
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
      ~ web ReloadStarted { workers: 3 }
      spawn #4 in web/0 g2 of 3: new
    0ms> exited web/0
      ~ web/0 #4 WorkerExited { status: Code(0), expected: false, lived_ms: 0 }
      bury #4
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 0", done: 0, total: 3, rolled_back: true }
      reply 1 failed: ~ service web: command, workers (replaced without a gap); web is not reloaded: the replacement in slot 0 did not come up: exit 0; the old workers go on
      ~ web Scaled { from: 3, to: 2, reason: Some("config") }
      ~ web/2 #3 WorkerKilling { reason: "scale" }
      kill #3
    web: starting 1/2 g1 (exit 0) [0:#1 g1 ready, 1:#2 g1 spawning, 2:#3 g1 killing]
    "#);
}

#[test]
fn measurements_across_a_long_silence_do_not_belong_together() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            measured web 4
            measured web 4
            until 6s
            measured web 4
            measured web 4
            measured web 4
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
    0ms> measured web 4
    0ms> measured web 4
    1000ms> woke
      measure web
    2000ms> woke
      measure web
    3000ms> woke
      measure web
    4000ms> woke
      measure web
    5000ms> woke
      measure web
    6000ms> woke
      measure web
    6000ms> measured web 4
    6000ms> measured web 4
    6000ms> measured web 4
      ~ web Scaled { from: 1, to: 2, reason: Some("backlog 4 for 1 s") }
      spawn #2 in web/1 g1 of 2: web
    "#);
}
