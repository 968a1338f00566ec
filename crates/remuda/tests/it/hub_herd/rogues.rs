//! Members with bad manners: one that sends garbage after its handshake, one that never reads. And members of a later
//! version, of which nobody knows yet what they will say.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use remuda_herd::Epoch;
use remuda_herd::spread::Spread;
use remuda_trust::session::{Event, Hello, SessionOptions, Versions};
use remuda_trust::{Folder, Session, system_clock};

use super::servers::{Servers, herd_address, hub, join, view};
use crate::harness::{Instance, PATIENCE, Setup, until};

/// As servers of these tests have it.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// Kinds of frames: a sign of life is asked for, and given, with the same payload.
const PING: u8 = 10;
const PONG: u8 = 11;

/// A node with good papers that says what it likes.
struct Rogue {
    session: Session,
    stream: TcpStream,
    _setup: Setup,
}

impl Rogue {
    /// Joins the herd of `server` and shakes hands with it.
    fn new(server: &Instance, number: usize) -> Self {
        let mut rogue = Self::of_versions(
            server,
            number,
            Versions { lowest: Spread::PROTOCOL, highest: Spread::PROTOCOL },
        );
        while !matches!(rogue.next(), Some(Event::Ready(_))) {}
        rogue
    }

    /// As [`Rogue::new`], of a version that speaks these; its first words are on their way.
    fn of_versions(server: &Instance, number: usize, versions: Versions) -> Self {
        let setup = Setup::new("[herd]\n[hub]\nstate = \"state\"\n");
        join(server, &setup, number);
        let membership = Folder::in_state(&setup.dir().join("state")).open().unwrap();
        let endpoint = Arc::new(membership.endpoint(system_clock()).unwrap());
        let hello = Hello {
            versions,
            herd: membership.node.herd.clone(),
            node: membership.node.id,
            name: membership.node.name.clone(),
            epoch: Epoch(1),
            features: 0,
            clock_ms: 0,
        };
        let options = SessionOptions::default();
        let session = Session::connect(&endpoint, None, Some(hello), options, Duration::ZERO).unwrap();
        let stream = TcpStream::connect(herd_address(server)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { session, stream, _setup: setup }
    }

    /// What the server said next; none when the connection has ended.
    fn next(&mut self) -> Option<Event> {
        let mut buffer = [0; 16 * 1024];
        loop {
            self.session.write_to(&mut self.stream).unwrap();
            if let Some(event) = self.session.next_event().ok()? {
                return Some(event);
            }
            let count = self.stream.read(&mut buffer).unwrap_or(0);
            if count == 0 || self.session.feed(&buffer[..count]).is_err() {
                return None;
            }
        }
    }
}

#[test]
fn a_member_that_sends_garbage_is_cut_off_and_the_others_go_on() {
    let servers = Servers::up(2, &[(0, 1)], "keys = [\"s:\"]");
    servers.are_one(2);
    // No message, a message of nonsense, a replica's nonsense, and bytes that are no TLS.
    for (number, kind) in [(7, 31), (8, 4), (9, 33), (10, 0)] {
        let mut rogue = Rogue::new(&servers.all[0], number);
        if kind == 0 {
            rogue.stream.write_all(&[0xff; 4096]).unwrap();
        } else {
            rogue.session.send(kind, &[0xff; 100]).unwrap();
        }
        let deadline = Instant::now() + PATIENCE;
        while let Some(event) = rogue.next() {
            assert!(Instant::now() < deadline, "it goes on with {event:?}");
            if event == Event::Closed {
                break;
            }
        }
    }
    until("its links to end", || view(&servers.all[0]).links.len() == 1);
    servers.are_one(2);
    servers.end();
}

#[test]
fn a_member_that_never_reads_is_given_up_and_holds_nobody() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    let rogue = Rogue::new(&servers.all[0], 7);
    until("a link with it", || view(&servers.all[0]).links.len() == 2);
    let mut listener = hub(&servers.all[1]).subscribe([&b"news."[..]]);
    listener.connect().unwrap();
    let mut store = hub(&servers.all[0]).store();
    let payload = vec![b'x'; 64 * 1024];
    // Whoever never says what it wants is given everything: more than its queue and the kernel's hold.
    until("the link with it to end", || {
        for _ in 0..20 {
            store.publish(b"news.rain", &payload).unwrap();
        }
        let view = view(&servers.all[0]);
        let waiting = view.links.iter().map(|link| link.waiting_bytes).max().unwrap_or_default();
        assert!(waiting <= 2 << 20, "{view:?}");
        view.links.len() == 1
    });
    drop(rogue);
    servers.are_one(2);
    servers.end();
}

#[test]
fn a_newer_server_and_this_one_speak_what_both_know() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    let mut newer = Rogue::of_versions(&servers.all[0], 7, Versions { lowest: Spread::PROTOCOL, highest: 7 });
    let agreement = loop {
        if let Some(Event::Ready(counterpart)) = newer.next() {
            break counterpart.hello.unwrap().1;
        }
    };
    assert_eq!(agreement.version, Spread::PROTOCOL);
    let link = |servers: &Servers| view(&servers.all[0]).links.into_iter().find(|link| !link.dialled);
    until("a link with it", || link(&servers).is_some());
    // What is beyond what was agreed on is passed over, for longer than silence is borne.
    let goes_on = |newer: &mut Rogue| {
        newer.session.send(100, b"what is not known yet").unwrap();
        match newer.next() {
            Some(Event::Frame(frame)) if frame.kind == PING => {
                newer.session.send(PONG, &frame.payload).unwrap();
                false
            }
            Some(Event::Frame(frame)) => frame.payload.windows(9).any(|word| word == b"news.rain"),
            Some(_) => false,
            None => panic!("the link has ended"),
        }
    };
    let began = Instant::now();
    while began.elapsed() < HEARTBEAT * 12 {
        goes_on(&mut newer);
    }
    let link = link(&servers).unwrap();
    assert_eq!((link.version, link.state.as_str()), (Spread::PROTOCOL, "up"), "{link:?}");
    let mut store = hub(&servers.all[1]).store();
    store.publish(b"news.rain", b"from the other one").unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !goes_on(&mut newer) {
        assert!(Instant::now() < deadline, "the message does not come");
    }
    drop(newer);
    servers.are_one(2);
    servers.end();
}

#[test]
fn a_server_that_is_too_new_is_refused_and_both_sides_say_which_is_to_be_upgraded() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    let mut newest = Rogue::of_versions(&servers.all[0], 7, Versions { lowest: 8, highest: 9 });
    assert_eq!(newest.next(), None, "no link comes of it");
    let line = servers.all[0].wait_line("speaks versions 8 to 9 of the protocol");
    assert!(line.text.contains("upgrade this node"), "{line:?}");
    servers.are_one(2);
    servers.end();
}
