//! Against pyzmq, which is libzmq: every mechanism, both sides, every kind of socket that is served.

use std::sync::Arc;

use remuda_wire::zmtp::{
    AcceptMechanism, AcceptOptions, ConnectMechanism, ConnectOptions, Connection, Credentials, Event,
    Peer as PeerWords, ProtocolError, SocketType,
};

use super::peers::{Keys, Link, Peer};
use super::wire::MECHANISMS;

/// A peer in some role that connects to us, let in.
fn served(role: &str, mechanism: &str) -> (Peer, Link, PeerWords) {
    let keys = Keys::new();
    let mechanism_options = match mechanism {
        "NULL" => AcceptMechanism::Null,
        "PLAIN" => AcceptMechanism::Plain,
        _ => AcceptMechanism::Curve { secret_key: keys.ours.clone() },
    };
    let options = Arc::new(AcceptOptions { mechanism: mechanism_options, ..AcceptOptions::default() });
    let (peer, mut link) =
        Peer::connecting(role, mechanism, &keys, || Connection::accept(Arc::clone(&options)));
    let mut event = link.next().unwrap();
    if let Event::Authenticate(credentials) = event {
        let expected = match mechanism {
            "PLAIN" => Credentials::Plain { username: b"worker".to_vec(), password: b"secret".to_vec() },
            _ => Credentials::Curve { public_key: keys.theirs.public_key() },
        };
        assert_eq!(credentials, expected);
        link.connection.decide(Ok(()));
        event = link.next().unwrap();
    } else {
        assert_eq!(mechanism, "NULL");
    }
    let Event::Ready(words) = event else { panic!("{event:?} came first") };
    assert_eq!(link.connection.is_sealed(), mechanism == "CURVE");
    link.flush();
    (peer, link, words)
}

/// A peer in some role that we connect to as `kind`.
fn visiting(role: &str, mechanism: &str, kind: SocketType) -> (Peer, Link) {
    let keys = Keys::new();
    let mut options = ConnectOptions::new(kind);
    options.identity = b"us".to_vec();
    options.mechanism = match mechanism {
        "NULL" => ConnectMechanism::Null,
        "PLAIN" => ConnectMechanism::Plain { username: b"worker".to_vec(), password: b"secret".to_vec() },
        _ => ConnectMechanism::Curve { server_key: keys.theirs.public_key(), secret_key: keys.ours.clone() },
    };
    Peer::bound(role, mechanism, &keys, Connection::connect(Arc::new(options)))
}

/// As `visiting`, let in.
fn visited(role: &str, mechanism: &str, kind: SocketType) -> (Peer, Link) {
    let (peer, mut link) = visiting(role, mechanism, kind);
    let Event::Ready(_) = link.next().unwrap() else { panic!("no handshake") };
    (peer, link)
}

#[test]
fn a_push_socket_delivers_every_frame_of_every_message_in_order() {
    for mechanism in MECHANISMS {
        let (peer, mut link, words) = served("push", mechanism);
        assert_eq!((words.socket_type, words.own_type), (SocketType::Push, SocketType::Pull));
        let mut messages = Vec::new();
        while messages.len() < 1004 {
            messages.extend(link.messages());
        }
        assert_eq!(messages[0], [b"topic".to_vec(), b"payload".to_vec()]);
        assert_eq!(messages[1], [b""]);
        assert_eq!(messages[2], [vec![], vec![b'x'; 300], vec![], b"y".to_vec()]);
        assert_eq!(messages[3], [vec![b'z'; 1_000_000]]);
        for (number, message) in messages[4..].iter().enumerate() {
            assert_eq!(*message, [number.to_string().into_bytes()]);
        }
        peer.finish();
    }
}

#[test]
fn a_sub_socket_subscribes_receives_and_cancels() {
    for mechanism in MECHANISMS {
        let (mut peer, mut link, words) = served("sub", mechanism);
        assert_eq!((words.socket_type, words.own_type), (SocketType::Sub, SocketType::Xpub));
        let mut topics = Vec::new();
        while topics.len() < 2 {
            match link.next().unwrap() {
                Event::Subscribe(topic) => topics.push(topic),
                other => panic!("{mechanism}: {other:?}"),
            }
        }
        topics.sort();
        assert_eq!(topics, [&b""[..], b"a"]);
        link.send(&[b"abc", b""]);
        assert_eq!(peer.line(), "616263 -", "{mechanism}");
        let Event::Cancel(topic) = link.next().unwrap() else { panic!("{mechanism}: no cancellation") };
        assert_eq!(topic, &b"a"[..]);
        link.send(&[&[7; 400]]);
        assert_eq!(peer.line(), "07".repeat(400));
        peer.finish();
    }
}

#[test]
fn an_xsub_socket_subscribes_and_sends_messages_upstream() {
    for mechanism in MECHANISMS {
        let (mut peer, mut link, words) = served("xsub", mechanism);
        assert_eq!(words.socket_type, SocketType::Xsub);
        let Event::Subscribe(topic) = link.next().unwrap() else { panic!("{mechanism}: no subscription") };
        assert_eq!(topic, &b"a"[..]);
        assert_eq!(link.messages(), [[b"upstream".to_vec(), b"\x01data".to_vec()]]);
        let Event::Cancel(_) = link.next().unwrap() else { panic!("{mechanism}: no cancellation") };
        link.send(&[b"bye"]);
        assert_eq!(peer.line(), "627965");
        peer.finish();
    }
}

#[test]
fn publishers_that_connect_are_subscribed_to() {
    for mechanism in MECHANISMS {
        for role in ["pub", "xpub"] {
            let (mut peer, mut link, words) = served(role, mechanism);
            assert_eq!(words.own_type, SocketType::Sub);
            if role == "xpub" {
                assert_eq!(peer.line(), "01", "a subscription to everything, as an XPUB sees it");
            }
            assert_eq!(link.messages()[0], [b"topic".to_vec(), b"payload".to_vec()]);
            peer.finish();
        }
    }
}

