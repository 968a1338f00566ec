//! Leases, fences, sessions and waiting, over two hubs.

use std::time::{Duration, Instant};

use super::server::Kind;
use super::{for_each_engine, pair, until_waiting};
use crate::hub_durability::{Wire, kill_hub};
use crate::hub_locks::{acquire, fence};

for_each_engine! {
    one_lock_is_held_by_one_of_two_hubs_and_fences_grow_over_both
    a_lease_ends_by_itself_and_a_renewed_one_does_not
    a_hub_that_is_killed_leaves_its_locks_held_for_their_ttl
    a_holder_outlives_its_hub
    a_session_ends_with_its_connection_and_who_is_gone_waits_no_more
    a_reload_keeps_holders_and_those_who_wait
}

fn one_lock_is_held_by_one_of_two_hubs_and_fences_grow_over_both(kind: Kind) {
    let (_server, one, two) = pair(kind);
    let (mut first, mut second) = (Wire::new(&one), Wire::new(&two));
    let mut last = acquire(&mut first, "door 60000 OWNER me");
    assert_eq!(second.ask("LOCK.ACQUIRE door 60000"), "$-1");
    assert_eq!(first.ask("LOCK.ACQUIRE door 60000"), "$-1", "not twice by one hub either");
    assert_eq!(second.ask("LOCK.ACQUIRE door 60000 WAIT 50"), "$-1", "its time was over");
    assert_eq!(second.ask(&format!("LOCK.RENEW door {} 60000", last + 1)), ":0");
    assert_eq!(second.ask(&format!("LOCK.RELEASE door {}", last + 1)), ":0");
    assert_eq!(first.ask(&format!("LOCK.RENEW door {last} 90000")), ":1");
    for round in 0..4 {
        let (from, to) = if round % 2 == 0 { (&mut first, &mut second) } else { (&mut second, &mut first) };
        to.send(b"LOCK.ACQUIRE door 60000 WAIT 60000\r\nPING\r\n");
        until_waiting(if round % 2 == 0 { &two } else { &one }, 1);
        assert_eq!(from.ask(&format!("LOCK.RELEASE door {last}")), ":1");
        let next = fence(&to.line());
        assert_eq!(to.line(), "+PONG", "what was sent behind it comes behind it");
        assert!(next > last, "{next} {last}");
        assert_eq!(from.ask(&format!("LOCK.RELEASE door {last}")), ":0", "it is another's now");
        last = next;
    }
    assert!(acquire(&mut second, "another 60000") > last, "fences are of all locks");
    one.end();
    two.end();
}

fn a_lease_ends_by_itself_and_a_renewed_one_does_not(kind: Kind) {
    let (_server, one, two) = pair(kind);
    let (mut first, mut second) = (Wire::new(&one), Wire::new(&two));
    let began = Instant::now();
    let lost = acquire(&mut first, "a 2000");
    let kept = acquire(&mut first, "b 2000");
    second.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    while began.elapsed() < Duration::from_millis(2500) {
        assert_eq!(first.ask(&format!("LOCK.RENEW b {kept} 2000")), ":1");
        // A pace of renewals; that time passes is what the test is about.
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(fence(&second.line()) > lost);
    assert!(began.elapsed() >= Duration::from_millis(2000), "not before its time: {:?}", began.elapsed());
    assert_eq!(first.ask(&format!("LOCK.RENEW a {lost} 2000")), ":0");
    assert_eq!(second.ask("LOCK.ACQUIRE b 2000"), "$-1", "it was renewed");
    assert_eq!(first.ask(&format!("LOCK.RENEW b {kept} 60000")), ":1", "a lease may become longer");
    one.end();
    two.end();
}

fn a_hub_that_is_killed_leaves_its_locks_held_for_their_ttl(kind: Kind) {
    let (_server, one, two) = pair(kind);
    let (mut first, mut second) = (Wire::new(&one), Wire::new(&two));
    let began = Instant::now();
    let held = acquire(&mut first, "a 3000");
    second.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    kill_hub(&one);
    assert!(fence(&second.line()) > held);
    let after = began.elapsed();
    assert!(after >= Duration::from_millis(3000), "its holder was promised the time: {after:?}");
    one.end();
    two.end();
}

fn a_holder_outlives_its_hub(kind: Kind) {
    let (_server, one, two) = pair(kind);
    let held = acquire(&mut Wire::new(&one), "a 60000");
    kill_hub(&one);
    super::until_reached(&one);
    let mut wire = Wire::new(&one);
    assert_eq!(wire.ask(&format!("LOCK.RENEW a {held} 60000")), ":1");
    let mut other = Wire::new(&two);
    assert_eq!(other.ask("LOCK.ACQUIRE a 60000"), "$-1");
    assert_eq!(wire.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    assert!(acquire(&mut other, "a 60000") > held);
    one.end();
    two.end();
}

fn a_session_ends_with_its_connection_and_who_is_gone_waits_no_more(kind: Kind) {
    let (_server, one, two) = pair(kind);
    let (mut first, mut gone, mut second) = (Wire::new(&one), Wire::new(&one), Wire::new(&two));
    let held = acquire(&mut first, "a 60000 SESSION");
    gone.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    second.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    until_waiting(&one, 1);
    drop(gone);
    until_waiting(&one, 0);
    drop(first);
    assert!(fence(&second.line()) > held);
    one.end();
    two.end();
}

fn a_reload_keeps_holders_and_those_who_wait(kind: Kind) {
    let (_server, one, two) = pair(kind);
    let (mut first, mut waits) = (Wire::new(&one), Wire::new(&one));
    let held = acquire(&mut first, "a 60000");
    let session = acquire(&mut first, "s 60000 SESSION");
    waits.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    until_waiting(&one, 1);
    for _ in 0..2 {
        one.remuda(&["reload", "hub"]).done();
        until_waiting(&one, 1);
        assert_eq!(Wire::new(&two).ask("LOCK.ACQUIRE a 60000"), "$-1");
    }
    assert_eq!(first.ask(&format!("LOCK.RENEW s {session} 60000")), ":1");
    assert_eq!(first.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    assert!(fence(&waits.line()) > held);
    let mut second = Wire::new(&two);
    second.send(b"LOCK.ACQUIRE s 60000 WAIT 60000\r\n");
    drop(first);
    assert!(fence(&second.line()) > session, "its connection ended");
    one.end();
    two.end();
}
