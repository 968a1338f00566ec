//! Programs that people run, as workers: each serves on several, is replaced by a reload, and stops within its grace.

use std::collections::BTreeSet;

use remuda_model::{EventKind, Record};

use crate::harness::Instance;
use crate::harness::load::{Load, distinct_pids};

/// What a worker has to stop, less what clocks differ by: the default of `stop.timeout`.
const GRACE_MS: u64 = 19_900;

/// Whether a program finishes what it has accepted when it is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// It does: a reload costs no request.
    Drains,
    /// It drops what it is at.
    Drops,
}

/// Runs three workers of `service`, the lines of a `[service.web]` table, through their life.
fn lives(service: &str, manners: Manners) {
    let instance = Instance::up(&format!(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
         [service.web]\nsockets = [\"web\"]\nworkers = 3\nreload = {{ surge = 3 }}\nstop = {{ timeout = \"20s\" }}\n{service}"
    ));
    let address = instance.address("web");
    let workers: BTreeSet<u32> = instance.pids("web").into_iter().collect();
    assert_eq!(workers.len(), 3);
    let answering = distinct_pids(&address, 3);

    let load = Load::start(&address);
    instance.remuda(&["reload", "web"]).done();
    let account = load.finish();
    if manners == Manners::Drains {
        account.none_failed();
    }
    let replaced: BTreeSet<u32> = instance.pids("web").into_iter().collect();
    assert_eq!(replaced.len(), 3);
    assert!(replaced.is_disjoint(&workers), "{workers:?} {replaced:?}");
    let answering_now = distinct_pids(&address, 3);
    assert!(answering_now.is_disjoint(&answering), "{answering:?} {answering_now:?}");

    instance.remuda(&["stop", "web"]).done();
    let killed = |kind: &EventKind| matches!(kind, EventKind::WorkerKilling { .. });
    let events = instance.events();
    let killings: Vec<_> = events.iter().filter(|record| killed(&record.event.kind)).collect();
    if manners == Manners::Drains {
        assert!(killings.is_empty(), "stopped within their grace, not killed: {killings:?}");
    }
    // A program that stops as it likes may hang in its own threads at its end; but nobody is killed before its time.
    for killing in killings {
        let stopping = |record: &&Record| {
            record.event.worker == killing.event.worker
                && matches!(record.event.kind, EventKind::WorkerStopping { .. })
        };
        let told = events.iter().find(stopping).unwrap();
        let grace_ms = killing.time_ms - told.time_ms;
        assert!(grace_ms >= GRACE_MS, "{killing:?} only {grace_ms} ms after {told:?}");
    }
    instance.end();
}

#[test]
fn gunicorn_with_sync_workers_lives() {
    lives(
        "command = \"@VENV@/gunicorn --bind fd://$(socket.web) --chdir @WORKERS@ wsgi_app:app\"\nready = \"notify\"",
        Manners::Drains,
    );
}

#[test]
fn gunicorn_with_threads_lives() {
    lives(
        "command = \"@VENV@/gunicorn -k gthread --threads 4 --bind fd://$(socket.web) --chdir @WORKERS@ wsgi_app:app\"\n\
         ready = \"notify\"",
        Manners::Drains,
    );
}

#[test]
fn gunicorn_activated_by_systemds_variables_lives() {
    lives(
        "command = \"@VENV@/gunicorn --chdir @WORKERS@ wsgi_app:app\"\nready = \"notify\"",
        Manners::Drains,
    );
}

#[test]
fn uvicorn_lives() {
    lives(
        "command = \"@VENV@/uvicorn --fd $(socket.web) --app-dir @WORKERS@ asgi_app:app\"\n\
         ready = \"log:Application startup complete\"",
        // It closes connections it has accepted and not read from yet.
        Manners::Drops,
    );
}

#[test]
fn chaussette_in_the_dialect_of_circus_lives() {
    lives(
        "command = \"@VENV@/chaussette --fd $(circus.sockets.web) wsgi_app.app\"\ndirectory = \"@WORKERS@\"\n\
         ready = \"log:Serving on\"",
        Manners::Drops,
    );
}

#[test]
fn waitress_on_a_descriptor_lives() {
    lives("command = \"@PYTHON@ @WORKERS@/waitress_fd.py\"\nready = \"log:Serving on\"", Manners::Drops);
}

#[test]
fn twisted_in_the_dialect_of_systemd_lives() {
    lives(
        "command = \"@VENV@/twistd --nodaemon --pidfile= web --listen systemd:domain=INET:index=0 --wsgi wsgi_app.app\"\n\
         directory = \"@DIR@\"\nready = \"log:Site starting on\"\n[service.web.env]\nPYTHONPATH = \"@WORKERS@\"\n",
        Manners::Drops,
    );
}

#[test]
fn node_on_a_descriptor_lives() {
    lives("command = \"node @WORKERS@/node_fd.js\"\nready = \"log:listening on fd 3\"", Manners::Drains);
}

#[test]
fn a_worker_that_acknowledges_to_einhorn_lives() {
    lives(
        "command = \"@PYTHON@ @WORKERS@/einhorn_worker.py\"\nready = \"ack\"\n[service.web.env]\nACK_DELAY_MS = 200\n",
        Manners::Drains,
    );
}

#[test]
fn a_worker_with_its_listener_on_descriptor_0_lives() {
    lives(
        "command = \"@PYTHON@ @WORKERS@/inetd_fd0.py\"\nstdin = \"socket:web\"\nready = \"delay:1s\"",
        Manners::Drains,
    );
}

#[test]
fn a_worker_that_notifies_from_its_own_code_lives() {
    lives("command = \"@PYTHON@ @WORKERS@/notify_worker.py\"\nready = \"notify\"", Manners::Drains);
}

#[test]
fn a_shell_script_that_calls_systemd_notify_is_ready_and_serves() {
    lives(
        "command = \"systemd-notify --ready; exec @PYTHON@ @WORKERS@/notify_worker.py\"\nshell = true\n\
         ready = \"notify\"\n[service.web.env]\nNEVER_READY = 1\n",
        Manners::Drains,
    );
}
