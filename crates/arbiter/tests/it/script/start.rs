//! Starting: order, priority, dependencies.

use insta::assert_snapshot;

use super::run;

#[test]
fn services_start_by_priority_then_by_name() {
    assert_snapshot!(run(
        "
            service web
            service api
            service db priority=1
            boot
        "
    ), @"
    0ms> boot
      ~ db ServiceStarting
      spawn #1 in db/0 g1 of 1: db
      ~ api ServiceStarting
      spawn #2 in api/0 g1 of 1: api
      ~ web ServiceStarting
      spawn #3 in web/0 g1 of 1: web
    ");
}

#[test]
fn a_service_waits_for_those_it_comes_after_whatever_their_names() {
    assert_snapshot!(run(
        "
            service api after=web
            service web workers=2
            boot
            serve web/0
            view
            serve web/1
        "
    ), @r#"
    0ms> boot
      ~ api ServiceWaiting { after: [ServiceName("web")] }
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 2: web
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
    api: waiting 0/1 g1 (after web) []
    web: starting 1/2 g1 [0:#1 g1 ready, 1:#2 g1 spawning]
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      ~ api ServiceStarting
      spawn #3 in api/0 g1 of 1: api
    "#);
}

#[test]
fn a_oneshot_dependency_is_waited_for_until_it_is_done() {
    assert_snapshot!(run(
        "
            service migrate oneshot
            service api after=migrate
            boot
            serve migrate/0
            view
            at 20ms exited migrate/0 code=0
        "
    ), @r#"
    0ms> boot
      ~ api ServiceWaiting { after: [ServiceName("migrate")] }
      ~ migrate ServiceStarting
      spawn #1 in migrate/0 g1 of 1: migrate
    0ms> serve #1
      ~ migrate/0 #1 WorkerSpawned
      ~ migrate/0 #1 WorkerReady { after_ms: 0 }
      ~ migrate ServiceRunning
    api: waiting 0/1 g1 (after migrate) []
    migrate: running 1/1 g1 [0:#1 g1 ready]
    20ms> exited migrate/0 code=0
      ~ migrate/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 20 }
      bury #1
      ~ migrate ServiceDone
      ~ api ServiceStarting
      spawn #2 in api/0 g1 of 1: api
    "#);
}

#[test]
fn who_comes_after_a_failed_service_waits() {
    assert_snapshot!(run(
        "
            service migrate oneshot restart=never
            service api after=migrate
            boot
            serve migrate/0
            exited migrate/0 code=1
            view
            stop migrate
            view
        "
    ), @r#"
    0ms> boot
      ~ api ServiceWaiting { after: [ServiceName("migrate")] }
      ~ migrate ServiceStarting
      spawn #1 in migrate/0 g1 of 1: migrate
    0ms> serve #1
      ~ migrate/0 #1 WorkerSpawned
      ~ migrate/0 #1 WorkerReady { after_ms: 0 }
      ~ migrate ServiceRunning
    0ms> exited migrate/0 code=1
      ~ migrate/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      ~ migrate ServiceFailed { reason: "exit 1" }
    api: waiting 0/1 g1 (after migrate) []
    migrate: failed 0/1 g1 (exit 1) []
    0ms> stop migrate
      ~ migrate ServiceStopped
      ~ api ServiceStarting
      spawn #2 in api/0 g1 of 1: api
      reply 1 done: migrate is stopped
    api: starting 0/1 g1 [0:#2 g1 spawning]
    migrate: stopped 0/1 g1 []
    "#);
}

#[test]
fn who_comes_after_a_stopped_service_does_not_wait() {
    assert_snapshot!(run(
        "
            service db manual
            service api after=db
            boot
        "
    ), @"
    0ms> boot
      ~ api ServiceStarting
      spawn #1 in api/0 g1 of 1: api
    ");
}

#[test]
fn a_request_starts_several_in_their_order() {
    assert_snapshot!(run(
        "
            service api manual after=web
            service web manual
            boot
            start api web
            serve web/0
            serve api/0
        "
    ), @r#"
    0ms> boot
    0ms> start api web
      ~ api ServiceWaiting { after: [ServiceName("web")] }
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      ~ api ServiceStarting
      spawn #2 in api/0 g1 of 1: api
    0ms> serve #2
      ~ api/0 #2 WorkerSpawned
      ~ api/0 #2 WorkerReady { after_ms: 0 }
      ~ api ServiceRunning
      reply 1 done: web runs with 1 worker; api runs with 1 worker
    "#);
}

#[test]
fn nobody_is_started_who_is_not_wanted() {
    assert_snapshot!(run(
        "
            service web manual
            boot
            view
            start web
            serve web/0
        "
    ), @"
    0ms> boot
    web: stopped 0/1 g1 []
    0ms> start web
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 1 worker
    ");
}
