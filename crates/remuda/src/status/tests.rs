//! Pictures as they are shown.

use jiff::tz::TimeZone;
use remuda_model::view::{
    Hub, Instance, LimitHit, Listener, Pause, Progress, Service, ServicePhase, Socket, Worker,
};
use remuda_model::{Load, Mode, Scaling, SocketKind, WorkerId, WorkerPhase};

use super::{answer, render, select};
use crate::exit::Exit;

fn worker(slot: u32, pid: u32, phase: WorkerPhase) -> Worker {
    Worker {
        id: WorkerId(u64::from(pid)),
        slot,
        pid: Some(pid),
        generation: 3,
        phase,
        age_ms: 60_000 * u64::from(pid - 99),
        status: (slot == 0).then(|| "serving \x1b[2Jshop".to_owned()),
        requests: (slot == 0).then_some(1234),
        memory_bytes: Some(31_457_280),
        cpu_ms: Some(2500),
    }
}

fn service(name: &str, phase: ServicePhase, workers: Vec<Worker>) -> Service {
    Service {
        name: name.parse().unwrap(),
        phase,
        wanted: true,
        workers_wanted: 2,
        workers_ready: u32::try_from(workers.len()).unwrap(),
        generation: 3,
        failures_total: 0,
        starts_total: 5,
        reason: None,
        reload: None,
        scaling: None,
        held_for_ms: None,
        next_run_ms: None,
        workers,
        backoffs: vec![],
    }
}

fn picture() -> Instance {
    let ready = |slot, pid| worker(slot, pid, WorkerPhase::Ready);
    let web = service("web", ServicePhase::Reloading, vec![ready(0, 100), ready(1, 101)]);
    let web = Service { reload: Some(Progress { done: 1, total: 2 }), ..web };
    let jobs = Service {
        failures_total: 12,
        reason: Some("exit 1 after 30ms".into()),
        backoffs: vec![
            Pause { slot: 0, retry_in_ms: Some(3200), failures: 12 },
            Pause { slot: 1, retry_in_ms: None, failures: 11 },
        ],
        ..service("jobs", ServicePhase::CrashLoop, vec![])
    };
    let listener = Listener { slot: None, queue: Some(3), queue_limit: Some(2048) };
    let socket = Socket {
        name: "web".parse().unwrap(),
        address: "0.0.0.0:8080".into(),
        kind: SocketKind::Stream,
        mode: Mode::Shared,
        listeners: vec![listener],
        services: vec!["web".parse().unwrap()],
        file_put_back: None,
    };
    Instance {
        name: "shop".into(),
        version: "0.1.0".into(),
        pid: 77,
        uptime_ms: 11_000_000,
        config: "/srv/shop/remuda.toml".into(),
        tracking: "process tree (no cgroup v2 hierarchy is mounted)".into(),
        memory_bytes: 9_437_184,
        stopping: false,
        limits_hit: vec![LimitHit { limit: "log lines dropped (web)".into(), count: 4 }],
        hub: None,
        gateways: None,
        sockets: vec![socket],
        services: vec![jobs, web],
    }
}

fn shown(view: &Instance, in_detail: bool, width: usize) -> String {
    anstream::adapter::strip_str(&render(view, in_detail, width, &TimeZone::UTC)).to_string()
}

