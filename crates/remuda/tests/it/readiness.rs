//! Every way a worker tells that it serves: it is ready then, and not before.

use std::net::TcpListener;

use remuda_model::view::ServicePhase;
use remuda_model::{Event, EventKind, WorkerPhase};

use crate::harness::load::Load;
use crate::harness::{Instance, Setup, http};

fn is_ready(event: &Event) -> bool {
    matches!(event.kind, EventKind::WorkerReady { .. })
}

/// Runs a service whose program waits at the gate before it becomes ready.
fn ready_behind_a_gate(ready: &str, command: &str) -> Instance {
    ready_behind_a_gate_on("127.0.0.1:0", ready, command)
}

fn ready_behind_a_gate_on(listen: &str, ready: &str, command: &str) -> Instance {
    let setup = Setup::new(&format!(
        "[socket.web]\nlisten = \"{listen}\"\n\
         [service.web]\nready = '{ready}'\ncommand = {command}\nsockets = [\"web\"]\n\
         [service.web.env]\nPYTHONPATH = \"@WORKERS@\"\n"
    ));
    setup.gate("gate");
    let instance = setup.up();
    instance.wait_event("the worker", |event| event.kind == EventKind::WorkerSpawned);
    let service = instance.service("web");
    assert_eq!((service.phase, service.workers_ready), (ServicePhase::Starting, 0));
    assert_eq!(service.workers[0].phase, WorkerPhase::Starting);
    assert!(!instance.events().iter().any(|record| is_ready(&record.event)));
    let _gate = instance.open_gate("gate");
    instance.wait_phase("web", ServicePhase::Running);
    instance
}

const GATED_SERVER: &str =
    r#"["python3", "-c", "open('gate').readline(); import tiny_http; tiny_http.serve(3)"]"#;

