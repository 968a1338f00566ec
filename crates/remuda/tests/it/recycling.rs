//! Workers that are old, or have served enough, are replaced without a gap.

use std::collections::BTreeSet;

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;

use crate::harness::load::Load;
use crate::harness::{Instance, Setup};

#[test]
fn workers_at_their_age_are_replaced_and_no_request_fails() {
    let instance = Instance::up(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\n\
         [service.web]\ncommand = \"python3 @WORKERS@/notify_worker.py\"\nsockets = [\"web\"]\nworkers = 2\n\
         ready = \"notify\"\nmax_age = \"1s\"\nrecycle_jitter = \"50%\"\n",
    );
    let first: BTreeSet<u32> = instance.pids("web").into_iter().collect();
    let load = Load::start(&instance.address("web"));
    instance.wait_status("all of the first to be gone", |view| {
        let workers = &view.services[0].workers;
        workers.iter().all(|worker| worker.pid.is_some_and(|pid| !first.contains(&pid)))
    });
    load.finish().none_failed();
    let events = instance.events();
    let reasons: Vec<&str> = events
        .iter()
        .filter_map(|record| match &record.event.kind {
            EventKind::Recycling { reason } => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    assert!(reasons.len() >= 2 && reasons.iter().all(|reason| reason.contains("age")), "{reasons:?}");
    assert_eq!(instance.service("web").failures_total, 0);
    instance.end();
}

#[test]
fn a_worker_that_has_served_enough_is_replaced() {
    let setup = Setup::new(
        "[service.web]\ncommand = \"./run\"\nready = \"notify\"\nmax_requests = 3\nrecycle_jitter = \"0%\"\n",
    );
    setup.program(
        "run",
        "#!/bin/sh\nsystemd-notify --ready\n\
         if mkdir first; then systemd-notify --status=two X_REMUDA_REQUESTS=2; read _ < gate; systemd-notify X_REMUDA_REQUESTS=3; fi\n\
         exec sleep 600\n",
    );
    setup.gate("gate");
    let instance = setup.up();
    instance.wait_phase("web", ServicePhase::Running);
    instance.wait_event("its count", |event| matches!(event.kind, EventKind::WorkerStatus { .. }));
    assert_eq!(instance.service("web").workers[0].requests, Some(2));
    let first = instance.pids("web");
    assert!(!instance.events().iter().any(|record| matches!(record.event.kind, EventKind::Recycling { .. })));
    let _gate = instance.open_gate("gate");
    instance.wait_event(
        "its limit",
        |event| matches!(&event.kind, EventKind::Recycling { reason } if reason.contains("requests")),
    );
    instance.wait_status("its successor", |view| {
        let workers = &view.services[0].workers;
        workers.len() == 1 && workers[0].pid.is_some() && workers[0].pid != Some(first[0])
    });
    instance.end();
}