#[test]
fn the_overview_has_a_line_for_each_service_and_socket() {
    insta::assert_snapshot!(shown(&picture(), false, 120), @"
    shop  remuda 0.1.0, pid 77, up 3h 3m, 9.0 MiB  /srv/shop/remuda.toml
    trees of workers: process tree (no cgroup v2 hierarchy is mounted)
    limit hit: log lines dropped (web), 4 times

    SERVICE  PHASE       READY  GEN      AGE  MEMORY  CPU  FAILURES  PIDS
    jobs     crash-loop    0/2    3        -       -    -        12  -
      exit 1 after 30ms
      slot 0 is tried again in 3s (12 failures in a row)
      slot 1 is held until another one boots (11 failures in a row)
    web      reloading     2/2    3  1m - 2m  60 MiB   5s         0  100 101
      1 of 2 replaced

    SOCKET  ADDRESS       MODE     QUEUE  SERVICES
    web     0.0.0.0:8080  shared  3/2048  web
    ");
}

#[test]
fn a_narrow_terminal_gets_what_matters_most() {
    insta::assert_snapshot!(shown(&picture(), false, 40), @"
    shop  remuda 0.1.0, pid 77, up 3h 3m, 9.0 MiB  /srv/shop/remuda.toml
    trees of workers: process tree (no cgroup v2 hierarchy is mounted)
    limit hit: log lines dropped (web), 4 times

    SERVICE  PHASE       READY      AGE
    jobs     crash-loop    0/2        -
      exit 1 after 30ms
      slot 0 is tried again in 3s (12 failures in a row)
      slot 1 is held until another one boots (11 failures in a row)
    web      reloading     2/2  1m - 2m
      1 of 2 replaced

    SOCKET  ADDRESS       MODE     QUEUE
    web     0.0.0.0:8080  shared  3/2048
    ");
}

#[test]
fn the_detail_has_a_line_for_each_worker_and_pause() {
    let mut view = picture();
    select(&mut view, &["web".parse().unwrap()]).unwrap();
    insta::assert_snapshot!(shown(&view, true, 120), @"
    shop  remuda 0.1.0, pid 77, up 3h 3m, 9.0 MiB  /srv/shop/remuda.toml
    trees of workers: process tree (no cgroup v2 hierarchy is mounted)
    limit hit: log lines dropped (web), 4 times

    web  reloading, 2 of 2 ready, generation 3, 0 failures
      1 of 2 replaced
    SLOT  PID  PHASE  GEN  AGE  MEMORY  CPU  REQUESTS  SAYS
       0  100  ready    3   1m  30 MiB   2s      1234  serving shop
       1  101  ready    3   2m  30 MiB   2s         -  -

    SOCKET  ADDRESS       MODE     QUEUE  SERVICES
    web     0.0.0.0:8080  shared  3/2048  web
    ");
}

#[test]
fn the_detail_of_a_per_worker_socket_has_the_queue_of_each_slot() {
    let mut view = picture();
    let socket = &mut view.sockets[0];
    socket.mode = Mode::PerWorker;
    let listener = |slot, queue| Listener { slot: Some(slot), queue: Some(queue), queue_limit: Some(128) };
    socket.listeners = vec![listener(0, 2), listener(1, 9)];
    let line = "  slot 0: 2/128, slot 1: 9/128";
    assert!(shown(&view, true, 120).lines().any(|known| known == line), "{}", shown(&view, true, 120));
    assert!(!shown(&view, false, 120).contains("slot 0: "));
}

#[test]
fn a_held_service_and_one_that_follows_the_load_say_so() {
    let mut view = picture();
    let scaling = Scaling { min: 2, max: 8, on: Load::Backlog };
    view.services[1].phase = ServicePhase::Held;
    view.services[1].held_for_ms = Some(28_000);
    view.services[1].scaling = Some(scaling);
    let text = shown(&view, false, 120);
    assert!(text.contains("  between 2 and 8 workers, by backlog\n"), "{text}");
    assert!(text.contains("  held for another 28s; who comes waits in the queue\n"), "{text}");
}

#[test]
fn where_the_hub_is_stands_below_unless_only_others_are_asked_for() {
    let mut view = picture();
    view.services.insert(0, service("hub", ServicePhase::Running, vec![]));
    view.hub = Some(Hub {
        bus: vec!["ipc:///run/remuda/shop/bus.sock".into(), "tcp://127.0.0.1:40001".into()],
        bus_pub: None,
        bus_pull: Some("tcp://127.0.0.1:5555".into()),
        store: vec!["unix:///run/remuda/shop/store.sock".into(), "redis://127.0.0.1:40002".into()],
        herd: vec!["10.0.0.1:7946".into()],
    });
    let text = shown(&view, false, 120);
    let (_, below) = text.split_once("\nHUB ").unwrap();
    insta::assert_snapshot!(format!("HUB {below}"), @r#"
    HUB        ENDPOINT
    bus        ipc:///run/remuda/shop/bus.sock
    bus        tcp://127.0.0.1:40001
    bus, pull  tcp://127.0.0.1:5555
    store      unix:///run/remuda/shop/store.sock
    store      redis://127.0.0.1:40002
    herd       10.0.0.1:7946
    "#);
    let mut only = view.clone();
    select(&mut only, &["web".parse().unwrap()]).unwrap();
    assert!(!shown(&only, true, 120).contains("HUB"));
    select(&mut view, &["hub".parse().unwrap()]).unwrap();
    assert!(shown(&view, true, 120).contains("redis://127.0.0.1:40002"));
}

#[test]
fn a_service_that_is_not_there_is_refused() {
    let refused = select(&mut picture(), &["wbe".parse().unwrap()]).unwrap_err();
    assert_eq!(refused.to_string(), "there is no service wbe; did you mean web?");
}

#[test]
fn the_answer_is_no_when_something_is_broken() {
    assert_eq!(answer(&picture()), Exit::No);
    let mut view = picture();
    select(&mut view, &["web".parse().unwrap()]).unwrap();
    assert_eq!(answer(&view), Exit::Done);
}
