//! The text of the metrics, for a picture of everything.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::hub::{HubMetrics, MemberMetrics, ServiceMetrics};
use remuda_model::view::Instance;

use remuda_model::gateway::{CertificateMetrics, GatewayMetrics, RouteMetrics, TimeMetrics, UpstreamMetrics};

use super::metrics;
use crate::body::GatewayFigures;

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
                "services": ["web"], "file_put_back": 6
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
    let text = metrics(&view(), 42, Some(&hub()), &BTreeMap::new());
    for line in [
        r#"remuda_info{instance="shop \"x\"",version="1.2.3"} 1"#,
        "remuda_uptime_seconds 61.005",
        "remuda_events_total 42",
        r#"remuda_limit_hits_total{limit="log file lines dropped (web)"} 3"#,
        r#"remuda_socket_queue_depth{socket="web",slot="0"} 2"#,
        r#"remuda_socket_queue_limit{socket="web",slot="0"} 128"#,
        r#"remuda_socket_file_put_back_total{socket="web"} 6"#,
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
    let text = metrics(&view(), 42, Some(&hub()), &BTreeMap::new());
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
    let text = metrics(&view(), 42, None, &BTreeMap::new());
    assert!(text.contains("\nremuda_hub_up 0\n") && !text.contains("remuda_hub_bus"), "{text}");
    let without = Instance { hub: None, ..view() };
    assert!(!metrics(&without, 42, None, &BTreeMap::new()).contains("remuda_hub"));
}

#[test]
fn gateways_tell_requests_by_route_and_times_in_buckets() {
    let time = TimeMetrics { buckets: vec![(64, 5), (1024, 2), (60_000_000, 1)], sum_us: 3_000 };
    let route = RouteMetrics { name: "files".into(), by_class: [0, 7, 0, 1, 0], cut: 1, sent: 900, time };
    let metrics_of = GatewayMetrics {
        open: 3,
        accepted: 8,
        received: 100,
        sent: 1000,
        events: [("head-late".to_owned(), 2)].into(),
        routes: vec![route],
        upstreams: [(
            "service:web/http".to_owned(),
            UpstreamMetrics { requests: 9, parked: 1, ..UpstreamMetrics::default() },
        )]
        .into(),
        realtime: [("streams.clients".to_owned(), 4)].into(),
        certificates: vec![CertificateMetrics {
            file: "a.pem".into(),
            not_after: Some(1_900_000_000),
            ..CertificateMetrics::default()
        }],
    };
    let all = [("edge".to_owned(), GatewayFigures { workers: 2, metrics: metrics_of })].into();
    let text = metrics(&view(), 42, None, &all);
    for line in [
        r#"remuda_gateway_workers{service="edge"} 2"#,
        r#"remuda_gateway_connections{service="edge"} 3"#,
        r#"remuda_gateway_events_total{service="edge",event="head-late"} 2"#,
        r#"remuda_gateway_requests_total{service="edge",route="files",class="2xx"} 7"#,
        r#"remuda_gateway_request_seconds_bucket{service="edge",route="files",le="0.000128"} 5"#,
        r#"remuda_gateway_request_seconds_bucket{service="edge",route="files",le="0.002048"} 7"#,
        r#"remuda_gateway_request_seconds_bucket{service="edge",route="files",le="+Inf"} 8"#,
        r#"remuda_gateway_upstream_requests_total{service="edge",upstream="service:web/http"} 9"#,
        r#"remuda_gateway_realtime{service="edge",figure="streams.clients"} 4"#,
        r#"remuda_gateway_certificate_not_after_seconds{service="edge",file="a.pem"} 1900000000"#,
        r#"remuda_gateway_upstream_parked_total{service="edge",upstream="service:web/http"} 1"#,
        r#"remuda_gateway_request_seconds_sum{service="edge",route="files"} 0.003"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
