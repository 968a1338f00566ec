//! What workers say on their notify socket, and what comes of it.

use remuda_model::view::ServicePhase;
use remuda_model::{Event, EventKind};
use rustix::process::Signal;

use crate::harness::{Setup, process};

/// A service whose workers run `program`, Python with `notify` at hand, and are ready when they say so.
fn talker(service: &str, program: &str) -> Setup {
    let setup = Setup::new(&format!(
        "[service.web]\ncommand = \"python3 talk.py\"\nready = \"notify\"\n{service}\n\
         [service.web.env]\nPYTHONPATH = \"@WORKERS@\"\n"
    ));
    let beginning = "import array, os, signal, socket, subprocess, sys, time\nfrom notify_worker import notify\n\
                     def send(message, *fds):\n\
                     \x20   with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:\n\
                     \x20       s.connect(os.environ['NOTIFY_SOCKET'])\n\
                     \x20       socket.send_fds(s, [message.encode()], list(fds))\n";
    setup.write("talk.py", &format!("{beginning}{program}"));
    setup
}

fn trouble(event: &Event) -> bool {
    matches!(event.kind, EventKind::Trouble { .. })
}

#[test]
fn a_worker_that_asks_for_more_time_gets_it_to_start_and_to_stop() {
    let instance = talker(
        "ready_timeout = \"600ms\"\nstop = { timeout = \"600ms\" }",
        "notify('EXTEND_TIMEOUT_USEC=20000000')\ntime.sleep(1)\n\
         signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\nnotify('READY=1')\n\
         signal.sigwait([signal.SIGTERM])\n\
         notify('STOPPING=1\\nEXTEND_TIMEOUT_USEC=20000000')\ntime.sleep(1)\nprint('took my time', flush=True)\n",
    )
    .up();
    instance.wait_phase("web", ServicePhase::Running);
    instance.remuda(&["stop", "web"]).done();
    instance.wait_line("took my time");
    let events = instance.events();
    let hurried = |event: &Event| {
        matches!(event.kind, EventKind::ReadyTimeout { .. } | EventKind::WorkerKilling { .. })
    };
    assert!(!events.iter().any(|record| hurried(&record.event)));
    instance.end();
}

#[test]
fn what_a_worker_says_of_itself_is_shown() {
    let instance =
        talker("", "notify('READY=1\\nSTATUS=serving 3 of 5\\nX_REMUDA_REQUESTS=42')\nsignal.pause()\n").up();
    instance.wait_phase("web", ServicePhase::Running);
    let view = instance.wait_status("its words", |view| view.services[0].workers[0].requests.is_some());
    let worker = &view.services[0].workers[0];
    assert_eq!((worker.status.as_deref(), worker.requests), (Some("serving 3 of 5"), Some(42)));
    let said = instance.remuda(&["status", "web"]).done();
    assert!(said.out.contains("serving 3 of 5"), "{}", said.out);
    instance.end();
}

#[test]
fn another_process_can_become_the_main_one_and_its_end_is_the_workers() {
    let instance = talker(
        "",
        "child = subprocess.Popen(['sleep', '600'])\nnotify(f'MAINPID={child.pid}\\nREADY=1')\n\
         print('handed over', flush=True)\nos._exit(0)\n",
    )
    .up();
    instance.wait_phase("web", ServicePhase::Running);
    instance.wait_line("handed over");
    let view = instance.wait_status("the new main process", |view| {
        let pid = view.services[0].workers.first().and_then(|worker| worker.pid);
        pid.is_some_and(|pid| process::arguments(pid) == ["sleep", "600"])
    });
    let main = view.services[0].workers[0].pid.unwrap();
    assert!(process::is_alive(main));
    assert!(
        !instance.events().iter().any(|record| matches!(record.event.kind, EventKind::WorkerExited { .. })),
        "the first process may go"
    );
    let seen = instance.last_event();
    process::signal(main, Signal::KILL);
    instance.wait_event_after(seen, "its end", |event| matches!(event.kind, EventKind::WorkerExited { .. }));
    instance.wait_event_after(seen, "a successor", |event| event.kind == EventKind::WorkerSpawned);
    instance.wait_phase("web", ServicePhase::Running);
    instance.end();
}

#[test]
fn a_main_process_that_is_not_of_the_workers_own_is_refused() {
    let instance = talker("", "notify('MAINPID=1\\nREADY=1')\nsignal.pause()\n").up();
    instance.wait_phase("web", ServicePhase::Running);
    let told = instance.wait_event("the refusal", trouble);
    assert!(matches!(&told.event.kind, EventKind::Trouble { message } if message.contains("main process")));
    assert_eq!(instance.pids("web").len(), 1);
    instance.end();
}

