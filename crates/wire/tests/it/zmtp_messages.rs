//! Messages: what goes in comes out, however it is cut, and nothing beyond the limits.

use std::sync::Arc;

use bytes::BytesMut;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, proptest};
use remuda_wire::zmtp::{
    AcceptOptions, Connection, Event, Limits, ProtocolError, SocketType, encode_message,
};

use super::wire::{MECHANISMS, Side, converse, messages, ready};

type Message = Vec<Vec<u8>>;

fn some_messages() -> impl Strategy<Value = Vec<Message>> {
    let frame = prop::collection::vec(any::<u8>(), 0..400);
    prop::collection::vec(prop::collection::vec(frame, 1..5), 0..12)
}

fn encoded(list: &[Message]) -> BytesMut {
    let mut out = BytesMut::new();
    for message in list {
        let parts: Vec<&[u8]> = message.iter().map(Vec::as_slice).collect();
        encode_message(&parts, &mut out);
    }
    out
}

fn received(events: &[Event]) -> Vec<Message> {
    let batches = events.iter().filter_map(|event| match event {
        Event::Messages(batch) => Some(messages(batch)),
        _ => None,
    });
    batches.flatten().collect()
}

/// A server for `kind` with these limits, and a client beside it, both ready.
fn limited(kind: SocketType, limits: Limits) -> Side {
    let mut server = Side::accept(AcceptOptions { limits, ..AcceptOptions::default() });
    let mut client = Side::connect(remuda_wire::zmtp::ConnectOptions::new(kind));
    converse(&mut server, &mut client, 3).unwrap();
    server
}

proptest! {
    // Each case shakes hands, and X25519 without optimization is slow.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn messages_come_out_as_they_went_in(list in some_messages(), piece in 1_usize..2000, batch_max in 1_u32..3000) {
        for mechanism in MECHANISMS {
            let (mut server, mut client) = ready(mechanism, SocketType::Push);
            let mut sent = BytesMut::new();
            client.connection.seal(&encoded(&list), &mut sent);
            assert_eq!(received(&server.feed(&sent, piece).unwrap()), list);
            assert!(server.input.is_empty());
        }
        let limits = Limits { batch_max, ..Limits::default() };
        let mut server = limited(SocketType::Push, limits);
        let events = server.feed(&encoded(&list), piece).unwrap();
        assert_eq!(received(&events), list);
        for event in &events {
            let Event::Messages(batch) = event else { panic!("{event:?}") };
            assert!(batch.messages.len() == 1 || batch.bytes.len() <= batch_max as usize);
        }
    }

    #[test]
    fn heartbeats_between_the_frames_of_a_message_leave_it_whole(
        list in some_messages(), places in prop::collection::vec(any::<prop::sample::Index>(), 1..6), piece in 1_usize..900,
    ) {
        let bytes = encoded(&list);
        let mut boundaries = vec![0];
        let mut at = 0;
        for frame in list.iter().flatten() {
            at += frame.len() + if frame.len() > 255 { 9 } else { 2 };
            boundaries.push(at);
        }
        let mut chosen: Vec<usize> = places.iter().map(|place| boundaries[place.index(boundaries.len())]).collect();
        chosen.sort_unstable();
        let mut spoilt = bytes.to_vec();
        for place in chosen.iter().rev() {
            spoilt.splice(place..place, *b"\x04\x09\x04PING\x00\x07xy");
        }
        for kind in [SocketType::Push, SocketType::Xsub] {
            let list: Vec<_> = list.clone();
            let is_subscription = |message: &Message| message.len() == 1 && matches!(message[0].first(), Some(0 | 1));
            let data: Vec<Message> = list
                .iter()
                .filter(|message| kind == SocketType::Push || !is_subscription(message))
                .cloned()
                .collect();
            let mut server = limited(kind, Limits::default());
            let events = server.feed(&spoilt, piece).unwrap();
            assert_eq!(received(&events), data);
            let pings = events.iter().filter(|event| matches!(event, Event::Ping { ttl_deciseconds: 7 })).count();
            assert_eq!(pings, places.len());
            assert_eq!(server.take_output(), b"\x04\x07\x04PONGxy".repeat(places.len()));
        }
    }

    #[test]
    fn a_connection_goes_on_in_another_process(list in some_messages(), cut in any::<prop::sample::Index>()) {
        for mechanism in MECHANISMS {
            let (mut server, mut client) = ready(mechanism, SocketType::Dealer);
            let mut sent = BytesMut::new();
            client.connection.seal(&encoded(&list), &mut sent);
            let cut = cut.index(sent.len() + 1);
            let mut events = server.feed(&sent[..cut], 100).unwrap();
            client.connection.ping(1, b"");
            let saved = server.connection.save().unwrap();
            server.connection = Connection::restore(&saved, Limits::default());
            events.extend(server.feed(&sent[cut..], 100).unwrap());
            assert_eq!(received(&events), list);
            let mut back = BytesMut::new();
            server.connection.seal(&encoded(&list), &mut back);
            assert_eq!(received(&client.feed(&back, 77).unwrap()), list);
        }
    }
}

