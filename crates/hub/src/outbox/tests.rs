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
