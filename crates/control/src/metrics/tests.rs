//! The text of the metrics, for a picture of everything.

use std::collections::BTreeSet;

use remuda_model::hub::{HubMetrics, MemberMetrics, ServiceMetrics};
use remuda_model::view::Instance;

use super::metrics;

fn view() -> Instance {
    serde_json::from_str(
        r#"{
            "name": "shop \"x\"", "version": "1.2.3", "pid": 7, "uptime_ms": 61005, "config": "remuda.toml",
            "tracking": "process tree", "memory_bytes": 4096, "stopping": false,
            "hub": {"bus": [], "store": []},
            "limits_hit": [{"limit": "log file lines dropped (web)", "count": 3}],
            "sockets": [{
                "name": "web", "address": "127.0.0.1:80", "kind": "stream", "mode": "per-worker",
                "listeners": [
                    {"slot": 0, "queue": 2, "queue_limit": 128}, {"slot": 1, "queue": null, "queue_limit": null}
                ],
                "services": ["web"]
            }],
            "services": [{
                "name": "web", "phase": "running", "wanted": true, "workers_wanted": 2, "workers_ready": 1,
                "generation": 4, "failures_total": 1, "starts_total": 9, "reason": null, "reload": null,
                "scaling": {"min": 1, "max": 8, "on": "backlog"}, "next_run_ms": null, "workers": [],
                "backoffs": []
            }]
        }"#,
    )
    .unwrap()
}

fn hub() -> HubMetrics {
    let mut hub = HubMetrics { uptime_ms: 1500, ..HubMetrics::default() };
    hub.bus.dropped_messages_total = 5;
    hub.store.databases = vec![(0, 3), (9, 1)];
    hub.worst_members = vec![
        MemberMetrics {
            id: 7,
            name: "web".into(),
            protocol: "zeromq".into(),
            lag_messages: 12,
            ..Default::default()
        },
        MemberMetrics { id: 8, protocol: "redis".into(), ..Default::default() },
    ];
    hub.services = vec![ServiceMetrics { name: "resize".into(), waiting: 4, ..Default::default() }];
    hub
}

#[test]
fn figures_are_told_by_name_with_their_labels() {
    let text = metrics(&view(), 42, Some(&hub()));
    for line in [
        r#"remuda_info{instance="shop \"x\"",version="1.2.3"} 1"#,
        "remuda_uptime_seconds 61.005",
        "remuda_events_total 42",
        r#"remuda_limit_hits_total{limit="log file lines dropped (web)"} 3"#,
        r#"remuda_socket_queue_depth{socket="web",slot="0"} 2"#,
        r#"remuda_socket_queue_limit{socket="web",slot="0"} 128"#,
        r#"remuda_service_workers_wanted{service="web"} 2"#,
        r#"remuda_service_workers_max{service="web"} 8"#,
        r#"remuda_service_starts_total{service="web"} 9"#,
        "remuda_hub_up 1",
        "remuda_hub_uptime_seconds 1.500",
        "remuda_hub_bus_dropped_messages_total 5",
        r#"remuda_hub_store_database_keys{database="9"} 1"#,
        r#"remuda_hub_member_lag_messages{member="7",name="web",protocol="zeromq"} 12"#,
        r#"remuda_hub_called_service_waiting_calls{called="resize"} 4"#,
        r#"remuda_service_phase{service="web",phase="running"} 1"#,
    ] {
        assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
    }
}

#[test]
fn every_name_has_one_help_and_one_type_before_its_values() {
    let text = metrics(&view(), 42, Some(&hub()));
    let (mut known, mut lines) = (BTreeSet::new(), text.lines().peekable());
    while let Some(help) = lines.next() {
        let name = help.strip_prefix("# HELP ").and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(known.insert(name.to_owned()), "{name} comes twice");
        assert!(lines.next().unwrap().starts_with(&format!("# TYPE {name} ")));
        let mut values = 0;
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            assert!(
                line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")),
                "{line}"
            );
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
            values += 1;
        }
        assert!(values > 0, "{name} has no value");
    }
    assert!(text.ends_with('\n'));
}

#[test]
fn a_hub_that_says_nothing_is_told_as_down_and_none_is_not_told_of() {
    let text = metrics(&view(), 42, None);
    assert!(text.contains("\nremuda_hub_up 0\n") && !text.contains("remuda_hub_bus"), "{text}");
    let without = Instance { hub: None, ..view() };
    assert!(!metrics(&without, 42, None).contains("remuda_hub"));
}
