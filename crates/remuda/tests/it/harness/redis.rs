//! A redis-server of a test's own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::Instance;
use super::peers::hub_peers;

/// It listens on a Unix socket in the test's folder, keeps nothing on disk, and is killed when the value goes.
pub(crate) struct RedisServer {
    child: Child,
    socket: PathBuf,
    // Its later lines go nowhere, but into a pipe that somebody holds: it must not die of SIGPIPE.
    _output: BufReader<std::process::ChildStdout>,
}

impl RedisServer {
    /// Starts one and waits until it accepts connections.
    pub(crate) fn start(instance: &Instance) -> Self {
        // Sees to it that there is a Redis.
        hub_peers();
        let socket = instance.dir().join("redis.sock");
        let mut command = instance.marked("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("eady to accept connections") {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "redis-server ended before it was ready");
        }
        Self { child, socket, _output: output }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