#[test]
fn notify_waits_for_the_message() {
    ready_behind_a_gate("notify", r#"["sh", "-c", "read _ < gate; systemd-notify --ready; exec sleep 600"]"#)
        .end();
}

#[test]
fn listen_waits_for_a_listener_of_its_own() {
    let program = "open('gate').readline(); import socket, time; \
                   s = socket.create_server(('127.0.0.1', 0)); time.sleep(600)";
    ready_behind_a_gate("listen", &format!(r#"["python3", "-c", "{program}"]"#)).end();
}

#[test]
fn a_descriptor_waits_for_its_newline() {
    ready_behind_a_gate("fd:5", r#"["sh", "-c", "read _ < gate; echo >&5; exec sleep 600"]"#).end();
}

#[test]
fn a_descriptor_that_is_closed_says_so_too() {
    ready_behind_a_gate("fd:5", r#"["sh", "-c", "read _ < gate; exec 5>&-; exec sleep 600"]"#).end();
}

#[test]
fn http_waits_for_an_answer_on_the_first_socket() {
    let instance = ready_behind_a_gate("http:/", GATED_SERVER);
    assert_eq!(http::get(&instance.address("web"), "/").unwrap().status, 200);
    instance.end();
}

#[test]
fn tcp_waits_for_the_worker_and_is_not_fooled_by_the_arbiters_own_listener() {
    let instance = ready_behind_a_gate("tcp", GATED_SERVER);
    assert_eq!(http::get(&instance.address("web"), "/").unwrap().status, 200);
    instance.end();
}

#[test]
fn http_and_tcp_wait_for_the_worker_on_a_unix_socket_too() {
    let hidden = format!("unix:@remuda-it-{}-readiness", std::process::id());
    for (listen, ready) in [("unix:web.sock", "http:/"), ("unix:web.sock", "tcp"), (&hidden, "http:/")] {
        let instance = ready_behind_a_gate_on(listen, ready, GATED_SERVER);
        assert_eq!(http::get(&instance.address("web"), "/").unwrap().status, 200);
        instance.end();
    }
}

#[test]
fn http_counts_the_answer_of_the_new_worker_and_of_no_other() {
    // The one in slot 0 answers at once; the one in slot 1 waits at the gate.
    let program = "import os, tiny_http\n\
                   if os.environ['REMUDA_SLOT'] == '1': open('gate').readline()\n\
                   tiny_http.serve(3)\n";
    for listen in ["127.0.0.1:0", "unix:web.sock"] {
        let setup = Setup::new(&format!(
            "[socket.web]\nlisten = \"{listen}\"\n\
             [service.web]\ncommand = \"python3 serve.py\"\nsockets = [\"web\"]\nworkers = 2\nready = \"http:/\"\n\
             [service.web.env]\nPYTHONPATH = \"@WORKERS@\"\n"
        ));
        setup.write("serve.py", program);
        setup.gate("gate");
        let instance = setup.up();
        instance.wait_event("slot 0", |event| is_ready(event) && event.slot == Some(0));
        // Three answers of slot 0 later, slot 1 is still not taken to be ready.
        for _ in 0..3 {
            assert_eq!(http::get(&instance.address("web"), "/").unwrap().status, 200);
        }
        assert_eq!(instance.service("web").workers_ready, 1);
        let _gate = instance.open_gate("gate");
        instance.wait_phase("web", ServicePhase::Running);
        instance.end();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn tcp_at_an_address_waits_for_a_listener_there() {
    let port = free_port();
    let program = format!(
        "open('gate').readline(); import socket, time; \
         s = socket.create_server(('127.0.0.1', {port})); time.sleep(600)"
    );
    ready_behind_a_gate(&format!("tcp:127.0.0.1:{port}"), &format!(r#"["python3", "-c", "{program}"]"#))
        .end();
}

#[test]
fn tcp_at_the_path_of_a_unix_socket_waits_for_a_listener_there() {
    let program = "open('gate').readline(); import socket, time; s = socket.socket(socket.AF_UNIX); \
                   s.bind('own.sock'); s.listen(); time.sleep(600)";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.sock");
    let command = program.replace("own.sock", path.to_str().unwrap());
    ready_behind_a_gate(
        &format!("tcp:unix:{}", path.display()),
        &format!(r#"["python3", "-c", "{command}"]"#),
    )
    .end();
}

#[test]
fn http_at_an_address_waits_for_an_answer_there() {
    let port = free_port();
    let program = format!(
        "open('gate').readline(); import socket, tiny_http; \
         tiny_http.serve(socket.create_server(('127.0.0.1', {port})).detach())"
    );
    let url = format!("http://127.0.0.1:{port}/");
    ready_behind_a_gate(&url, &format!(r#"["python3", "-c", "{program}"]"#)).end();
}

#[test]
fn exec_waits_for_the_command_to_succeed() {
    ready_behind_a_gate(
        "exec:test -e up.$REMUDA_PID",
        r#"["sh", "-c", "read _ < gate; touch up.$$$$; exec sleep 600"]"#,
    )
    .end();
}

#[test]
fn log_waits_for_a_line_that_matches() {
    let command = r#"["sh", "-c", "echo not yet; read _ < gate; echo listening on 80; exec sleep 600"]"#;
    ready_behind_a_gate("log:^listening on [0-9]+$", command).end();
}

#[test]
fn delay_waits_so_long() {
    let instance = Instance::up("[service.web]\ncommand = \"sleep 600\"\nready = \"delay:400ms\"\n");
    let ready = instance.wait_event("readiness", is_ready);
    assert!(matches!(ready.event.kind, EventKind::WorkerReady { after_ms } if after_ms >= 400), "{ready:?}");
    instance.end();
}

#[test]
fn ack_waits_for_the_acknowledgement() {
    let instance = Instance::up(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
         [service.web]\ncommand = \"python3 @WORKERS@/einhorn_worker.py\"\nsockets = [\"web\"]\nready = \"ack\"\n\
         [service.web.env]\nACK_DELAY_MS = 400\n",
    );
    let ready = instance.wait_event("readiness", is_ready);
    assert!(matches!(ready.event.kind, EventKind::WorkerReady { after_ms } if after_ms >= 400), "{ready:?}");
    instance.end();
}

#[test]
fn started_is_ready_as_soon_as_the_program_runs() {
    let instance = Instance::up("[service.web]\ncommand = \"sleep 600\"\nworkers = 3\n");
    assert_eq!(instance.service("web").workers_ready, 3);
    instance.end();
}

#[test]
fn a_worker_that_is_never_ready_is_killed_and_tried_again() {
    let instance = Setup::new(
        "[service.web]\ncommand = [\"sh\", \"-c\", \"echo still thinking; exec sleep 600\"]\n\
         ready = \"notify\"\nready_timeout = \"300ms\"\nbackoff = { base = \"10ms\" }\n",
    )
    .up();
    let late =
        instance.wait_event("the timeout", |event| matches!(event.kind, EventKind::ReadyTimeout { .. }));
    assert!(matches!(late.event.kind, EventKind::ReadyTimeout { after_ms } if after_ms >= 300), "{late:?}");
    let exited = instance.wait_event_after(late.seq, "its end", |event| {
        matches!(event.kind, EventKind::WorkerExited { .. }) && event.worker == late.event.worker
    });
    assert!(
        matches!(
            &exited.event.kind,
            EventKind::WorkerExited { expected: false, last_lines, .. } if last_lines == &["still thinking"]
        ),
        "{exited:?}"
    );
    instance.wait_event_after(exited.seq, "another try", |event| event.kind == EventKind::WorkerSpawned);
    let service = instance.wait_phase("web", ServicePhase::Starting);
    assert!(service.failures_total >= 1 && service.workers_ready == 0, "{service:?}");
    instance.end();
}

/// A service of two workers whose next ones go through `broken`.
fn breakable(broken: &str) -> Instance {
    let setup = Setup::new(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
         [service.web]\ncommand = \"./run\"\nsockets = [\"web\"]\nworkers = 2\nready = \"notify\"\n\
         ready_timeout = \"3s\"\nbackoff = { base = \"10ms\" }\n",
    );
    setup.program(
        "run",
        &format!(
            "#!/bin/sh\nif test -e broken; then {broken}; fi\nexec python3 @WORKERS@/notify_worker.py\n"
        ),
    );
    let instance = setup.up();
    instance.settled();
    instance.write("broken", "");
    instance
}

#[test]
fn a_reload_whose_replacement_is_never_ready_fails_and_the_old_workers_go_on() {
    let instance = breakable("echo the moon is not found; exec sleep 600");
    let pids = instance.pids("web");
    let load = Load::start(&instance.address("web"));
    let said = instance.remuda(&["reload", "web"]).exits(1);
    load.finish().none_failed();
    assert!(said.err.contains("the moon is not found"), "its last lines: {}", said.err);
    assert!(said.err.contains("not ready within"), "the reason: {}", said.err);
    let failed = instance.wait_event("failure", |event| matches!(event.kind, EventKind::ReloadFailed { .. }));
    assert!(
        matches!(
            &failed.event.kind,
            EventKind::ReloadFailed { done: 0, total: 2, last_lines, .. } if last_lines == &["the moon is not found"]
        ),
        "{failed:?}"
    );
    assert_eq!(instance.pids("web"), pids);
    std::fs::remove_file(instance.dir().join("broken")).unwrap();
    instance.remuda(&["reload", "web"]).done();
    assert_ne!(instance.pids("web"), pids);
    instance.end();
}

#[test]
fn a_reload_whose_replacement_crashes_fails_and_the_old_workers_go_on() {
    let instance = breakable("echo no config >&2; exit 7");
    let pids = instance.pids("web");
    let said = instance.remuda(&["reload", "web"]).exits(1);
    assert!(said.err.contains("no config") && said.err.contains("exit 7"), "{}", said.err);
    assert_eq!(instance.pids("web"), pids);
    instance.wait_phase("web", ServicePhase::Running);
    instance.end();
}
