//! A redis-server or nats-server of a test's own: it listens on a port of the loopback that was free, keeps nothing on
//! disk, and is killed when the value goes.

use std::io::{BufRead as _, BufReader, PipeReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::peers::hub_peers;
use super::{PATIENCE, until};

/// Ports that are tried. One that was free may be somebody else's before the server has it, and neither server says which
/// one it got if it may choose: and it has to get the same one again.
const TRIES: usize = 5;

/// What is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Nats,
}

/// It, running; it ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    words: Vec<String>,
    running: Option<Running>,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Running {
    child: Child,
    // Its later lines go nowhere, but into a pipe that somebody holds: it must not die of SIGPIPE.
    _output: BufReader<PipeReader>,
}

impl Server {
    /// Starts one on a free port, with further arguments, and waits until it accepts connections.
    pub(crate) fn start(kind: Kind, words: &[&str]) -> Self {
        // Sees to it that there is one.
        hub_peers();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let folder = tempfile::Builder::new().prefix("remuda-engine-").tempdir().unwrap();
        let mut server = Self { kind, port: 0, words, running: None, folder };
        let mut said = String::new();
        for _ in 0..TRIES {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            match server.run() {
                Ok(()) => return server,
                Err(lines) => said = lines,
            }
        }
        panic!("{kind:?} ended before it was ready, {TRIES} times: {said}");
    }

    /// Starts it again, on the same port.
    pub(crate) fn again(&mut self) {
        let kind = self.kind;
        self.run().unwrap_or_else(|said| panic!("{kind:?} ended before it was ready: {said}"));
    }

    /// Starts it and waits until it says that it is ready; an error is what it said instead.
    fn run(&mut self) -> Result<(), String> {
        let port = self.port.to_string();
        let (program, ready) = match self.kind {
            Kind::Redis => ("redis-server", "eady to accept connections"),
            Kind::Nats => ("nats-server", "Server is ready"),
        };
        let mut command = Command::new(program);
        match self.kind {
            Kind::Redis => {
                command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            }
            Kind::Nats => command.args(["-a", "127.0.0.1", "-p", &port]),
        };
        let (output, input) = std::io::pipe().unwrap();
        command.args(&self.words).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(input.try_clone().unwrap()).stderr(input);
        let mut child = command.spawn().unwrap();
        // It holds the other end, which would keep the pipe open.
        drop(command);
        let (mut output, mut said) = (BufReader::new(output), String::new());
        while !said.contains(ready) {
            if output.read_line(&mut said).unwrap() == 0 {
                child.wait().unwrap();
                return Err(said);
            }
        }
        self.running = Some(Running { child, _output: output });
        Ok(())
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
        }
    }

    /// What a Redis says to a command in words, as far as it is there at once.
    pub(crate) fn ask(&self, command: &str) -> String {
        ask(&mut self.connect(), command)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Waits until so many clients of a Redis wait there.
    #[track_caller]
    pub(crate) fn wait_blocked(&self, count: usize) {
        let (line, mut stream) = (format!("\r\nblocked_clients:{count}\r\n"), self.connect());
        until(&format!("{count} clients that wait at the engine"), || {
            ask(&mut stream, "INFO clients").contains(&line)
        });
    }

    /// Its URL, with `account` (`user:password@`) in it.
    pub(crate) fn url(&self, account: &str) -> String {
        let scheme = if self.kind == Kind::Redis { "redis" } else { "nats" };
        format!("{scheme}://{account}127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn ask(stream: &mut TcpStream, command: &str) -> String {
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut bytes = vec![0; 64 << 10];
    let count = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}
