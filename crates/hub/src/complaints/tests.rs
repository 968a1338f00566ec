//! A complaint is made again only after a while.

use super::*;

#[test]
fn one_line_of_each_sort_in_a_while() {
    let mut complaints = Complaints::default();
    let start = Tick(1_000_000_000);
    assert!(complaints.may_say(Complaint::TooManyClients, start));
    assert!(!complaints.may_say(Complaint::TooManyClients, start + EVERY / 2));
    assert!(complaints.may_say(Complaint::TooManyPeers, start + EVERY / 2));
    assert!(complaints.may_say(Complaint::TooManyClients, start + EVERY));
}
