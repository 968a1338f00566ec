//! Programs behind the gateway that say what they saw.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::PATIENCE;

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
    #[expect(clippy::print_stdout, reason = "whoever runs the tests is to know what was left out")]
    fn start(name: &'static str, make: impl FnOnce(&Path) -> Option<Command>) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let (socket, log) = (folder.path().join("socket"), folder.path().join("log"));
        std::fs::write(&log, "").unwrap();
        let command = make(folder.path());
        let started = command.and_then(|mut command| {
            command
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().ok()
        });
        let Some(child) = started else {
            println!("left out: {name} is not installed");
            return None;
        };
        let program = Self { name, socket, log, child, _folder: folder };
        let until = Instant::now() + PATIENCE;
        while UnixStream::connect(&program.socket).is_err() {
            assert!(Instant::now() < until, "{name} does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(program)
    }

    /// All it saw, once it has seen the request for `last`, and a moment later.
    pub(super) fn seen(&self, last: &str) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        let read = || String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned();
        while !read().lines().any(|line| line.split(' ').any(|word| word == last)) {
            assert!(Instant::now() < until, "{} did not see {last}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
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

pub(super) fn python() -> Option<Program> {
    Program::start("python's http.server", |folder| {
        let mut command = Command::new("python3");
        command.arg(script(folder, "server.py", include_str!("server.py")));
        Some(command)
    })
}

pub(super) fn node() -> Option<Program> {
    Program::start("node", |folder| {
        let mut command = Command::new("node");
        command.arg(script(folder, "server.js", include_str!("server.js")));
        Some(command)
    })
}

pub(super) fn gunicorn() -> Option<Program> {
    Program::start("gunicorn", |folder| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/venv/bin/gunicorn");
        script(folder, "app.py", include_str!("app.py"));
        let mut command = Command::new(path.canonicalize().ok()?);
        command.args([
            "--bind",
            "unix:socket",
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "app:application",
        ]);
        Some(command)
    })
}

pub(super) fn nginx() -> Option<Program> {
    Program::start("nginx", |folder| {
        let config = script(folder, "nginx.conf", include_str!("nginx.conf"));
        let path = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
            .iter()
            .find(|path| Path::new(path).exists())?;
        let mut command = Command::new(path);
        command.arg("-p").arg(folder).arg("-c").arg(config).args(["-e", "error.log"]);
        Some(command)
    })
}