#[test]
fn requests_are_answered() {
    for mechanism in MECHANISMS {
        let (mut peer, mut link, words) = served("req", mechanism);
        assert_eq!((words.socket_type, words.own_type), (SocketType::Req, SocketType::Router));
        assert_eq!(link.messages(), [[b"".to_vec(), b"ask".to_vec()]]);
        link.send(&[b"", b"answer"]);
        assert_eq!(peer.line(), "616e73776572");
        peer.finish();

        let (mut peer, mut link, words) = served("dealer", mechanism);
        assert_eq!(words.identity, &b"number-one"[..]);
        assert_eq!(link.messages(), [[b"ask".to_vec(), b"more".to_vec()]]);
        link.hand_over();
        link.send(&[b"from", b"another process"]);
        assert_eq!(peer.line(), format!("66726f6d {}", "616e6f746865722070726f63657373"));
        peer.finish();
    }
}

#[test]
fn a_pull_socket_is_fed() {
    for mechanism in MECHANISMS {
        let (mut peer, mut link, words) = served("pull", mechanism);
        assert_eq!(words.own_type, SocketType::Push);
        for message in [&[&b"a"[..], b"b"][..], &[b""], &[&[1; 256]]] {
            link.send(message);
        }
        assert_eq!(peer.line(), "61 62");
        assert_eq!(peer.line(), "-");
        assert_eq!(peer.line(), "01".repeat(256));
        peer.finish();
    }
}

#[test]
fn heartbeats_are_answered_and_sent() {
    for mechanism in MECHANISMS {
        let (mut peer, mut link, _) = served("beat", mechanism);
        assert!(link.connection.ping(50, b"context"));
        let (mut pings, mut pongs) = (0, 0);
        while pings < 3 || pongs < 1 {
            match link.next().unwrap() {
                Event::Ping { ttl_deciseconds } => {
                    assert_eq!(ttl_deciseconds, 10);
                    pings += 1;
                }
                Event::Pong => pongs += 1,
                Event::Messages(_) => {}
                other => panic!("{other:?}"),
            }
        }
        link.send(&[b"enough"]);
        assert_eq!(peer.line(), "656e6f756768");
        peer.finish();
    }
}

#[test]
fn a_peer_nobody_serves_is_told_so() {
    let options = Arc::new(AcceptOptions::default());
    let (peer, mut link) =
        Peer::connecting("pair", "NULL", &Keys::new(), || Connection::accept(Arc::clone(&options)));
    let error = link.next().unwrap_err();
    assert!(matches!(&error, ProtocolError::NotServed { peer, .. } if peer == "PAIR"), "{error}");
    drop(link);
    peer.finish();
}

#[test]
fn a_refusal_reaches_the_peers_application() {
    for mechanism in ["PLAIN", "CURVE"] {
        let keys = Keys::new();
        let options = Arc::new(AcceptOptions {
            mechanism: if mechanism == "PLAIN" {
                AcceptMechanism::Plain
            } else {
                AcceptMechanism::Curve { secret_key: keys.ours.clone() }
            },
            ..AcceptOptions::default()
        });
        let (mut peer, mut link) =
            Peer::connecting("refused", mechanism, &keys, || Connection::accept(Arc::clone(&options)));
        let Event::Authenticate(_) = link.next().unwrap() else { panic!("nobody asks") };
        link.connection.decide(Err("400"));
        link.flush();
        let unexpected_command = 0x1000_0001;
        let expected = if mechanism == "CURVE" { 400 } else { unexpected_command };
        assert_eq!(peer.line(), expected.to_string());
        assert_eq!(link.next().unwrap_err(), ProtocolError::Over);
        peer.finish();
    }
}

#[test]
fn we_connect_to_publishers_workers_and_routers() {
    for mechanism in MECHANISMS {
        let (mut peer, mut link) = visited("xpub", mechanism, SocketType::Sub);
        assert!(link.connection.subscribe(b"top"));
        link.flush();
        assert_eq!(peer.line(), "01746f70", "{mechanism}");
        assert_eq!(link.messages(), [[b"topic".to_vec(), b"payload".to_vec()]]);
        peer.finish();

        let (mut peer, mut link) = visited("pull", mechanism, SocketType::Push);
        for number in [&b"1"[..], b"2", b"3"] {
            link.send(&[number]);
        }
        assert_eq!([peer.line(), peer.line(), peer.line()], ["31", "32", "33"]);
        peer.finish();

        let (mut peer, mut link) = visited("router", mechanism, SocketType::Dealer);
        link.send(&[b"ask"]);
        assert_eq!(peer.line(), "7573 61736b");
        assert_eq!(link.messages(), [[b"answer".to_vec(), b"ask".to_vec()]]);
        peer.finish();

        let (mut peer, mut link) = visited("rep", mechanism, SocketType::Req);
        link.send(&[b"", b"ask"]);
        assert_eq!(peer.line(), "61736b");
        assert_eq!(link.messages(), [[b"".to_vec(), b"answer".to_vec()]]);
        peer.finish();
    }
}

#[test]
fn a_peers_refusal_is_reported() {
    for mechanism in ["PLAIN", "CURVE"] {
        let (peer, mut link) = visiting("deaf", mechanism, SocketType::Push);
        let Event::Failed(reason) = link.next().unwrap() else { panic!("{mechanism}: we are let in") };
        assert_eq!(reason, "400");
        assert_eq!(link.next().unwrap_err(), ProtocolError::Over);
        peer.finish();
    }
}
