//! What works before another arbiter goes on, works after it: once by way of a crash, once by an upgrade.

use std::collections::BTreeSet;

use remuda_model::view::ServicePhase;
use remuda_model::{EventKind, WorkerPhase};

use crate::harness::succession::Way;
use crate::harness::{Instance, Setup, http, process};

#[test]
fn descriptors_that_a_worker_has_parked_come_back_to_its_successor() {
    for way in Way::ALL {
        let setup = Setup::new(
            "[service.web]\ncommand = \"@PYTHON@ parks.py\"\nready = \"notify\"\nfd_store = 4\n\
             backoff = { base = \"10ms\" }\n",
        );
        setup.write(
            "parks.py",
            "import array, os, signal, socket\n\
             def send(text, *fds):\n\
             \x20   s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])\n\
             \x20   socket.send_fds(s, [text.encode()], list(fds))\n\
             if 'LISTEN_FDS' in os.environ:\n\
             \x20   print('found', os.environ['LISTEN_FDNAMES'], os.pread(3, 100, 0).decode(), flush=True)\n\
             else:\n\
             \x20   fd = os.memfd_create('kept'); os.write(fd, b'what it was'); send('FDSTORE=1\\nFDNAME=kept', fd)\n\
             send('READY=1')\nsignal.pause()\n",
        );
        let mut instance = setup.up();
        let service = instance.wait_phase("web", ServicePhase::Running);
        let pid = service.workers[0].pid.unwrap();
        instance.succeed(way);
        instance.kill(pid);
        instance.wait_line("found kept what it was");
        // It has been kept over its second life too.
        instance.wait_phase("web", ServicePhase::Running);
        instance.succeed(way);
        let pid = instance.pids("web")[0];
        let newest = instance.transcript.locked().lines.len();
        instance.kill(pid);
        instance.transcript.wait("the descriptor again", |written| {
            let new = written.lines.get(newest.min(written.lines.len())..).unwrap_or_default();
            new.iter().any(|line| line.text == "found kept what it was").then_some(())
        });
        instance.end();
    }
}

/// A worker that was begun before becomes ready after.
fn becomes_ready(ready: &str, tell: &str) {
    for way in Way::ALL {
        let setup = Setup::new(&format!(
            "[service.web]\ncommand = [\"sh\", \"-c\", \"echo waits; read _ < gate; {tell}; exec sleep 600\"]\n\
             ready = \"{ready}\"\n"
        ));
        setup.gate("gate");
        let mut instance = setup.up();
        instance.wait_line("waits");
        let pid = instance.pids("web");
        instance.succeed(way);
        let service = instance.service("web");
        assert_eq!(service.workers[0].phase, WorkerPhase::Starting, "{way:?}");
        let _gate = instance.open_gate("gate");
        instance.wait_phase("web", ServicePhase::Running);
        assert_eq!(instance.pids("web"), pid, "{way:?}");
        instance.end();
    }
}

#[test]
fn a_worker_becomes_ready_by_its_descriptor() {
    becomes_ready("fd:5", "echo >&5");
}

#[test]
fn a_worker_becomes_ready_by_its_message() {
    becomes_ready("notify", "systemd-notify --ready");
}

#[test]
fn a_worker_becomes_ready_by_its_line() {
    becomes_ready("log:here I am", "echo here I am");
}

#[test]
fn a_standard_input_that_is_held_stays_open() {
    for way in Way::ALL {
        let mut instance = Instance::up("[service.cat]\ncommand = \"cat\"\nstdin = \"hold\"\n");
        let pids = instance.pids("cat");
        for _ in 0..2 {
            instance.succeed(way);
        }
        assert!(process::is_alive(pids[0]), "{way:?}: its input has ended, and so has it");
        assert_eq!(instance.pids("cat"), pids, "{way:?}");
        instance.end();
    }
}

#[test]
fn a_service_on_demand_starts_with_the_first_connection() {
    for way in Way::ALL {
        let mut instance = Instance::up(
            "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
             [service.web]\ncommand = \"python3 @WORKERS@/notify_worker.py\"\nready = \"notify\"\n\
             sockets = [\"web\"]\non_demand = { idle = \"300ms\" }\n",
        );
        let address = instance.address("web");
        instance.wait_phase("web", ServicePhase::Idle);
        instance.succeed(way);
        http::get(&address, "/").unwrap();
        // And it goes by itself, though another arbiter looks on.
        instance.succeed(way);
        instance.wait_phase("web", ServicePhase::Idle);
        http::get(&address, "/").unwrap();
        instance.end();
    }
}

