//! Two nodes speak, or find out why not.

use std::time::Duration;

use remuda_trust::session::{Disagreement, Event, LZ4, SendError, SessionError, SessionOptions, Versions};
use remuda_trust::{Distrust, Identity, Session, remove};
use rustls::{AlertDescription, CertificateError};

use crate::harness::{DAY, Node, Pair, at};

fn refused_as(error: Option<&SessionError>) -> Option<AlertDescription> {
    match error {
        Some(SessionError::Refused(alert)) => Some(*alert),
        _ => None,
    }
}

#[test]
fn two_nodes_know_each_other_and_exchange_frames_in_order() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    for piece in [usize::MAX, 1, 7, 4096] {
        let mut pair = Pair::of(&beta, &alpha, 0);
        pair.run_in_pieces(piece);
        let peer = pair.server.session.peer().unwrap();
        assert!(matches!(&peer.certified.identity, Identity::Node(node) if node.name.as_str() == "beta"));
        let (hello, agreement) = peer.hello.clone().unwrap();
        assert_eq!((hello.name.as_str(), agreement.version), ("beta", 1));
        assert_eq!(agreement.features, 0b1 | LZ4);
        let payloads: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; usize::from(n) * 100]).collect();
        for payload in &payloads {
            pair.client.session.send(3, payload).unwrap();
            pair.server.session.send(127, payload).unwrap();
        }
        pair.run_in_pieces(piece);
        let expected = |kind| payloads.iter().map(|each| (kind, each.clone())).collect::<Vec<_>>();
        assert_eq!(pair.server.frames(), expected(3));
        assert_eq!(pair.client.frames(), expected(127));
        assert_eq!((pair.client.error, pair.server.error), (None, None));
    }
}

#[test]
fn the_highest_version_that_both_speak_is_spoken() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let spoken = |ours: (u16, u16), theirs: (u16, u16)| {
        let versions = |(lowest, highest)| Versions { lowest, highest };
        let (mut client, mut server) = (beta.hello(), alpha.hello());
        (client.versions, server.versions) = (versions(ours), versions(theirs));
        let mut pair = Pair::with(&beta, client, &alpha, server, [0; 2]);
        pair.run();
        pair
    };
    let mut pair = spoken((1, 3), (2, 9));
    let agreed = |end: &Session| end.peer().unwrap().hello.clone().unwrap().1.version;
    assert_eq!((agreed(&pair.client.session), agreed(&pair.server.session)), (3, 3));
    pair.client.session.send(1, b"x").unwrap();
    pair.run();
    assert_eq!(pair.server.frames().len(), 1);

    let pair = spoken((1, 3), (4, 9));
    let said = [pair.client.error.unwrap(), pair.server.error.unwrap()].map(|error| error.to_string());
    assert!(said[0].contains("speaks versions 4 to 9") && said[0].contains("upgrade this node"), "{said:?}");
    assert!(said[1].contains("speaks versions 1 to 3") && said[1].contains("upgrade that node"), "{said:?}");
    assert!(pair.client.events.is_empty() && pair.server.events.is_empty());
}

#[test]
fn what_can_be_compressed_is_and_only_if_both_do() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let text = b"the same again and again, ".repeat(4000);
    let carried = |theirs: Option<usize>| {
        let plain = SessionOptions { compress_from: theirs, ..SessionOptions::default() };
        let ours = SessionOptions::default();
        let (client, server) = (Some(beta.hello()), alpha.hello());
        let client = Session::connect(&beta.endpoint(0), None, client, ours, Duration::ZERO).unwrap();
        let mut pair = Pair::new(client, Session::accept(alpha.endpoint(0), server, plain, Duration::ZERO));
        pair.run();
        let before = pair.carried;
        pair.client.session.send(9, &text).unwrap();
        pair.client.session.send(9, b"short").unwrap();
        pair.run();
        assert_eq!(pair.server.frames(), [(9, text.clone()), (9, b"short".to_vec())]);
        let features = pair.client.session.peer().unwrap().hello.clone().unwrap().1.features;
        assert_eq!(features & LZ4 != 0, theirs.is_some());
        pair.carried - before
    };
    let (packed, plain) = (carried(Some(1024)), carried(None));
    assert!(packed < text.len() / 20 && plain > text.len(), "{packed} and {plain} of {}", text.len());
}

