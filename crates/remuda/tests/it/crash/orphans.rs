//! What commands say and do while nobody is there but workers and their keeper.

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;

use crate::harness::{Instance, PATIENCE, http, process};

use super::HELLO;

#[test]
fn commands_say_that_workers_of_a_killed_arbiter_go_on_and_down_ends_them() {
    let mut instance = Instance::up(HELLO);
    let (pids, address) = (instance.pids("web"), instance.address("web"));
    instance.kill_arbiter();
    for command in [&["status"][..], &["reload", "web"], &["logs"]] {
        let said = instance.remuda(command).exits(3);
        assert!(
            said.err.contains("its arbiter was killed") && said.err.contains("3 workers go on"),
            "{said:?}"
        );
        assert!(
            said.err.contains("`remuda up` takes over") && said.err.contains("`remuda down` ends"),
            "{said:?}"
        );
    }
    instance.kill(pids[0]);
    let said = instance.remuda(&["status"]).exits(3);
    assert!(said.err.contains("2 workers go on"), "{said:?}");
    http::get(&address, "/").unwrap();
    let said = instance.remuda(&["down"]).done();
    assert!(said.out.contains("has ended"), "{said:?}");
    assert!(pids.iter().all(|pid| !process::is_alive(*pid)));
    assert!(http::get(&address, "/").is_err(), "nobody listens any more");
    let left = process::marked(instance.dir());
    assert!(left.iter().all(|pid| process::wait_end(*pid, PATIENCE)), "the keeper has gone too: {left:?}");
    let said = instance.remuda(&["status"]).exits(3);
    assert!(!said.err.contains("killed"), "{said:?}");
    instance.remuda(&["down"]).exits(3);
    instance.anew();
    instance.wait_phase("web", ServicePhase::Running);
    instance.end();
}

#[test]
fn commands_find_the_workers_when_their_keeper_was_killed_too() {
    let mut instance = Instance::up(HELLO);
    let (pids, address, keeper) = (instance.pids("web"), instance.address("web"), instance.keeper());
    instance.kill_arbiter();
    instance.kill(keeper);
    let said = instance.remuda(&["status"]).exits(3);
    assert!(
        said.err.contains("the keeper of its workers too") && said.err.contains("3 workers go on"),
        "{said:?}"
    );
    http::get(&address, "/").unwrap();
    let said = instance.remuda(&["down"]).done();
    assert!(said.out.contains("has ended"), "{said:?}");
    assert!(pids.iter().all(|pid| !process::is_alive(*pid)));
    let said = instance.remuda(&["status"]).exits(3);
    assert!(!said.err.contains("killed"), "{said:?}");
    instance.anew();
    instance.wait_phase("web", ServicePhase::Running);
    instance.end();
}

#[test]
fn an_instance_without_an_arbiter_is_found_by_its_config_and_down_need_not_wait() {
    let setup = crate::harness::Setup::new("[service.web]\ncommand = \"sh worker\"\nready = \"log:begun\"\n");
    setup.write("worker", "trap 'read _ < gate; exit 0' TERM\necho begun\nsleep 600 & wait\n");
    setup.gate("gate");
    let mut instance = setup.up();
    instance.settled();
    let pid = instance.pids("web")[0];
    instance.kill_arbiter();
    let by_config = |arguments: &[&str]| {
        let mut command = instance.command(arguments);
        command.env_remove("REMUDA_SOCKET");
        crate::harness::run::run(command)
    };
    let said = by_config(&["status"]).exits(3);
    assert!(said.err.contains(&format!("as instance {}", instance.name())), "{said:?}");
    let said = by_config(&["down", "--no-wait", "--json"]).done();
    assert!(said.json::<serde_json::Value>().to_string().contains("being ended"), "{said:?}");
    assert!(process::is_alive(pid), "it was not waited for");
    let _gate = instance.open_gate("gate");
    assert!(process::wait_end(pid, PATIENCE));
    // It waits for what is under way, and begins anew after it.
    instance.anew();
    instance.wait_phase("web", ServicePhase::Running);
    let _gate = instance.open_gate("gate");
    instance.end();
}

#[test]
fn workers_that_are_not_to_outlive_their_arbiter_do_not_and_the_next_one_begins_anew() {
    let mut instance = Instance::up(&format!("[remuda]\non_crash = \"stop\"\n{HELLO}"));
    let pids = instance.pids("web");
    instance.kill_arbiter();
    for pid in &pids {
        assert!(process::wait_end(*pid, PATIENCE), "{pid} goes on");
    }
    instance.anew();
    let service = instance.wait_phase("web", ServicePhase::Running);
    assert!(service.workers.iter().all(|worker| worker.pid.is_none_or(|pid| !pids.contains(&pid))));
    let resumed = |kind: &EventKind| matches!(kind, EventKind::InstanceResumed { .. });
    assert!(!instance.events().iter().any(|record| resumed(&record.event.kind)));
    instance.end();
}

#[test]
fn an_arbiter_that_comes_while_workers_are_being_ended_waits_for_their_end() {
    let setup = crate::harness::Setup::new(
        "[remuda]\non_crash = \"stop\"\n[service.web]\ncommand = \"sh worker\"\nready = \"log:begun\"\n",
    );
    setup.write("worker", "trap 'echo x > told; read _ < gate; exit 0' TERM\necho begun\nsleep 600 & wait\n");
    setup.gate("gate");
    setup.gate("told");
    let mut instance = setup.up();
    instance.settled();
    let pid = instance.pids("web")[0];
    instance.kill_arbiter();
    assert_eq!(std::fs::read_to_string(instance.dir().join("told")).unwrap(), "x\n");
    let said = instance.remuda(&["status"]).exits(3);
    assert!(said.err.contains("1 worker is being ended"), "{said:?}");
    instance.begin_again();
    let _gate = instance.open_gate("gate");
    instance.wait_event("the new one", |event| matches!(event.kind, EventKind::InstanceStarted { .. }));
    assert!(!process::is_alive(pid), "there are never two of it");
    instance.wait_phase("web", ServicePhase::Running);
    // The new worker is let go too.
    let mut told = std::fs::File::options().read(true).write(true).open(instance.dir().join("told")).unwrap();
    let _gate = instance.open_gate("gate");
    instance.signal(rustix::process::Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let mut said = [0; 2];
    std::io::Read::read_exact(&mut told, &mut said).unwrap();
    assert_eq!(&said, b"x\n");
}
