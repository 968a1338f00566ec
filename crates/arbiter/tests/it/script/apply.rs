//! A changed config.

use insta::assert_snapshot;

use super::run;

#[test]
fn the_same_config_orders_nothing() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            apply
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
    0ms> apply
      ~ instance ConfigApplied { changes: [] }
      reply 1 done:
    ");
}

#[test]
fn another_number_of_workers_keeps_those_that_stay() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            service web workers=2
            apply
            serve web/1
            service web workers=1
            apply
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: workers 1 -> 2"] }
      ~ web Scaled { from: 1, to: 2, reason: Some("config") }
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: ~ service web: workers 1 -> 2; web runs with 2 workers
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: workers 2 -> 1"] }
      ~ web Scaled { from: 2, to: 1, reason: Some("config") }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
      ~ web ServiceRunning
    0ms> exited web/1 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      reply 2 done: ~ service web: workers 2 -> 1; web runs with 1 worker
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn a_new_service_starts_and_a_removed_one_goes() {
    assert_snapshot!(run(
        "
            service web
            service zoo after=web
            boot
            serve web/0
            serve zoo/0
            remove zoo
            service api after=db
            service db
            apply
            exited zoo/0 code=0
            serve db/0
            serve api/0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
      ~ zoo ServiceWaiting { after: [ServiceName("web")] }
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      ~ zoo ServiceStarting
      spawn #2 in zoo/0 g1 of 1: zoo
    0ms> serve #2
      ~ zoo/0 #2 WorkerSpawned
      ~ zoo/0 #2 WorkerReady { after_ms: 0 }
      ~ zoo ServiceRunning
    0ms> apply
      ~ instance ConfigApplied { changes: ["+ service api", "+ service db", "- service zoo"] }
      ~ zoo ServiceStopping
      ~ zoo/0 #2 WorkerStopping { signal: Signal(15), reason: "removed from the config" }
      signal TERM #2
      ~ api ServiceWaiting { after: [ServiceName("db")] }
      ~ db ServiceStarting
      spawn #3 in db/0 g1 of 1: db
    0ms> exited zoo/0 code=0
      ~ zoo/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ zoo ServiceStopped
      forget zoo
    0ms> serve #3
      ~ db/0 #3 WorkerSpawned
      ~ db/0 #3 WorkerReady { after_ms: 0 }
      ~ db ServiceRunning
      ~ api ServiceStarting
      spawn #4 in api/0 g1 of 1: api
    0ms> serve #4
      ~ api/0 #4 WorkerSpawned
      ~ api/0 #4 WorkerReady { after_ms: 0 }
      ~ api ServiceRunning
      reply 1 done: + service api; + service db; - service zoo; zoo is removed; db runs with 1 worker; api runs with 1 worker
    "#);
}

#[test]
fn a_removed_service_that_comes_back_while_it_goes_starts_anew() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            remove web
            apply
            service web workers=2 command=new
            apply
            exited web/0 code=0
            serve all
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> apply
      ~ instance ConfigApplied { changes: ["- service web"] }
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "removed from the config" }
      signal TERM #1
    0ms> apply
      ~ instance ConfigApplied { changes: ["+ service web"] }
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 2: new
      spawn #3 in web/1 g1 of 2: new
      reply 1 failed: - service web; web was started meanwhile
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/1 #3 WorkerSpawned
      ~ web/1 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 2 done: + service web; web runs with 2 workers
    "#);
}

#[test]
fn a_changed_command_is_rolled_out() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            service web command=new
            apply
            serve web/0
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: new
    0ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 2 }
      spawn #4 in web/1 g2 of 2: new
    0ms> serve #4
      ~ web/1 #4 WorkerSpawned
      ~ web/1 #4 WorkerReady { after_ms: 0 }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #2
    0ms> exited #2 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ReloadProgress { done: 2, total: 2 }
      ~ web ReloadDone { workers: 2 }
      reply 1 done: ~ service web: command (replaced without a gap); web is reloaded: 2 workers replaced, generation 2
    web: running 2/2 g2 [0:#3 g2 ready, 1:#4 g2 ready]
    "#);
}

#[test]
fn a_changed_command_that_does_not_come_up_leaves_all_as_it_was() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            service web command=new
            apply
            exited web/0 code=1
            view
            exited web/1 code=1
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: new
    0ms> exited web/0 code=1
      ~ web/0 #3 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #3
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 1", done: 0, total: 2, rolled_back: true }
      reply 1 failed: ~ service web: command (replaced without a gap); web is not reloaded: the replacement in slot 0 did not come up: exit 1; the old workers go on
    web: running 2/2 g1 [0:#1 g1 ready, 1:#2 g1 ready]
    0ms> exited web/1 code=1
      ~ web/1 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      spawn #4 in web/1 g1 of 2: web
    "#);
}

