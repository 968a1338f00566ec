//! Commands, written and read.

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{Parsed, parse};

fn commands() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8)
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_every_part_of_it_is_incomplete(words in commands()) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
        remuda_wire::resp::encode_command(&words, &mut bytes);
        prop_assert_eq!(parse(&bytes, &mut ranges), Parsed::Command(bytes.len()));
        let read: Vec<&[u8]> = ranges.iter().map(|range| &bytes[range.clone()]).collect();
        prop_assert_eq!(read, words);
        for cut in 0..bytes.len() {
            prop_assert_eq!(parse(&bytes[..cut], &mut ranges), Parsed::Incomplete);
        }
    }

    #[test]
    fn any_bytes_are_read_within_their_bounds(bytes: Vec<u8>) {
        let mut ranges = Vec::new();
        if let Parsed::Command(end) = parse(&bytes, &mut ranges) {
            prop_assert!(end <= bytes.len());
            prop_assert!(ranges.iter().all(|range| range.end <= end));
        }
    }
}

#[test]
fn what_we_do_not_write_is_broken() {
    let texts: [&[u8]; 7] =
        [b"PING\r\n", b"*0\r\n", b"*01\r\n", b"*1\r\n+a\r\n", b"*1\r\n$1\r\nab", b"*-1\r\n", b"*1\n"];
    for text in texts {
        assert_eq!(parse(text, &mut Vec::new()), Parsed::Broken, "{}", text.escape_ascii());
    }
}