#[test]
fn another_herd_of_the_same_name_is_refused_by_both_sides() {
    let (alpha, other) = (Node::founder("shop", "alpha"), Node::founder("shop", "beta"));
    let mut pair = Pair::of(&other, &alpha, 0);
    pair.run();
    assert_eq!(pair.client.error, Some(SessionError::Certificate(CertificateError::UnknownIssuer)));
    assert_eq!(refused_as(pair.server.error.as_ref()), Some(AlertDescription::UnknownCA));
    assert!(pair.server.error.unwrap().to_string().contains("another herd?"));
    assert!(pair.client.events.is_empty() && pair.server.events.is_empty());
}

#[test]
fn a_removed_node_is_refused_and_its_session_ends() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let mut going = Pair::of(&beta, &alpha, 0);
    going.run();
    assert_eq!(going.server.session.recheck(&alpha.membership().trust), Ok(()));
    let gone = beta.membership().node.id;
    remove(&alpha.folder, gone, at(1)).unwrap();

    let trust = alpha.membership().trust;
    let ended = going.server.session.recheck(&trust);
    assert_eq!(ended, Err(SessionError::Distrust(Distrust::Removed(gone))));
    assert_eq!(going.server.session.send(1, b"x"), Err(SendError::NotReady));
    going.run();
    assert_eq!(going.client.events.last(), Some(&Event::Closed));

    let mut pair = Pair::of(&beta, &alpha, 2);
    pair.run();
    assert_eq!(pair.server.error, Some(SessionError::Certificate(CertificateError::Revoked)));
    assert_eq!(refused_as(pair.client.error.as_ref()), Some(AlertDescription::CertificateRevoked));
    assert!(pair.client.error.unwrap().to_string().contains("was removed from the herd"));
    assert!(pair.server.events.is_empty());

    let mut pair = Pair::of(&alpha, &beta, 2);
    pair.run();
    assert_eq!(pair.client.error, Some(SessionError::Certificate(CertificateError::Revoked)));
    let error = pair.client.error.unwrap();
    assert_eq!(error.to_string(), "the peer is refused: it was removed from the herd");
    assert!(error.is_removal() && pair.server.error.unwrap().is_removal());
}

#[test]
fn what_is_thought_of_a_certificate_is_said_in_words() {
    use CertificateError::{BadEncoding, BadSignature, InvalidPurpose, Revoked, UnknownIssuer};
    for error in [BadEncoding, BadSignature, InvalidPurpose, Revoked, UnknownIssuer] {
        let said = SessionError::Certificate(error.clone()).to_string();
        assert!(!said.contains(&format!("{error:?}")), "{said}");
    }
}

#[test]
fn a_certificate_is_good_for_ninety_days_and_from_an_hour_before() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    for good in [0, 89 * DAY] {
        let mut pair = Pair::of(&beta, &alpha, good);
        pair.run();
        assert!(pair.client.is_ready() && pair.server.is_ready());
    }
    let mut late = Pair::with(&beta, beta.hello(), &alpha, alpha.hello(), [0, 91 * DAY]);
    late.run();
    let expired = |error: &Option<SessionError>| {
        matches!(error, Some(SessionError::Certificate(CertificateError::ExpiredContext { .. })))
    };
    assert!(expired(&late.server.error), "{:?}", late.server.error);
    assert_eq!(refused_as(late.client.error.as_ref()), Some(AlertDescription::CertificateExpired));
    let mut late = Pair::with(&beta, beta.hello(), &alpha, alpha.hello(), [91 * DAY, 0]);
    late.run();
    assert!(expired(&late.client.error), "{:?}", late.client.error);
}

#[test]
fn only_the_node_that_is_meant_may_answer() {
    let alpha = Node::founder("shop", "alpha");
    let (beta, gamma) = (alpha.joined("beta"), alpha.joined("gamma"));
    let wanted = gamma.membership().node.id;
    let options = SessionOptions::default();
    let client =
        Session::connect(&beta.endpoint(0), Some(wanted), Some(beta.hello()), options, Duration::ZERO);
    let server = Session::accept(alpha.endpoint(0), alpha.hello(), options, Duration::ZERO);
    let mut pair = Pair::new(client.unwrap(), server);
    pair.run();
    let said = pair.client.error.unwrap().to_string();
    assert!(said.contains(&format!("where {wanted} was expected")), "{said}");
    assert!(!pair.server.is_ready());
}

