//! Reloading: canary, surge, bake, failure, supersession.

use insta::assert_snapshot;

use super::run;

#[test]
fn workers_are_replaced_one_by_one_after_the_canary() {
    assert_snapshot!(run(
        "
            service web workers=3
            boot
            serve all
            reload web
            serve web/0
            exited #1 code=0
            serve web/1
            exited #2 code=0
            view
            serve web/2
            exited #3 code=0
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
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 3 }
      spawn #5 in web/1 g2 of 3: web
    0ms> serve #5
      ~ web/1 #5 WorkerSpawned
      ~ web/1 #5 WorkerReady { after_ms: 0 }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #2
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ReloadProgress { done: 2, total: 3 }
      spawn #6 in web/2 g2 of 3: web
    web: reloading 3/3 g2 [0:#4 g2 ready, 1:#5 g2 ready, 2:#3 g1 ready, 2:#6 g2 spawning]
    0ms> serve #6
      ~ web/2 #6 WorkerSpawned
      ~ web/2 #6 WorkerReady { after_ms: 0 }
      ~ web/2 #3 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #3
    0ms> exited #3 code=0
      ~ web/2 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #3
      ~ web ReloadProgress { done: 3, total: 3 }
      ~ web ReloadDone { workers: 3 }
      reply 1 done: web is reloaded: 3 workers replaced, generation 2
    web: running 3/3 g2 [0:#4 g2 ready, 1:#5 g2 ready, 2:#6 g2 ready]
    "#);
}

#[test]
fn surge_replaces_several_at_once_after_the_canary() {
    assert_snapshot!(run(
        "
            service web workers=4 surge=2
            boot
            serve all
            reload web
            serve web/0
            exited #1 code=0
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
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      ~ web/2 #3 WorkerReady { after_ms: 0 }
    0ms> serve #4
      ~ web/3 #4 WorkerSpawned
      ~ web/3 #4 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 4 }
      spawn #5 in web/0 g2 of 4: web
    0ms> serve #5
      ~ web/0 #5 WorkerSpawned
      ~ web/0 #5 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
      spawn #6 in web/1 g2 of 4: web
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 4 }
      spawn #7 in web/2 g2 of 4: web
    web: reloading 4/4 g2 [0:#5 g2 ready, 1:#2 g1 ready, 1:#6 g2 spawning, 2:#3 g1 ready, 2:#7 g2 spawning, 3:#4 g1 ready]
    "#);
}

#[test]
fn without_a_canary_the_surge_begins_at_once() {
    assert_snapshot!(run(
        "
            service web workers=3 surge=2 no_canary
            boot
            serve all
            reload web
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
      spawn #5 in web/1 g2 of 3: web
    ");
}

#[test]
fn a_replacement_is_watched_for_a_while_before_it_takes_the_seat() {
    assert_snapshot!(run(
        "
            service web bake=5s
            boot
            serve all
            reload web
            serve web/0
            until 5s
            exited #1 code=0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    1000ms> woke
    5000ms> woke
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    5000ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 5000 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 1 done: web is reloaded: 1 worker replaced, generation 2
    "#);
}

#[test]
fn a_replacement_that_ends_while_it_is_watched_fails_the_reload() {
    assert_snapshot!(run(
        "
            service web bake=5s
            boot
            serve all
            reload web
            serve web/0
            at 2s exited web/0 code=1
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
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    1000ms> woke
    2000ms> exited web/0 code=1
      ~ web/0 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 2000 }
      bury #2
      ~ web ReloadFailed { reason: "the replacement in slot 0, pid 102 did not come up: exit 1", done: 0, total: 1, rolled_back: false }
      reply 1 failed: web is not reloaded: the replacement in slot 0, pid 102 did not come up: exit 1; the old workers go on
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn a_canary_that_does_not_come_up_leaves_the_old_ones() {
    assert_snapshot!(run(
        "
            service web workers=2 reload_timeout=5s
            boot
            serve all
            reload web
            running web/0
            until 5s
            exited web/0 signal=KILL
            view
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
    0ms> reload web
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: web
    0ms> running web/0
      ~ web/0 #3 WorkerSpawned
    1000ms> woke
    5000ms> woke
      ~ web/0 #3 ReadyTimeout { after_ms: 5000 }
      ~ web/0 #3 WorkerKilling { reason: "was not ready within 5.000 s" }
      kill #3
    5000ms> exited web/0 signal=KILL
      ~ web/0 #3 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: false, lived_ms: 5000 }
      bury #3
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: was not ready within 5.000 s", done: 0, total: 2, rolled_back: false }
      reply 1 failed: web is not reloaded: the replacement in slot 0 did not come up: was not ready within 5.000 s; the old workers go on
    web: running 2/2 g1 [0:#1 g1 ready, 1:#2 g1 ready]
    "#);
}

#[test]
fn a_failure_in_the_middle_of_a_plain_reload_stops_it_there() {
    assert_snapshot!(run(
        "
            service web workers=3
            boot
            serve all
            reload web
            serve web/0
            exited #1 code=0
            exited web/1 code=1
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
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 3 }
      spawn #5 in web/1 g2 of 3: web
    0ms> exited web/1 code=1
      ~ web/1 #5 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #5
      ~ web ReloadFailed { reason: "the replacement in slot 1 did not come up: exit 1", done: 1, total: 3, rolled_back: false }
      reply 1 failed: web is not reloaded: the replacement in slot 1 did not come up: exit 1; 1 of 3 are replaced, the others go on as they were
    web: running 3/3 g2 [0:#4 g2 ready, 1:#2 g1 ready, 2:#3 g1 ready]
    "#);
}

#[test]
fn a_new_worker_that_dies_at_once_fails_the_reload() {
    assert_snapshot!(run(
        "
            service web workers=3
            boot
            serve all
            reload web
            serve web/0
            exited web/0 code=1
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
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited web/0 code=1
      ~ web/0 #4 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #4
      ~ web ReloadFailed { reason: "the replacement in slot 0 came up and ended: exit 1", done: 0, total: 3, rolled_back: false }
      reply 1 failed: web is not reloaded: the replacement in slot 0 came up and ended: exit 1; the others go on as they were
      spawn #5 in web/0 g1 of 3: web
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
    web: degraded 2/3 g1 (exit 1) [0:#5 g1 spawning, 1:#2 g1 ready, 2:#3 g1 ready]
    "#);
}

#[test]
fn a_newer_reload_supersedes_one_under_way() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            reload web
            running web/0
            reload web
            serve web/0
            exited #3 code=0
            exited #1 code=0
            serve web/1
            exited #2 code=0
            view
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
    0ms> reload web
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: web
    0ms> running web/0
      ~ web/0 #3 WorkerSpawned
    0ms> reload web
      ~ web/0 #3 WorkerStopping { signal: Signal(15), reason: "reload failed" }
      signal TERM #3
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 0, total: 2, rolled_back: false }
      reply 1 failed: the reload of web is superseded by a newer one, 0 of 2 replaced
      ~ web ReloadStarted { workers: 2 }
      spawn #4 in web/0 g3 of 2: web
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #3 code=0
      ~ web/0 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #3
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 2 }
      spawn #5 in web/1 g3 of 2: web
    0ms> serve #5
      ~ web/1 #5 WorkerSpawned
      ~ web/1 #5 WorkerReady { after_ms: 0 }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #2
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ReloadProgress { done: 2, total: 2 }
      ~ web ReloadDone { workers: 2 }
      reply 2 done: web is reloaded: 2 workers replaced, generation 3
    web: running 2/2 g3 [0:#4 g3 ready, 1:#5 g3 ready]
    "#);
}

#[test]
fn a_stop_supersedes_a_reload() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            reload web
            serve web/0
            stop web
            exited #1 code=0
            exited #2 code=0
            exited #3 code=0
            view
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
    0ms> reload web
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: web
    0ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> stop web
      ~ web ReloadFailed { reason: "ended by stop", done: 0, total: 2, rolled_back: false }
      reply 1 failed: the reload of web is ended by stop, 0 of 2 replaced
      ~ web ServiceStopping
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #2
      ~ web/0 #3 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #3
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
    0ms> exited #3 code=0
      ~ web/0 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #3
      ~ web ServiceStopped
      reply 2 done: web is stopped
    web: stopped 0/2 g2 []
    "#);
}

#[test]
fn a_superseded_replacement_that_fails_late_does_not_fail_the_newer_reload() {
    assert_snapshot!(run(
        "
            service web reload_timeout=5s
            boot
            serve all
            reload web
            until 5s
            reload web
            exited #2 signal=KILL
            serve web/0
            exited #1 code=0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    1000ms> woke
    5000ms> woke
      ~ web/0 #2 ReadyTimeout { after_ms: 5000 }
      ~ web/0 #2 WorkerKilling { reason: "was not ready within 5.000 s" }
      kill #2
    5000ms> reload web
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 0, total: 1, rolled_back: false }
      reply 1 failed: the reload of web is superseded by a newer one, 0 of 1 replaced
      ~ web ReloadStarted { workers: 1 }
      spawn #3 in web/0 g3 of 1: web
    5000ms> exited #2 signal=KILL
      ~ web/0 #2 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: false, lived_ms: 5000 }
      bury #2
    5000ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    5000ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 5000 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 2 done: web is reloaded: 1 worker replaced, generation 3
    "#);
}

#[test]
fn a_seat_that_cannot_be_spawned_does_not_fail_a_service_whose_replacement_starts() {
    assert_snapshot!(run(
        "
            service web
            boot
            reload web
            running web/0
            not-spawned #1 permanent
            exited web/0 code=1
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    0ms> running web/0
      ~ web/0 #2 WorkerSpawned
    0ms> not-spawned #1 permanent
      ~ web/0 #1 SpawnFailed { failure: SpawnFailure { stage: "program", errno: 2, detail: "no such file", permanent: true } }
    0ms> exited web/0 code=1
      ~ web/0 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 1", done: 0, total: 1, rolled_back: false }
      reply 1 failed: web is not reloaded: the replacement in slot 0 did not come up: exit 1; the old workers go on
      ~ web ServiceStopping
      ~ web ServiceFailed { reason: "exit 1" }
    web: failed 0/1 g1 (exit 1) []
    "#);
}

#[test]
fn one_slot_is_reloaded_alone() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            reload web.1
            serve web/1
            exited #2 code=0
            view
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
    0ms> reload web.1
      ~ web ReloadStarted { workers: 1 }
      spawn #3 in web/1 g2 of 2: web
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      ~ web/1 #3 WorkerReady { after_ms: 0 }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #2
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 1 done: web is reloaded: 1 worker replaced, generation 2
    web: running 2/2 g2 [0:#1 g1 ready, 1:#3 g2 ready]
    "#);
}

#[test]
fn a_singleton_is_stopped_before_its_successor_starts() {
    assert_snapshot!(run(
        "
            service web singleton
            boot
            serve all
            reload web
            view
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
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    web: reloading 0/1 g2 [0:#1 g1 stopping]
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g2 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 1 done: web is reloaded: 1 worker replaced, generation 2
    "#);
}

#[test]
fn a_singletons_second_reload_waits_for_the_first_ones_worker_to_be_gone() {
    assert_snapshot!(run(
        "
            service web singleton
            boot
            serve all
            reload web
            exited web/0 code=0
            reload web
            view
            exited web/0 signal=KILL
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
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g2 of 1: web
    0ms> reload web
      ~ web/0 #2 WorkerKilling { reason: "reload failed" }
      kill #2
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 0, total: 1, rolled_back: false }
      reply 1 failed: the reload of web is superseded by a newer one, 0 of 1 replaced
      ~ web ReloadStarted { workers: 1 }
    web: reloading 0/1 g3 [0:#2 g2 killing]
    0ms> exited web/0 signal=KILL
      ~ web/0 #2 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 0 }
      bury #2
      spawn #3 in web/0 g3 of 1: web
    0ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 2 done: web is reloaded: 1 worker replaced, generation 3
    "#);
}

#[test]
fn a_service_may_be_reloaded_by_signal() {
    assert_snapshot!(run(
        "
            service web workers=2 reload_signal=HUP
            boot
            serve web/0
            spawned web/1
            reload web
            view
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 2: web
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    0ms> spawned web/1
    0ms> reload web
      ~ web/0 #1 WorkerReloading
      signal HUP #1
      reply 1 done: web: 1 worker told to reload
    web: starting 1/2 g2 [0:#1 g2 ready, 1:#2 g1 spawning]
    ");
}

#[test]
fn a_reload_of_no_workers_is_answered_once() {
    assert_snapshot!(run(
        "
            service web workers=0
            boot
            reload web
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 0 }
      ~ web ReloadDone { workers: 0 }
      reply 1 done: web is reloaded: 0 workers replaced, generation 2
    ");
}

#[test]
fn what_does_not_run_is_not_reloaded() {
    assert_snapshot!(run(
        "
            service web manual
            boot
            reload web
            reload nob
            reload web.7
        "
    ), @"
    0ms> boot
    0ms> reload web
      reply 1 refused: web does not run (it is stopped)
    0ms> reload nob
      reply 2 refused: there is no service nob; did you mean web?
    0ms> reload web.7
      reply 3 refused: web has no slot 7; it has 1 (0 is the first)
    ");
}

#[test]
fn an_old_worker_that_crashes_in_its_turn_is_not_doubled() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            reload web
            exited #1 code=1
            view
            serve web/0
            view
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: web
    0ms> exited #1 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
    web: reloading 0/1 g2 (exit 1) [0:#2 g2 spawning]
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 1 done: web is reloaded: 1 worker replaced, generation 2
    web: running 1/1 g2 [0:#2 g2 ready]
    ");
}
