//! Where room ends.

use super::{BYTES_MAX, Room, TooLong, VALUES_MAX};

#[test]
fn there_is_room_for_so_many_values_and_bytes_and_no_more() {
    let mut room = Room::new();
    assert_eq!(room.take(BYTES_MAX - 1), Ok(()));
    assert_eq!(room.take_more(1), Ok(()));
    assert_eq!(room.take_more(1), Err(TooLong));
    let mut room = Room::new();
    assert!((0..VALUES_MAX).all(|_| room.take(0).is_ok()));
    assert_eq!((room.take_more(1), room.take(0)), (Ok(()), Err(TooLong)));
}
