//! Socket.IO: packets, attachments, and what is refused.

use proptest::prelude::*;
use remuda_wire::socketio::{Assembler, Limits, Packet, PacketError, PacketType};

fn read(text: &str) -> Result<Packet<'_>, PacketError> {
    Packet::read(text, &Limits::default())
}

fn packet<'a>(kind: PacketType, namespace: &'a str, id: Option<u64>, data: &'a str) -> Packet<'a> {
    Packet { kind, attachments: 0, namespace, id, data }
}

#[test]
fn the_examples_of_the_protocol_are_read_and_written() {
    let cases = [
        ("0", packet(PacketType::Connect, "/", None, "")),
        (r#"0/admin,{"sid":"x"}"#, packet(PacketType::Connect, "/admin", None, r#"{"sid":"x"}"#)),
        ("1/admin,", packet(PacketType::Disconnect, "/admin", None, "")),
        (r#"2["foo"]"#, packet(PacketType::Event, "/", None, r#"["foo"]"#)),
        (r#"2/admin,456["bar"]"#, packet(PacketType::Event, "/admin", Some(456), r#"["bar"]"#)),
        ("3/admin,456[]", packet(PacketType::Ack, "/admin", Some(456), "[]")),
        (r#"4{"message":"no"}"#, packet(PacketType::ConnectError, "/", None, r#"{"message":"no"}"#)),
        (
            r#"51-/admin,7["hello",{"_placeholder":true,"num":0}]"#,
            Packet {
                attachments: 1,
                ..packet(
                    PacketType::BinaryEvent,
                    "/admin",
                    Some(7),
                    r#"["hello",{"_placeholder":true,"num":0}]"#,
                )
            },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), Ok(expected), "{text}");
        let mut out = Vec::new();
        expected.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
    assert_eq!(read("0/admin"), Ok(packet(PacketType::Connect, "/admin", None, "")), "without its comma");
    assert_eq!(read("0/admin?token=1,").unwrap().namespace, "/admin", "with a query");
}

#[test]
fn what_is_no_packet_is_refused() {
    let cases = [
        ("", PacketError::Type),
        ("7", PacketError::Type),
        ("\u{20ac}", PacketError::Type),
        ("5", PacketError::Attachments),
        ("5-[]", PacketError::Attachments),
        ("51[]", PacketError::Attachments),
        ("511-[]", PacketError::TooManyAttachments { max: 10 }),
        ("599999999999999999999999-[]", PacketError::TooManyAttachments { max: 10 }),
        ("299999999999999999999[]", PacketError::Id),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), Err(expected), "{text}");
    }
    let long = format!("0/{},", "x".repeat(256));
    assert_eq!(read(&long), Err(PacketError::NamespaceTooLong { max: 256 }));
}

#[test]
fn attachments_come_behind_their_packet_and_nowhere_else() {
    let limits = Limits { packet_max: 100, ..Limits::default() };
    let mut assembler = Assembler::default();
    assert_eq!(assembler.binary(b"x", &limits), Err(PacketError::Unexpected));
    assert_eq!(assembler.text("52-[]", &limits), Ok(None));
    assert_eq!(assembler.binary(b"one", &limits), Ok(None));
    let whole = assembler.binary(b"two", &limits).unwrap().unwrap();
    assert_eq!(
        (whole.text.as_str(), &whole.attachments[..]),
        ("52-[]", &[b"one"[..].into(), b"two"[..].into()][..])
    );
    assert_eq!(assembler.text("51-[]", &limits), Ok(None));
    assert_eq!(assembler.text("2[]", &limits), Err(PacketError::Unexpected));
    let mut assembler = Assembler::default();
    assert_eq!(assembler.text("51-[]", &limits), Ok(None));
    assert_eq!(assembler.binary(&[0; 96], &limits), Err(PacketError::TooLong { max: 100 }));
    assert_eq!(Assembler::default().text(&"2".repeat(101), &limits), Err(PacketError::TooLong { max: 100 }));
    assert!(Assembler::default().text("50-[]", &limits).unwrap().is_some(), "none to wait for");
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        kind in 0_usize..7,
        attachments in 0_usize..=10,
        name in "[a-z]{0,8}",
        id in prop::option::of(any::<u64>()),
        data in r#"(\[.{0,20}\])?"#,
    ) {
        use PacketType::{Ack, BinaryAck, BinaryEvent, Connect, ConnectError, Disconnect, Event};
        let kind = [Connect, Disconnect, Event, Ack, ConnectError, BinaryEvent, BinaryAck][kind];
        let attachments = if matches!(kind, BinaryEvent | BinaryAck) { attachments } else { 0 };
        let namespace = format!("/{name}");
        let packet = Packet { kind, attachments, namespace: &namespace, id, data: &data };
        let mut out = Vec::new();
        packet.write(&mut out);
        prop_assert_eq!(read(str::from_utf8(&out).unwrap()), Ok(packet));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-7]?[0-9]{0,3}-?(/[a-z]*,?)?[0-9]*.{0,20}") {
        if let Ok(packet) = read(&text) {
            prop_assert!(packet.attachments <= 10 && packet.namespace.starts_with('/'));
        }
    }
}
