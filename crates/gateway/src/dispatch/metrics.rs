//! Figures of one worker as Prometheus reads them (exposition format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use remuda_model::gateway::{GatewayMetrics, UpstreamMetrics};

/// The figures as text.
pub(super) fn text(figures: &GatewayMetrics, upstreams: &BTreeMap<String, UpstreamMetrics>) -> String {
    let mut out = String::new();
    let head = |out: &mut String, name: &str, kind: &str, help: &str| {
        // Writing to a String does not fail, here and below.
        let _ = write!(out, "# HELP remuda_gateway_{name} {help}\n# TYPE remuda_gateway_{name} {kind}\n");
    };
    for (name, kind, help, value) in [
        ("connections", "gauge", "Connections of clients.", figures.open),
        ("accepted_total", "counter", "Connections that were accepted.", figures.accepted),
        ("received_bytes_total", "counter", "Bytes that came.", figures.received),
        ("sent_bytes_total", "counter", "Bytes that went.", figures.sent),
    ] {
        head(&mut out, name, kind, help);
        let _ = writeln!(out, "remuda_gateway_{name} {value}");
    }
    head(&mut out, "events_total", "counter", "What was refused, cut or put off.");
    for (word, count) in &figures.events {
        let _ = writeln!(out, "remuda_gateway_events_total{{event=\"{}\"}} {count}", label(word));
    }
    head(&mut out, "requests_total", "counter", "Requests by route and class of the answer.");
    for route in &figures.routes {
        for (class, count) in (1..).zip(route.by_class) {
            let name = label(&route.name);
            let _ = writeln!(
                out,
                "remuda_gateway_requests_total{{route=\"{name}\",class=\"{class}xx\"}} {count}"
            );
        }
    }
    head(&mut out, "request_seconds", "summary", "How long requests took.");
    for route in &figures.routes {
        let name = label(&route.name);
        for (part, shown) in [(500, "0.5"), (990, "0.99")] {
            if let Some(micros) = route.time.quantile_us(part) {
                let seconds = std::time::Duration::from_micros(micros).as_secs_f64();
                let _ = writeln!(
                    out,
                    "remuda_gateway_request_seconds{{route=\"{name}\",quantile=\"{shown}\"}} {seconds}"
                );
            }
        }
        let sum = std::time::Duration::from_micros(route.time.sum_us).as_secs_f64();
        let _ = writeln!(out, "remuda_gateway_request_seconds_sum{{route=\"{name}\"}} {sum}");
        let _ =
            writeln!(out, "remuda_gateway_request_seconds_count{{route=\"{name}\"}} {}", route.time.count());
    }
    for (name, help, of) in [
        (
            "upstream_requests_total",
            "Requests that were passed on.",
            (|one| one.requests) as fn(&UpstreamMetrics) -> u64,
        ),
        ("upstream_retries_total", "Attempts made again.", |one| one.retries),
        ("upstream_connects_total", "Connections that were begun.", |one| one.connects),
        ("upstream_ejected_total", "How often a server was left alone.", |one| one.ejected),
    ] {
        head(&mut out, name, "counter", help);
        for (upstream, one) in upstreams {
            let _ = writeln!(out, "remuda_gateway_{name}{{upstream=\"{}\"}} {}", label(upstream), of(one));
        }
    }
    out
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
