//! One worker: readiness, watchdog, stop, kill, recycling.

use insta::assert_snapshot;

use super::run;

#[test]
fn a_worker_that_is_not_ready_in_time_is_killed() {
    assert_snapshot!(run(
        "
            service web ready_timeout=2s
            boot
            spawned web/0
            running web/0
            until 2s
            exited web/0 signal=KILL
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> spawned web/0
    0ms> running web/0
      ~ web/0 #1 WorkerSpawned
    2000ms> woke
      ~ web/0 #1 ReadyTimeout { after_ms: 2000 }
      ~ web/0 #1 WorkerKilling { reason: "was not ready within 2.000 s" }
      kill #1
    2000ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: false, lived_ms: 2000 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    "#);
}

#[test]
fn a_worker_may_ask_for_more_time_to_come_up() {
    assert_snapshot!(run(
        "
            service web ready_timeout=2s
            boot
            running web/0
            at 1s notify web/0 extend=5s
            notify web/0 extend=1s
            at 5s ready web/0
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> running web/0
      ~ web/0 #1 WorkerSpawned
    1000ms> notify web/0 extend=5s
    1000ms> notify web/0 extend=1s
    5000ms> ready web/0
      ~ web/0 #1 WorkerReady { after_ms: 5000 }
      ~ web ServiceRunning
    ");
}

#[test]
fn a_worker_may_ask_for_more_time_to_stop() {
    assert_snapshot!(run(
        "
            service web stop_timeout=2s
            boot
            serve web/0
            stop web
            at 1s notify web/0 extend=5s
            until 6s
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
    1000ms> notify web/0 extend=5s
    6000ms> woke
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    "#);
}

#[test]
fn a_word_that_overtakes_the_news_of_the_start_counts() {
    assert_snapshot!(run(
        "
            service web watchdog=3s after_spawn=abort
            boot
            spawned web/0
            notify web/0 ready
            running web/0
            hook 1 passed
            until 3s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> spawned web/0
    0ms> notify web/0 ready
      ~ web/0 #1 WorkerSpawned
      hook 1 after_spawn #1
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> running web/0
    0ms> hook 1 passed
    1000ms> woke
    3000ms> woke
      ~ web/0 #1 WatchdogMissed { silent_ms: 3000 }
      ~ web/0 #1 WorkerStopping { signal: Signal(6), reason: "missed its watchdog" }
      signal ABRT #1
    "#);
}

#[test]
fn a_worker_that_does_not_ping_is_aborted_then_killed_and_replaced() {
    assert_snapshot!(run(
        "
            service web watchdog=3s
            boot
            serve web/0
            at 2s notify web/0 ping
            until 5s
            until 10s
            exited web/0 signal=KILL
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
    1000ms> woke
    2000ms> notify web/0 ping
    5000ms> woke
      ~ web/0 #1 WatchdogMissed { silent_ms: 3000 }
      ~ web/0 #1 WorkerStopping { signal: Signal(6), reason: "missed its watchdog" }
      signal ABRT #1
    10000ms> woke
      ~ web/0 #1 WorkerKilling { reason: "missed its watchdog" }
      kill #1
    10000ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: false, lived_ms: 10000 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    web: degraded 0/1 g1 (missed its watchdog) [0:#2 g1 spawning]
    "#);
}

#[test]
fn a_worker_may_declare_itself_broken_or_change_its_interval() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve web/0
            notify web/0 interval=2s
            at 1s notify web/0 status=busy
            notify web/0 status=busy
            notify web/0 broken
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> notify web/0 interval=2s
    1000ms> notify web/0 status=busy
      ~ web/0 #1 WorkerStatus { status: "busy" }
    1000ms> notify web/0 status=busy
    1000ms> notify web/0 broken
      ~ web/0 #1 WatchdogMissed { silent_ms: 1000 }
      ~ web/0 #1 WorkerStopping { signal: Signal(6), reason: "declared itself broken" }
      signal ABRT #1
    "#);
}

#[test]
fn a_worker_that_does_not_stop_is_killed() {
    assert_snapshot!(run(
        "
            service web stop_timeout=2s
            boot
            serve web/0
            stop web
            until 2s
            exited web/0 signal=KILL
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
    2000ms> woke
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    2000ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 2000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    "#);
}

#[test]
fn a_worker_stuck_in_the_kernel_is_killed_again_until_it_ends() {
    assert_snapshot!(run(
        "
            service web stop_timeout=1s
            boot
            serve web/0
            stop web
            until 11s
            view
            exited web/0 signal=KILL
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
    1000ms> woke
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    6000ms> woke
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    11000ms> woke
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    web: stopping 0/1 g1 [0:#1 g1 killing]
    11000ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 11000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    "#);
}

#[test]
fn what_sets_up_a_worker_is_killed_rather_than_asked() {
    assert_snapshot!(run(
        "
            service web
            boot
            spawned web/0
            stop web
            exited web/0 signal=KILL
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> spawned web/0
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    0ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    "#);
}

#[test]
fn a_kill_of_what_never_was_ends_when_that_is_known() {
    assert_snapshot!(run(
        "
            service web
            boot
            stop web
            not-spawned web/0 permanent
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerKilling { reason: "stop" }
      kill #1
    0ms> not-spawned web/0 permanent
      ~ web ServiceStopped
      reply 1 done: web is stopped
    web: stopped 0/1 g1 []
    "#);
}

#[test]
fn late_double_and_foreign_facts_change_nothing() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve web/0
            running web/0
            ready web/0
            not-spawned web/0 permanent
            setup-failed web/0 permanent
            ready #77
            exited #77 code=1
            hook 9 passed
            demand web
            connections web 0
            due web
            boot
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
    0ms> running web/0
    0ms> ready web/0
    0ms> not-spawned web/0 permanent
    0ms> setup-failed web/0 permanent
    0ms> ready #77
    0ms> exited #77 code=1
    0ms> hook 9 passed
    0ms> demand web
    0ms> connections web 0
    0ms> due web
    0ms> boot
    web: running 1/1 g1 [0:#1 g1 ready]
    ");
}

#[test]
fn an_old_worker_is_replaced_before_it_goes() {
    assert_snapshot!(run(
        "
            service web max_age=60s
            boot
            serve web/0
            until 60s
            serve web/0
            view
            exited #1 code=0
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
    1000ms> woke
    10000ms> woke
    60000ms> woke
      ~ web/0 #1 Recycling { reason: "its age" }
      spawn #2 in web/0 g1 of 1: web
    60000ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "recycle" }
      signal TERM #1
    web: running 1/1 g1 [0:#1 g1 stopping, 0:#2 g1 ready]
    60000ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 60000 }
      bury #1
    web: running 1/1 g1 [0:#2 g1 ready]
    "#);
}

#[test]
fn a_worker_that_has_served_enough_is_replaced() {
    assert_snapshot!(run(
        "
            service web workers=2 max_requests=100
            boot
            serve all
            notify web/1 requests=99
            notify web/1 requests=100
            serve web/1
            exited #2 code=0
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
    0ms> notify web/1 requests=99
    0ms> notify web/1 requests=100
      ~ web/1 #2 Recycling { reason: "its number of requests" }
      spawn #3 in web/1 g1 of 2: web
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      ~ web/1 #3 WorkerReady { after_ms: 0 }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "recycle" }
      signal TERM #2
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
    "#);
}

#[test]
fn a_replacement_for_an_old_worker_that_fails_is_tried_again_later() {
    assert_snapshot!(run(
        "
            service web max_requests=100 cap=20s
            boot
            serve web/0
            notify web/0 requests=100
            exited web/0 code=1
            notify web/0 requests=101
            until 20s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> notify web/0 requests=100
      ~ web/0 #1 Recycling { reason: "its number of requests" }
      spawn #2 in web/0 g1 of 1: web
    0ms> exited web/0 code=1
      ~ web/0 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 1", done: 0, total: 1, rolled_back: false }
    0ms> notify web/0 requests=101
    1000ms> woke
    10000ms> woke
    20000ms> woke
      ~ web/0 #1 Recycling { reason: "its number of requests" }
      spawn #3 in web/0 g1 of 1: web
    "#);
}