#[test]
fn a_failure_in_the_middle_rolls_back_what_was_replaced() {
    assert_snapshot!(run(
        "
            service web workers=3
            boot
            serve all
            service web command=new
            apply
            serve web/0
            exited #1 code=0
            exited web/1 code=1
            serve web/0
            exited #4 code=0
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 3 }
      spawn #4 in web/0 g2 of 3: new
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 3 }
      spawn #5 in web/1 g2 of 3: new
    0ms> exited web/1 code=1
      ~ web/1 #5 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #5
      ~ web ReloadFailed { reason: "the replacement in slot 1 did not come up: exit 1", done: 1, total: 3, rolled_back: true }
      reply 1 failed: ~ service web: command (replaced without a gap); web is not reloaded: the replacement in slot 1 did not come up: exit 1; 1 of 3 had been replaced and go back to what they were
      ~ web ReloadStarted { workers: 1 }
      spawn #6 in web/0 g3 of 3: web
    0ms> serve #6
      ~ web/0 #6 WorkerSpawned
      ~ web/0 #6 WorkerReady { after_ms: 0 }
      ~ web/0 #4 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #4
    0ms> exited #4 code=0
      ~ web/0 #4 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #4
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
    web: running 3/3 g3 [0:#6 g3 ready, 1:#2 g1 ready, 2:#3 g1 ready]
    "#);
}

#[test]
fn workers_added_with_a_changed_command_go_back_with_it() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            service web command=new workers=3
            apply
            serve web/1
            serve web/2
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command, workers (replaced without a gap)"] }
      ~ web Scaled { from: 1, to: 3, reason: Some("config") }
      spawn #2 in web/1 g1 of 3: web
      spawn #3 in web/2 g1 of 3: web
      ~ web ReloadStarted { workers: 3 }
      spawn #4 in web/0 g2 of 3: new
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
    0ms> serve #3
      ~ web/2 #3 WorkerSpawned
      ~ web/2 #3 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> exited web/0 code=1
      ~ web/0 #4 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #4
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 1", done: 0, total: 3, rolled_back: true }
      reply 1 failed: ~ service web: command, workers (replaced without a gap); web is not reloaded: the replacement in slot 0 did not come up: exit 1; the old workers go on
    web: running 3/3 g1 [0:#1 g1 ready, 1:#2 g1 ready, 2:#3 g1 ready]
    "#);
}

#[test]
fn a_seat_that_falls_empty_before_its_turn_is_filled_as_it_was() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            service web command=new
            apply
            exited #2 code=1
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: new
    0ms> exited #2 code=1
      ~ web/1 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      spawn #4 in web/1 g1 of 2: web
    "#);
}

#[test]
fn a_newer_config_takes_over_the_way_back_of_one_under_way() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            service web command=second
            apply
            serve web/0
            exited #1 code=0
            service web command=third
            apply
            exited web/0 code=1
            view
            serve web/0
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: second
    0ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 2 }
      spawn #4 in web/1 g2 of 2: second
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web/1 #4 WorkerKilling { reason: "reload failed" }
      kill #4
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 1, total: 2, rolled_back: false }
      reply 1 failed: ~ service web: command (replaced without a gap); the reload of web is superseded by a newer one, 1 of 2 replaced
      ~ web ReloadStarted { workers: 2 }
      spawn #5 in web/0 g3 of 2: third
    0ms> exited web/0 code=1
      ~ web/0 #5 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #5
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 1", done: 0, total: 2, rolled_back: true }
      reply 2 failed: ~ service web: command (replaced without a gap); web is not reloaded: the replacement in slot 0 did not come up: exit 1; 1 of 2 had been replaced and go back to what they were
      ~ web ReloadStarted { workers: 1 }
      spawn #6 in web/0 g4 of 2: web
    web: reloading 2/2 g4 [0:#3 g2 ready, 0:#6 g4 spawning, 1:#2 g1 ready, 1:#4 g2 killing]
    0ms> serve #6
      ~ web/0 #6 WorkerSpawned
      ~ web/0 #6 WorkerReady { after_ms: 0 }
      ~ web/0 #3 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #3
    "#);
}

