//! Where room ends.

use super::{Halves, ROOM_BYTES};

#[test]
fn small_messages_have_room_for_many_and_the_longest_for_four() {
    let mut halves = Halves::new(1 << 10);
    halves.change(0, ROOM_BYTES);
    assert!(!halves.is_full());
    halves.change(100, 101);
    assert!(halves.is_full());
    halves.change(ROOM_BYTES, 0);
    assert_eq!((halves.is_full(), halves.bytes()), (false, 1));
    let mut halves = Halves::new(1 << 30);
    halves.change(0, 4 << 30);
    assert!(!halves.is_full());
    halves.change(0, 1);
    assert!(halves.is_full());
}
