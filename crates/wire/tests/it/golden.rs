//! What libzmq's sockets sent once, byte for byte; `golden/record.py` recorded it.

use remuda_wire::zmtp::{AcceptOptions, ConnectOptions, Event, SocketType};

use super::wire::{Side, messages};

/// The bytes of a recording.
pub(crate) fn recording(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.lines().skip(1).flat_map(str::bytes).collect();
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap();
    digits.chunks(2).map(|pair| hex(pair[0]) * 16 + hex(pair[1])).collect()
}

pub(crate) const RECORDINGS: [(SocketType, &str); 10] = [
    (SocketType::Sub, include_str!("golden/sub-to-3.0.hex")),
    (SocketType::Sub, include_str!("golden/sub-to-3.1.hex")),
    (SocketType::Xsub, include_str!("golden/xsub-to-3.0.hex")),
    (SocketType::Xsub, include_str!("golden/xsub-to-3.1.hex")),
    (SocketType::Push, include_str!("golden/push-to-3.0.hex")),
    (SocketType::Push, include_str!("golden/push-to-3.1.hex")),
    (SocketType::Req, include_str!("golden/req-to-3.0.hex")),
    (SocketType::Req, include_str!("golden/req-to-3.1.hex")),
    (SocketType::Dealer, include_str!("golden/dealer-to-3.0.hex")),
    (SocketType::Dealer, include_str!("golden/dealer-to-3.1.hex")),
];

#[test]
fn what_libzmq_sent_is_understood() {
    for (kind, text) in RECORDINGS {
        for piece in [1, 7, usize::MAX] {
            let mut server = Side::accept(AcceptOptions::default());
            let events = server.feed(&recording(text), piece).unwrap();
            assert!(server.input.is_empty());
            let [Event::Ready(peer), rest @ ..] = &events[..] else { panic!("{events:?}") };
            assert_eq!((peer.socket_type, peer.minor), (kind, 1));
            let expected = if kind == SocketType::Dealer { &b"number-one"[..] } else { b"" };
            assert_eq!(peer.identity, expected);
            let data: Vec<_> = rest
                .iter()
                .flat_map(|event| match event {
                    Event::Messages(batch) => messages(batch),
                    Event::Subscribe(topic) => vec![vec![b"subscribed".to_vec(), topic.to_vec()]],
                    other => panic!("{other:?}"),
                })
                .collect();
            let frames = |parts: &[&[u8]]| parts.iter().map(|part| part.to_vec()).collect::<Vec<_>>();
            let expected = match kind {
                SocketType::Sub => vec![frames(&[b"subscribed", b"topic"])],
                SocketType::Xsub => vec![frames(&[b"subscribed", b"topic"]), frames(&[b"up", b"stream"])],
                SocketType::Push => vec![frames(&[b"one", b"two"])],
                SocketType::Req => vec![frames(&[b"", b"one", b"two"])],
                _ => vec![frames(&[b"one", b"", &[b'x'; 300]])],
            };
            assert_eq!(data, expected);
        }
    }
}

#[test]
fn we_send_what_libzmq_sends() {
    for (kind, text) in RECORDINGS.into_iter().filter(|(kind, _)| *kind != SocketType::Xsub) {
        let recorded = recording(text);
        let mut options = ConnectOptions::new(kind);
        if kind == SocketType::Dealer {
            options.identity = b"number-one".to_vec();
        }
        let mut client = Side::connect(options);
        let mut sent = client.take_output();
        // The padding of the signature carries the length of an identity there.
        sent[1..9].copy_from_slice(&recorded[1..9]);
        client.feed(&recorded[..64], 64).unwrap();
        sent.extend(client.take_output());
        assert_eq!(sent, recorded[..sent.len()], "{kind}");
    }
}
