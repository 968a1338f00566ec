//! Buckets and quantiles beside the numbers they stand for.

use std::time::Duration;

use proptest::prelude::{prop, proptest};

use super::{BUCKETS, Histogram, bound, bucket};

#[test]
fn a_time_lies_below_the_bound_of_its_bucket_and_not_below_the_one_before() {
    for index in 0..BUCKETS - 1 {
        let end = bound(index);
        assert_eq!(bucket(end - 1), index);
        assert_eq!(bucket(end), index + 1);
    }
    assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    assert!(bound(BUCKETS - 2) > 60_000_000);
}

proptest! {
    #[test]
    fn a_quantile_is_at_most_an_eighth_too_high(times in prop::collection::vec(0_u64..50_000_000, 1..200), part in 1_u64..=1000) {
        let histogram = Histogram::default();
        for time in &times {
            histogram.record(Duration::from_micros(*time));
        }
        let figures = histogram.figures();
        let mut sorted = times.clone();
        sorted.sort_unstable();
        let rank = (times.len() * usize::try_from(part).unwrap()).div_ceil(1000).max(1) - 1;
        let (exact, found) = (sorted[rank], figures.quantile_us(part).unwrap());
        assert!(found > exact && found <= exact + exact / 8 + 1, "{exact} {found}");
        assert_eq!(figures.plus(&figures).count(), 2 * figures.count());
        assert_eq!(figures.sum_us, times.iter().sum::<u64>());
    }
}
