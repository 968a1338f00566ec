//! Subscriptions and heartbeats.

use bytes::BytesMut;
use remuda_wire::zmtp::{AcceptOptions, Event, ProtocolError, SocketType, encode_cancel, encode_subscribe};

use super::wire::{MECHANISMS, Side, converse, ready};

/// A server that has shaken hands with a peer of this kind and minor version.
fn met(kind: &str, minor: u8) -> Side {
    let mut bytes = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, minor];
    bytes.extend_from_slice(b"NULL");
    bytes.resize(64, 0);
    let length = u8::try_from(kind.len()).unwrap();
    bytes.extend_from_slice(&[4, 6 + 12 + 4 + length]);
    bytes.extend_from_slice(b"\x05READY\x0bsocket-TYPE\0\0\0");
    bytes.push(length);
    bytes.extend_from_slice(kind.as_bytes());
    let mut server = Side::accept(AcceptOptions::default());
    let events = server.feed(&bytes, 9).unwrap();
    assert!(matches!(&events[..], [Event::Ready(_)]));
    server
}

#[test]
fn both_forms_of_subscriptions_are_understood() {
    for minor in [0, 1] {
        for form in [0, 1] {
            let mut bytes = BytesMut::new();
            encode_subscribe(b"news.", form, &mut bytes);
            encode_cancel(b"", form, &mut bytes);
            let events = met("SUB", minor).feed(&bytes, 1).unwrap();
            let [Event::Subscribe(topic), Event::Cancel(all)] = &events[..] else { panic!("{events:?}") };
            assert_eq!((&topic[..], &all[..]), (&b"news."[..], &b""[..]));
        }
    }
}

#[test]
fn a_publisher_is_subscribed_to_in_the_form_of_its_version() {
    assert!(met("PUB", 0).take_output().ends_with(&[0, 1, 1]));
    assert!(met("PUB", 1).take_output().ends_with(b"\x04\x0a\x09SUBSCRIBE"));
}

#[test]
fn subscriptions_and_messages_keep_their_order() {
    let events = met("XSUB", 1)
        .feed(b"\0\x02up\0\x02\x01a\0\x02up\x01\x01\x01\0\x01\x01\0\x02\0a", usize::MAX)
        .unwrap();
    let [Event::Messages(one), Event::Subscribe(_), Event::Messages(two), Event::Cancel(_)] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((one.messages.len(), two.messages.len()), (1, 2));
}

#[test]
fn heartbeats_and_subscriptions_cross_every_mechanism() {
    for mechanism in MECHANISMS {
        let (mut server, mut client) = ready(mechanism, SocketType::Sub);
        assert!(server.connection.ping(30, b"0123456789abcdefg"));
        assert!(client.connection.subscribe(b"a"));
        assert!(client.connection.cancel(b"b"));
        let (at_server, at_client) = converse(&mut server, &mut client, 1).unwrap();
        assert!(matches!(&at_client[..], [Event::Ping { ttl_deciseconds: 30 }]), "{at_client:?}");
        assert!(
            matches!(&at_server[..], [Event::Subscribe(_), Event::Cancel(_), Event::Pong]),
            "{at_server:?}"
        );
    }
}

#[test]
fn a_peer_that_does_not_read_cannot_make_us_collect_answers() {
    let mut server = met("PUSH", 1);
    server.feed(&b"\x04\x07\x04PING\0\0".repeat(100_000), usize::MAX).unwrap();
    let collected = server.take_output().len();
    assert!((1000..5000).contains(&collected), "{collected} bytes");
    server.feed(b"\x04\x07\x04PING\0\0", 1).unwrap();
    assert_eq!(server.take_output(), b"\x04\x05\x04PONG");
}

#[test]
fn commands_that_make_no_sense_end_the_connection() {
    let fault = |kind: &str, bytes: &[u8]| met(kind, 1).feed(bytes, 1).unwrap_err();
    assert!(matches!(fault("PUSH", b"\x04\x0a\x09SUBSCRIBE"), ProtocolError::Unexpected { .. }));
    assert!(matches!(fault("PUSH", b"\x04\x06\x05READY"), ProtocolError::Unexpected { .. }));
    assert!(matches!(fault("PUSH", b"\x04\x06\x04PING\0"), ProtocolError::Malformed { .. }));
    assert!(matches!(
        fault("PUSH", b"\x04\x18\x04PING\0\x000123456789abcdefg"),
        ProtocolError::Malformed { .. }
    ));
    assert!(matches!(fault("PUSH", b"\x04\0"), ProtocolError::Malformed { .. }));
    let endless = b"\x04\x07\x04PING\0\0".repeat(17);
    let error = fault("PUSH", &[&[1, 0][..], &endless].concat());
    assert!(matches!(error, ProtocolError::TooManyCommands { .. }));
    assert!(met("PUSH", 1).feed(b"\x04\x08\x04JOINabc", 1).unwrap().is_empty());
    let events = met("PUSH", 1).feed(b"\x04\x0a\x05ERROR\x03\x1b[m", 1).unwrap();
    assert!(matches!(&events[..], [Event::Failed(reason)] if reason == "\\x1b[m"), "{events:?}");
}

#[test]
fn a_peer_of_3_0_is_not_pinged() {
    let mut server = met("PUSH", 0);
    server.take_output();
    assert!(!server.connection.ping(1, b""));
    assert!(server.take_output().is_empty());
}
