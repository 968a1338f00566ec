//! Pushes in pieces, and bytes that are none.

use proptest::prelude::*;

use super::read;

const MESSAGE: &[u8] = b">4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$4\r\nx\r\ny\r\n";

#[test]
fn a_push_is_read_when_it_is_whole() {
    for end in 0..MESSAGE.len() {
        assert_eq!(read(&MESSAGE[..end], 100), Ok(None), "{end} bytes");
    }
    let push = read(MESSAGE, 100).unwrap().unwrap();
    let parts: Vec<&[u8]> = push.parts[..push.count].iter().map(|part| &MESSAGE[part.clone()]).collect();
    assert_eq!(parts, [&b"pmessage"[..], b"a*", b"ab", b"x\r\ny"]);
    assert_eq!(push.end, MESSAGE.len());
    let confirmed = b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    assert_eq!(read(confirmed, 100).unwrap().unwrap().end, confirmed.len());
}

#[test]
fn what_is_too_long_is_refused_before_it_is_there() {
    assert!(read(b">4\r\n$8\r\npmessage\r\n$101\r\n", 100).is_err());
    assert!(read(b">9\r\n", 100).is_err());
    assert!(read(&[b'>'; 64], 100).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 1..80), at in 0..MESSAGE.len(), byte: u8) {
        bytes[0] = b'>';
        let _ = read(&bytes, 100);
        let mut near = MESSAGE.to_vec();
        near[at] = byte;
        if let Ok(Some(push)) = read(&near, 100) {
            prop_assert!(push.end <= near.len());
        }
    }
}
