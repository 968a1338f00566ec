//! Herds in temporary folders, a clock that stands where it is put, sessions that are joined without a network.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use remuda_herd::Epoch;
use remuda_trust::admission::Outcome;
use remuda_trust::enrolment::{self, Broken, Joining};
use remuda_trust::session::{Event, Hello, SessionError, SessionOptions, Versions};
use remuda_trust::{Address, Clock, Endpoint, Folder, Founding, InvitationWish, Membership, Session, Token};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;
use tempfile::TempDir;

/// So long for one conversation.
pub(crate) const WITHIN: Duration = Duration::from_secs(10);
/// When the herds of these tests begin, seconds since 1970.
pub(crate) const BEGIN: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;

#[derive(Debug)]
struct Standing(UnixTime);

impl TimeProvider for Standing {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// So many seconds after the beginning.
pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(BEGIN + seconds))
}

pub(crate) fn clock_at(seconds: u64) -> Clock {
    Arc::new(Standing(at(seconds)))
}

/// A node's disk.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) folder: Folder,
    disk: TempDir,
}

impl Node {
    pub(crate) fn empty() -> Self {
        let disk = tempfile::tempdir().unwrap();
        Self { folder: Folder::in_state(disk.path()), disk }
    }

    /// The first node of a herd.
    pub(crate) fn founder(herd: &str, name: &str) -> Self {
        let node = Self::empty();
        let founding =
            Founding { herd: herd.parse().unwrap(), node: name.parse().unwrap(), addresses: Vec::new() };
        remuda_trust::found(&node.folder, founding, at(0)).unwrap();
        node
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn disk(&self) -> &Path {
        self.disk.path()
    }

    pub(crate) fn membership(&self) -> Membership {
        self.folder.open().unwrap()
    }

    pub(crate) fn endpoint(&self, seconds: u64) -> Arc<Endpoint> {
        Arc::new(self.membership().endpoint(clock_at(seconds)).unwrap())
    }

    pub(crate) fn hello(&self) -> Hello {
        let node = self.membership().node;
        Hello {
            versions: Versions { lowest: 1, highest: 1 },
            herd: node.herd,
            node: node.id,
            name: node.name,
            epoch: Epoch(1),
            features: 0b1,
            clock_ms: BEGIN * 1000,
        }
    }

    /// Serves so many requests for certificates on a port of its own.
    pub(crate) fn serve(&self, connections: usize, seconds: u64) -> Signer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (folder, endpoint) = (self.folder.clone(), self.endpoint(seconds));
        let served = std::thread::spawn(move || {
            (0..connections)
                .map(|_| {
                    let (stream, _) = listener.accept().unwrap();
                    enrolment::serve(stream, &folder, &endpoint, WITHIN)
                })
                .collect()
        });
        Signer { address, served }
    }

    /// An invitation to a signer that listens at `address`.
    pub(crate) fn invite(&self, address: SocketAddr, uses: u32, signer: bool) -> String {
        self.invite_at(address, uses, signer, 0)
    }

    /// As [`Node::invite`], so many seconds after the beginning.
    pub(crate) fn invite_at(&self, address: SocketAddr, uses: u32, signer: bool, seconds: u64) -> String {
        let wish = InvitationWish {
            life: Duration::from_secs(3600),
            uses,
            signer,
            addresses: vec![address.to_string().parse().unwrap()],
        };
        remuda_trust::invite(&self.folder, wish, at(seconds)).unwrap().1.to_string()
    }

    pub(crate) fn join(
        &self,
        token: &str,
        name: &str,
        seconds: u64,
    ) -> Result<Membership, enrolment::EnrolmentError> {
        self.join_as(token, name, false, seconds)
    }

    pub(crate) fn join_as(
        &self,
        token: &str,
        name: &str,
        signer: bool,
        seconds: u64,
    ) -> Result<Membership, enrolment::EnrolmentError> {
        let token: Token = token.parse().unwrap();
        let joining = Joining { name: name.parse().unwrap(), addresses: Vec::new(), signer };
        enrolment::join(&self.folder, token, joining, &clock_at(seconds))
    }

