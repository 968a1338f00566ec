//! Services as an operator moves them: started, stopped, scaled, restarted, one after another.

use remuda_model::view::ServicePhase;
use remuda_model::{EventKind, Reply};

use crate::harness::load::Load;
use crate::harness::{Instance, Setup};

const SLEEPERS: &str = "[service.web]\ncommand = \"sleep 600\"\nworkers = 3\n";
const SERVERS: &str = r#"
    [socket.web]
    listen = "127.0.0.1:0"
    [service.web]
    command = "python3 @WORKERS@/notify_worker.py"
    sockets = ["web"]
    workers = 2
    ready = "notify"
"#;

#[test]
fn a_task_is_done_before_the_service_after_it_starts() {
    let setup = Setup::new(
        "[service.migrate]\ncommand = [\"sh\", \"-c\", \"read _ < gate; echo migrated\"]\noneshot = true\n\
         [service.web]\ncommand = \"sleep 600\"\nafter = [\"migrate\"]\n",
    );
    setup.gate("gate");
    let instance = setup.up();
    let waiting = instance.wait_phase("web", ServicePhase::Waiting);
    assert!(waiting.workers.is_empty());
    assert!(waiting.reason.is_some_and(|reason| reason.contains("migrate")));
    let _gate = instance.open_gate("gate");
    instance.wait_phase("migrate", ServicePhase::Done);
    instance.wait_phase("web", ServicePhase::Running);
    let events = instance.events();
    let place = |wanted: &str, kind: &EventKind| {
        events.iter().position(|record| {
            record.event.kind == *kind
                && record.event.service.as_ref().is_some_and(|name| name.as_str() == wanted)
        })
    };
    let (done, spawned) =
        (place("migrate", &EventKind::ServiceDone), place("web", &EventKind::WorkerSpawned));
    assert!(done.unwrap() < spawned.unwrap());
    instance.end();
}

#[test]
fn a_task_that_fails_keeps_the_service_after_it_waiting() {
    let instance = Setup::new(
        "[service.migrate]\ncommand = \"false\"\noneshot = true\nrestart = \"never\"\n\
         [service.web]\ncommand = \"sleep 600\"\nafter = [\"migrate\"]\n",
    )
    .up();
    instance.wait_phase("migrate", ServicePhase::Failed);
    let waiting = instance.service("web");
    assert_eq!((waiting.phase, waiting.workers.len()), (ServicePhase::Waiting, 0));
    instance.end();
}

#[test]
fn scaling_keeps_the_workers_that_stay() {
    let instance = Instance::up(SLEEPERS);
    let three = instance.pids("web");
    instance.remuda(&["scale", "web=5"]).done();
    let five = instance.pids("web");
    assert_eq!((five.len(), &five[..3]), (5, &three[..]));
    instance.remuda(&["scale", "web=-3"]).done();
    assert_eq!(instance.pids("web"), five[..2]);
    instance.remuda(&["scale", "web=+1"]).done();
    assert_eq!(instance.pids("web")[..2], five[..2]);
    instance.remuda(&["scale", "web=0"]).done();
    assert!(instance.pids("web").is_empty());
    instance.remuda(&["scale", "web=2"]).done();
    assert_eq!(instance.pids("web").len(), 2);
    instance.remuda(&["scale", "web=20000"]).exits(4);
    assert_eq!(instance.pids("web").len(), 2);
    instance.end();
}

#[test]
fn scaling_under_load_loses_no_request() {
    let instance = Instance::up(SERVERS);
    let load = Load::start(&instance.address("web"));
    for scaling in ["web=4", "web=1", "web=3"] {
        instance.remuda(&["scale", scaling]).done();
    }
    load.finish().none_failed();
    instance.end();
}

#[test]
fn one_slot_is_restarted_or_reloaded_and_the_others_are_not_touched() {
    let instance = Instance::up(SLEEPERS);
    let before = instance.pids("web");
    instance.remuda(&["restart", "web.1"]).done();
    let restarted = instance.pids("web");
    assert_eq!((restarted[0], restarted[2]), (before[0], before[2]));
    assert_ne!(restarted[1], before[1]);
    instance.remuda(&["reload", "web.2"]).done();
    let reloaded = instance.pids("web");
    assert_eq!(reloaded[..2], restarted[..2]);
    assert_ne!(reloaded[2], restarted[2]);
    let said = instance.remuda(&["restart", "web.7"]).exits(4);
    assert!(said.err.contains("no slot 7"), "{}", said.err);
    instance.end();
}

#[test]
fn a_restart_stops_before_it_starts_and_connections_wait_meanwhile() {
    let instance = Instance::up(SERVERS);
    let before = instance.pids("web");
    let load = Load::start(&instance.address("web"));
    instance.remuda(&["restart", "web"]).done();
    load.finish().none_failed();
    let after = instance.pids("web");
    assert!(before.iter().all(|pid| !after.contains(pid)), "{before:?} {after:?}");
    instance.end();
}

#[test]
fn a_singleton_never_has_two_workers() {
    let instance = Instance::up("[service.web]\ncommand = \"sleep 600\"\nsingleton = true\n");
    let first = instance.pids("web");
    let seen = instance.last_event();
    instance.remuda(&["reload", "web"]).done();
    assert_ne!(instance.pids("web"), first);
    let events = instance.events();
    let after = |wanted: fn(&EventKind) -> bool| {
        events.iter().find(|record| record.seq > seen && wanted(&record.event.kind)).unwrap().seq
    };
    let exited = after(|kind| matches!(kind, EventKind::WorkerExited { .. }));
    assert!(exited < after(|kind| *kind == EventKind::WorkerSpawned));
    instance.remuda(&["scale", "web=2"]).exits(4);
    instance.end();
}

#[test]
fn a_stopped_service_stays_stopped_when_the_config_is_applied() {
    let instance = Instance::up(SLEEPERS);
    instance.remuda(&["stop", "web"]).done();
    assert!(instance.pids("web").is_empty());
    instance.remuda(&["stop", "web"]).done();
    instance.configure(&format!("{SLEEPERS}[service.other]\ncommand = \"sleep 600\"\n"));
    instance.remuda(&["apply"]).done();
    instance.wait_phase("other", ServicePhase::Running);
    let web = instance.service("web");
    assert_eq!((web.phase, web.wanted, web.workers.len()), (ServicePhase::Stopped, false, 0));
    instance.remuda(&["reload", "web"]).exits(4);
    instance.remuda(&["start", "web"]).done();
    assert_eq!(instance.pids("web").len(), 3);
    instance.end();
}

#[test]
fn a_service_without_autostart_waits_to_be_started() {
    let instance = Instance::up(&format!("{SLEEPERS}autostart = false\n"));
    assert_eq!(instance.service("web").phase, ServicePhase::Stopped);
    instance.remuda(&["start", "--all"]).done();
    assert_eq!(instance.service("web").workers_ready, 3);
    instance.end();
}

#[test]
fn answers_come_as_json_and_at_once_when_asked() {
    let instance = Instance::up(SLEEPERS);
    let reply: Reply = instance.remuda(&["restart", "web", "--json"]).done().json();
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    let seen = instance.last_event();
    instance.remuda(&["reload", "web", "--no-wait"]).done();
    instance.wait_event_after(seen, "the reload", |event| matches!(event.kind, EventKind::ReloadDone { .. }));
    let said = instance.remuda(&["stop", "wep"]).exits(4);
    assert!(said.err.contains("did you mean web"), "{}", said.err);
    instance.end();
}
