//! Ends of replies, in any pieces.

use proptest::prelude::*;
use remuda_wire::resp::{Limits, parse_value};

use super::Extent;

const REPLIES: [&[u8]; 9] = [
    b"+OK\r\n",
    b"$-1\r\n",
    b"$0\r\n\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n$5\r\na\r\nbc\r\n*2\r\n:1\r\n_\r\n",
    b"%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n#t\r\n",
    b"|1\r\n+ttl\r\n:3\r\n=7\r\ntxt:abc\r\n",
    b"!5\r\nERR x\r\n",
];

/// Lets `talk` pass in pieces of `size`: where replies end.
fn ends(talk: &[u8], size: usize) -> Result<Vec<usize>, &'static str> {
    let (mut extent, mut waiting, mut at, mut ends) = (Extent::default(), Vec::new(), 0, Vec::new());
    for piece in talk.chunks(size) {
        waiting.extend_from_slice(piece);
        loop {
            let (passed, is_over) = extent.feed(&waiting)?;
            waiting.drain(..passed);
            at += passed;
            if is_over {
                ends.push(at);
                extent.reset();
            }
            if !is_over || waiting.is_empty() {
                break;
            }
        }
    }
    Ok(ends)
}

#[test]
fn replies_end_where_they_end_in_any_pieces() {
    let talk = REPLIES[..8].concat();
    let expected: Vec<usize> = REPLIES[..8]
        .iter()
        .scan(0, |sum, reply| {
            *sum += reply.len();
            Some(*sum)
        })
        .collect();
    for size in 1..=talk.len() {
        assert_eq!(ends(&talk, size).unwrap(), expected, "in pieces of {size}");
    }
    for reply in &REPLIES[..8] {
        let (_, length) = parse_value(reply, &Limits::default()).unwrap().unwrap();
        assert_eq!(length, reply.len());
    }
}

#[test]
fn what_is_no_reply_is_refused() {
    for wrong in ["hello\r\n", "*x\r\n", "$99999999999999999999\r\n"] {
        assert!(ends(wrong.as_bytes(), 64).is_err(), "{wrong}");
    }
    assert!(ends(&[b'+'; 70_000], 70_000).is_err());
}

proptest! {
    #[test]
    fn any_bytes_pass_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..32) {
        let _ = ends(&bytes, size);
    }
}
