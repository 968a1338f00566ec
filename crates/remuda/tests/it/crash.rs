//! The arbiter is killed, and its workers do not notice.

mod hands;
mod midway;
mod orphans;
mod traces;

use std::time::Duration;

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use crate::harness::load::Load;
use crate::harness::{Instance, http, process};

const HELLO: &str = r#"
[socket.web]
listen = "127.0.0.1:0"
[service.web]
command = "python3 @WORKERS@/notify_worker.py"
ready = "notify"
sockets = ["web"]
workers = 3
"#;

#[test]
fn workers_serve_on_and_the_next_arbiter_takes_them_over_without_a_lost_request() {
    for mode in ["shared", "per-worker"] {
        let config = HELLO.replace("listen", &format!("mode = \"{mode}\"\nlisten"));
        let mut instance = Instance::up(&config);
        let (address, pids) = (instance.address("web"), instance.pids("web"));
        let load = Load::start(&address);
        for _ in 0..3 {
            let newest = instance.last_event();
            instance.kill_arbiter();
            instance.remuda(&["status"]).exits(3);
            http::get(&address, "/").unwrap();
            instance.again();
            assert_eq!(instance.pids("web"), pids, "the same workers");
            assert_eq!(instance.address("web"), address);
            assert_eq!(instance.service("web").phase, ServicePhase::Running);
            let events = instance.events();
            assert!(events.first().is_some_and(|first| first.seq > newest), "{newest}: {events:?}");
        }
        let account = load.finish();
        assert!(account.failures.is_empty(), "{mode}: {:?}", account.failures);
        instance.remuda(&["reload", "web"]).done();
        assert!(instance.pids("web").iter().all(|pid| !pids.contains(pid)), "a reload replaces them all");
        instance.end();
    }
}

#[test]
fn who_dies_while_nobody_is_there_is_replaced_and_the_others_are_not() {
    let mut instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    instance.kill_arbiter();
    process::signal(pids[1], Signal::KILL);
    assert!(process::wait_end(pids[1], Duration::from_secs(5)));
    instance.again();
    let resumed = instance.wait_event("its return", |event| {
        matches!(event.kind, EventKind::InstanceResumed { workers: 2, lost: 1, .. })
    });
    let now = instance.wait_phase("web", ServicePhase::Running);
    let now: Vec<u32> = now.workers.iter().filter_map(|worker| worker.pid).collect();
    assert_eq!((now[0], now[2]), (pids[0], pids[2]));
    assert_ne!(now[1], pids[1]);
    assert!(resumed.seq > 0);
    instance.end();
}

#[test]
fn what_workers_write_while_nobody_is_there_neither_blocks_nor_kills_them_and_is_kept() {
    let setup = crate::harness::Setup::new(
        "[remuda]\nlog_memory = \"16MiB\"\n[service.chatty]\ncommand = \"@PYTHON@ @DIR@/chatty.py\"\n",
    );
    setup.write(
        "chatty.py",
        "import sys\nprint('waits', flush=True)\nopen('gate').readline()\n\
         for i in range(50000):\n    print(f'line {i} ' + 'x' * 90)\nsys.stdout.flush()\n\
         open('done', 'w').write('all')\nopen('gate2').readline()\nprint('and on', flush=True)\nopen('gate3').readline()\n",
    );
    for gate in ["gate", "gate2", "gate3", "done"] {
        setup.gate(gate);
    }
    let mut instance = setup.up();
    instance.settled();
    instance.wait_line("waits");
    let pid = instance.pids("chatty")[0];
    instance.kill_arbiter();
    let _first = instance.open_gate("gate");
    // Five million bytes, far more than the pipe takes.
    assert_eq!(std::fs::read_to_string(instance.dir().join("done")).unwrap(), "all");
    assert!(process::is_alive(pid));
    instance.again();
    assert_eq!(instance.pids("chatty"), [pid]);
    let said = instance.remuda(&["logs", "--lines", "60000"]).done();
    let numbers: Vec<&str> =
        said.out.lines().filter_map(|line| line.split("| line ").nth(1)?.split(' ').next()).collect();
    let wanted: Vec<String> = (0..50_000).map(|number| number.to_string()).collect();
    assert!(numbers == wanted, "{} lines of 50,000, in order: {:?}", numbers.len(), numbers.last());
    let _second = instance.open_gate("gate2");
    instance.wait_line("and on");
    let _third = instance.open_gate("gate3");
    instance.end();
}
