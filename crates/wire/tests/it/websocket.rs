//! WebSocket: round trips, splits, masks, and what is refused.

use proptest::prelude::*;
use remuda_wire::http::{Head, Method, Version};
use remuda_wire::websocket::{
    CloseCode, Decoder, Event, Handshake, HandshakeError, Limits, Opcode, Role, WebSocketError, accept_key,
    unmask, write_close, write_frame,
};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An event that owns what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Error(WebSocketError),
}

fn seen(event: Event<'_>) -> Seen {
    match event {
        Event::Text(text) => Seen::Text(text.into()),
        Event::Binary(bytes) => Seen::Binary(bytes.into()),
        Event::Ping(bytes) => Seen::Ping(bytes.into()),
        Event::Pong(bytes) => Seen::Pong(bytes.into()),
        Event::Close(code, reason) => Seen::Close(code.map(CloseCode::get), reason.into()),
    }
}

fn feed(decoder: &mut Decoder, bytes: &[u8], out: &mut Vec<Seen>) -> bool {
    let mut bytes = bytes.to_vec();
    let mut rest = bytes.as_mut_slice();
    loop {
        match decoder.read(rest) {
            Ok((used, event)) => {
                let is_last = event.is_none();
                out.extend(event.map(seen));
                if is_last {
                    assert_eq!(used, rest.len(), "without an event all is taken");
                    return true;
                }
                rest = &mut rest[used..];
            }
            Err(error) => {
                out.push(Seen::Error(error));
                return false;
            }
        }
    }
}

fn limits() -> Limits {
    Limits { message_max: 70_000, frames_max: 20 }
}

fn read(role: Role, bytes: &[u8]) -> Vec<Seen> {
    let mut out = Vec::new();
    feed(&mut Decoder::new(role, limits()), bytes, &mut out);
    out
}

fn read_split(role: Role, bytes: &[u8], sizes: &[usize]) -> Vec<Seen> {
    let (mut decoder, mut out, mut rest) = (Decoder::new(role, limits()), Vec::new(), bytes);
    let mut sizes = sizes.iter().copied().cycle();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(1).clamp(1, rest.len());
        if !feed(&mut decoder, &rest[..size], &mut out) {
            break;
        }
        rest = &rest[size..];
    }
    out
}

fn frame(is_final: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, is_final, opcode, payload, Some(MASK));
    out
}

