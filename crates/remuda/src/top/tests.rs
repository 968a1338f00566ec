//! Rates between two looks, and the picture made of them.

use remuda_model::hub::{HubMetrics, MemberMetrics};
use remuda_model::view::Instance;

use super::picture::{Frame, History, render};
use super::rates::{Rates, rates};
use super::sample::Sample;

fn view(uptime_ms: u64, cpu_ms: u64) -> Instance {
    let worker = |slot: u32, pid: u32| {
        serde_json::json!({
            "id": slot + 1, "slot": slot, "pid": pid, "generation": 1, "phase": "ready", "age_ms": 3000,
            "status": null, "requests": null, "memory_bytes": 1_048_576, "cpu_ms": cpu_ms
        })
    };
    serde_json::from_value(serde_json::json!({
        "name": "shop", "version": "1.2.3", "pid": 7, "uptime_ms": uptime_ms, "config": "remuda.toml",
        "tracking": "process tree", "memory_bytes": 4096, "stopping": false, "limits_hit": [],
        "hub": {"bus": [], "store": []},
        "sockets": [{
            "name": "web", "address": "127.0.0.1:80", "kind": "stream", "mode": "shared",
            "listeners": [{"slot": null, "queue": 3, "queue_limit": 128}], "services": ["web"]
        }],
        "services": [{
            "name": "web", "phase": "running", "wanted": true, "workers_wanted": 2, "workers_ready": 2,
            "generation": 1, "failures_total": 0, "starts_total": 2, "reason": null, "reload": null,
            "next_run_ms": null, "workers": [worker(0, 100), worker(1, 101)], "backoffs": []
        }]
    }))
    .unwrap()
}

fn hub(uptime_ms: u64, published: u64, run_id: &str) -> HubMetrics {
    let mut hub = HubMetrics { run_id: run_id.to_owned(), uptime_ms, ..HubMetrics::default() };
    hub.bus.published_messages_total = published;
    hub.bus.delivered_messages_total = published * 3;
    hub.bus.members = 3;
    hub.store.keys = 12_345;
    hub.store.used_bytes = 40 << 20;
    hub.store.limit_bytes = 512 << 20;
    hub.store.is_durable = true;
    hub
}

fn sample(uptime_ms: u64, cpu_ms: u64, hub: Option<HubMetrics>) -> Sample {
    Sample { view: view(uptime_ms, cpu_ms), hub }
}

fn plain(sample: &Sample, rates: &Rates, frame: Frame) -> String {
    anstream::adapter::strip_str(&render(sample, rates, &History::default(), frame)).to_string()
}

const WIDE: Frame = Frame { width: 100, rows: None, with_slots: true };

#[test]
fn two_looks_make_rates() {
    let before = sample(10_000, 500, Some(hub(9_000, 100, "a")));
    let now = sample(12_000, 1_500, Some(hub(11_000, 20_100, "a")));
    let rates = rates(&before, &now);
    assert_eq!(rates.worker_cpu_percent.values().copied().collect::<Vec<_>>(), [50.0, 50.0]);
    let hub = rates.hub.unwrap();
    assert_eq!((hub.messages_in, hub.messages_out, hub.drops), (10_000.0, 30_000.0, 0.0));
}

#[test]
fn there_are_no_rates_over_the_beginning_of_another_hub_or_arbiter() {
    let before = sample(10_000, 500, Some(hub(9_000, 100, "a")));
    assert_eq!(rates(&before, &sample(12_000, 500, Some(hub(1_000, 5, "b")))).hub, None);
    assert_eq!(rates(&before, &sample(12_000, 500, None)).hub, None);
    let mut other = sample(12_000, 500, None);
    other.view.pid += 1;
    assert_eq!(rates(&before, &other), Rates::default());
    assert_eq!(rates(&before, &before), Rates::default(), "no time has passed");
}

#[test]
fn the_picture_shows_services_slots_and_the_hub() {
    let before = sample(10_000, 500, Some(hub(9_000, 100, "a")));
    let mut now = sample(12_000, 1_500, Some(hub(11_000, 20_100, "a")));
    let worst = MemberMetrics {
        id: (1 << 32) + 4,
        name: "web stuck".into(),
        protocol: "redis".into(),
        queued_bytes: 2048,
        lag_messages: 1_200,
        ..MemberMetrics::default()
    };
    now.hub.as_mut().unwrap().worst_members = vec![worst];
    insta::assert_snapshot!(plain(&now, &rates(&before, &now), WIDE), @"
    shop  remuda 1.2.3, up 12s, 2 workers, 2.0 MiB, 100% cpu

    SERVICE  PHASE    READY   CPU   MEMORY  QUEUE  AGE  FAILURES  PID  SAYS
    web      running    2/2  100%  2.0 MiB  3/128   3s         0
      .0     ready            50%  1.0 MiB          3s            100
      .1     ready            50%  1.0 MiB          3s            101

    BUS     in 10.0k/s   out 30.0k/s   0 B/s   3 subscribers   0 dropped/s
    CLIENTS 0 commands/s   0 redis   0 zeromq   0 waiting   0 calls/s   0 scripts/s   0 refused
    QUEUES  nobody is behind   0 in 0 B   lag 0   work 0   calls 0   replies 0 B
    STORE   12,345 keys   40 MiB of 512 MiB █░░░░░░░░░░░░░░░░░░░   0 changes/s   0 expired/s
    DISK    well   0 B   0 B pending   0 syncs/s   0 failures

    SLOWEST       SPEAKS  BEHIND   QUEUED  DROPPED
    web stuck #4  redis    1,200  2.0 KiB        0
    ");
}

#[test]
fn a_hub_that_does_not_answer_is_said_to_and_none_has_no_lines() {
    let mut now = sample(12_000, 1_500, None);
    assert!(plain(&now, &Rates::default(), WIDE).contains("HUB     does not answer"));
    now.view.hub = None;
    assert!(!plain(&now, &Rates::default(), WIDE).contains("HUB"));
}

#[test]
fn the_picture_fits_the_screen_whatever_its_size() {
    let before = sample(10_000, 500, Some(hub(9_000, 100, "a")));
    let now = sample(12_000, 1_500, Some(hub(11_000, 20_100, "a")));
    let rates = rates(&before, &now);
    for rows in 1..30 {
        for width in [40, 60, 80, 120] {
            let text = plain(&now, &rates, Frame { width, rows: Some(rows), with_slots: true });
            assert!(text.lines().count() <= rows, "{rows} rows: {text}");
            let hub = text.lines().filter(|line| line.starts_with("BUS") || line.starts_with("STORE"));
            assert!(hub.clone().all(|line| line.chars().count() <= width), "{width} columns: {text}");
        }
    }
    let high = plain(&now, &rates, Frame { width: 100, rows: Some(13), with_slots: true });
    assert!(high.contains("  .1"), "{high}");
    let low = plain(&now, &rates, Frame { width: 100, rows: Some(10), with_slots: true });
    assert!(!low.contains("  .1") && low.contains("DISK"), "slots go first: {low}");
}