#[test]
fn a_node_that_meets_itself_or_says_it_is_another_is_refused() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let mut pair = Pair::of(&alpha, &alpha, 0);
    pair.run();
    let own = alpha.membership().node.id;
    assert_eq!(pair.client.error, Some(Disagreement::Myself(own).into()));
    let mut liar = beta.hello();
    liar.node = own;
    let mut pair = Pair::with(&beta, liar, &alpha, alpha.hello(), [0; 2]);
    pair.run();
    let error = pair.server.error.unwrap();
    assert!(matches!(error, SessionError::Disagreement(Disagreement::Identity { .. })), "{error}");
    assert!(pair.server.events.is_empty());
}

#[test]
fn an_end_without_a_word_is_told_from_one_in_order() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let mut pair = Pair::of(&beta, &alpha, 0);
    pair.run();
    assert_eq!(pair.server.session.end(), Err(SessionError::Cut));
    let mut pair = Pair::of(&beta, &alpha, 0);
    pair.run();
    pair.client.session.send(5, b"last").unwrap();
    let last = pair.client.written();
    pair.client.session.close();
    pair.server.take(&last, usize::MAX);
    pair.run();
    assert_eq!(pair.server.frames(), [(5, b"last".to_vec())]);
    assert_eq!(pair.server.events.last(), Some(&Event::Closed));
    assert_eq!(pair.server.session.end(), Ok(()));
}

#[test]
fn what_waits_is_bounded_on_both_sides() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let small = SessionOptions {
        frame_max: 10_000,
        outgoing_max: 50_000,
        compress_from: None,
        ..SessionOptions::default()
    };
    let client =
        Session::connect(&beta.endpoint(0), None, Some(beta.hello()), small, Duration::ZERO).unwrap();
    let mut pair =
        Pair::new(client, Session::accept(alpha.endpoint(0), alpha.hello(), small, Duration::ZERO));
    assert_eq!(pair.client.session.send(1, b"early"), Err(SendError::NotReady));
    pair.run();
    let session = &mut pair.client.session;
    assert_eq!(session.send(0, b""), Err(SendError::Kind(0)));
    assert_eq!(session.send(128, b""), Err(SendError::Kind(128)));
    assert_eq!(session.send(1, &[0; 10_001]), Err(SendError::TooLong { bytes: 10_001, limit: 10_000 }));
    let mut sent = 0;
    while session.send(1, &[7; 9_000]).is_ok() {
        sent += 1;
    }
    assert_eq!((sent, session.send(1, &[7; 9_000])), (5, Err(SendError::Full)));
    assert!(session.waiting() <= 50_000);

    // The server is fed and its frames are not taken: it stops to take bytes.
    let bytes = pair.client.written();
    let mut taken = 0;
    loop {
        match pair.server.session.feed(&bytes[taken..]).unwrap() {
            0 => break,
            more => taken += more,
        }
    }
    assert!(taken < bytes.len(), "{taken} of {}", bytes.len());
    pair.server.drain();
    pair.server.take(&bytes[taken..], usize::MAX);
    assert_eq!(pair.server.frames().len(), 5);
}

#[test]
fn a_peer_that_does_not_say_who_it_is_has_an_end() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let began = Duration::from_secs(1000);
    let options = SessionOptions::default();
    let mut server = Session::accept(alpha.endpoint(0), alpha.hello(), options, began);
    assert_eq!(server.deadline(), Some(began + options.handshake_within));
    assert_eq!(server.tick(began + Duration::from_secs(9)), Ok(()));
    let late = server.tick(began + Duration::from_secs(10));
    assert_eq!(late, Err(SessionError::Late { within: options.handshake_within }));
    assert_eq!(server.feed(b"x"), Err(SessionError::Over));

    let mut pair = Pair::of(&beta, &alpha, 0);
    pair.run();
    assert_eq!(pair.server.session.deadline(), None);
    assert_eq!(pair.server.session.tick(Duration::from_secs(1_000_000)), Ok(()));
}
