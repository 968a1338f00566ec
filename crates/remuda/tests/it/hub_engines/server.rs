//! A redis-server or nats-server of a test's own.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::PATIENCE;

/// What is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Redis,
    Nats,
}

/// It, running; it ends with the value.
#[derive(Debug)]
pub(super) struct Server {
    kind: Kind,
    port: u16,
    words: Vec<String>,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts one on a free port, with further arguments.
    pub(super) fn start(kind: Kind, words: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let folder = tempfile::Builder::new().prefix("remuda-engine-").tempdir().unwrap();
        let mut server = Self { kind, port, words, child: None, folder };
        server.again();
        server
    }

    /// Starts it again, on the same port.
    pub(super) fn again(&mut self) {
        let port = self.port.to_string();
        let mut command = match self.kind {
            Kind::Redis => {
                let mut command = Command::new("redis-server");
                command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
                command
            }
            Kind::Nats => {
                let mut command = Command::new("nats-server");
                command.args(["-a", "127.0.0.1", "-p", &port]);
                command
            }
        };
        command.args(&self.words).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "{:?} does not listen", self.kind);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What a Redis says to a command in words, as far as it is there at once.
    pub(super) fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let mut bytes = vec![0; 64 << 10];
        let count = stream.read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    /// Waits until so many clients of a Redis wait there.
    pub(super) fn wait_blocked(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while !self.ask("INFO clients").contains(&format!("\r\nblocked_clients:{count}\r\n")) {
            assert!(Instant::now() < deadline, "never {count} clients wait: {}", self.ask("INFO clients"));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its URL, with `account` (`user:password@`) in it.
    pub(super) fn url(&self, account: &str) -> String {
        let scheme = if self.kind == Kind::Redis { "redis" } else { "nats" };
        format!("{scheme}://{account}127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
