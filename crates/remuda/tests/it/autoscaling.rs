//! Numbers of workers that follow the load.

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use crate::harness::{Instance, Setup, http, is_root, process};

const CONFIG: &str = r#"
    [socket.web]
    listen = "127.0.0.1:0"
    backlog = 2
    [service.web]
    command = "python3 @WORKERS@/notify_worker.py"
    sockets = ["web"]
    workers = { min = 1, max = 2, on = "backlog" }
    ready = "notify"
"#;

/// An arbiter for which the machine, whatever else it does, is short of nothing. Only root can hide what it is short of.
fn on_a_calm_machine() -> Option<Instance> {
    if !is_root() {
        return None;
    }
    let mut setup = Setup::new(CONFIG);
    let pressure = setup.dir().join("pressure");
    std::fs::create_dir(&pressure).unwrap();
    for of in ["cpu", "memory"] {
        std::fs::write(pressure.join(of), "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n").unwrap();
    }
    let hide = "[ ! -d /proc/pressure ] || mount --bind pressure /proc/pressure && exec \"$0\" \"$@\"";
    setup.wrapper = ["unshare", "-m", "sh", "-c", hide].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    Some(instance)
}

#[test]
fn a_backlog_brings_a_worker_that_serves_it_and_a_full_queue_is_told() {
    let Some(instance) = on_a_calm_machine() else { return };
    let address = instance.address("web");
    let first = instance.pids("web");
    assert_eq!(first.len(), 1);
    // It accepts nobody any more, and is still ready as far as anybody knows.
    process::signal(first[0], Signal::STOP);
    let mut clients: Vec<_> = (0..2).map(|_| http::connect(&address).unwrap()).collect();
    clients.iter_mut().for_each(|client| http::send(&mut **client, "GET", "/", "").unwrap());
    let full = instance.wait_event("the full queue", |event| {
        matches!(&event.kind, EventKind::BacklogFull { socket, depth: 2, limit: 2 } if socket.as_str() == "web")
    });
    assert_eq!(full.event.service.as_ref().map(|name| name.as_str()), Some("web"));
    let scaled = instance.wait_event("another worker", |event| {
        let EventKind::Scaled { from: 1, to: 2, reason: Some(reason) } = &event.kind else { return false };
        reason.starts_with("backlog 2 for ")
    });
    assert!(
        scaled.time_ms - full.time_ms >= 1_500,
        "three measurements, a second apart: {full:?} {scaled:?}"
    );
    for mut client in clients {
        let served = http::answer(&mut *client).unwrap();
        assert_eq!((served.status, first.contains(&served.pid())), (200, false));
    }
    instance.wait_phase("web", ServicePhase::Running);
    process::signal(first[0], Signal::CONT);
    let told = instance.events();
    let often = told.iter().filter(|record| matches!(record.event.kind, EventKind::BacklogFull { .. }));
    assert_eq!(often.count(), 1, "told once, not at each look");
    instance.end();
}

#[test]
fn an_operator_chooses_within_the_bounds_only() {
    let instance = Instance::up(CONFIG);
    instance.remuda(&["scale", "web=2"]).done();
    assert_eq!(instance.service("web").workers_wanted, 2);
    let said = instance.remuda(&["scale", "web=3"]).exits(4);
    assert!(said.err.contains("web scales between 1 and 2 workers by itself; 3 is outside"), "{said:?}");
    let shown = instance.remuda(&["status"]).done().out;
    assert!(shown.contains("between 1 and 2 workers, by backlog"), "{shown}");
    let figures = instance.remuda(&["metrics"]).done().out;
    for line in [
        r#"remuda_service_workers_ready{service="web"} 2"#,
        r#"remuda_service_workers_max{service="web"} 2"#,
        r#"remuda_socket_queue_depth{socket="web",slot=""} 0"#,
        r#"remuda_socket_queue_limit{socket="web",slot=""} 2"#,
        r#"remuda_service_starts_total{service="web"} 2"#,
    ] {
        assert!(figures.lines().any(|known| known == line), "no {line} in\n{figures}");
    }
    instance.end();
}
