//! Keys, as a terminal sends them.

use super::{Key, meaning};

#[test]
fn one_leaves_with_q_escape_and_control_c_and_not_with_an_arrow() {
    for leaving in [b"q".as_slice(), b"Q", b"\x1b", b"\x03"] {
        assert_eq!(meaning(leaving), Some(Key::Leave), "{leaving:?}");
    }
    assert_eq!(meaning(b"s"), Some(Key::Slots));
    assert_eq!((meaning(b"\x1b[A"), meaning(b"x")), (None, None));
}
