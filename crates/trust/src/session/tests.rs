//! A peer with a good certificate that says what it should not: the tests' own end of TLS says anything.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};
use remuda_herd::{Epoch, NodeId};
use remuda_model::{HerdName, NodeName};
use rustls::ClientConnection;
use rustls_pki_types::UnixTime;

use super::{Event, Hello, Session, SessionError, SessionOptions, Versions, frame};
use crate::{
    Authority, Endpoint, Identity, InvitationId, NodeIdentity, Protocol, Subject, Trust, system_clock,
};

/// One herd: what its nodes and those it invites show.
struct Herd {
    name: HerdName,
    authority: Authority,
}

impl Herd {
    fn new() -> Self {
        let name: HerdName = "shop".parse().unwrap();
        Self { authority: Authority::create(&name, UnixTime::now()).unwrap(), name }
    }

    fn endpoint(&self, identity: Identity) -> Arc<Endpoint> {
        let subject = Subject { identity, life: Duration::from_secs(3600) };
        let credentials = self.authority.make(&subject, UnixTime::now()).unwrap();
        let trust = Trust::new(self.name.clone(), vec![self.authority.certificate().clone()]).unwrap();
        Arc::new(Endpoint::new(Arc::new(credentials), Arc::new(trust), system_clock()).unwrap())
    }

    fn node(&self, id: u64) -> Arc<Endpoint> {
        let name: NodeName = format!("n{id}").parse().unwrap();
        let node = NodeIdentity { herd: self.name.clone(), id: NodeId(id), name, is_signer: false };
        self.endpoint(Identity::Node(node))
    }

    fn hello(&self, id: u64) -> Hello {
        Hello {
            versions: Versions { lowest: 1, highest: 1 },
            herd: self.name.clone(),
            node: NodeId(id),
            name: format!("n{id}").parse().unwrap(),
            epoch: Epoch(1),
            features: u64::MAX,
            clock_ms: 0,
        }
    }
}

/// A session that serves, and a client that says what it likes.
struct Rogue {
    client: ClientConnection,
    session: Session,
    events: Vec<Event>,
    error: Option<SessionError>,
}

impl Rogue {
    fn new(herd: &Herd, shows: &Endpoint, protocol: Protocol) -> Self {
        let client = shows.client(protocol, None).unwrap();
        let options = SessionOptions { frame_max: 10_000, ..SessionOptions::default() };
        let session = Session::accept(herd.node(1), herd.hello(1), options, Duration::ZERO);
        let mut rogue = Self { client, session, events: Vec::new(), error: None };
        rogue.run();
        rogue
    }

    fn run(&mut self) {
        loop {
            let mut wire = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut wire).unwrap();
            }
            let mut rest = wire.as_slice();
            while !rest.is_empty() && self.error.is_none() {
                match self.session.feed(rest) {
                    Ok(taken) => rest = &rest[taken..],
                    Err(error) => self.error = Some(error),
                }
                self.drain();
            }
            let mut back = Vec::new();
            self.session.write_to(&mut back).unwrap();
            if wire.is_empty() && back.is_empty() {
                return;
            }
            let mut back = back.as_slice();
            while !back.is_empty() {
                self.client.read_tls(&mut back).unwrap();
                // An alert is an error of the client's, which is what it deserves.
                let _ = self.client.process_new_packets();
                let _ = self.client.reader().read(&mut [0; 65_536]);
            }
        }
    }

    fn drain(&mut self) {
        while self.error.is_none() {
            match self.session.next_event() {
                Ok(Some(Event::Closed)) | Ok(None) => return,
                Ok(Some(event)) => self.events.push(event),
                Err(error) => self.error = Some(error),
            }
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(10_000) {
            self.client.writer().write_all(chunk).unwrap();
            self.run();
        }
    }
}

fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    frame::encode(&mut out, kind, payload);
    out.to_vec()
}

#[test]
fn an_invitation_is_refused_as_a_node_within_the_handshake() {
    let herd = Herd::new();
    let invited = herd.endpoint(Identity::Invitation(InvitationId(3)));
    let rogue = Rogue::new(&herd, &invited, Protocol::Herd);
    let error = rogue.error.unwrap();
    assert!(error.to_string().contains("an invitation was shown"), "{error}");
    assert!(rogue.events.is_empty());
    let welcome = Rogue::new(&herd, &invited, Protocol::Join);
    assert!(matches!(welcome.events[..], [Event::Ready(_)]) && welcome.error.is_none());
}

