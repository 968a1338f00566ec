//! The bytes of each protocol, and the walk through streams of them.

use proptest::prelude::*;

use super::{Dialect, Format};
use crate::subscriber::{Walk, walk};
use crate::tally::Tally;

const ALL: [Dialect; 4] = [Dialect::Redis, Dialect::ZeromqPush, Dialect::ZeromqPub, Dialect::Nats];

fn delivered(format: &Format, sequence: u64) -> Vec<u8> {
    let mut bytes = format.delivered.bytes.clone();
    let at = format.delivered.sequence_at;
    bytes[at..at + 8].copy_from_slice(&sequence.to_le_bytes());
    bytes
}

#[test]
fn messages_have_the_bytes_of_their_protocol() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "0");
    let redis = Dialect::Redis.format(10);
    assert_eq!(text(&redis.published.bytes), "*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n$10\r\n00000000xx\r\n");
    assert_eq!(text(&redis.delivered.bytes), "*3\r\n$7\r\nmessage\r\n$5\r\nbench\r\n$10\r\n00000000xx\r\n");
    let nats = Dialect::Nats.format(10);
    assert_eq!(text(&nats.published.bytes), "PUB bench 10\r\n00000000xx\r\n");
    assert_eq!(text(&nats.delivered.bytes), "MSG bench 1 10\r\n00000000xx\r\n");
    let zeromq = Dialect::ZeromqPush.format(10);
    assert_eq!(zeromq.published.bytes, b"\0\x10bench \0\0\0\0\0\0\0\0xx");
    let long = Dialect::ZeromqPush.format(1024);
    assert_eq!(&long.delivered.bytes[..15], b"\x02\0\0\0\0\0\0\x04\x06bench ");
}

#[test]
fn a_ping_between_two_messages_is_answered_and_counts_nothing() {
    let format = Dialect::Nats.format(8);
    let mut bytes = delivered(&format, 0);
    let first = bytes.len();
    bytes.extend_from_slice(b"PING\r\n");
    let mut tally = Tally::default();
    assert_eq!(walk(&bytes, &format, &mut tally, &mut |_| ()), Walk::Asked(first + 6, b"PONG\r\n"));
    assert_eq!(tally.received, 1);
}

#[test]
fn a_command_between_two_frames_is_passed_over() {
    let format = Dialect::ZeromqPush.format(8);
    let mut tally = Tally::default();
    let walked = walk(b"\x04\x06\x04PING\0", &format, &mut tally, &mut |_| ());
    assert_eq!(walked, Walk::Asked(8, b""));
}

#[test]
fn bytes_that_are_no_message_are_foreign() {
    for dialect in ALL {
        let walked = walk(b"~nothing\n", &dialect.format(8), &mut Tally::default(), &mut |_| ());
        assert_eq!(walked, Walk::Foreign(0), "{dialect:?}");
    }
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_every_message_is_counted_once(
        count in 0_u64..40,
        payload_bytes in 8_usize..400,
        cuts in prop::collection::vec(1_usize..700, 1..60),
    ) {
        for dialect in ALL {
            let format = dialect.format(payload_bytes);
            let stream: Vec<u8> = (0..count).flat_map(|sequence| delivered(&format, sequence)).collect();
            let (mut tally, mut kept, mut left) = (Tally::default(), Vec::new(), stream.as_slice());
            for cut in cuts.iter().chain([&usize::MAX]) {
                let (piece, rest) = left.split_at(left.len().min(*cut));
                left = rest;
                kept.extend_from_slice(piece);
                let Walk::To(length) = walk(&kept, &format, &mut tally, &mut |_| ()) else {
                    return Err(TestCaseError::fail("a plain stream was not walked to its end"));
                };
                kept.drain(..length);
            }
            prop_assert!(kept.is_empty());
            prop_assert_eq!((tally.received, tally.missing(count), tally.misordered), (count, 0, 0));
        }
    }

    #[test]
    fn arbitrary_bytes_are_walked_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        for dialect in ALL {
            let walked = walk(&bytes, &dialect.format(16), &mut Tally::default(), &mut |_| ());
            let (Walk::To(length) | Walk::Asked(length, _) | Walk::Foreign(length)) = walked;
            prop_assert!(length <= bytes.len());
        }
    }
}
