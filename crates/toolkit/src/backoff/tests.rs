//! Delays, for any seed and any row of failures.

use std::time::Duration;

use proptest::prelude::{any, prop_assert, proptest};

use super::Backoff;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_delay_doubles_to_its_cap_and_stays_in_the_upper_half() {
    let mut backoff = Backoff::new(7);
    for expected in [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000] {
        let full = Duration::from_millis(expected);
        let delay = backoff.failed(Duration::ZERO);
        assert!(delay >= full / 2 && delay <= full, "{delay:?} of {full:?}");
    }
}

#[test]
fn a_healthy_life_ends_the_row_and_a_shorter_one_does_not() {
    let mut backoff = Backoff::new(7);
    for _ in 0..8 {
        backoff.failed(SECOND);
    }
    assert!(backoff.failed(9 * SECOND) > SECOND);
    assert!(backoff.failed(10 * SECOND) <= Duration::from_millis(100));
    assert_eq!(backoff.failures(), 1);
}

#[test]
fn two_seeds_part_and_one_seed_repeats_itself() {
    let delays = |seed| {
        let mut backoff = Backoff::new(seed);
        (0..20).map(|_| backoff.failed(Duration::ZERO)).collect::<Vec<_>>()
    };
    assert_eq!(delays(1), delays(1));
    assert_ne!(delays(1), delays(2));
}

proptest! {
    #[test]
    fn no_delay_is_longer_than_the_cap(
        seed in any::<u64>(), base in any::<u64>(), cap in any::<u64>(), lives in proptest::collection::vec(any::<u64>(), 0..80),
    ) {
        let cap = Duration::from_nanos(cap);
        let mut backoff = Backoff::new(seed).base(Duration::from_nanos(base)).cap(cap);
        for lived in lives {
            prop_assert!(backoff.failed(Duration::from_nanos(lived)) <= cap);
        }
    }
}
