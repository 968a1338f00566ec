//! The arbiter is killed in the middle of something, which goes on to its end.

use std::time::Duration;

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;

use crate::harness::load::Load;
use crate::harness::{Instance, Setup, process};

/// Workers that wait at a gate before they serve, as long as the file `slow` is there.
fn gated() -> Setup {
    let setup = Setup::new(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
         [service.web]\ncommand = \"./run\"\nsockets = [\"web\"]\nworkers = 3\nready = \"notify\"\n",
    );
    setup.program(
        "run",
        "#!/bin/sh\nif test -e slow; then echo waits; read _ < gate; fi\nexec python3 @WORKERS@/notify_worker.py\n",
    );
    setup.gate("gate");
    setup
}

#[test]
fn a_reload_goes_on_to_its_end() {
    let mut instance = gated().up();
    instance.settled();
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    instance.write("slow", "");
    instance.remuda(&["reload", "web", "--no-wait"]).done();
    instance.wait_line("waits");
    instance.kill_arbiter();
    instance.again();
    assert_eq!(instance.service("web").phase, ServicePhase::Reloading);
    std::fs::remove_file(instance.dir().join("slow")).unwrap();
    let _gate = instance.open_gate("gate");
    instance.wait_event("the end of the reload", |event| matches!(event.kind, EventKind::ReloadDone { .. }));
    let service = instance.wait_phase("web", ServicePhase::Running);
    assert!(service.workers.iter().all(|worker| worker.generation == 2), "{service:?}");
    assert!(instance.pids("web").iter().all(|pid| !pids.contains(pid)));
    load.finish().none_failed();
    instance.end();
}

#[test]
fn a_replacement_that_dies_while_nobody_is_there_fails_the_reload_and_the_old_workers_go_on() {
    let mut instance = gated().up();
    instance.settled();
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    instance.write("slow", "");
    instance.remuda(&["reload", "web", "--no-wait"]).done();
    let replacement = instance.wait_line("waits").pid;
    instance.kill_arbiter();
    instance.kill(replacement);
    instance.again();
    instance.wait_event("the reload's failure", |event| matches!(event.kind, EventKind::ReloadFailed { .. }));
    instance.wait_phase("web", ServicePhase::Running);
    assert_eq!(instance.pids("web"), pids);
    load.finish().none_failed();
    instance.end();
}

#[test]
fn a_stop_goes_on_to_its_end() {
    let setup = Setup::new(
        "[service.web]\ncommand = \"sh worker\"\nready = \"log:begun\"\nworkers = 2\nstop = { timeout = \"20s\" }\n",
    );
    setup.write("worker", "trap 'echo leaves; read _ < gate; exit 0' TERM\necho begun\nsleep 600 & wait\n");
    setup.gate("gate");
    let mut instance = setup.up();
    instance.settled();
    let pids = instance.pids("web");
    instance.remuda(&["stop", "web", "--no-wait"]).done();
    instance.transcript.wait("both to be told", |written| {
        (written.lines.iter().filter(|line| line.text == "leaves").count() == 2).then_some(())
    });
    instance.kill_arbiter();
    assert!(pids.iter().all(|pid| process::is_alive(*pid)));
    instance.again();
    assert_eq!(instance.service("web").phase, ServicePhase::Stopping);
    let _gates = [instance.open_gate("gate"), instance.open_gate("gate")];
    instance.wait_phase("web", ServicePhase::Stopped);
    let killed = |kind: &EventKind| matches!(kind, EventKind::WorkerKilling { .. });
    assert!(!instance.events().iter().any(|record| killed(&record.event.kind)), "each had its time");
    assert!(instance.pids("web").is_empty());
    instance.end();
}

#[test]
fn a_stop_ends_whoever_does_not_obey_in_the_time_that_it_had_before() {
    let mut instance = Instance::up(
        "[service.web]\ncommand = [\"sh\", \"-c\", \"trap : TERM; echo begun; while :; do sleep 600; done\"]\n\
         ready = \"log:begun\"\nstop = { timeout = \"1s\" }\n",
    );
    instance.remuda(&["stop", "web", "--no-wait"]).done();
    instance.wait_event("the signal", |event| matches!(event.kind, EventKind::WorkerStopping { .. }));
    instance.kill_arbiter();
    instance.again();
    instance.wait_phase("web", ServicePhase::Stopped);
    let killed = |kind: &EventKind| matches!(kind, EventKind::WorkerKilling { .. });
    assert_eq!(instance.events().iter().filter(|record| killed(&record.event.kind)).count(), 1);
    instance.end();
}

