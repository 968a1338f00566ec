//! The arbiter is killed, and before the next one comes somebody changes something by hand.

use std::process::Stdio;

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;

use crate::harness::load::Load;
use crate::harness::{Instance, http, process};

use super::HELLO;

#[test]
fn a_config_that_was_changed_meanwhile_is_applied() {
    let mut instance = Instance::up(HELLO);
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    instance.kill_arbiter();
    instance.configure(&HELLO.replace("workers = 3", "workers = 5"));
    instance.again();
    instance.wait_event("the change", |event| matches!(event.kind, EventKind::ConfigApplied { .. }));
    instance.wait_status("five workers", |view| view.services[0].workers_ready == 5);
    assert_eq!(instance.pids("web")[..3], pids);
    instance.kill_arbiter();
    instance.configure(&format!("{HELLO}[service.web.env]\nCOLOUR = \"blue\"\n"));
    instance.again();
    instance.wait_status("three new workers", |view| {
        let service = &view.services[0];
        let old = service.workers.iter().filter_map(|worker| worker.pid).any(|pid| pids.contains(&pid));
        service.phase == ServicePhase::Running && service.workers.len() == 3 && !old
    });
    load.finish().none_failed();
    instance.end();
}

#[test]
fn a_config_that_was_broken_meanwhile_is_refused_and_the_workers_wait_for_a_better_one() {
    let mut instance = Instance::up(HELLO);
    let (pids, address) = (instance.pids("web"), instance.address("web"));
    let load = Load::start(&address);
    instance.kill_arbiter();
    instance.configure(&HELLO.replace("workers", "wrokers"));
    instance.begin_again();
    assert_eq!(instance.wait_end(), 2);
    assert!(instance.transcript.locked().other.iter().any(|line| line.contains("wrokers")));
    assert!(pids.iter().all(|pid| process::is_alive(*pid)));
    http::get(&address, "/").unwrap();
    instance.configure(HELLO);
    instance.again();
    assert_eq!(instance.pids("web"), pids);
    load.finish().none_failed();
    instance.end();
}

#[test]
fn a_process_that_was_started_by_hand_in_the_place_of_a_worker_is_left_alone() {
    let mut instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    instance.kill_arbiter();
    instance.kill(pids[1]);
    let mut by_hand = instance.marked("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap();
    instance.again();
    let service = instance.wait_status("three workers", |view| view.services[0].workers_ready == 3);
    let now: Vec<u32> = service.services[0].workers.iter().filter_map(|worker| worker.pid).collect();
    assert_eq!((now[0], now[2]), (pids[0], pids[2]));
    assert!(now[1] != pids[1] && now[1] != by_hand.id());
    assert!(by_hand.try_wait().unwrap().is_none(), "it still runs");
    by_hand.kill().unwrap();
    by_hand.wait().unwrap();
    instance.end();
}

#[test]
fn a_runtime_folder_that_was_deleted_before_or_after_is_made_anew() {
    for before in [true, false] {
        let mut instance = Instance::up(HELLO);
        let pids = instance.pids("web");
        let load = Load::start(&instance.address("web"));
        if before {
            std::fs::remove_dir_all(instance.runtime()).unwrap();
        }
        instance.kill_arbiter();
        if !before {
            std::fs::remove_dir_all(instance.runtime()).unwrap();
        }
        instance.again();
        assert_eq!(instance.pids("web"), pids, "deleted before: {before}");
        // Notify sockets are where the workers that are started now look for them.
        instance.remuda(&["reload", "web"]).done();
        // And what was made anew is good for another crash.
        let pids = instance.pids("web");
        instance.kill_arbiter();
        instance.again();
        assert_eq!(instance.pids("web"), pids);
        load.finish().none_failed();
        instance.end();
    }
}

#[test]
fn a_keeper_that_is_killed_has_a_successor_that_is_as_good() {
    // It is replaced if it has lived for a second: that is how long the second service takes to be ready.
    let mut instance =
        Instance::up(&format!("{HELLO}[service.slow]\ncommand = \"sleep 600\"\nready = \"delay:1200ms\"\n"));
    let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
    let keeper = instance.keeper();
    instance.kill(keeper);
    instance.wait_event("its loss to be told", |event| {
        matches!(&event.kind, EventKind::Trouble { message } if message.contains("another one is started"))
    });
    // Whoever is answered after that was told is answered after it was done.
    instance.status();
    assert_ne!(instance.keeper(), keeper);
    instance.kill_arbiter();
    instance.again();
    assert_eq!(instance.pids("web"), pids);
    load.finish().none_failed();
    instance.end();
}

#[test]
fn workers_are_found_again_when_the_keeper_was_killed_too() {
    for mode in ["shared", "per-worker"] {
        for keeper_first in [true, false] {
            let mut instance = Instance::up(&HELLO.replace("listen", &format!("mode = \"{mode}\"\nlisten")));
            let (pids, load) = (instance.pids("web"), Load::start(&instance.address("web")));
            let keeper = instance.keeper();
            if keeper_first {
                // Before it could be replaced.
                process::signal(instance.pid(), rustix::process::Signal::STOP);
                instance.kill(keeper);
                instance.kill_arbiter();
            } else {
                instance.kill_arbiter();
                instance.kill(keeper);
            }
            instance.again();
            assert_eq!(instance.pids("web"), pids, "{mode}, keeper first: {keeper_first}");
            instance.remuda(&["reload", "web"]).done();
            load.finish().none_failed();
            instance.end();
        }
    }
}
