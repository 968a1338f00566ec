//! Slots with queues of their own: who gets connections, and how a slot that goes is emptied first.

use insta::assert_snapshot;

use super::run;

#[test]
fn connections_go_away_from_a_worker_that_crashed_and_back_when_its_successor_is_ready() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve all
            at 5s exited web/1 signal=KILL
            at 6s serve web/1
        "
    ), @"
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
    5000ms> exited web/1 signal=KILL
      ~ web/1 #2 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: false, lived_ms: 5000 }
      steer away from web/1
      bury #2
      spawn #3 in web/1 g1 of 2: web
    6000ms> serve #3
      ~ web/1 #3 WorkerSpawned
      steer to web/1
      ~ web/1 #3 WorkerReady { after_ms: 1000 }
    ");
}

#[test]
fn connections_go_away_from_a_worker_before_it_is_told_to_stop() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve all
            at 5s restart web.0
            at 6s exited web/0
            serve web/0
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
    5000ms> restart web.0
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "restart" }
      signal TERM #1
    6000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 6000 }
      bury #1
      spawn #3 in web/0 g1 of 2: web
    6000ms> serve #3
      ~ web/0 #3 WorkerSpawned
      steer to web/0
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    "#);
}

#[test]
fn a_reload_steers_nothing_for_there_is_always_somebody() {
    assert_snapshot!(run(
        "
            service web workers=1 sockets=web
            boot
            serve all
            at 5s reload web
            serve web/0
            exited #1
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
    5000ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    5000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    5000ms> exited #1
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 5000 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 1 done: web is reloaded: 1 worker replaced, generation 2
    "#);
}

#[test]
fn a_slot_that_goes_is_emptied_before_its_worker_is_told_to_stop_the_highest_first() {
    assert_snapshot!(run(
        "
            service web workers=3 sockets=web
            boot
            serve all
            at 5s scale web 1
            view
            at 7s drained web 2
            drained web 1
            exited web/2
            exited web/1
            drained web 0
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
      ~ web ServiceRunning
    1000ms> woke
    5000ms> scale web 1
      ~ web Scaled { from: 3, to: 1, reason: Some("request") }
      steer away from web/2
      drain web/2
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    web: running 1/1 g1 [0:#1 g1 ready, 1:#2 g1 draining, 2:#3 g1 draining]
    7000ms> drained web 2
      ~ web/2 #3 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #3
    7000ms> drained web 1
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    7000ms> exited web/2
      ~ web/2 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 7000 }
      bury #3
    7000ms> exited web/1
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 7000 }
      bury #2
      reply 1 done: web runs with 1 worker
    7000ms> drained web 0
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn what_waits_has_as_long_as_a_stop_has() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web stop_timeout=3s
            boot
            serve all
            at 5s scale web 1
            until 8s
            until 11s
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
    5000ms> scale web 1
      ~ web Scaled { from: 2, to: 1, reason: Some("request") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    8000ms> woke
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    10000ms> woke
    11000ms> woke
      ~ web/1 #2 WorkerKilling { reason: "scale" }
      kill #2
    "#);
}

#[test]
fn a_worker_that_drains_goes_on_when_its_slot_is_wanted_again() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve all
            at 5s scale web 1
            at 6s scale web 2
            drained web 1
            view
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
    5000ms> scale web 1
      ~ web Scaled { from: 2, to: 1, reason: Some("request") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    6000ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      steer to web/1
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
      reply 2 done: web runs with 2 workers
    6000ms> drained web 1
    web: running 2/2 g1 [0:#1 g1 ready, 1:#2 g1 ready]
    "#);
}

#[test]
fn a_worker_that_is_not_ready_has_nothing_to_drain() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve web/0
            spawned web/1
            running web/1
            scale web 1
            exited web/1
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
    0ms> spawned web/1
    0ms> running web/1
      ~ web/1 #2 WorkerSpawned
    0ms> scale web 1
      ~ web Scaled { from: 2, to: 1, reason: Some("request") }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
      ~ web ServiceRunning
    0ms> exited web/1
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      reply 1 done: web runs with 1 worker
    "#);
}

#[test]
fn a_stop_of_the_service_does_not_wait_for_what_drains() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve all
            at 5s scale web 1
            at 6s stop web
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
    5000ms> scale web 1
      ~ web Scaled { from: 2, to: 1, reason: Some("request") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    6000ms> stop web
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    "#);
}

#[test]
fn one_that_crashes_while_it_drains_gets_no_successor() {
    assert_snapshot!(run(
        "
            service web workers=2 sockets=web
            boot
            serve all
            at 5s scale web 1
            at 6s exited web/1 signal=SEGV
            drained web 1
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
    5000ms> scale web 1
      ~ web Scaled { from: 2, to: 1, reason: Some("request") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    6000ms> exited web/1 signal=SEGV
      ~ web/1 #2 WorkerExited { status: Signal { signal: Signal(11), core: false }, expected: true, lived_ms: 6000 }
      bury #2
      reply 1 done: web runs with 1 worker
    6000ms> drained web 1
    "#);
}

#[test]
fn a_replacement_on_probation_is_drained_too_when_its_slot_goes_and_called_back_with_it() {
    assert_snapshot!(run(
        "
            service web sockets=web bake=60s
            boot
            serve all
            at 5s reload web
            serve #2
            scale web 0
            scale web 1
            scale web 0
            drained web 0
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
    5000ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    5000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    5000ms> scale web 0
      ~ web Scaled { from: 1, to: 0, reason: Some("request") }
      steer away from web/0
      drain web/0
      ~ web ServiceRunning
    5000ms> scale web 1
      ~ web Scaled { from: 0, to: 1, reason: Some("request") }
      steer to web/0
      ~ web ServiceRunning
    5000ms> scale web 0
      ~ web Scaled { from: 1, to: 0, reason: Some("request") }
      steer away from web/0
      drain web/0
      ~ web ServiceRunning
    5000ms> drained web 0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #1
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    "#);
}

#[test]
fn a_replacement_that_is_drained_stays_so_when_its_reload_is_superseded() {
    assert_snapshot!(run(
        "
            service web sockets=web bake=60s
            boot
            serve all
            at 5s reload web
            serve #2
            scale web 0
            reload web
            drained web 0
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
    5000ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    5000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    5000ms> scale web 0
      ~ web Scaled { from: 1, to: 0, reason: Some("request") }
      steer away from web/0
      drain web/0
      ~ web ServiceRunning
    5000ms> reload web
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 0, total: 1, rolled_back: false }
      reply 1 failed: the reload of web is superseded by a newer one, 0 of 1 replaced
      ~ web ReloadStarted { workers: 0 }
      ~ web ReloadDone { workers: 0 }
      reply 3 done: web is reloaded: 0 workers replaced, generation 3
    5000ms> drained web 0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #1
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    "#);
}

#[test]
fn a_replacement_whose_reload_was_superseded_is_not_called_back_with_its_slot() {
    assert_snapshot!(run(
        "
            service web sockets=web bake=60s
            boot
            serve all
            at 5s reload web
            serve #2
            scale web 0
            reload web
            scale web 1
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
    5000ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    5000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    5000ms> scale web 0
      ~ web Scaled { from: 1, to: 0, reason: Some("request") }
      steer away from web/0
      drain web/0
      ~ web ServiceRunning
    5000ms> reload web
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 0, total: 1, rolled_back: false }
      reply 1 failed: the reload of web is superseded by a newer one, 0 of 1 replaced
      ~ web ReloadStarted { workers: 0 }
      ~ web ReloadDone { workers: 0 }
      reply 3 done: web is reloaded: 0 workers replaced, generation 3
    5000ms> scale web 1
      ~ web Scaled { from: 0, to: 1, reason: Some("request") }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #1
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
    "#);
}
