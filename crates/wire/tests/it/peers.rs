//! Where the real peers are, and one of them with a connection to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};
use remuda_wire::zmtp::{Connection, Event, ProtocolError, SecretKey, encode_message};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The virtual environment with the Python peers; made if it is not there.
fn venv() -> &'static Path {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    VENV.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let repository = package.ancestors().nth(2).expect("the package is two folders below the repository");
        let output = Command::new(repository.join("tests/peers/install")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tests/peers/install failed: {said}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

/// The keys both sides have.
pub(crate) struct Keys {
    pub(crate) ours: SecretKey,
    pub(crate) theirs: SecretKey,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { ours: SecretKey::generate(), theirs: SecretKey::generate() }
    }
}

/// A pyzmq process; killed when dropped.
pub(crate) struct Peer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn spawn(role: &str, mechanism: &str, keys: &Keys, port: u16) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peer.py");
        let mut child = Command::new(venv().join("bin/python"))
            .arg(script)
            .args([role, mechanism, &port.to_string()])
            .env("PEER_PASSWORD", "secret")
            .env("PEER_SECRET", keys.theirs.to_z85())
            .env("PEER_PUBLIC", keys.theirs.public_key().to_string())
            .env("PEER_OTHER_PUBLIC", keys.ours.public_key().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// A peer that connects to us.
    pub(crate) fn connecting(
        role: &str,
        mechanism: &str,
        keys: &Keys,
        connection: impl Fn() -> Connection,
    ) -> (Self, Link) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Self::spawn(role, mechanism, keys, listener.local_addr().unwrap().port());
        listener.set_nonblocking(true).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
            assert!(Instant::now() < deadline, "the peer does not connect");
            std::thread::yield_now();
        };
        stream.set_nonblocking(false).unwrap();
        (peer, Link::new(stream, connection()))
    }

    /// A peer that we connect to.
    pub(crate) fn bound(role: &str, mechanism: &str, keys: &Keys, connection: Connection) -> (Self, Link) {
        let mut peer = Self::spawn(role, mechanism, keys, 0);
        let port: u16 = peer.line().parse().unwrap();
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        (peer, Link::new(stream, connection))
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Ends its input, and waits until it is gone.
    pub(crate) fn finish(mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the peer does not end");
            std::thread::yield_now();
        };
        assert!(status.success(), "the peer failed: {status}");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A connection with its socket: the smallest shell there is.
pub(crate) struct Link {
    stream: TcpStream,
    pub(crate) connection: Connection,
    input: BytesMut,
}

impl Link {
    fn new(stream: TcpStream, connection: Connection) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, connection, input: BytesMut::new() }
    }

    pub(crate) fn flush(&mut self) {
        let output = self.connection.output();
        // A peer that was refused may have gone.
        let _ = self.stream.write_all(output);
        output.advance(output.len());
    }

    /// The next event, whatever it takes.
    pub(crate) fn next(&mut self) -> Result<Event, ProtocolError> {
        loop {
            let event = self.connection.read(&mut self.input);
            self.flush();
            if let Some(event) = event? {
                return Ok(event);
            }
            let mut chunk = [0; 16384];
            let len = self.stream.read(&mut chunk).expect("the peer is silent");
            assert!(len > 0, "the peer closed the connection");
            self.input.extend_from_slice(&chunk[..len]);
        }
    }

    /// The frames of the messages in the next event but heartbeats.
    pub(crate) fn messages(&mut self) -> Vec<Vec<Vec<u8>>> {
        loop {
            match self.next().unwrap() {
                Event::Messages(batch) => return super::wire::messages(&batch),
                Event::Ping { .. } | Event::Pong => {}
                other => panic!("{other:?} came instead of messages"),
            }
        }
    }

    pub(crate) fn send(&mut self, parts: &[&[u8]]) {
        let (mut clear, mut out) = (BytesMut::new(), BytesMut::new());
        encode_message(parts, &mut clear);
        self.flush();
        self.connection.seal(&clear, &mut out);
        self.stream.write_all(&out).unwrap();
    }

    /// Goes on as another process would.
    pub(crate) fn hand_over(&mut self) {
        let saved = self.connection.save().expect("the handshake is done");
        self.connection = Connection::restore(&saved, remuda_wire::zmtp::Limits::default());
    }
}
