//! The clock.

use proptest::prelude::*;
use remuda_herd::replica::{Clock, Now, Stamp};

#[test]
fn stamps_rise_though_the_wall_is_set_back() {
    let mut clock = Clock::new(Now { tick_ms: 0, wall_ms: 1_000_000 }, Stamp::ZERO, 500);
    let first = clock.give(Now { tick_ms: 0, wall_ms: 1_000_000 });
    let second = clock.give(Now { tick_ms: 1, wall_ms: 400_000 });
    assert!(second > first);
    assert_eq!(second.ms(), 1_000_000);
}

#[test]
fn a_stamp_from_beyond_the_cap_is_never_taken_over() {
    let now = Now { tick_ms: 0, wall_ms: 1_000_000 };
    let mut clock = Clock::new(now, Stamp::ZERO, 500);
    assert!(clock.take(now, Stamp::at_ms(1_000_500)));
    let before = clock.last();
    assert!(!clock.take(now, Stamp::at_ms(1_000_501)));
    assert_eq!(clock.last(), before);
    assert_eq!(clock.near_at_tick_ms(now, Stamp::at_ms(1_060_500)), 60_000);
    assert!(clock.take(Now { tick_ms: 1, wall_ms: 1_000_001 }, Stamp::at_ms(1_000_501)));
}

#[test]
fn others_are_not_from_the_future_because_the_own_wall_was_set_back() {
    let mut clock = Clock::new(Now { tick_ms: 0, wall_ms: 4_000_000 }, Stamp::ZERO, 500);
    assert!(clock.take(Now { tick_ms: 5_000, wall_ms: 405_000 }, Stamp::at_ms(4_005_000)));
}

#[test]
fn the_bound_is_written_before_it_is_reached() {
    let mut now = Now { tick_ms: 0, wall_ms: 1_000_000 };
    let mut clock = Clock::new(now, Stamp::ZERO, 500);
    let (mut bound, mut writes) = (Stamp::ZERO, 0);
    for _ in 0..10_000 {
        now = Now { tick_ms: now.tick_ms + 10, wall_ms: now.wall_ms + 10 };
        let stamp = clock.give(now);
        if let Some(higher) = clock.reserve(now) {
            bound = higher;
            writes += 1;
        }
        assert!(stamp < bound);
    }
    assert!(writes <= 700, "{writes} writes in 100 seconds");
}

proptest! {
    #[test]
    fn no_stamp_is_given_twice_over_restarts(walls in prop::collection::vec(0u64..100_000, 1..50), restarts in 1usize..5) {
        let mut last = Stamp::ZERO;
        let mut bound = Stamp::ZERO;
        for _ in 0..restarts {
            let mut clock = Clock::new(Now { tick_ms: 0, wall_ms: walls[0] }, bound, 500);
            for (tick_ms, &wall_ms) in (0..).zip(&walls) {
                let now = Now { tick_ms, wall_ms };
                let stamp = clock.give(now);
                prop_assert!(stamp > last);
                last = stamp;
                bound = clock.reserve(now).unwrap_or(bound);
                prop_assert!(stamp < bound);
            }
        }
    }
}
