//! Services that are held: their workers go for a while, and whoever comes meanwhile waits.

use remuda_model::EventKind;
use remuda_model::view::{Instance as View, ServicePhase};

use crate::harness::load::Load;
use crate::harness::{Instance, http};

const CONFIG: &str = r#"
    [socket.web]
    listen = "127.0.0.1:0"
    [service.web]
    command = "python3 @WORKERS@/notify_worker.py"
    sockets = ["web"]
    workers = 2
    ready = "notify"
    [service.job]
    command = "python3 @WORKERS@/notify_worker.py"
    ready = "notify"
"#;

fn waiting(view: &View) -> u32 {
    view.sockets[0].listeners.iter().filter_map(|listener| listener.queue).sum()
}

#[test]
fn no_request_is_lost_by_a_hold_that_ends_with_its_time() {
    let instance = Instance::up(CONFIG);
    let loads: Vec<Load> = (0..4).map(|_| Load::start(&instance.address("web"))).collect();
    let before = instance.pids("web");
    let said = instance.remuda(&["hold", "web", "--for", "2s"]).done();
    assert!(said.out.contains("web is held"), "{said:?}");
    let held = instance.wait_event("the hold", |event| event.kind == EventKind::ServiceHeld { for_ms: 2000 });
    let released = instance.wait_event_after(held.seq, "the end of the hold", |event| {
        event.kind == EventKind::ServiceReleased { reason: "time".to_owned() }
    });
    assert!(released.time_ms - held.time_ms >= 1900, "{held:?} {released:?}");
    instance.wait_phase("web", ServicePhase::Running);
    let after = instance.pids("web");
    assert!(before.iter().all(|pid| !after.contains(pid)), "{before:?} {after:?}");
    // Those who waited are served by the new ones.
    let served = http::get(&instance.address("web"), "/").unwrap().pid();
    assert!(after.contains(&served));
    for load in loads {
        let account = load.finish();
        account.none_failed();
        assert!(account.pids.iter().any(|pid| after.contains(pid)), "{account:?}");
    }
    instance.end();
}

#[test]
fn connections_wait_in_the_queue_until_the_service_is_released() {
    let instance = Instance::up(CONFIG);
    let address = instance.address("web");
    instance.remuda(&["hold", "web", "--for", "5m"]).done();
    let mut clients: Vec<_> = (0..3).map(|_| http::connect(&address).unwrap()).collect();
    clients.iter_mut().for_each(|client| http::send(&mut **client, "GET", "/", "").unwrap());
    let view = instance.wait_status("three to wait", |view| waiting(view) == 3);
    let web = view.services.iter().find(|service| service.name.as_str() == "web").unwrap();
    assert_eq!((web.phase, web.workers.len(), web.wanted), (ServicePhase::Held, 0, true));
    assert!(web.held_for_ms.is_some_and(|left| left > 200_000 && left <= 300_000), "{web:?}");
    let shown = instance.remuda(&["status"]).done().out;
    assert!(shown.contains("held for another"), "{shown}");
    let said = instance.remuda(&["release", "web"]).done();
    assert!(said.out.contains("web runs with 2 workers"), "{said:?}");
    for mut client in clients {
        assert_eq!(http::answer(&mut *client).unwrap().status, 200);
    }
    instance.end();
}

#[test]
fn a_stop_wins_over_a_hold_and_what_cannot_be_held_is_refused() {
    let instance = Instance::up(CONFIG);
    instance.remuda(&["hold", "web", "--for", "5m"]).done();
    instance.remuda(&["stop", "web"]).done();
    assert_eq!(instance.service("web").phase, ServicePhase::Stopped);
    for (arguments, why) in [
        (["release", "web"].as_slice(), "web is not held (it is stopped)"),
        (&["hold", "web"], "web does not run (it is stopped)"),
        (&["hold", "job"], "job has no socket"),
        (&["hold", "web", "--for", "11m"], "at most 600 s"),
        (&["hold", "nobody"], "there is no service nobody"),
    ] {
        let said = instance.remuda(arguments).exits(4);
        assert!(said.err.contains(why), "{said:?}");
    }
    let said = instance.remuda(&["hold", "web", "--for", "0s"]).exits(2);
    assert!(said.err.contains("1ms is the least"), "{said:?}");
    instance.end();
}
