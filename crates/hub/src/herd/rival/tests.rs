//! How long two servers with one number outbid each other.

use super::*;

fn at(seconds: u64) -> Tick {
    Tick::default() + Duration::from_secs(seconds)
}

#[test]
fn a_folder_that_was_put_back_gets_a_new_life_at_once_and_nobody_is_suspected() {
    let mut rival = Rival::default();
    assert_eq!(rival.outbid(Epoch(7), at(5)), Outbid::Once);
    assert_eq!(rival.outbid(Epoch(9), at(5)), Outbid::Nothing, "two neighbours say so");
    assert_eq!(rival.take_due(at(5)), Some(Epoch(9)));
    assert_eq!(rival.outbid(Epoch(9), at(5)), Outbid::Nothing, "it is being begun");
    rival.begun();
    assert!(!rival.is_there(at(5)));
    assert_eq!(rival.outbid(Epoch(20), at(700)), Outbid::Once, "it is put back again, later");
}

#[test]
fn each_life_above_anothers_is_begun_later_than_the_one_before_and_then_none() {
    let mut rival = Rival::default();
    let (mut now, mut waits) = (at(5), Vec::new());
    for life in 1..=u64::from(OUTBID_MAX) {
        let expected = if life == 1 { Outbid::Once } else { Outbid::Again { is_news: life == 2 } };
        assert_eq!(rival.outbid(Epoch(life), now), expected);
        let due = rival.due().unwrap();
        waits.push(due.since(now).as_secs());
        now = due;
        assert_eq!(rival.take_due(now), Some(Epoch(life)));
        rival.begun();
    }
    assert_eq!(waits, [0, 1, 2, 4]);
    assert!(rival.is_there(now) && !rival.has_won());
    assert_eq!(rival.outbid(Epoch(9), now), Outbid::TooOften);
    assert!(rival.has_won() && rival.due().is_none());
    assert_eq!(rival.outbid(Epoch(10), at(7200)), Outbid::Nothing, "it stays so");
    assert!(rival.is_there(at(7200)));
}

#[test]
fn a_life_that_could_not_begin_is_tried_again() {
    let mut rival = Rival::default();
    rival.outbid(Epoch(3), at(1));
    rival.take_due(at(1));
    rival.failed(at(1));
    assert_eq!((rival.take_due(at(2)), rival.take_due(at(3))), (None, Some(Epoch(3))));
}
