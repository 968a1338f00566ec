//! Hooks: eight points, each aborting or ignored.

use insta::assert_snapshot;

use super::run;

#[test]
fn all_eight_run_in_their_order() {
    assert_snapshot!(run(
        "
            service web before_start=abort after_start=abort before_spawn=abort after_spawn=abort before_stop=ignore after_stop=ignore before_reap=ignore after_reap=ignore
            boot
            hook 1 passed
            hook 2 passed
            serve web/0
            hook 3 passed
            hook 4 passed
            stop web
            hook 5 passed
            exited web/0 code=0
            hook 6 passed
            hook 7 passed
            hook 8 passed
        "
    ), @r#"
    0ms> boot
      hook 1 before_start web
    0ms> hook 1 passed
      ~ web ServiceStarting
      hook 2 before_spawn #1
    0ms> hook 2 passed
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      hook 3 after_spawn #1
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      hook 4 after_start web
    0ms> hook 3 passed
    0ms> hook 4 passed
    0ms> stop web
      hook 5 before_stop web
    0ms> hook 5 passed
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      hook 6 before_reap #1
    0ms> hook 6 passed
      bury #1
      hook 7 after_reap #1
      hook 8 after_stop web
      ~ web ServiceStopped
      reply 1 done: web is stopped
    0ms> hook 7 passed
    0ms> hook 8 passed
    "#);
}

#[test]
fn before_start_may_prevent_the_start() {
    assert_snapshot!(run(
        "
            service web before_start=abort
            boot
            hook 1 failed
            view
        "
    ), @r#"
    0ms> boot
      hook 1 before_start web
    0ms> hook 1 failed
      ~ web HookFailed { point: BeforeStart, reason: "exit 3" }
      ~ web ServiceFailed { reason: "before_start hook: exit 3" }
    web: failed 0/1 g1 (before_start hook: exit 3) []
    "#);
}

#[test]
fn a_failure_that_is_ignored_is_told_and_no_more() {
    assert_snapshot!(run(
        "
            service web before_start=ignore after_start=ignore before_spawn=ignore after_spawn=ignore
            boot
            hook 1 failed
            hook 2 failed
            serve web/0
            hook 3 failed
            hook 4 failed
            view
        "
    ), @r#"
    0ms> boot
      hook 1 before_start web
    0ms> hook 1 failed
      ~ web HookFailed { point: BeforeStart, reason: "exit 3" }
      ~ web ServiceStarting
      hook 2 before_spawn #1
    0ms> hook 2 failed
      ~ web/0 #1 HookFailed { point: BeforeSpawn, reason: "exit 3" }
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      hook 3 after_spawn #1
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      hook 4 after_start web
    0ms> hook 3 failed
      ~ web/0 #1 HookFailed { point: AfterSpawn, reason: "exit 3" }
    0ms> hook 4 failed
      ~ web HookFailed { point: AfterStart, reason: "exit 3" }
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn after_start_that_fails_stops_the_service() {
    assert_snapshot!(run(
        "
            service web after_start=abort
            boot
            serve web/0
            hook 1 failed
            exited web/0 code=0
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
      hook 1 after_start web
    0ms> hook 1 failed
      ~ web HookFailed { point: AfterStart, reason: "exit 3" }
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceFailed { reason: "after_start hook: exit 3" }
    web: failed 0/1 g1 (after_start hook: exit 3) []
    "#);
}

#[test]
fn before_spawn_that_fails_is_retried_like_a_crash() {
    assert_snapshot!(run(
        "
            service web before_spawn=abort after_reap=ignore
            boot
            hook 1 failed
            hook 2 failed
            until 1s
            hook 3 passed
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      hook 1 before_spawn #1
    0ms> hook 1 failed
      ~ web/0 #1 HookFailed { point: BeforeSpawn, reason: "exit 3" }
      hook 2 before_spawn #2
    0ms> hook 2 failed
      ~ web/0 #2 HookFailed { point: BeforeSpawn, reason: "exit 3" }
      ~ web/0 #2 Backoff { delay_ms: 94, failures: 2 }
    94ms> woke
      hook 3 before_spawn #3
    1000ms> hook 3 passed
      spawn #3 in web/0 g1 of 1: web
    "#);
}

#[test]
fn a_worker_whose_hook_passes_when_its_service_already_stops_is_not_spawned() {
    assert_snapshot!(run(
        "
            service web before_spawn=abort before_stop=ignore
            boot
            stop web
            hook 1 passed
            hook 2 passed
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      hook 1 before_spawn #1
    0ms> stop web
      hook 2 before_stop web
    0ms> hook 1 passed
    0ms> hook 2 passed
      ~ web ServiceStopping
      ~ web ServiceStopped
      reply 1 done: web is stopped
    ");
}

#[test]
fn after_spawn_that_fails_kills_the_worker() {
    assert_snapshot!(run(
        "
            service web after_spawn=abort
            boot
            running web/0
            hook 1 failed
            exited web/0 signal=KILL
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> running web/0
      ~ web/0 #1 WorkerSpawned
      hook 1 after_spawn #1
    0ms> hook 1 failed
      ~ web/0 #1 HookFailed { point: AfterSpawn, reason: "exit 3" }
      ~ web/0 #1 WorkerKilling { reason: "after_spawn hook: exit 3" }
      kill #1
    0ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: false, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    "#);
}

#[test]
fn before_stop_and_before_reap_delay_and_do_not_prevent() {
    assert_snapshot!(run(
        "
            service web before_stop=abort before_reap=abort after_stop=abort after_reap=abort
            boot
            serve web/0
            stop web
            hook 1 failed
            exited web/0 code=0
            hook 2 failed
            hook 3 failed
            hook 4 failed
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
      hook 1 before_stop web
    0ms> hook 1 failed
      ~ web HookFailed { point: BeforeStop, reason: "exit 3" }
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      hook 2 before_reap #1
    0ms> hook 2 failed
      ~ web/0 #1 HookFailed { point: BeforeReap, reason: "exit 3" }
      bury #1
      hook 3 after_reap #1
      hook 4 after_stop web
      ~ web ServiceStopped
      reply 1 done: web is stopped
    0ms> hook 3 failed
      ~ web HookFailed { point: AfterReap, reason: "exit 3" }
    0ms> hook 4 failed
      ~ web HookFailed { point: AfterStop, reason: "exit 3" }
    web: stopped 0/1 g1 []
    "#);
}

#[test]
fn the_hook_of_a_life_that_is_over_decides_nothing() {
    assert_snapshot!(run(
        "
            service web before_start=abort after_start=abort
            boot
            stop web
            start web
            hook 1 failed
            hook 2 passed
            serve web/0
            stop web
            exited web/0 code=0
            hook 3 failed
            view
        "
    ), @r#"
    0ms> boot
      hook 1 before_start web
    0ms> stop web
      ~ web ServiceStopped
      reply 1 done: web is stopped
    0ms> start web
      hook 2 before_start web
    0ms> hook 1 failed
      ~ web HookFailed { point: BeforeStart, reason: "exit 3" }
    0ms> hook 2 passed
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      hook 3 after_start web
      reply 2 done: web runs with 1 worker
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 3 done: web is stopped
    0ms> hook 3 failed
      ~ web HookFailed { point: AfterStart, reason: "exit 3" }
    web: stopped 0/1 g1 []
    "#);
}

#[test]
fn a_replacement_whose_hook_refuses_fails_the_reload() {
    assert_snapshot!(run(
        "
            service web before_spawn=abort
            boot
            hook 1 passed
            serve web/0
            reload web
            hook 2 failed
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      hook 1 before_spawn #1
    0ms> hook 1 passed
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> reload web
      ~ web ReloadStarted { workers: 1 }
      hook 2 before_spawn #2
    0ms> hook 2 failed
      ~ web/0 #2 HookFailed { point: BeforeSpawn, reason: "exit 3" }
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: before_spawn hook: exit 3", done: 0, total: 1, rolled_back: false }
      reply 1 failed: web is not reloaded: the replacement in slot 0 did not come up: before_spawn hook: exit 3; the old workers go on
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn a_service_that_scales_has_not_started_again() {
    assert_snapshot!(run(
        "
            service web after_start=abort
            boot
            serve web/0
            hook 1 passed
            scale web 2
            serve web/1
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      hook 1 after_start web
    0ms> hook 1 passed
    0ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    "#);
}
