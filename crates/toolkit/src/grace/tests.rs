//! Members that fall silent, by hand and by chance.

use std::time::{Duration, Instant};

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{Grace, Heard, Vanished};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn who_is_silent_for_the_grace_period_has_vanished_once() {
    let start = Instant::now();
    let mut grace = Grace::new(3 * SECOND);
    assert_eq!(grace.deadline(), None);
    assert_eq!(grace.heard(start, "web.0"), Heard::Arrived);
    assert_eq!(grace.heard(start + SECOND, "web.1"), Heard::Arrived);
    assert_eq!(grace.heard(start + 2 * SECOND, "web.0"), Heard::Present);
    assert_eq!(grace.deadline(), Some(start + 4 * SECOND));
    assert_eq!(grace.step(start + 4 * SECOND - Duration::from_nanos(1)), []);
    assert_eq!(grace.step(start + 4 * SECOND), [Vanished { member: "web.1", silent: 3 * SECOND }]);
    assert_eq!(grace.step(start + 4 * SECOND), []);
    assert_eq!(grace.deadline(), Some(start + 5 * SECOND));
}

#[test]
fn who_comes_back_after_grace_is_told_and_who_is_late_within_it_is_not() {
    let start = Instant::now();
    let mut grace = Grace::new(3 * SECOND);
    grace.heard(start, 1);
    assert_eq!(grace.step(start + 5 * SECOND).len(), 1);
    assert_eq!(grace.heard(start + 9 * SECOND, 1), Heard::Returned { absent: 9 * SECOND });
    assert_eq!(grace.heard(start + 10 * SECOND, 1), Heard::Present);
    assert_eq!(grace.heard(start + 12 * SECOND, 1), Heard::Present);
    assert_eq!(grace.step(start + 12 * SECOND), []);
}

#[test]
fn who_says_good_bye_neither_vanishes_nor_returns() {
    let start = Instant::now();
    let mut grace = Grace::new(SECOND);
    grace.heard(start, 1);
    assert!(grace.left(&1) && !grace.left(&1));
    assert_eq!(grace.step(start + 9 * SECOND), []);
    assert_eq!(grace.heard(start + 9 * SECOND, 1), Heard::Arrived);
}

#[test]
fn a_full_house_refuses_strangers_but_gives_them_the_place_of_the_gone() {
    let start = Instant::now();
    let mut grace = Grace::new(SECOND).limit(2);
    grace.heard(start, 1);
    grace.heard(start, 2);
    assert_eq!(grace.heard(start, 3), Heard::Full);
    assert_eq!(grace.heard(start, 2), Heard::Present);
    grace.heard(start + SECOND, 2);
    grace.step(start + SECOND);
    assert_eq!(grace.heard(start + SECOND, 3), Heard::Arrived);
    assert_eq!(grace.present().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(grace.gone().count(), 0);
}

#[test]
fn who_is_gone_for_long_is_forgotten() {
    let start = Instant::now();
    let mut grace = Grace::new(SECOND).forget_after(60 * SECOND);
    grace.heard(start, 1);
    grace.step(start + SECOND);
    assert_eq!(grace.deadline(), Some(start + 60 * SECOND));
    grace.step(start + 60 * SECOND);
    assert_eq!(grace.deadline(), None);
    assert_eq!(grace.heard(start + 61 * SECOND, 1), Heard::Arrived);
}

proptest! {
    #[test]
    fn the_machine_agrees_with_a_naive_one(
        beats in proptest::collection::vec((0_u64..2_000, (any::<bool>(), 0_u8..6).prop_map(|(beat, who)| beat.then_some(who))), 0..120),
    ) {
        let start = Instant::now();
        let period = Duration::from_millis(3_000);
        let mut grace = Grace::new(period);
        let mut naive: std::collections::BTreeMap<u8, (Duration, bool)> = std::collections::BTreeMap::new();
        let mut now = Duration::ZERO;
        for (pause, beat) in beats {
            now += Duration::from_millis(pause);
            let told: std::collections::BTreeSet<u8> = grace.step(start + now).into_iter().map(|each| each.member).collect();
            let mut expected = std::collections::BTreeSet::new();
            for (who, (last, present)) in &mut naive {
                if *present && now - *last >= period {
                    *present = false;
                    expected.insert(*who);
                }
            }
            prop_assert_eq!(told, expected);
            if let Some(who) = beat {
                let heard = grace.heard(start + now, who);
                let before = naive.insert(who, (now, true));
                prop_assert_eq!(heard, match before {
                    None => Heard::Arrived,
                    Some((_, true)) => Heard::Present,
                    Some((last, false)) => Heard::Returned { absent: now - last },
                });
            }
            let due = naive.values().filter(|(_, present)| *present).map(|(last, _)| start + *last + period).min();
            prop_assert!(due.is_none() || grace.deadline() == due);
        }
    }
}