#[test]
fn a_barrier_is_answered_when_all_before_it_was_taken() {
    let instance = talker(
        "",
        "notify('READY=1')\nreader, writer = os.pipe()\nsend('BARRIER=1', writer)\nos.close(writer)\n\
         assert os.read(reader, 1) == b''\nprint('passed the barrier', flush=True)\nsignal.pause()\n",
    )
    .up();
    instance.wait_line("passed the barrier");
    instance.end();
}

#[test]
fn stored_descriptors_come_back_to_the_successor_in_the_slot() {
    let instance = talker(
        "workers = 2\nfd_store = 1",
        "names = os.environ.get('LISTEN_FDNAMES', '').split(':')\n\
         if 'kept' in names:\n\
         \x20   assert int(os.environ['LISTEN_PID']) == os.getpid()\n\
         \x20   print('got', os.pread(3 + names.index('kept'), 100, 0).decode(), flush=True)\n\
         else:\n\
         \x20   memory = os.memfd_create('kept')\n\
         \x20   os.write(memory, f'slot {os.environ[\"REMUDA_SLOT\"]} of {os.getpid()}'.encode())\n\
         \x20   send('FDSTORE=1\\nFDNAME=kept', memory)\n\
         notify('READY=1')\nsignal.pause()\n",
    )
    .up();
    instance.wait_phase("web", ServicePhase::Running);
    let pids = instance.pids("web");
    process::signal(pids[1], Signal::KILL);
    instance.wait_line(&format!("got slot 1 of {}", pids[1]));
    instance.wait_phase("web", ServicePhase::Running);
    instance.remuda(&["reload", "web"]).done();
    instance.wait_line(&format!("got slot 0 of {}", pids[0]));
    instance.remuda(&["stop", "web"]).done();
    instance.end();
}

#[test]
fn more_descriptors_than_the_store_allows_are_refused_and_told() {
    let instance = talker(
        "fd_store = 1",
        "send('FDSTORE=1\\nFDNAME=a', os.memfd_create('a'), os.memfd_create('b'))\nnotify('READY=1')\nsignal.pause()\n",
    )
    .up();
    let told = instance.wait_event("the refusal", trouble);
    assert!(matches!(&told.event.kind, EventKind::Trouble { message } if message.contains("fd_store")));
    instance.wait_phase("web", ServicePhase::Running);
    instance.end();
}

#[test]
fn a_worker_that_declares_itself_broken_is_aborted() {
    let instance = talker(
        "watchdog = \"1h\"",
        "notify('READY=1')\nopen('gate').readline()\nnotify('WATCHDOG=trigger')\nsignal.pause()\n",
    );
    instance.gate("gate");
    let instance = instance.up();
    instance.wait_phase("web", ServicePhase::Running);
    let _gate = instance.open_gate("gate");
    let missed =
        instance.wait_event("the abort", |event| matches!(event.kind, EventKind::WatchdogMissed { .. }));
    instance.wait_event_after(missed.seq, "a successor", |event| event.kind == EventKind::WorkerSpawned);
    instance.end();
}

#[test]
fn only_the_main_process_speaks_where_the_config_says_so() {
    let instance = talker(
        "notify_access = \"main\"",
        "if not os.fork():\n    send('STATUS=from the child')\n    os._exit(0)\nos.wait()\n\
         notify('READY=1\\nSTATUS=from the main process')\nsignal.pause()\n",
    )
    .up();
    instance.wait_phase("web", ServicePhase::Running);
    let view = instance.wait_status("its status", |view| view.services[0].workers[0].status.is_some());
    assert_eq!(view.services[0].workers[0].status.as_deref(), Some("from the main process"));
    let told = instance.wait_event("the refusal", trouble);
    assert!(matches!(&told.event.kind, EventKind::Trouble { message } if message.contains("notify socket")));
    instance.end();
}

#[test]
fn a_reload_by_signal_keeps_the_process() {
    let instance = talker(
        "reload = \"hup\"",
        "def again(*_):\n    notify('RELOADING=1'); print('read again', flush=True); notify('READY=1')\n\
         signal.signal(signal.SIGHUP, again)\nnotify('READY=1')\nwhile True: signal.pause()\n",
    )
    .up();
    instance.wait_phase("web", ServicePhase::Running);
    let pids = instance.pids("web");
    instance.remuda(&["reload", "web"]).done();
    instance.wait_line("read again");
    instance.wait_event("its word", |event| event.kind == EventKind::WorkerReloading);
    assert_eq!(instance.pids("web"), pids);
    instance.end();
}