#[test]
fn the_examples_of_the_standard_are_read_and_written() {
    // RFC 6455 5.7
    assert_eq!(read(Role::Client, b"\x81\x05Hello"), [Seen::Text("Hello".into())]);
    let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(read(Role::Server, masked), [Seen::Text("Hello".into())]);
    assert_eq!(frame(true, Opcode::Text, b"Hello"), masked);
    assert_eq!(read(Role::Client, b"\x01\x03Hel\x80\x02lo"), [Seen::Text("Hello".into())]);
    assert_eq!(read(Role::Client, b"\x89\x05Hello"), [Seen::Ping(b"Hello".into())]);
    assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn control_frames_come_between_the_frames_of_a_message() {
    let bytes = [
        frame(false, Opcode::Text, "gr\u{fc}".as_bytes()),
        frame(true, Opcode::Ping, b"one"),
        frame(false, Opcode::Continuation, b""),
        frame(true, Opcode::Pong, b"two"),
        frame(true, Opcode::Continuation, b"n"),
        frame(true, Opcode::Binary, b"\xff"),
    ]
    .concat();
    let expected = [
        Seen::Ping(b"one".into()),
        Seen::Pong(b"two".into()),
        Seen::Text("gr\u{fc}n".into()),
        Seen::Binary(vec![0xff]),
    ];
    assert_eq!(read(Role::Server, &bytes), expected);
    for size in 1..bytes.len() {
        assert_eq!(read_split(Role::Server, &bytes, &[size]), expected, "in pieces of {size}");
    }
}

#[test]
fn what_breaks_the_rules_is_refused_with_its_code() {
    let control =
        |opcode: u8, len: usize| [vec![0x80 | opcode, 0xfe], vec![0, 126], vec![0; len + 4]].concat();
    let cases: Vec<(Vec<u8>, u16)> = vec![
        (b"\xc1\x80".to_vec(), 1002),                    // a reserved bit
        (b"\x83".to_vec(), 1002),                        // operation 3
        (b"\x8b".to_vec(), 1002),                        // operation 11
        (b"\x81\x05Hello".to_vec(), 1002),               // no mask
        (control(9, 126), 1002),                         // a long ping
        (frame(false, Opcode::Ping, b""), 1002),         // a ping in pieces
        (frame(true, Opcode::Continuation, b"x"), 1002), // goes on with nothing
        ([frame(false, Opcode::Text, b"x"), frame(true, Opcode::Text, b"y")].concat(), 1002),
        (b"\x81\xfe\x00\x05\0\0\0\0".to_vec(), 1002), // 5 in two bytes
        (b"\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0".to_vec(), 1002), // 65,535 in eight
        (b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0".to_vec(), 1002), // beyond 63 bits
        (b"\x82\xff\0\0\0\0\0\x01\x11\x71\0\0\0\0".to_vec(), 1009), // 70,001 bytes, none of them there
        (frame(true, Opcode::Text, b"\xc0\xaf"), 1007),
        (frame(true, Opcode::Text, b"\xe2\x82"), 1007),  // cut
        (frame(false, Opcode::Text, b"\xf4\x90"), 1007), // told before the rest comes
        (frame(true, Opcode::Close, b"\x03"), 1002),
        (frame(true, Opcode::Close, &999_u16.to_be_bytes()), 1002),
        (frame(true, Opcode::Close, &1005_u16.to_be_bytes()), 1002),
        (frame(true, Opcode::Close, &1006_u16.to_be_bytes()), 1002),
        (frame(true, Opcode::Close, &1016_u16.to_be_bytes()), 1002),
        (frame(true, Opcode::Close, &5000_u16.to_be_bytes()), 1002),
        (frame(true, Opcode::Close, b"\x03\xe8\xff"), 1007),
        (frame(false, Opcode::Binary, b"").repeat(1), 0), // that alone is good
        (
            [frame(false, Opcode::Binary, b""), frame(false, Opcode::Continuation, b"").repeat(20)].concat(),
            1008,
        ),
    ];
    for (bytes, code) in cases {
        let found = match read(Role::Server, &bytes).pop() {
            Some(Seen::Error(error)) => error.code().get(),
            None => 0,
            Some(other) => panic!("{bytes:02x?} gave {other:?}"),
        };
        assert_eq!(found, code, "{bytes:02x?}");
    }
}

#[test]
fn a_text_is_refused_at_the_first_wrong_byte_of_a_frame_that_is_not_whole() {
    let whole = frame(true, Opcode::Text, b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80edited");
    let seen = read(Role::Server, &whole[..6 + 7]);
    assert_eq!(seen, [Seen::Error(WebSocketError::Utf8)]);
}

#[test]
fn nothing_may_follow_a_close() {
    let mut bytes = Vec::new();
    write_close(&mut bytes, Some(CloseCode::GOING_AWAY), "bye", Some(MASK));
    assert_eq!(read(Role::Server, &bytes), [Seen::Close(Some(1001), "bye".into())]);
    bytes.extend(frame(true, Opcode::Ping, b""));
    assert_eq!(read(Role::Server, &bytes).pop(), Some(Seen::Error(WebSocketError::AfterClose)));
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let mut bytes = Vec::new();
    write_close(&mut bytes, Some(CloseCode::NORMAL), &"\u{20ac}".repeat(60), None);
    assert_eq!(read(Role::Client, &bytes), [Seen::Close(Some(1000), "\u{20ac}".repeat(41))]);
}

#[test]
fn an_idle_decoder_keeps_nothing() {
    let mut decoder = Decoder::new(Role::Server, limits());
    let bytes = [
        frame(false, Opcode::Text, &[b'x'; 9000]),
        frame(true, Opcode::Continuation, &[b'x'; 9000]),
        frame(true, Opcode::Ping, &[b'x'; 100]),
    ]
    .concat();
    let mut out = Vec::new();
    for byte in bytes {
        assert!(feed(&mut decoder, &[byte], &mut out));
    }
    assert!(feed(&mut decoder, b"", &mut out));
    assert_eq!((out.len(), decoder.memory()), (2, 0));
}

#[test]
fn a_handshake_asks_for_all_it_needs() {
    let head = |method, fields: &[(&'static str, &'static str)]| {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        Head::compose(Version::Http11, method, b"/ws", Some(b"a.b"), fields).unwrap()
    };
    let good = [
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "chat, superchat"),
    ];
    let handshake = Handshake::read(&head(Method::Get, &good)).unwrap();
    assert_eq!(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(handshake.protocols, ["chat", "superchat"]);
    assert_eq!(Handshake::read(&head(Method::Post, &good)), Err(HandshakeError::NoUpgrade));
    let with = |at: usize, field| {
        let mut fields = good;
        fields[at] = field;
        Handshake::read(&head(Method::Get, &fields)).unwrap_err()
    };
    assert_eq!(with(0, ("Connection", "close")), HandshakeError::NoUpgrade);
    assert_eq!(with(1, ("Upgrade", "h2c")), HandshakeError::NoUpgrade);
    assert_eq!(with(2, ("Sec-WebSocket-Version", "8")), HandshakeError::Version);
    assert_eq!(with(3, ("Sec-WebSocket-Key", "c2hvcnQ=")), HandshakeError::Key);
    assert_eq!(with(4, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")), HandshakeError::Key);
}

#[test]
fn of_two_wrong_bytes_the_first_is_told_whatever_the_pieces() {
    let bytes = [0x83, 0];
    let told = [Seen::Error(WebSocketError::Opcode(3))];
    assert_eq!(
        (read(Role::Server, &bytes), read_split(Role::Server, &bytes, &[1])),
        (told.to_vec(), told.to_vec())
    );
}

fn message() -> impl Strategy<Value = (Opcode, Vec<u8>)> {
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(any::<u8>(), 65_530..65_540)
    ];
    prop_oneof![
        ".{0,60}".prop_map(|text| (Opcode::Text, text.into_bytes())),
        payload.prop_map(|bytes| (Opcode::Binary, bytes)),
        prop::collection::vec(any::<u8>(), 0..126).prop_map(|bytes| (Opcode::Ping, bytes)),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_whatever_the_pieces(
        messages in prop::collection::vec(message(), 0..6),
        sizes in prop::collection::vec(1_usize..5000, 1..8),
        mask in any::<[u8; 4]>(),
        cut in 1_usize..50,
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (opcode, payload) in &messages {
            expected.push(match opcode {
                Opcode::Text => Seen::Text(String::from_utf8(payload.clone()).unwrap()),
                Opcode::Binary => Seen::Binary(payload.clone()),
                _ => Seen::Ping(payload.clone()),
            });
            let at = if opcode.is_control() || payload.len() < cut { 0 } else { cut };
            if at > 0 {
                write_frame(&mut bytes, false, *opcode, &payload[..at], Some(mask));
            }
            let opcode = if at > 0 { Opcode::Continuation } else { *opcode };
            write_frame(&mut bytes, true, opcode, &payload[at..], Some(mask));
        }
        prop_assert_eq!(&read(Role::Server, &bytes), &expected);
        prop_assert_eq!(&read_split(Role::Server, &bytes, &sizes), &expected);
    }

    #[test]
    fn any_bytes_give_the_same_in_any_pieces(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x81), Just(0x01), Just(0x80), Just(0x89)], 0..300),
        sizes in prop::collection::vec(1_usize..40, 1..8),
    ) {
        for role in [Role::Server, Role::Client] {
            // A wrong text is told as soon as its byte is there, which may be before what follows it was looked at.
            prop_assert_eq!(read(role, &bytes), read_split(role, &bytes, &sizes));
        }
    }

    #[test]
    fn a_mask_is_its_own_inverse_at_any_offset(bytes in prop::collection::vec(any::<u8>(), 0..100), key: [u8; 4], at in 0_usize..100) {
        let mut masked = bytes.clone();
        unmask(&mut masked, key, 0);
        for (index, (one, two)) in bytes.iter().zip(&masked).enumerate() {
            prop_assert_eq!(one ^ key[index % 4], *two);
        }
        let at = at.min(bytes.len());
        unmask(&mut masked[..at], key, 0);
        unmask(&mut masked[at..], key, at);
        prop_assert_eq!(masked, bytes);
    }

    #[test]
    fn a_decoder_keeps_no_more_than_its_limit(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut decoder = Decoder::new(Role::Client, Limits { message_max: 64, frames_max: 8 });
        let mut out = Vec::new();
        for piece in bytes.chunks(7) {
            if !feed(&mut decoder, piece, &mut out) {
                break;
            }
            prop_assert!(decoder.memory() <= 128 + 256);
        }
    }
}