#[test]
fn lengths_beyond_the_limits_are_refused_from_the_header_alone() {
    let limits = Limits {
        frame_max: 1000,
        message_max: 1500,
        parts_max: 3,
        subscription_max: 20,
        ..Limits::default()
    };
    let fault = |kind, bytes: &[u8]| limited(kind, limits.clone()).feed(bytes, 1).unwrap_err();
    let long = |flags: u8, length: u64| [&[flags | 2][..], &length.to_be_bytes()].concat();

    for length in [1001, u64::from(u32::MAX), u64::MAX - 8, u64::MAX] {
        let error = fault(SocketType::Push, &long(0, length));
        assert_eq!(error, ProtocolError::FrameTooLong { length, max: 1000 });
    }
    let first = [&long(1, 1000)[..], &[7; 1000]].concat();
    let error = fault(SocketType::Push, &[&first[..], &long(0, 1000)].concat());
    assert_eq!(error, ProtocolError::MessageTooLong { length: 2018, max: 1500 });
    assert_eq!(fault(SocketType::Push, &[1, 0, 1, 0, 1, 0, 0, 0]), ProtocolError::TooManyParts { max: 3 });
    assert!(matches!(fault(SocketType::Push, &long(4, 600)), ProtocolError::CommandTooLong { .. }));
    assert_eq!(fault(SocketType::Push, &[8]), ProtocolError::FrameFlags { flags: 8 });
    assert_eq!(fault(SocketType::Push, &[5]), ProtocolError::FrameFlags { flags: 5 });

    let too_long = ProtocolError::SubscriptionTooLong { length: 21, max: 20 };
    assert_eq!(fault(SocketType::Sub, &[0, 22]), too_long);
    assert_eq!(fault(SocketType::Xsub, &[0, 22, 1]), too_long);
    let command = [&[4, 31, 9][..], b"SUBSCRIBE", &[b'x'; 21]].concat();
    assert_eq!(fault(SocketType::Sub, &command), too_long);
    assert_eq!(fault(SocketType::Sub, &[0, 2, 7]), ProtocolError::UnexpectedData { peer: SocketType::Sub });
    assert_eq!(fault(SocketType::Pull, &[0, 0]), ProtocolError::UnexpectedData { peer: SocketType::Pull });
}

#[test]
fn the_limits_hold_for_messages_of_two_frames_behind_others() {
    let limits = Limits { frame_max: 1000, message_max: 1100, ..Limits::default() };
    let long =
        |length: usize| [&[2][..], &u64::try_from(length).unwrap().to_be_bytes(), &vec![7; length]].concat();
    let first = |length: u8| [&[0, 1, b'a', 1, length][..], &vec![7; usize::from(length)]].concat();
    let read = |limits: &Limits, bytes: &[u8]| {
        let mut server = limited(SocketType::Push, limits.clone());
        server.input.extend_from_slice(bytes);
        let Ok(Some(Event::Messages(batch))) = server.connection.read(&mut server.input) else { panic!() };
        (batch.messages.len(), server.connection.read(&mut server.input))
    };

    let (whole, rest) = read(&limits, &[first(89), long(1000)].concat());
    assert_eq!((whole, rest.unwrap().is_none()), (2, true));
    let (whole, rest) = read(&limits, &[first(1), long(1001)].concat());
    assert_eq!((whole, rest.unwrap_err()), (1, ProtocolError::FrameTooLong { length: 1001, max: 1000 }));
    let (whole, rest) = read(&limits, &[first(90), long(1000)].concat());
    assert_eq!((whole, rest.unwrap_err()), (1, ProtocolError::MessageTooLong { length: 1101, max: 1100 }));
    let one_part = Limits { parts_max: 1, ..limits };
    let (whole, rest) = read(&one_part, &[&first(1)[..], &[0, 1, 7]].concat());
    assert_eq!((whole, rest.unwrap_err()), (1, ProtocolError::TooManyParts { max: 1 }));
}

#[test]
fn what_came_whole_before_a_fault_is_delivered() {
    let mut server = limited(SocketType::Push, Limits::default());
    server.input.extend_from_slice(&[0, 1, b'a', 1, 0, 0, 1, b'b', 0xFF]);
    let Ok(Some(Event::Messages(batch))) = server.connection.read(&mut server.input) else { panic!() };
    assert_eq!(messages(&batch), [vec![b"a".to_vec()], vec![vec![], b"b".to_vec()]]);
    assert_eq!(
        server.connection.read(&mut server.input).unwrap_err(),
        ProtocolError::FrameFlags { flags: 0xFF }
    );
    assert_eq!(server.connection.read(&mut server.input).unwrap_err(), ProtocolError::Over);
}

#[test]
fn a_batch_shares_the_memory_of_the_input() {
    let mut server = limited(SocketType::Push, Limits::default());
    server.input.extend_from_slice(&[0, 3, 1, 2, 3, 1, 1, 9, 0, 0]);
    let place = server.input.as_ptr();
    let Ok(Some(Event::Messages(batch))) = server.connection.read(&mut server.input) else { panic!() };
    assert_eq!(batch.bytes.as_ptr(), place);
    assert_eq!(batch.messages.len(), 2);
}

#[test]
fn the_connection_says_what_it_waits_for() {
    let mut server = limited(SocketType::Push, Limits::default());
    server.feed(&[2, 0, 0], 3).unwrap();
    assert_eq!(server.connection.wanted(), 6);
    server.feed(&[0, 0, 0, 1, 0, 0, 9], 7).unwrap();
    assert_eq!(server.connection.wanted(), 65535);
    let connection = Connection::accept(Arc::new(AcceptOptions::default()));
    assert_eq!(connection.wanted(), 64);
}
