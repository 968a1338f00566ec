//! Programs behind the gateway that say what they saw.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::peers;
use crate::waiting::until;

/// A program that listens on a Unix socket and writes the first line of each request it sees into a file.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) socket: PathBuf,
    log: PathBuf,
    child: Child,
    _folder: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Program {
    fn start(name: &'static str, make: impl FnOnce(&Path) -> Command) -> Self {
        let folder = TempDir::new().unwrap();
        let (socket, log) = (folder.path().join("socket"), folder.path().join("log"));
        std::fs::write(&log, "").unwrap();
        peers::venv();
        let mut command = make(folder.path());
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("start {name}: {error}"));
        let program = Self { name, socket, log, child, _folder: folder };
        until(&format!("{name} to listen"), || UnixStream::connect(&program.socket).is_ok());
        program
    }

    /// All it saw, once it has seen the request for `last`, and a moment later.
    pub(super) fn seen(&self, last: &str) -> Vec<String> {
        let read = || String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned();
        until(&format!("{} to see {last}", self.name), || {
            read().lines().any(|line| line.split(' ').any(|word| word == last))
        });
        // Whatever a slow thread of it still has to write: to wait longer could only find more.
        std::thread::sleep(Duration::from_millis(200));
        read().lines().map(str::to_owned).collect()
    }
}

fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

pub(super) fn python() -> Program {
    Program::start("python's http.server", |folder| {
        let mut command = Command::new("python3");
        command.arg(script(folder, "server.py", include_str!("server.py")));
        command
    })
}

pub(super) fn node() -> Program {
    Program::start("node", |folder| {
        let mut command = Command::new("node");
        command.arg(script(folder, "server.js", include_str!("server.js")));
        command
    })
}

pub(super) fn gunicorn() -> Program {
    Program::start("gunicorn", |folder| {
        script(folder, "app.py", include_str!("app.py"));
        let mut command = Command::new(peers::venv().join("bin/gunicorn"));
        command.args([
            "--bind",
            "unix:socket",
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "app:application",
        ]);
        command
    })
}

pub(super) fn nginx() -> Program {
    Program::start("nginx", |folder| {
        let config = script(folder, "nginx.conf", include_str!("nginx.conf"));
        // Debian has it where only root looks by itself.
        let paths = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("nginx");
        command.env("PATH", format!("{paths}:/usr/sbin"));
        command.arg("-p").arg(folder).arg("-c").arg(config).args(["-e", "error.log"]);
        command
    })
}
