//! Figures of several workers are those of one.

use super::{GatewayMetrics, RouteMetrics, TimeMetrics};

fn metrics(route: &str, ok: u64) -> GatewayMetrics {
    let time = TimeMetrics { buckets: vec![(8, ok), (16, 1)], sum_us: 10 * ok };
    let route = RouteMetrics { name: route.to_owned(), by_class: [0, ok, 0, 1, 0], cut: 1, sent: 100, time };
    let events = [("head-late".to_owned(), ok)].into();
    GatewayMetrics {
        open: 1,
        accepted: ok,
        received: 2,
        sent: 3,
        events,
        routes: vec![route],
        ..GatewayMetrics::default()
    }
}

#[test]
fn workers_are_added_up_by_route() {
    let sum = metrics("files", 5).plus(&metrics("files", 7)).plus(&metrics("api", 1));
    assert_eq!((sum.open, sum.accepted, sum.events["head-late"]), (3, 13, 13));
    assert_eq!(sum.routes.len(), 2);
    assert_eq!(sum.routes[0].by_class, [0, 12, 0, 2, 0]);
    assert_eq!(sum.routes[0].time.buckets, [(8, 12), (16, 2)]);
    let text = serde_json::to_string(&sum).unwrap();
    assert_eq!(serde_json::from_str::<GatewayMetrics>(&text).unwrap(), sum);
}

#[test]
fn a_quantile_is_the_bound_below_which_so_many_are() {
    let time = TimeMetrics { buckets: vec![(8, 90), (64, 9), (1024, 1)], sum_us: 0 };
    assert_eq!(
        (time.quantile_us(500), time.quantile_us(990), time.quantile_us(1000)),
        (Some(8), Some(64), Some(1024))
    );
    assert_eq!((time.below_us(64), time.below_us(63), time.count()), (99, 90, 100));
    assert_eq!(TimeMetrics::default().quantile_us(500), None);
}
