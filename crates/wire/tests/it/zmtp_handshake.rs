//! Who is let in, as what, and who is not.

use bytes::BytesMut;
use remuda_wire::zmtp::{
    AcceptOptions, ConnectMechanism, Credentials, Event, ProtocolError, PublicKey, SecretKey, SocketType,
    SocketTypes,
};

use super::wire::{MECHANISMS, Side, converse, pair, ready};

fn greeting(major: u8, minor: u8, mechanism: &str) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, major, minor];
    bytes.extend_from_slice(mechanism.as_bytes());
    bytes.resize(64, 0);
    bytes
}

fn fault_of(bytes: &[u8]) -> Option<ProtocolError> {
    Side::accept(AcceptOptions::default()).feed(bytes, 1).err()
}

#[test]
fn every_kind_of_socket_is_met_by_the_one_that_serves_it() {
    use SocketType::{Dealer, Pub, Pull, Push, Rep, Req, Router, Sub, Xpub, Xsub};
    let meetings = [
        (Sub, Xpub),
        (Xsub, Xpub),
        (Pub, Sub),
        (Xpub, Sub),
        (Push, Pull),
        (Pull, Push),
        (Req, Router),
        (Dealer, Router),
        (Router, Router),
        (Rep, Dealer),
    ];
    for mechanism in MECHANISMS {
        for (kind, answer) in meetings {
            let (mut server, mut client) = pair(mechanism, kind);
            let (at_server, at_client) = converse(&mut server, &mut client, 1).unwrap();
            let peer = |events: &[Event]| match events.iter().find(|event| matches!(event, Event::Ready(_))) {
                Some(Event::Ready(peer)) => (peer.socket_type, peer.own_type, peer.minor),
                _ => panic!("no handshake in {events:?}"),
            };
            assert_eq!(peer(&at_server), (kind, answer, 1));
            assert_eq!(peer(&at_client), (answer, kind, 1));
        }
    }
}

#[test]
fn a_publisher_is_asked_for_everything() {
    for mechanism in MECHANISMS {
        let (mut server, mut client) = pair(mechanism, SocketType::Xpub);
        let (_, at_client) = converse(&mut server, &mut client, 7).unwrap();
        let [.., Event::Subscribe(topic)] = &at_client[..] else { panic!("{at_client:?}") };
        assert!(topic.is_empty());
    }
}

#[test]
fn an_endpoint_that_only_publishes_refuses_publishers() {
    let offers = SocketTypes::of(&[SocketType::Pub]);
    let mut server = Side::accept(AcceptOptions { offers, ..AcceptOptions::default() });
    let mut client = Side::connect(remuda_wire::zmtp::ConnectOptions::new(SocketType::Push));
    let error = server.feed(&client.take_output(), 1).err();
    let error = error.or_else(|| {
        let said = server.take_output();
        client.feed(&said, 1).unwrap();
        server.feed(&client.take_output(), 1).err()
    });
    assert_eq!(error, Some(ProtocolError::NotServed { peer: "PUSH".to_owned(), offers }));
    let events = client.feed(&server.take_output(), 1).unwrap();
    assert!(matches!(&events[..], [Event::Failed(reason)] if reason == "Invalid socket type"), "{events:?}");
}

#[test]
fn who_does_not_speak_zmtp_3_is_told_apart() {
    assert_eq!(fault_of(b"GET / HTTP/1.1\r\n"), Some(ProtocolError::NotZmtp { first: b'G' }));
    assert_eq!(fault_of(&[0; 70]), Some(ProtocolError::NotZmtp { first: 0 }));
    assert_eq!(fault_of(&[1, 0]), Some(ProtocolError::OldVersion { major: 1 }));
    assert_eq!(fault_of(&[0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0]), Some(ProtocolError::OldVersion { major: 1 }));
    assert_eq!(fault_of(&greeting(1, 0, "")[..11]), Some(ProtocolError::OldVersion { major: 2 }));
    assert_eq!(fault_of(&greeting(3, 0, "NULL")), None);
    assert_eq!(fault_of(&greeting(4, 7, "NULL")), None);
    assert!(matches!(fault_of(&greeting(3, 1, "PLAIN")), Some(ProtocolError::Mechanism { .. })));
    assert!(matches!(fault_of(&greeting(3, 1, "")), Some(ProtocolError::Greeting { .. })));
    for place in [20, 32, 63] {
        let mut bytes = greeting(3, 1, "NULL");
        bytes[place] = 2;
        assert!(matches!(fault_of(&bytes), Some(ProtocolError::Greeting { .. })), "byte {place}");
    }
}