#[test]
fn sessions_are_of_tls_1_3_with_a_cipher_of_256_bits() {
    let herd = Herd::new();
    let rogue = Rogue::new(&herd, &herd.node(2), Protocol::Herd);
    assert_eq!(rogue.client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let suite = rogue.client.negotiated_cipher_suite().map(|suite| suite.suite());
    assert_eq!(suite, Some(rustls::CipherSuite::TLS13_AES_256_GCM_SHA384));
    assert_eq!(rogue.client.tls13_tickets_received(), 0);
}

#[test]
fn an_invitation_does_not_answer_as_a_node() {
    let herd = Herd::new();
    let invited = herd.endpoint(Identity::Invitation(InvitationId(3)));
    let options = SessionOptions::default();
    let mut client =
        Session::connect(&herd.node(2), None, Some(herd.hello(2)), options, Duration::ZERO).unwrap();
    let mut server = Session::accept(invited, herd.hello(1), options, Duration::ZERO);
    let (mut there, mut back) = (Vec::new(), Vec::new());
    client.write_to(&mut there).unwrap();
    server.feed(&there).unwrap();
    server.write_to(&mut back).unwrap();
    assert!(matches!(client.feed(&back), Err(SessionError::Certificate(_))), "it is no server's certificate");
}

#[test]
fn the_first_frame_is_a_hello_and_no_other_is() {
    let herd = Herd::new();
    let shows = herd.node(2);
    let mut rogue = Rogue::new(&herd, &shows, Protocol::Herd);
    rogue.say(&framed(5, b"x"));
    assert_eq!(rogue.error, Some(SessionError::NoHello { kind: 5 }));

    let hello = framed(0, &herd.hello(2).encode());
    let mut rogue = Rogue::new(&herd, &shows, Protocol::Herd);
    rogue.say(&hello);
    assert!(matches!(rogue.events[..], [Event::Ready(_)]));
    rogue.say(&hello);
    assert_eq!(rogue.error, Some(SessionError::SecondHello));

    let mut rogue = Rogue::new(&herd, &shows, Protocol::Herd);
    rogue.say(&[0, 0, 0x20, 0, 0]);
    assert_eq!(rogue.error, Some(SessionError::FrameTooLong { bytes: 0x2000, limit: 4096 }));
    assert!(rogue.events.is_empty());
}

#[test]
fn a_hello_that_never_ends_is_too_long() {
    let herd = Herd::new();
    let mut rogue = Rogue::new(&herd, &herd.node(2), Protocol::Herd);
    rogue.say(&[0, 0, 0x10, 1, 0]);
    for _ in 0..40_000 {
        // One byte of it in a record of its own, which has twenty more.
        if rogue.error.is_some() {
            break;
        }
        rogue.say(&[0]);
    }
    assert!(rogue.error.is_some(), "4096 bytes of hello are {} of handshake", super::HANDSHAKE_BYTES_MAX);
}

#[test]
fn what_comes_behind_a_close_before_the_hello_is_passed_over() {
    let herd = Herd::new();
    let mut rogue = Rogue::new(&herd, &herd.node(2), Protocol::Herd);
    rogue.client.send_close_notify();
    let mut wire = Vec::new();
    rogue.client.write_tls(&mut wire).unwrap();
    assert_eq!(rogue.session.feed(&wire), Ok(wire.len()));
    assert_eq!(rogue.session.feed(b"more"), Ok(4));
}

#[test]
fn a_frame_longer_than_the_limit_ends_the_session_before_it_comes() {
    let herd = Herd::new();
    let mut rogue = Rogue::new(&herd, &herd.node(2), Protocol::Herd);
    rogue.say(&framed(0, &herd.hello(2).encode()));
    rogue.say(&framed(1, &[1; 10_000]));
    assert_eq!(rogue.events.len(), 2);
    rogue.say(&[0, 0, 0x27, 0x12, 1]);
    assert_eq!(rogue.error, Some(SessionError::FrameTooLong { bytes: 10_002, limit: 10_000 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn garbage_after_the_handshake_panics_nowhere(bytes in collection::vec(any::<u8>(), 0..5000), greets: bool) {
        let herd = Herd::new();
        let mut rogue = Rogue::new(&herd, &herd.node(2), Protocol::Herd);
        if greets {
            rogue.say(&framed(0, &herd.hello(2).encode()));
        }
        rogue.say(&bytes);
        prop_assert_eq!(rogue.session.peer().is_some(), greets);
        for event in &rogue.events {
            if let Event::Frame(frame) = event {
                prop_assert!(frame.payload.len() <= 10_000);
            }
        }
    }
}