    /// A second node, which came by an invitation.
    pub(crate) fn joined(&self, name: &str) -> Self {
        self.joined_as(name, false)
    }

    pub(crate) fn joined_as(&self, name: &str, signer: bool) -> Self {
        let serving = self.serve(1, 0);
        let token = self.invite(serving.address, 1, signer);
        let node = Self::empty();
        node.join_as(&token, name, signer, 0).unwrap();
        assert!(matches!(serving.outcomes().pop(), Some(Ok(Outcome::Joined(_)))));
        node
    }
}

/// A signer that serves.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) address: SocketAddr,
    served: JoinHandle<Vec<Result<Outcome, Broken>>>,
}

impl Signer {
    /// What became of its connections, after all of them.
    pub(crate) fn outcomes(self) -> Vec<Result<Outcome, Broken>> {
        self.served.join().unwrap()
    }

    pub(crate) fn address(&self) -> Address {
        self.address.to_string().parse().unwrap()
    }
}

/// One end of a pair.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) session: Session,
    pub(crate) events: Vec<Event>,
    pub(crate) error: Option<SessionError>,
}

impl End {
    fn new(session: Session) -> Self {
        Self { session, events: Vec::new(), error: None }
    }

    /// Takes bytes in, in pieces of `piece`.
    pub(crate) fn take(&mut self, bytes: &[u8], piece: usize) {
        for mut rest in bytes.chunks(piece) {
            while !rest.is_empty() && self.error.is_none() {
                match self.session.feed(rest) {
                    Ok(taken) => rest = &rest[taken..],
                    Err(error) => self.error = Some(error),
                }
                self.drain();
            }
        }
    }

    pub(crate) fn drain(&mut self) {
        while self.error.is_none() && !matches!(self.events.last(), Some(Event::Closed)) {
            match self.session.next_event() {
                Ok(Some(event)) => self.events.push(event),
                Ok(None) => return,
                Err(error) => self.error = Some(error),
            }
        }
    }

    pub(crate) fn written(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.session.write_to(&mut out).unwrap();
        out
    }

    pub(crate) fn frames(&self) -> Vec<(u8, Vec<u8>)> {
        let frame = |event: &Event| match event {
            Event::Frame(frame) => Some((frame.kind, frame.payload.to_vec())),
            Event::Ready(_) | Event::Closed => None,
        };
        self.events.iter().filter_map(frame).collect()
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.events.first(), Some(Event::Ready(_)))
    }
}

/// Two sessions, each with the bytes of the other.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
    /// Bytes that went over.
    pub(crate) carried: usize,
}

impl Pair {
    pub(crate) fn new(client: Session, server: Session) -> Self {
        Self { client: End::new(client), server: End::new(server), carried: 0 }
    }

    /// Two nodes, at `seconds` after the beginning by the clocks of both.
    pub(crate) fn of(client: &Node, server: &Node, seconds: u64) -> Self {
        Self::with(client, client.hello(), server, server.hello(), [seconds; 2])
    }

    pub(crate) fn with(
        client: &Node,
        client_hello: Hello,
        server: &Node,
        server_hello: Hello,
        seconds: [u64; 2],
    ) -> Self {
        let options = SessionOptions::default();
        let [client_time, server_time] = seconds;
        let connecting = Session::connect(
            &client.endpoint(client_time),
            None,
            Some(client_hello),
            options,
            Duration::ZERO,
        );
        let accepting = Session::accept(server.endpoint(server_time), server_hello, options, Duration::ZERO);
        Self::new(connecting.unwrap(), accepting)
    }

    /// Carries bytes until there are none.
    pub(crate) fn run(&mut self) {
        self.run_in_pieces(usize::MAX);
    }

    pub(crate) fn run_in_pieces(&mut self, piece: usize) {
        loop {
            let (there, back) = (self.client.written(), self.server.written());
            self.carried += there.len() + back.len();
            if there.is_empty() && back.is_empty() {
                return;
            }
            self.server.take(&there, piece);
            self.client.take(&back, piece);
        }
    }
}
