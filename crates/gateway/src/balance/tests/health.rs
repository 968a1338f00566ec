//! Members that fail are left alone, tried again, and come back.

use std::time::Duration;

use super::super::{Acquired, GroupOptions, HealthOptions, MemberId, Moment, Outcome, Probe};
use super::{Group, at, group, ok, take};

/// Fails requests of `member` until it is out.
fn fail(group: &mut Group, now: Moment, member: MemberId, times: usize) -> bool {
    let others: Vec<_> = (0..group.len()).map(MemberId).filter(|other| *other != member).collect();
    let mut is_out = false;
    for _ in 0..times {
        assert_eq!(group.acquire(now, None, &others), Acquired::Member(member));
        is_out = group.release(now, member, Outcome::Failed);
    }
    is_out
}

#[test]
fn five_failures_in_a_row_put_a_member_out_for_ten_seconds_then_twenty() {
    let mut group = group(4, GroupOptions::default());
    assert!(!fail(&mut group, at(0), MemberId(1), 4));
    assert_eq!(
        group.acquire(at(0), None, &[MemberId(0), MemberId(2), MemberId(3)]),
        Acquired::Member(MemberId(1))
    );
    group.release(at(0), MemberId(1), ok());
    assert!(!fail(&mut group, at(0), MemberId(1), 4), "an answer in between begins anew");
    assert!(fail(&mut group, at(0), MemberId(1), 1));
    for _ in 0..100 {
        let member = take(&mut group, at(9));
        assert_ne!(member, MemberId(1));
        group.release(at(9), member, ok());
    }
    // One request tries it, and no second one meanwhile.
    let others = [MemberId(0), MemberId(2), MemberId(3)];
    assert_eq!(group.acquire(at(10), None, &others), Acquired::Member(MemberId(1)));
    let Acquired::Member(other) = group.acquire(at(10), None, &others) else { panic!("nobody took it") };
    assert_ne!(other, MemberId(1));
    assert!(group.release(at(10), MemberId(1), Outcome::Failed), "one failure is enough for a trial");
    assert!(group.view(at(29)).members[1].is_out);
    assert!(!group.view(at(30)).members[1].is_out);
    assert_eq!(group.acquire(at(30), None, &others), Acquired::Member(MemberId(1)));
    group.release(at(30), MemberId(1), ok());
    // A good time takes bad times back.
    assert!(fail(&mut group, at(100), MemberId(1), 5));
    assert!(!group.view(at(110)).members[1].is_out);
}

#[test]
fn a_trial_whose_client_goes_away_is_made_again() {
    let mut group = group(2, GroupOptions::default());
    assert!(fail(&mut group, at(0), MemberId(0), 5));
    assert_eq!(group.acquire(at(10), None, &[MemberId(1)]), Acquired::Member(MemberId(0)));
    group.release(at(10), MemberId(0), Outcome::Abandoned);
    assert_eq!(group.acquire(at(10), None, &[MemberId(1)]), Acquired::Member(MemberId(0)));
}

#[test]
fn no_more_than_half_are_put_out() {
    let mut group = group(4, GroupOptions::default());
    assert!(fail(&mut group, at(0), MemberId(0), 5));
    assert!(fail(&mut group, at(0), MemberId(1), 5));
    assert!(!fail(&mut group, at(0), MemberId(2), 20));
    let mut only = super::group(1, GroupOptions::default());
    assert!(!fail(&mut only, at(0), MemberId(0), 50), "who has nobody else asks on");
}

fn probed(group: &mut Group, now: Moment, member: usize, is_good: bool) -> bool {
    group.probed(MemberId(member), Probe { at: now, is_good, detail: "é".repeat(500) })
}

fn with_probes() -> GroupOptions {
    GroupOptions { health: Some(HealthOptions::default()), ..GroupOptions::default() }
}

#[test]
fn probes_rise_and_fall() {
    let mut group = group(4, with_probes());
    assert_eq!(group.deadline(), Some(Moment(0)));
    let due: Vec<_> = std::iter::from_fn(|| group.next_probe(at(0))).collect();
    assert_eq!(due.len(), 4);
    assert_eq!(group.deadline(), None, "all are being probed");
    for member in 0..4 {
        probed(&mut group, at(0), member, true);
    }
    let next = group.deadline().unwrap();
    assert!(next > at(1) && next < at(3), "a tenth of two seconds more or less");
    assert!(!probed(&mut group, at(2), 0, false));
    assert!(!probed(&mut group, at(4), 0, false));
    assert!(probed(&mut group, at(6), 0, false));
    for _ in 0..100 {
        assert_ne!(take(&mut group, at(6)), MemberId(0));
    }
    assert!(!probed(&mut group, at(8), 0, true));
    assert!(probed(&mut group, at(10), 0, true));
    for _ in 0..20 {
        probed(&mut group, at(12), 0, true);
    }
    let view = group.view(at(12));
    assert_eq!(view.members[0].probes.len(), 10);
    assert!(view.members[0].probes[0].detail.len() <= 400);
}

#[test]
fn a_member_that_was_never_well_is_probed_often_and_well_at_once() {
    let mut group = group(2, with_probes());
    for second in 0..3 {
        probed(&mut group, at(second), 0, false);
        probed(&mut group, at(second), 1, true);
    }
    assert!(group.view(at(3)).members[0].is_ill);
    assert!(group.deadline().unwrap() <= Moment(2_600_000));
    assert!(probed(&mut group, at(3), 0, true));
}

#[test]
fn when_most_look_ill_all_are_asked() {
    let mut group = group(3, with_probes());
    for member in 0..3 {
        for second in 0..3 {
            probed(&mut group, at(second), member, member == 2);
        }
    }
    let taken: std::collections::BTreeSet<_> = (0..100).map(|_| take(&mut group, at(3)).0).collect();
    assert_eq!(taken.len(), 3);
    assert!(group.view(at(3)).panicked > 0);
}

#[test]
fn who_comes_back_is_given_less_at_first() {
    let options = GroupOptions { slow_start: Duration::from_secs(30), ..with_probes() };
    let mut group = group(2, options);
    for second in 0..3 {
        probed(&mut group, at(second), 0, false);
    }
    probed(&mut group, at(3), 0, true);
    let mut share = |now| {
        let mut count = 0;
        for _ in 0..2000 {
            let member = take(&mut group, now);
            count += usize::from(member == MemberId(0));
            group.release(now, member, ok());
        }
        count
    };
    let (cold, half, warm) = (share(at(3)), share(at(18)), share(at(40)));
    assert!((80..330).contains(&cold), "{cold}");
    assert!((500..850).contains(&half), "{half}");
    assert!((900..1100).contains(&warm), "{warm}");
}
