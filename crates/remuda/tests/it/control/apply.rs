//! A changed config: applied whole or not at all, touching what changed and nothing else.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use remuda_model::EventKind;
use rustix::process::Signal;

use crate::harness::{Instance, Setup, http, run};

const SLEEPERS: &str = "[service.web]\ncommand = \"sleep 1000\"\nworkers = 2\n";

#[test]
fn an_unchanged_config_touches_nothing() {
    let instance = Instance::up(SLEEPERS);
    let before = instance.pids("web");
    instance.configure(&format!("# a comment changes nothing\n{SLEEPERS}"));
    let said = instance.remuda(&["apply"]).done();
    assert!(said.out.contains("nothing has changed"), "{said:?}");
    assert_eq!(instance.pids("web"), before);
    instance.end();
}

#[test]
fn another_number_of_workers_leaves_those_that_stay_alone() {
    let instance = Instance::up(SLEEPERS);
    let before = instance.pids("web");
    instance.configure(&SLEEPERS.replace("workers = 2", "workers = 4"));
    let plan = instance.remuda(&["apply", "--dry-run"]).done();
    assert!(plan.out.contains("~ service web: workers 2 -> 4"), "{plan:?}");
    assert_eq!(instance.pids("web"), before, "a dry run changes nothing");
    instance.remuda(&["apply"]).done();
    let after = instance.pids("web");
    assert_eq!((after.len(), &after[..2]), (4, &before[..]));
    instance.configure(&SLEEPERS.replace("workers = 2", "workers = 1"));
    instance.remuda(&["apply"]).done();
    assert_eq!(instance.pids("web"), before[..1]);
    instance.end();
}

#[test]
fn services_come_and_go_and_their_neighbours_stay() {
    let instance = Instance::up(SLEEPERS);
    let before = instance.pids("web");
    instance.configure(&format!("{SLEEPERS}[service.api]\ncommand = \"sleep 1000\"\n"));
    instance.remuda(&["apply"]).done();
    assert_eq!(instance.pids("api").len(), 1);
    instance.configure(SLEEPERS);
    instance.remuda(&["apply"]).done();
    assert_eq!(instance.status().services.len(), 1);
    assert_eq!(instance.pids("web"), before);
    instance.end();
}

#[test]
fn a_changed_address_is_bound_before_the_old_one_is_let_go() {
    let config = |path: &str| {
        format!(
            "[socket.web]\nlisten = \"unix:@DIR@/{path}\"\n[service.web]\nsockets = [\"web\"]\nworkers = 2\n\
             ready = \"notify\"\ncommand = \"python3 @WORKERS@/notify_worker.py\"\n"
        )
    };
    let instance = Instance::up(&config("old.sock"));
    let [old, new] =
        ["old.sock", "new.sock"].map(|path| format!("unix:{}", instance.dir().join(path).display()));
    assert_eq!(http::get(&old, "/").unwrap().status, 200);
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, ways) = (Arc::clone(&stop), [old.clone(), new.clone()]);
    // Whoever knows both addresses finds one that answers, at every moment.
    let client = std::thread::spawn(move || {
        let mut failures = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let answers = ways.iter().map(|address| http::get(address, "/"));
            let mut refused = Vec::new();
            for answer in answers {
                match answer {
                    Ok(answer) if answer.status == 200 => break,
                    other => refused.push(format!("{other:?}")),
                }
            }
            if refused.len() == ways.len() {
                failures.push(refused);
            }
        }
        failures
    });
    instance.configure(&config("new.sock"));
    instance.remuda(&["apply"]).done();
    assert_eq!(http::get(&new, "/").unwrap().status, 200);
    stop.store(true, Ordering::Relaxed);
    let failures = client.join().unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    assert!(http::get(&old, "/").is_err(), "nobody is left at the old address");
    assert!(!instance.dir().join("old.sock").exists(), "its file is removed");
    instance.end();
}

#[test]
fn a_broken_config_is_refused_with_line_and_caret_and_nothing_changes() {
    let instance = Instance::up(SLEEPERS);
    let before = instance.pids("web");
    instance.configure(&format!("{SLEEPERS}wrokers = 3\n"));
    let said = instance.remuda(&["apply"]).exits(2);
    assert!(said.err.contains("wrokers = 3") && said.err.contains('^'), "{said:?}");
    assert!(said.err.contains("remuda.toml:7:"), "file and line: {said:?}");
    assert!(said.err.contains("workers"), "the nearest name: {said:?}");
    let last = instance.last_event();
    instance.signal(Signal::HUP);
    instance.wait_event_after(
        last,
        "the refusal",
        |event| matches!(&event.kind, EventKind::ConfigRefused { reason } if reason.contains("wrokers")),
    );
    assert_eq!(instance.pids("web"), before);
    instance.end();
}

#[test]
fn a_config_that_was_broken_while_it_runs_does_not_hide_its_instance() {
    let instance = Instance::up(SLEEPERS);
    for broken in [format!("{SLEEPERS}wrokers = 3\n"), format!("{SLEEPERS}workers = = 3\n")] {
        instance.configure(&broken);
        let by_folder = |arguments: &[&str]| {
            let mut command = instance.command(arguments);
            command.env_remove("REMUDA_SOCKET");
            run::run(command)
        };
        by_folder(&["status"]).done();
        let said = by_folder(&["apply"]).exits(2);
        assert!(said.err.contains('^'), "{said:?}");
    }
    instance.end();
}

#[test]
fn a_taken_port_is_refused_and_nothing_changes() {
    let instance = Instance::up(SLEEPERS);
    let before = instance.pids("web");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let socket = format!("[socket.web]\nlisten = \"{address}\"\n");
    let changed = SLEEPERS.replace("sleep 1000", "sleep 2000");
    instance.configure(&format!("{socket}[socket.other]\nlisten = \"unix:@DIR@/other.sock\"\n{changed}"));
    let said = instance.remuda(&["apply"]).exits(2);
    assert!(said.err.contains(&address), "{said:?}");
    assert!(said.err.contains(&std::process::id().to_string()), "it names who has it: {said:?}");
    assert_eq!(instance.pids("web"), before);
    assert!(instance.status().sockets.is_empty());
    assert!(!instance.dir().join("other.sock").exists(), "the socket that could be had is let go");
    instance.end();

    let setup = Setup::new(&socket);
    let said = run::run(setup.up_command()).exits(1);
    assert!(said.err.contains(&address), "{said:?}");
    assert!(!setup.control().exists());
}
