//! The end of everything.

use insta::assert_snapshot;

use super::run;

#[test]
fn all_is_stopped_then_the_arbiter_ends() {
    assert_snapshot!(run(
        "
            service web workers=2
            service job schedule=skip
            service lazy on_demand=5s
            boot
            serve all
            shutdown
            start web
            exited web/0 code=0
            exited web/1 code=0
            shutdown
        "
    ), @r#"
    0ms> boot
      arm job
      watch lazy
      ~ lazy Idle
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
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      disarm job
      ~ job ServiceStopped
      unwatch lazy
      ~ lazy ServiceStopped
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
      ~ web/1 #2 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #2
    0ms> start web
      reply 2 refused: the arbiter is stopping
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
    0ms> exited web/1 code=0
      ~ web/1 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ServiceStopped
      reply 1 done: everything is stopped
      exit 0
    0ms> shutdown
      reply 3 done: everything is stopped
    "#);
}

#[test]
fn open_requests_are_answered_at_the_end() {
    assert_snapshot!(run(
        "
            service web
            boot
            start web
            shutdown
            exited web/0 code=0
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> start web
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      ~ web ServiceStopping
      ~ web/0 #1 WorkerKilling { reason: "shutdown" }
      kill #1
    0ms> exited web/0 code=0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ web ServiceStopped
      reply 1 failed: web was stopped meanwhile
      reply 2 done: everything is stopped
      exit 0
    "#);
}

#[test]
fn the_arbiter_ends_with_a_service_and_its_code() {
    assert_snapshot!(run(
        "
            exit_with job
            service job oneshot restart=never
            service web
            boot
            serve all
            exited job/0 code=7
            exited web/0 code=0
        "
    ), @r#"
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
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> exited job/0 code=7
      ~ job/0 #1 WorkerExited { status: Code(7), expected: false, lived_ms: 0 }
      bury #1
      ~ instance InstanceStopping { reason: "job has ended" }
      ~ web ServiceStopping
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #2
      ~ job ServiceFailed { reason: "exit 7" }
    0ms> exited web/0 code=0
      ~ web/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ServiceStopped
      exit 7
    "#);
}

#[test]
fn the_arbiter_ends_well_with_a_service_that_is_done() {
    assert_snapshot!(run(
        "
            exit_with job
            service job oneshot
            boot
            serve all
            exited job/0 code=0
        "
    ), @r#"
    0ms> boot
      ~ job ServiceStarting
      spawn #1 in job/0 g1 of 1: job
    0ms> serve #1
      ~ job/0 #1 WorkerSpawned
      ~ job/0 #1 WorkerReady { after_ms: 0 }
      ~ job ServiceRunning
    0ms> exited job/0 code=0
      ~ job/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ instance InstanceStopping { reason: "job has ended" }
      ~ job ServiceDone
      exit 0
    "#);
}

#[test]
fn a_second_kill_does_not_wait_for_hooks_and_a_third_not_for_the_stuck() {
    assert_snapshot!(run(
        "
            service web before_stop=ignore before_reap=ignore
            service zoo
            boot
            serve all
            shutdown
            kill-all
            exited web/0 signal=KILL
            kill-all
            kill-all
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
      ~ zoo ServiceStarting
      spawn #2 in zoo/0 g1 of 1: zoo
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> serve #2
      ~ zoo/0 #2 WorkerSpawned
      ~ zoo/0 #2 WorkerReady { after_ms: 0 }
      ~ zoo ServiceRunning
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      hook 1 before_stop web
      ~ zoo ServiceStopping
      ~ zoo/0 #2 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #2
    0ms> kill-all
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
      ~ web/0 #1 WorkerKilling { reason: "shutdown" }
      kill #1
      ~ zoo/0 #2 WorkerKilling { reason: "shutdown" }
      kill #2
    0ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 0 }
      hook 2 before_reap #1
    0ms> kill-all
      bury #1
      ~ web ServiceStopped
    0ms> kill-all
      ~ instance Trouble { message: "leaving without the workers that cannot be killed: pid 102" }
      reply 1 done: everything is stopped
      exit 0
    web: stopped 0/1 g1 []
    zoo: stopping 0/1 g1 [0:#2 g1 killing]
    "#);
}

#[test]
fn a_stop_that_takes_too_long_ends_with_a_kill() {
    assert_snapshot!(run(
        "
            service web stop_timeout=100s before_stop=ignore
            boot
            serve all
            shutdown
            until 105s
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
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      hook 1 before_stop web
    1000ms> woke
    10000ms> woke
    105000ms> woke
      ~ web ServiceStopping
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
      ~ web/0 #1 WorkerKilling { reason: "shutdown" }
      kill #1
    105000ms> exited web/0 signal=KILL
      ~ web/0 #1 WorkerExited { status: Signal { signal: Signal(9), core: false }, expected: true, lived_ms: 105000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: everything is stopped
      exit 0
    "#);
}

#[test]
fn a_waiting_service_does_not_start_while_all_stops() {
    assert_snapshot!(run(
        "
            service api after=db
            service db
            boot
            shutdown
            exited db/0 code=0
            view
        "
    ), @r#"
    0ms> boot
      ~ api ServiceWaiting { after: [ServiceName("db")] }
      ~ db ServiceStarting
      spawn #1 in db/0 g1 of 1: db
    0ms> shutdown
      ~ instance InstanceStopping { reason: "request" }
      ~ api ServiceStopped
      ~ db ServiceStopping
      ~ db/0 #1 WorkerKilling { reason: "shutdown" }
      kill #1
    0ms> exited db/0 code=0
      ~ db/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ db ServiceStopped
      reply 1 done: everything is stopped
      exit 0
    api: stopped 0/1 g1 []
    db: stopped 0/1 g1 []
    "#);
}

#[test]
fn who_comes_to_a_gateway_is_refused_when_everything_ends_and_never_before() {
    let told = |script: &str| {
        let printed = run(&format!("service edge is_gateway\nservice web\nboot\nserve all\n{script}"));
        let refusals: Vec<String> =
            printed.lines().filter(|line| line.contains("refuse who")).map(str::to_owned).collect();
        let place = |what: &str| printed.lines().position(|line| line.contains(what));
        assert!(place("refuse who").is_none_or(|refused| place("signal TERM") < Some(refused)), "{printed}");
        refusals.into_iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    for script in ["reload edge", "stop edge", "restart edge", "hold edge 30s"] {
        assert!(told(&format!("{script}\nuntil 5s")).is_empty(), "{script}");
    }
    assert_eq!(told("shutdown").len(), 1);
    assert!(told("shutdown")[0].ends_with("refuse who comes to edge"));
}