#[test]
fn a_handshake_is_bounded() {
    let after = |frame: &[u8]| fault_of(&[&greeting(3, 1, "NULL"), frame].concat());
    assert!(matches!(after(&[6, 0, 0, 0, 0, 0, 0, 4, 1]), Some(ProtocolError::CommandTooLong { .. })));
    assert!(matches!(
        after(&[6, 255, 255, 255, 255, 255, 255, 255, 255]),
        Some(ProtocolError::CommandTooLong { .. })
    ));
    assert!(matches!(after(&[0, 1, b'x']), Some(ProtocolError::Unexpected { .. })));
    assert!(matches!(after(&[4, 5, 4, b'P', b'I', b'N', b'G']), Some(ProtocolError::Unexpected { .. })));
    assert!(matches!(after(&[4, 2, 5, b'R']), Some(ProtocolError::Malformed { .. })));
    assert!(matches!(after(&[4, 6, 5, b'R', b'E', b'A', b'D', b'Y']), Some(ProtocolError::Malformed { .. })));
}

#[test]
fn nothing_goes_on_before_the_decision_nor_after_a_refusal() {
    for mechanism in ["PLAIN", "CURVE"] {
        let (mut server, mut client) = pair(mechanism, SocketType::Push);
        let mut input = BytesMut::new();
        let credentials = loop {
            client.feed(&server.take_output(), 5).unwrap();
            input.extend_from_slice(&client.take_output());
            if let Some(event) = server.connection.read(&mut input).unwrap() {
                break event;
            }
        };
        match (mechanism, credentials) {
            ("PLAIN", Event::Authenticate(Credentials::Plain { username, password })) => {
                assert_eq!((&username[..], &password[..]), (&b"worker"[..], &b"secret"[..]));
            }
            ("CURVE", Event::Authenticate(Credentials::Curve { .. })) => {}
            other => panic!("{other:?}"),
        }
        assert!(server.connection.read(&mut input).unwrap().is_none());
        server.connection.decide(Err("400 not you"));
        let events = client.feed(&server.take_output(), 1).unwrap();
        assert!(matches!(&events[..], [Event::Failed(reason)] if reason == "400 not you"), "{events:?}");
        assert_eq!(server.connection.read(&mut input).unwrap_err(), ProtocolError::Over);
        assert_eq!(client.connection.read(&mut input).unwrap_err(), ProtocolError::Over);
    }
}

#[test]
fn a_client_for_another_servers_key_does_not_get_in() {
    let (mut server, _) = pair("CURVE", SocketType::Push);
    let mut options = remuda_wire::zmtp::ConnectOptions::new(SocketType::Push);
    let key = SecretKey::generate();
    options.mechanism = ConnectMechanism::Curve { server_key: key.public_key(), secret_key: key };
    let mut client = Side::connect(options);
    let error = converse(&mut server, &mut client, 50).unwrap_err();
    assert!(matches!(error, ProtocolError::Curve { .. }), "{error}");
}

#[test]
fn what_was_said_on_a_sealed_connection_cannot_be_said_again() {
    let (mut server, mut client) = ready("CURVE", SocketType::Push);
    let mut sealed = BytesMut::new();
    client.connection.seal(&[0, 1, b'x'], &mut sealed);
    assert!(!sealed.windows(2).any(|bytes| bytes == [1, b'x']));
    assert_eq!(server.feed(&sealed, 1).unwrap().len(), 1);
    assert!(matches!(server.feed(&sealed, 1), Err(ProtocolError::Curve { .. })));

    let (mut server, mut client) = ready("CURVE", SocketType::Push);
    let mut sealed = BytesMut::new();
    client.connection.seal(&[0, 1, b'x'], &mut sealed);
    *sealed.last_mut().unwrap() ^= 1;
    assert!(matches!(server.feed(&sealed, 1), Err(ProtocolError::Curve { .. })));
}

#[test]
fn keys_have_the_text_zeromq_gives_them() {
    // The pair of client keys in libzmq's manual page of zmq_curve.
    let text = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    let key: PublicKey = text.parse().unwrap();
    assert_eq!(key.to_string(), text);
    let secret: SecretKey = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".parse().unwrap();
    assert_eq!(secret.public_key(), key);
    assert!("short".parse::<PublicKey>().is_err());
    assert!("~".repeat(40).parse::<PublicKey>().is_err());
    assert!("#".repeat(40).parse::<PublicKey>().is_err());
}