#[test]
fn a_config_that_was_being_applied_goes_on_to_be_in_force_and_is_applied_once() {
    let setup = gated();
    let config = std::fs::read_to_string(setup.config()).unwrap();
    let mut instance = setup.up();
    instance.settled();
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    instance.write("slow", "");
    std::fs::write(instance.config(), format!("{config}[service.web.env]\nCOLOUR = \"blue\"\n")).unwrap();
    instance.remuda(&["apply", "--no-wait"]).done();
    instance.wait_line("waits");
    instance.kill_arbiter();
    instance.again();
    std::fs::remove_file(instance.dir().join("slow")).unwrap();
    let _gate = instance.open_gate("gate");
    instance.wait_status("the new workers", |view| {
        let service = &view.services[0];
        let old = service.workers.iter().filter_map(|worker| worker.pid).any(|pid| pids.contains(&pid));
        service.phase == ServicePhase::Running && service.workers_ready == 3 && !old
    });
    for pid in instance.pids("web") {
        assert_eq!(process::environment(pid).get("COLOUR").map(String::as_str), Some("blue"));
    }
    let said = instance.remuda(&["apply", "--dry-run"]).done();
    assert_eq!(said.out, "nothing would change\n");
    let applied = |kind: &EventKind| matches!(kind, EventKind::ConfigApplied { .. });
    assert!(!instance.events().iter().any(|record| applied(&record.event.kind)), "not a second time");
    load.finish().none_failed();
    instance.end();
}

#[test]
fn a_hook_that_was_running_is_run_again_and_the_start_goes_on() {
    let setup = Setup::new(
        "[service.web]\ncommand = \"sleep 600\"\n[service.web.hooks]\nbefore_start = \"sh hook\"\n\
         [service.other]\ncommand = \"sleep 600\"\n",
    );
    setup.write("hook", "echo hooked; read _ < gate\n");
    setup.gate("gate");
    let mut instance = setup.up();
    instance.wait_line("hooked");
    instance.kill_arbiter();
    instance.again();
    instance.wait_phase("other", ServicePhase::Running);
    // One line for each that may still be there.
    let _gates = [instance.open_gate("gate"), instance.open_gate("gate")];
    instance.wait_phase("web", ServicePhase::Running);
    assert_eq!(instance.pids("web").len(), 1);
    instance.end();
}

#[test]
fn two_crashes_in_a_row_are_as_one() {
    let mut instance = gated().up();
    instance.settled();
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    instance.kill_arbiter();
    instance.again();
    instance.kill_arbiter();
    instance.again();
    assert_eq!(instance.pids("web"), pids);
    load.finish().none_failed();
    instance.end();
}

#[test]
fn an_arbiter_that_is_killed_while_it_takes_over_leaves_all_to_the_next_one() {
    for mode in ["shared", "per-worker"] {
        let setup = gated();
        let config = std::fs::read_to_string(setup.config()).unwrap();
        std::fs::write(setup.config(), config.replace("listen", &format!("mode = \"{mode}\"\nlisten")))
            .unwrap();
        let mut instance = setup.up();
        instance.settled();
        let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
        instance.kill_arbiter();
        for turn in 0..15 {
            instance.begin_again();
            // Each time at another moment of its beginning; a test that comes to no harm at any is not slower for it.
            std::thread::sleep(Duration::from_millis(4 * turn));
            instance.kill_arbiter();
        }
        instance.again();
        assert_eq!(instance.pids("web"), pids, "{mode}");
        load.finish().none_failed();
        instance.remuda(&["reload", "web"]).done();
        instance.end();
    }
}

#[test]
fn an_arbiter_that_is_killed_in_an_upgrade_leaves_all_to_the_next_one() {
    let mut instance = gated().up();
    instance.settled();
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    for turn in 0..15 {
        let mut upgrade = instance.command(&["upgrade"]);
        let mut upgrade =
            upgrade.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        // Each time at another moment of it.
        std::thread::sleep(Duration::from_millis(4 * turn));
        instance.kill_arbiter();
        upgrade.kill().unwrap();
        upgrade.wait().unwrap();
        instance.again();
        assert_eq!(instance.pids("web"), pids, "after turn {turn}");
    }
    load.finish().none_failed();
    instance.remuda(&["reload", "web"]).done();
    instance.end();
}
