//! Lines of one sort are few.

use super::*;

#[test]
fn one_line_of_each_state_in_a_while() {
    let mut complaints = Complaints::default();
    let start = Tick(1_000_000_000);
    let ten = Duration::from_secs(10);
    assert!(complaints.may_say(Complaint::TooManyClients, start));
    assert!(!complaints.may_say(Complaint::TooManyClients, start + ten / 2));
    assert!(complaints.may_say(Complaint::TooManyPeers, start + ten / 2));
    assert!(complaints.may_say(Complaint::TooManyClients, start + ten));
}

#[test]
fn that_a_removed_node_is_turned_away_is_said_once_and_then_rarely() {
    let mut complaints = Complaints::default();
    let every = (0..3_600).map(|second| {
        complaints.may_say(Complaint::HerdRemoval, Tick::default() + Duration::from_secs(second))
    });
    let said: Vec<usize> = every.enumerate().filter(|(_, may)| *may).map(|(second, _)| second).collect();
    assert_eq!(said, [0, 600, 1200, 1800, 2400, 3000]);
}

#[test]
fn what_a_node_of_the_herd_makes_happen_fills_no_log() {
    for sort in [Complaint::HerdMessages, Complaint::HerdKeys, Complaint::HerdNodes] {
        let mut complaints = Complaints::default();
        let said = (0..100_000_u64).filter(|ms| complaints.may_say(sort, Tick(*ms))).count();
        assert!(said <= 11_000, "{said} lines of {sort:?} in 100 s");
    }
}

#[test]
fn a_flood_is_cut_and_its_size_told_afterwards() {
    let mut complaints = Complaints::default();
    let now = Tick::default();
    let said = (0..1_000).filter(|_| complaints.may_say(Complaint::Script, now)).count();
    assert_eq!(said, 20);
    assert!(complaints.may_say(Complaint::Conduct, now), "of another sort nothing was said");
    let later = now + Duration::from_secs(1);
    assert_eq!(complaints.admit(Complaint::Script, later), Some(980));
    assert_eq!(complaints.admit(Complaint::Script, later), Some(0));
}
