//! Replies leave in order, and not before the disk lets them.

use super::*;

#[test]
fn what_follows_a_held_reply_waits_with_it() {
    let mut outbox = Outbox::default();
    outbox.bytes().extend_from_slice(b"read");
    let mark = outbox.mark();
    outbox.bytes().extend_from_slice(b"first");
    outbox.hold(mark, 7);
    let mark = outbox.mark();
    outbox.bytes().extend_from_slice(b"second");
    outbox.hold(mark, 9);
    outbox.bytes().extend_from_slice(b"read");
    assert_eq!(outbox.ready(), b"read");
    outbox.written(2);
    assert_eq!(outbox.ready(), b"ad");
    outbox.release(8);
    assert_eq!(outbox.ready(), b"adfirst");
    assert!(outbox.is_held());
    outbox.written(7);
    outbox.release(9);
    assert_eq!((outbox.ready(), outbox.is_held()), (&b"secondread"[..], false));
}

#[test]
fn a_reply_that_is_not_whole_stands_between_no_messages() {
    let mut outbox = Outbox::default();
    outbox.pass(b"onetw", 3, true);
    assert_eq!((outbox.ready_between_messages(), outbox.ready()), (&b"one"[..], &b"onetw"[..]));
    outbox.queued(3);
    assert_eq!((outbox.ready_between_messages(), outbox.is_parted()), (&b""[..], false));
    outbox.written(2);
    assert!(outbox.is_parted(), "what follows is the rest of what was written");
    outbox.pass(b"o", 0, true);
    outbox.written(1);
    assert!(outbox.is_parted());
    outbox.pass(b".th", 1, true);
    assert_eq!(outbox.ready(), b".th");
    outbox.written(1);
    outbox.pass(b"ree", 3, false);
    assert!(outbox.is_parted(), "another began to follow");
    outbox.written(5);
    assert!(!outbox.is_parted());
    outbox.pass(b"four", 4, false);
    assert_eq!(outbox.ready_between_messages(), b"four");
    outbox.written(3);
    assert!(outbox.is_parted(), "nor is one cut that the kernel took by half");
}
