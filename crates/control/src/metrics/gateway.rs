//! The gateways' part of the page.

use std::collections::BTreeMap;

use remuda_model::gateway::{RouteMetrics, UpstreamMetrics};

use super::{Kind, Millis, Page};
use crate::body::GatewayFigures;

/// Classes of statuses, as they stand in the figures.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// Bounds of times on the page, as powers of two of microseconds: 128 µs, 512 µs, 2 ms … 34 s.
const BOUNDS: [u32; 10] = [7, 9, 11, 13, 15, 17, 19, 21, 23, 25];

/// A figure of a service: what stands behind `remuda_gateway_`, its kind, its meaning, and where it is.
type Figure = (&'static str, Kind, &'static str, fn(&GatewayFigures) -> u64);

/// What all gateways tell, by service.
pub(super) fn gateways(page: &mut Page, all: &BTreeMap<String, GatewayFigures>) {
    let figures: [Figure; 5] = [
        ("workers", Kind::Gauge, "Workers that tell their figures.", |it| it.workers),
        ("connections", Kind::Gauge, "Connections that are open.", |it| it.metrics.open),
        ("connections_total", Kind::Counter, "Connections accepted.", |it| it.metrics.accepted),
        ("received_bytes_total", Kind::Counter, "Bytes that came.", |it| it.metrics.received),
        ("sent_bytes_total", Kind::Counter, "Bytes that went.", |it| it.metrics.sent),
    ];
    for (name, kind, help, of) in figures {
        let values = all.iter().map(|(service, it)| ([("service", service.clone())], of(it)));
        page.family(&format!("remuda_gateway_{name}"), kind, help, values);
    }
    let events = all.iter().flat_map(|(service, it)| {
        it.metrics
            .events
            .iter()
            .map(move |(event, count)| ([("service", service.clone()), ("event", event.clone())], *count))
    });
    let help = "What was refused, cut or put off, by a word for it.";
    page.family("remuda_gateway_events_total", Kind::Counter, help, events);
    routes(page, all);
    upstreams(page, all);
    let realtime = all.iter().flat_map(|(service, it)| {
        let each = it.metrics.realtime.iter();
        each.map(move |(figure, count)| ([("service", service.clone()), ("figure", figure.clone())], *count))
    });
    let help = "What is realtime, by the words that lead to a figure: hub.published, streams.clients.";
    page.family("remuda_gateway_realtime", Kind::Gauge, help, realtime);
    let certificates = all.iter().flat_map(|(service, it)| {
        it.metrics.certificates.iter().filter_map(move |certificate| {
            let until = u64::try_from(certificate.not_after?).unwrap_or_default();
            Some(([("service", service.clone()), ("file", certificate.file.clone())], until))
        })
    });
    let help = "Until when the certificate in use holds, Unix seconds.";
    page.family("remuda_gateway_certificate_not_after_seconds", Kind::Gauge, help, certificates);
}

/// A figure of an upstream, as [`Figure`].
type UpstreamFigure = (&'static str, Kind, &'static str, fn(&UpstreamMetrics) -> u64);

fn upstreams(page: &mut Page, all: &BTreeMap<String, GatewayFigures>) {
    let figures: [UpstreamFigure; 14] = [
        ("requests_total", Kind::Counter, "Requests to be passed on.", |it| it.requests),
        ("unanswered", Kind::Gauge, "Requests without the head of an answer.", |it| it.unanswered),
        ("parked_total", Kind::Counter, "Requests that waited over a second for it.", |it| it.parked),
        ("retries_total", Kind::Counter, "Attempts made again at another server.", |it| it.retries),
        ("stale_total", Kind::Counter, "Attempts made again since an idle connection was closed.", |it| {
            it.stale
        }),
        ("connects_total", Kind::Counter, "Connections that were begun.", |it| it.connects),
        ("idle", Kind::Gauge, "Idle connections that are kept.", |it| it.idle),
        ("backlog_full_total", Kind::Counter, "How often a listener's queue was full.", |it| it.backlog_full),
        ("queued_total", Kind::Counter, "Requests that waited for a free server.", |it| it.queued),
        ("waiting", Kind::Gauge, "Requests waiting for a free server.", |it| it.waiting),
        ("ejected_total", Kind::Counter, "How often a server was left alone.", |it| it.ejected),
        ("tunnels_total", Kind::Counter, "Connections that changed their protocol.", |it| it.tunnels),
        ("first_byte_total", Kind::Counter, "Requests whose wait for an answer ended.", |it| {
            it.first_byte.count()
        }),
        ("first_byte_microseconds_total", Kind::Counter, "How long they waited together.", |it| {
            it.first_byte.sum_us
        }),
    ];
    for (name, kind, help, of) in figures {
        let values = all.iter().flat_map(|(service, it)| {
            it.metrics.upstreams.iter().map(move |(key, upstream)| {
                ([("service", service.clone()), ("upstream", key.clone())], of(upstream))
            })
        });
        page.family(&format!("remuda_gateway_upstream_{name}"), kind, help, values);
    }
}

fn routes(page: &mut Page, all: &BTreeMap<String, GatewayFigures>) {
    let each = || {
        all.iter().flat_map(|(service, it)| {
            let labels =
                move |route: &RouteMetrics| [("service", service.clone()), ("route", route.name.clone())];
            it.metrics.routes.iter().map(move |route| (labels(route), route))
        })
    };
    let requests = each().flat_map(|([service, route], it)| {
        CLASSES.iter().zip(it.by_class).map(move |(class, count)| {
            ([service.clone(), route.clone(), ("class", (*class).to_owned())], count)
        })
    });
    let help = "Requests by the class of their answer; route is empty for those that have none.";
    page.family("remuda_gateway_requests_total", Kind::Counter, help, requests);
    let help = "Answers that were cut before their end.";
    page.family("remuda_gateway_cut_total", Kind::Counter, help, each().map(|(labels, it)| (labels, it.cut)));
    let help = "Bytes of bodies that were sent.";
    page.family(
        "remuda_gateway_body_bytes_total",
        Kind::Counter,
        help,
        each().map(|(labels, it)| (labels, it.sent)),
    );
    let buckets = each().flat_map(|([service, route], it)| {
        let bounded = BOUNDS.map(|power| {
            let bound = 1_u64 << power;
            (format!("{}.{:06}", bound / 1_000_000, bound % 1_000_000), it.time.below_us(bound))
        });
        bounded
            .into_iter()
            .chain([("+Inf".to_owned(), it.time.count())])
            .map(move |(bound, count)| ([service.clone(), route.clone(), ("le", bound)], count))
    });
    let help = "How long requests took, from the whole head to the last byte.";
    page.family("remuda_gateway_request_seconds_bucket", Kind::Counter, help, buckets);
    let help = "The sum of all these times.";
    let sums = each().map(|(labels, it)| (labels, Millis(it.time.sum_us / 1000)));
    page.family("remuda_gateway_request_seconds_sum", Kind::Counter, help, sums);
}