#[test]
fn a_reload_of_one_slot_finishes_a_config_under_way() {
    assert_snapshot!(run(
        "
            service web workers=2
            boot
            serve all
            service web command=new
            apply
            reload web.0
            serve web/0
            exited #3 signal=KILL
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 2 }
      spawn #3 in web/0 g2 of 2: new
    0ms> reload web.0
      ~ web/0 #3 WorkerKilling { reason: "reload failed" }
      kill #3
      ~ web ReloadFailed { reason: "superseded by a newer one", done: 0, total: 2, rolled_back: false }
      reply 1 failed: ~ service web: command (replaced without a gap); the reload of web is superseded by a newer one, 0 of 2 replaced
      ~ web ReloadStarted { workers: 2 }
      spawn #4 in web/0 g3 of 2: new
    0ms> serve #4
      ~ web/0 #4 WorkerSpawned
      ~ web/0 #4 WorkerReady { after_ms: 0 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited #3 signal=KILL
      ~ web/0 #3 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 0 }
      bury #3
    0ms> exited #1 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ReloadProgress { done: 1, total: 2 }
      spawn #5 in web/1 g3 of 2: new
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
fn what_takes_effect_without_workers_touches_none() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            service web stop_timeout=1s
            apply
            stop web
            until 1s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: stop (no worker is touched)"] }
      reply 1 done: ~ service web: stop (no worker is touched)
    0ms> stop web
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    "#);
}

#[test]
fn a_config_after_one_that_went_back_is_rolled_out_whole() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            service web command=new
            apply
            exited web/0 code=1
            service web stop_timeout=1s
            apply
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: command (replaced without a gap)"] }
      ~ web ReloadStarted { workers: 1 }
      spawn #2 in web/0 g2 of 1: new
    0ms> exited web/0 code=1
      ~ web/0 #2 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #2
      ~ web ReloadFailed { reason: "the replacement in slot 0 did not come up: exit 1", done: 0, total: 1, rolled_back: true }
      reply 1 failed: ~ service web: command (replaced without a gap); web is not reloaded: the replacement in slot 0 did not come up: exit 1; the old workers go on
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: stop (no worker is touched)"] }
      ~ web ReloadStarted { workers: 1 }
      spawn #3 in web/0 g2 of 1: new
    "#);
}

#[test]
fn who_need_not_wait_any_more_starts() {
    assert_snapshot!(run(
        "
            service api after=db
            service db
            boot
            remove api
            service api
            remove db
            apply
            view
        "
    ), @r#"
    0ms> boot
      ~ api ServiceWaiting { after: [ServiceName("db")] }
      ~ db ServiceStarting
      spawn #1 in db/0 g1 of 1: db
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service api: after (no worker is touched)", "- service db"] }
      ~ db ServiceStopping
      ~ db/0 #1 WorkerKilling { reason: "removed from the config" }
      kill #1
      ~ api ServiceStarting
      spawn #2 in api/0 g1 of 1: api
    api: starting 0/1 g1 [0:#2 g1 spawning]
    db: stopping 0/1 g1 [0:#1 g1 killing]
    "#);
}

#[test]
fn a_service_that_becomes_a_singleton_has_one_worker() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            scale web 2
            serve web/1
            service web singleton
            apply
            exited web/1 code=0
            exited web/0 code=0
            serve web/0
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
    0ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: singleton (replaced without a gap)"] }
      ~ web Scaled { from: 2, to: 1, reason: Some("config") }
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "scale" }
      signal TERM #2
      ~ web ReloadStarted { workers: 1 }
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "reload" }
      signal TERM #1
    0ms> exited web/1 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      spawn #3 in web/0 g2 of 1: web
    0ms> serve #3
      ~ web/0 #3 WorkerSpawned
      ~ web/0 #3 WorkerReady { after_ms: 0 }
      ~ web ReloadProgress { done: 1, total: 1 }
      ~ web ReloadDone { workers: 1 }
      reply 2 done: ~ service web: singleton (replaced without a gap); web is reloaded: 1 worker replaced, generation 2
      ~ web ServiceRunning
    web: running 1/1 g2 [0:#3 g2 ready]
    "#);
}

#[test]
fn a_service_that_gets_a_schedule_waits_for_its_time() {
    assert_snapshot!(run(
        "
            service web
            boot
            serve all
            service web schedule=skip
            apply
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
    0ms> apply
      ~ instance ConfigApplied { changes: ["~ service web: activation (replaced without a gap)"] }
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "restart" }
      signal TERM #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      arm web
      reply 1 done: ~ service web: activation (replaced without a gap); web waits for its time
    web: scheduled 0/1 g1 []
    "#);
}