#[test]
fn a_connection_that_comes_while_nobody_is_there_starts_the_service_on_demand() {
    let mut instance = Instance::up(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
         [service.web]\ncommand = \"python3 @WORKERS@/notify_worker.py\"\nready = \"notify\"\nsockets = [\"web\"]\n\
         on_demand = { idle = \"300ms\" }\n[service.other]\ncommand = \"sleep 600\"\n",
    );
    let address = instance.address("web");
    instance.wait_phase("web", ServicePhase::Idle);
    instance.kill_arbiter();
    let mut waiting = http::connect(&address).unwrap();
    http::send(&mut *waiting, "GET", "/", "").unwrap();
    instance.again();
    assert_eq!(http::answer(&mut *waiting).unwrap().status, 200);
    instance.end();
}

#[test]
fn a_scheduled_service_goes_on_with_its_run_and_with_its_schedule() {
    for way in Way::ALL {
        let setup = Setup::new(
            "[service.tick]\ncommand = [\"sh\", \"-c\", \"echo runs; read _ < gate; echo ends\"]\n\
             schedule = \"* * * * * *\"\n",
        );
        setup.gate("gate");
        let mut instance = setup.up();
        instance.wait_line("runs");
        let pids = instance.pids("tick");
        instance.succeed(way);
        assert_eq!(instance.pids("tick"), pids, "{way:?}: the run goes on");
        assert!(instance.service("tick").next_run_ms.is_some());
        let after = instance.last_event();
        let _gate = instance.open_gate("gate");
        instance.wait_line("ends");
        let ended = instance.wait_event_after(after, "the end of the run", |event| {
            matches!(event.kind, EventKind::WorkerExited { .. })
        });
        instance.wait_event_after(ended.seq, "the next run", |event| event.kind == EventKind::WorkerSpawned);
        instance.end();
    }
}

#[test]
fn hooks_run_for_what_happens_later() {
    for way in Way::ALL {
        let setup = Setup::new(
            "[service.web]\ncommand = \"sleep 600\"\n[service.web.hooks]\n\
             before_spawn = \"sh hook\"\nafter_spawn = \"sh hook\"\nbefore_stop = \"sh hook\"\nafter_stop = \"sh hook\"\n",
        );
        setup.write("hook", "echo ran $REMUDA_HOOK\n");
        let mut instance = setup.up();
        instance.wait_phase("web", ServicePhase::Running);
        instance.succeed(way);
        let seen = instance.transcript.locked().lines.len();
        instance.remuda(&["stop", "web"]).done();
        instance.remuda(&["start", "web"]).done();
        // One that was under way when the arbiter was killed is run again: each is there once at least.
        instance.transcript.wait("four hooks", |written| {
            let new = written.lines.iter().skip(seen.min(written.lines.len()));
            let ran: BTreeSet<&str> = new.filter_map(|line| line.text.strip_prefix("ran ")).collect();
            (ran == BTreeSet::from(["after_spawn", "after_stop", "before_spawn", "before_stop"]))
                .then_some(())
        });
        instance.end();
    }
}

#[test]
fn a_singleton_stays_alone() {
    for way in Way::ALL {
        let setup =
            Setup::new("[service.web]\ncommand = \"sh alone\"\nsingleton = true\nready = \"log:alone\"\n");
        // A second one finds the folder of the first and fails.
        setup.write(
            "alone",
            "mkdir there || exit 7\ntrap 'rmdir there; exit 0' TERM\necho alone\nsleep 600 & wait\n",
        );
        let mut instance = setup.up();
        instance.wait_phase("web", ServicePhase::Running);
        let pids = instance.pids("web");
        instance.succeed(way);
        assert_eq!(instance.pids("web"), pids);
        instance.remuda(&["reload", "web"]).done();
        let now = instance.pids("web");
        assert_eq!(now.len(), 1);
        assert_ne!(now, pids);
        let failed = |kind: &EventKind| matches!(kind, EventKind::WorkerExited { expected: false, .. });
        assert!(!instance.events().iter().any(|record| failed(&record.event.kind)), "{way:?}");
        instance.end();
    }
}
