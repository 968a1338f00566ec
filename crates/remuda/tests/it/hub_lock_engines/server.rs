//! A PostgreSQL, etcd or Redis of a test's own.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::harness::peers::hub_peers;
use crate::harness::{is_root, process, until};

/// `nobody`: PostgreSQL does not run as root.
const NOBODY: u32 = 65_534;
/// What gets one in.
pub(super) const PASSWORD: &str = "open-sesame";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Postgres,
    Etcd,
    Redis,
}

/// It, running; it ends with the value.
#[derive(Debug)]
pub(super) struct Server {
    kind: Kind,
    pub(super) port: u16,
    peer_port: u16,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program of the newest PostgreSQL that is installed.
fn of_postgres(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap();
    let programs = versions.map(|version| version.unwrap().path().join("bin").join(name));
    programs.filter(|path| path.exists()).max().unwrap()
}

fn as_nobody(command: &mut Command) -> &mut Command {
    if is_root() { command.uid(NOBODY).gid(NOBODY) } else { command }
}

impl Server {
    /// Starts one, with a password where there is one for a whole server.
    pub(super) fn start(kind: Kind) -> Self {
        // Sees to it that all of them are installed.
        hub_peers();
        let folder = tempfile::Builder::new().prefix("remuda-lock-engine-").tempdir().unwrap();
        let mut server = Self { kind, port: free_port(), peer_port: free_port(), child: None, folder };
        if kind == Kind::Postgres {
            server.make_cluster();
        }
        server.again();
        server
    }

    fn make_cluster(&self) {
        if is_root() {
            chown(self.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let secret = self.folder.path().join("secret");
        std::fs::write(&secret, PASSWORD).unwrap();
        let mut command = Command::new(of_postgres("initdb"));
        command
            .args(["--username", "remuda", "--auth", "scram-sha-256", "--no-sync", "--pwfile"])
            .arg(&secret);
        command.arg("--pgdata").arg(self.folder.path().join("data")).current_dir(self.folder.path());
        let output = as_nobody(&mut command).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Starts it again, with what its disk has, on the same port.
    pub(super) fn again(&mut self) {
        let port = self.port.to_string();
        let here = |port: u16| format!("http://127.0.0.1:{port}");
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = Command::new(of_postgres("postgres"));
                // The disk is only asked not to wait for: the machine goes on when the program is killed.
                command.args([
                    "-D",
                    "data",
                    "-p",
                    &port,
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "fsync=off",
                ]);
                command.args(["-c", "unix_socket_directories=", "-c", "max_connections=20"]);
                as_nobody(&mut command);
                command
            }
            Kind::Etcd => {
                let mut command = Command::new("etcd");
                command.args(["--data-dir", "data", "--listen-client-urls", &here(self.port)]);
                command.args(["--advertise-client-urls", &here(self.port)]);
                command.args(["--listen-peer-urls", &here(self.peer_port)]);
                command.args(["--initial-advertise-peer-urls", &here(self.peer_port)]);
                command.args(["--initial-cluster", &format!("default={}", here(self.peer_port))]);
                command
            }
            Kind::Redis => {
                let mut command = Command::new("redis-server");
                command.args([
                    "--port",
                    &port,
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--requirepass",
                    PASSWORD,
                ]);
                command
            }
        };
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        until(&format!("{:?} to listen", self.kind), || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Ends it at once, without leave-taking.
    pub(super) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // A PostgreSQL whose first process is killed leaves the others: this is its own way of crashing.
        let signal = if self.kind == Kind::Postgres { Signal::QUIT } else { Signal::KILL };
        process::signal(child.id(), signal);
        child.wait().unwrap();
    }

    /// Its URL, with this password and by this port.
    pub(super) fn url_with(&self, password: &str, port: u16) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://remuda:{password}@127.0.0.1:{port}/postgres"),
            Kind::Etcd => format!("etcd://127.0.0.1:{port}"),
            Kind::Redis => format!("redis://:{password}@127.0.0.1:{port}"),
        }
    }

    pub(super) fn url(&self) -> String {
        self.url_with(PASSWORD, self.port)
    }

    /// Whether what it has outlives it.
    pub(super) fn keeps(&self) -> bool {
        self.kind != Kind::Redis
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
