//! Much in a row, under load: not one request is lost.

use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use crate::harness::load::Load;
use crate::harness::succession::Way;
use crate::harness::{Instance, process};

const UPGRADES: usize = 10;
const CRASHES: usize = 5;
const KILLS: usize = 20;

/// Upgrades and crashes over three workers of `service`, the lines of a `[service.web]` table.
fn successions(service: &str) {
    for mode in ["shared", "per-worker"] {
        let mut instance = Instance::up(&format!(
            "[socket.web]\nlisten = \"127.0.0.1:0\"\nmode = \"{mode}\"\n\
             [service.web]\nsockets = [\"web\"]\nworkers = 3\n{service}"
        ));
        let pids = instance.pids("web");
        let load = Load::start(&instance.address("web"));
        for turn in 0..UPGRADES {
            instance.succeed(Way::Upgrade);
            if turn % (UPGRADES / CRASHES) == 0 {
                instance.succeed(Way::Crash);
            }
            assert_eq!(instance.pids("web"), pids, "{mode}: the same workers after turn {turn}");
        }
        load.finish().none_failed();
        instance.end();
    }
}

#[test]
fn upgrades_and_crashes_over_gunicorn_lose_no_request() {
    successions("command = \"@VENV@/gunicorn --chdir @WORKERS@ wsgi_app:app\"\nready = \"notify\"");
}

#[test]
fn upgrades_and_crashes_over_node_lose_no_request() {
    successions("command = \"node @WORKERS@/node_fd.js\"\nready = \"log:listening on fd 3\"");
}

/// Kills single workers, each while no request is with one; an upgrade and a crash come in between.
fn kills(mode: &str) {
    let mut instance = Instance::up(&format!(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\nmode = \"{mode}\"\n\
         [service.web]\ncommand = \"python3 @WORKERS@/notify_worker.py\"\nready = \"notify\"\n\
         sockets = [\"web\"]\nworkers = 4\nbackoff = {{ base = \"10ms\", cap = \"50ms\", crash_loop_after = 100 }}\n"
    ));
    let load = Load::start(&instance.address("web"));
    for turn in 0..KILLS {
        match turn {
            7 => instance.succeed(Way::Upgrade),
            14 => instance.succeed(Way::Crash),
            _ => {}
        }
        let pids = instance.pids("web");
        let victim = pids[turn % pids.len()];
        load.while_quiet(|| {
            process::signal(victim, Signal::KILL);
            assert!(process::wait_end(victim, crate::harness::PATIENCE));
        });
        let replaced = instance.wait_status("the victim's successor", |view| {
            let service = &view.services[0];
            let alive = service.workers.iter().all(|worker| worker.pid != Some(victim));
            service.phase == ServicePhase::Running && service.workers_ready == 4 && alive
        });
        let now: Vec<u32> = replaced.services[0].workers.iter().filter_map(|worker| worker.pid).collect();
        assert_eq!(now.iter().filter(|pid| pids.contains(pid)).count(), 3, "{mode}: {pids:?} {now:?}");
    }
    load.finish().none_failed();
    instance.end();
}

#[test]
fn workers_killed_around_an_upgrade_and_a_crash_take_no_request_but_their_own_with_them() {
    kills("shared");
}

#[test]
fn workers_killed_around_an_upgrade_and_a_crash_leave_the_queues_of_their_slots_as_they_were() {
    kills("per-worker");
}
