//! Retrying: policies, delays, crash loops, giving up.

use insta::assert_snapshot;

use super::run;

#[test]
fn the_first_failure_is_retried_at_once_the_next_ones_later() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve web/0
            exited web/0 code=1
            serve web/0
            exited web/0 signal=SEGV
            at 1s serve web/0
            exited web/0 code=1
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
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    0ms> exited web/0 signal=SEGV
      ~ web/0 #2 WorkerExited { status: Signal { signal: Signal(11), core: false }, expected: false, lived_ms: 0 }
      bury #2
      ~ web/0 #2 Backoff { delay_ms: 94, failures: 2 }
    94ms> woke
      spawn #3 in web/0 g1 of 1: web
    1000ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 906 }
    1000ms> exited web/0 code=1
      ~ web/0 #3 WorkerExited { status: Code(1), expected: false, lived_ms: 906 }
      bury #3
      ~ web/0 #3 Backoff { delay_ms: 135, failures: 3 }
    web: degraded 0/1 g1 (exit 1) []
    ");
}

#[test]
fn a_healthy_life_ends_the_row_of_failures() {
    assert_snapshot!(run(
        "
            service web
            boot
            exited web/0 code=1
            exited web/0 code=1
            until 1s
            serve web/0
            until 12s
            view
            exited web/0 code=1
        "
    ), @"
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
    2000ms> woke
    11000ms> woke
    web: running 1/1 g1 [0:#3 g1 ready]
    12000ms> exited web/0 code=1
      ~ web/0 #3 WorkerExited { status: Code(1), expected: false, lived_ms: 11906 }
      bury #3
      spawn #4 in web/0 g1 of 1: web
    ");
}

#[test]
fn a_worker_that_exits_well_comes_back_when_it_should_always_run() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve web/0
            exited web/0 code=0
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: false, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    ");
}

#[test]
fn on_failure_leaves_a_worker_that_ended_well() {
    assert_snapshot!(run(
        "
            service web restart=on-failure workers=2 success=3
            boot
            serve all
            exited web/0 code=3
            view
            exited web/1 code=1
            serve web/1
            exited web/1 code=0
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
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> exited web/0 code=3
      ~ web/0 #1 WorkerExited { status: Code(3), expected: false, lived_ms: 0 }
      bury #1
    web: running 1/2 g1 [1:#2 g1 ready]
    0ms> exited web/1 code=1
      ~ web/1 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      spawn #3 in web/1 g1 of 2: web
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      ~ web/1 #3 WorkerReady { after_ms: 0 }
    0ms> exited web/1 code=0
      ~ web/1 #3 WorkerExited { status: Code(0), expected: false, lived_ms: 0 }
      bury #3
      ~ web ServiceDone
    web: done 0/2 g1 []
    ");
}

#[test]
fn never_leaves_a_worker_that_failed() {
    assert_snapshot!(run(
        "
            service web restart=never
            boot
            serve all
            exited web/0 code=1
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
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      ~ web ServiceFailed { reason: "exit 1" }
    web: failed 0/1 g1 (exit 1) []
    "#);
}

#[test]
fn a_service_that_cannot_boot_goes_on_with_one_probing_slot() {
    assert_snapshot!(run(
        "
            service web workers=3 crash_loop_after=3
            boot
            exited web/0 code=1
            exited web/1 code=1
            exited web/2 code=1
            view
            exited web/1 code=1
            until 10s
            view
            exited web/0 code=1
            at 20s view
            serve web/0
            until 22s
            view
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 3: web
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      spawn #4 in web/0 g1 of 3: web
    0ms> exited web/1 code=1
      ~ web/1 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      spawn #5 in web/1 g1 of 3: web
    0ms> exited web/2 code=1
      ~ web/2 #3 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #3
      ~ web CrashLoop { failures: 3 }
    web: crash-loop 0/3 g1 (exit 1) [0:#4 g1 spawning, 1:#5 g1 spawning]
    0ms> exited web/1 code=1
      ~ web/1 #5 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #5
      ~ web/1 #5 Backoff { delay_ms: 94, failures: 2 }
    94ms> woke
    web: crash-loop 0/3 g1 (exit 1) [0:#4 g1 spawning]
    10000ms> exited web/0 code=1
      ~ web/0 #4 WorkerExited { status: Code(1), expected: false, lived_ms: 10000 }
      bury #4
      ~ web/0 #4 Backoff { delay_ms: 84, failures: 2 }
    10084ms> woke
      spawn #6 in web/0 g1 of 3: web
    web: crash-loop 0/3 g1 (exit 1) [0:#6 g1 spawning]
    20000ms> serve #6
      ~ web/0 #6 WorkerSpawned
      ~ web/0 #6 WorkerReady { after_ms: 9916 }
    21000ms> woke
      ~ web Recovered
      spawn #7 in web/1 g1 of 3: web
      spawn #8 in web/2 g1 of 3: web
    web: starting 1/3 g1 (exit 1) [0:#6 g1 ready, 1:#7 g1 spawning, 2:#8 g1 spawning]
    ");
}

#[test]
fn it_gives_up_when_it_was_told_to() {
    assert_snapshot!(run(
        "
            service web give_up_after=2
            boot
            start web
            exited web/0 code=1
            exited web/0 code=1
            until 1s
            exited web/0 code=7
            view
            start web
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> start web
    0ms> exited web/0 code=1
      ~ web/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    0ms> exited web/0 code=1
      ~ web/0 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      ~ web/0 #2 Backoff { delay_ms: 94, failures: 2 }
      reply 1 failed: web.0 does not stay up: exit 1; it is tried again
    94ms> woke
      spawn #3 in web/0 g1 of 1: web
    1000ms> exited web/0 code=7
      ~ web/0 #3 WorkerExited { status: Code(7), expected: false, lived_ms: 906 }
      bury #3
      ~ web ServiceStopping
      ~ web ServiceFailed { reason: "gave up after 3 failures in a row; the last: exit 7" }
    web: failed 0/1 g1 (gave up after 3 failures in a row; the last: exit 7) []
    1000ms> start web
      ~ web ServiceStarting
      spawn #4 in web/0 g1 of 1: web
    "#);
}

#[test]
fn a_failure_that_a_retry_cannot_mend_fails_the_service() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            not-spawned web/0 permanent
            not-spawned web/1 permanent
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 2: web
      spawn #2 in web/1 g1 of 2: web
    0ms> not-spawned web/0 permanent
      ~ web/0 #1 SpawnFailed { failure: SpawnFailure { stage: "program", errno: 2, detail: "no such file", permanent: true } }
    0ms> not-spawned web/1 permanent
      ~ web/1 #2 SpawnFailed { failure: SpawnFailure { stage: "program", errno: 2, detail: "no such file", permanent: true } }
      ~ web ServiceStopping
      ~ web ServiceFailed { reason: "program: no such file" }
    web: failed 0/2 g1 (program: no such file) []
    "#);
}

#[test]
fn a_passing_failure_to_spawn_is_retried() {
    assert_snapshot!(run(
        "
            service web
            boot
            not-spawned web/0 passing
            setup-failed web/0 passing
            exited web/0 code=127
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> not-spawned web/0 passing
      ~ web/0 #1 SpawnFailed { failure: SpawnFailure { stage: "program", errno: 2, detail: "no such file", permanent: false } }
      spawn #2 in web/0 g1 of 1: web
    0ms> setup-failed web/0 passing
      ~ web/0 #2 SpawnFailed { failure: SpawnFailure { stage: "program", errno: 2, detail: "no such file", permanent: false } }
    0ms> exited web/0 code=127
      bury #2
      ~ web/0 #2 Backoff { delay_ms: 94, failures: 2 }
    web: starting 0/1 g1 (program: no such file) []
    "#);
}

#[test]
fn a_crash_of_one_among_many_is_no_crash_loop() {
    assert_snapshot!(run(
        "
            service web workers=2 crash_loop_after=2
            boot
            serve all
            until 2s
            exited web/1 code=1
            exited web/1 code=1
            until 3s
            exited web/1 code=1
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
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
    2000ms> exited web/1 code=1
      ~ web/1 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 2000 }
      bury #2
      spawn #3 in web/1 g1 of 2: web
    2000ms> exited web/1 code=1
      ~ web/1 #3 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #3
      ~ web/1 #3 Backoff { delay_ms: 94, failures: 2 }
    2094ms> woke
      spawn #4 in web/1 g1 of 2: web
    3000ms> exited web/1 code=1
      ~ web/1 #4 WorkerExited { status: Code(1), expected: false, lived_ms: 906 }
      bury #4
      ~ web/1 #4 Backoff { delay_ms: 135, failures: 3 }
    web: degraded 1/2 g1 (exit 1) [0:#1 g1 ready]
    ");
}

#[test]
fn a_worker_that_should_run_and_exits_well_again_and_again_tells_so() {
    assert_snapshot!(run(
        "
            service web
            boot
            exited web/0 code=0
            exited web/0 code=0
            view
        "
    ), @"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: false, lived_ms: 0 }
      bury #1
      spawn #2 in web/0 g1 of 1: web
    0ms> exited web/0 code=0
      ~ web/0 #2 WorkerExited { status: Code(0), expected: false, lived_ms: 0 }
      bury #2
      ~ web/0 #2 Backoff { delay_ms: 94, failures: 2 }
    web: starting 0/1 g1 (exit 0) []
    ");
}
