//! Engine.IO: packets, bodies, and what is refused.

use std::borrow::Cow;

use proptest::prelude::*;
use remuda_wire::engineio::{Opening, Packet, PacketError, Payload, SEPARATOR};

fn packets(body: &str) -> Vec<Result<Packet<'_>, PacketError>> {
    Payload::new(body, 100).collect()
}

#[test]
fn the_examples_of_the_protocol_are_read() {
    let expected = [
        Ok(Packet::Text("hello")),
        Ok(Packet::Ping("")),
        Ok(Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4]))),
        Ok(Packet::Text("\u{20ac}")),
    ];
    assert_eq!(packets("4hello\u{1e}2\u{1e}bAQIDBA==\u{1e}4\u{20ac}"), expected);
    assert_eq!(Packet::read("2probe"), Ok(Packet::Ping("probe")));
    assert_eq!(Packet::read("5"), Ok(Packet::Upgrade));
}

#[test]
fn the_opening_is_what_clients_expect() {
    let opening = Opening {
        sid: "lv_VI97HAXpY6yYWAAAC",
        may_upgrade: true,
        ping_interval_ms: 25_000,
        ping_timeout_ms: 20_000,
        payload_max: 1_000_000,
    };
    assert_eq!(
        opening.to_json(),
        r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
    );
    assert!(Opening { may_upgrade: false, ..opening }.to_json().contains(r#""upgrades":[]"#));
}

#[test]
fn what_is_no_packet_is_refused_and_ends_the_body() {
    assert_eq!(packets(""), [Err(PacketError::Empty)]);
    assert_eq!(packets("4a\u{1e}"), [Ok(Packet::Text("a")), Err(PacketError::Empty)]);
    assert_eq!(packets("abc\u{1e}4a"), [Err(PacketError::Type('a'))]);
    assert_eq!(packets("1x"), [Err(PacketError::Excess)]);
    assert_eq!(packets("b&&&"), [Err(PacketError::Base64)]);
    let many = ["4"; 101].join("\u{1e}");
    assert_eq!(packets(&many).pop(), Some(Err(PacketError::TooMany { max: 100 })));
}

fn packet() -> impl Strategy<Value = Packet<'static>> {
    let text = || "[^\u{1e}]{0,20}".prop_map(|text| &*text.leak());
    prop_oneof![
        text().prop_map(Packet::Text),
        text().prop_map(Packet::Ping),
        text().prop_map(Packet::Pong),
        text().prop_map(Packet::Open),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Packet::Binary(Cow::Owned(bytes))),
        Just(Packet::Close),
        Just(Packet::Upgrade),
        Just(Packet::Noop),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(all in prop::collection::vec(packet(), 1..20)) {
        let mut body = Vec::new();
        for (index, one) in all.iter().enumerate() {
            if index > 0 {
                body.push(SEPARATOR);
            }
            one.write(&mut body);
        }
        let body = String::from_utf8(body).unwrap();
        let read: Result<Vec<_>, _> = packets(&body).into_iter().collect();
        prop_assert_eq!(read, Ok(all));
    }

    #[test]
    fn any_text_is_read_or_refused(body in "[0-6b\u{1e}=A-D.]{0,60}|.{0,60}") {
        let read = packets(&body);
        prop_assert!(read.len() <= 101);
        prop_assert!(read.iter().rev().skip(1).all(Result::is_ok), "nothing comes after an error");
    }
}
