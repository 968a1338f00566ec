//! `run herd` of the examples, in a terminal as somebody has it who follows a README: it stays until a key is pressed, and
//! whatever ends it, no instance stays.
//!
//! The scripts and configs are the examples' own, but for ports, runtime folders and the virtual environment.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::peers::{hub_peers, repository};
use crate::harness::{PATIENCE, Setup, process, run, until};

/// What the scripts say when they wait for a key.
const INVITATION: &str = "any key ends them";
const WHEREABOUTS: [&str; 5] = ["goloman", "hands", "holiday", "welsh", "wilkes"];

/// A copy of an example, and how Remuda is run for each of its instances.
struct Example {
    setup: Setup,
    folder: PathBuf,
    /// Config and value of `NODE`, by which the runtime folder has its name.
    instances: Vec<(PathBuf, &'static str)>,
}

impl Example {
    /// `example` beside the scripts that its own sources; what its configs and its `run` say goes through `change`.
    fn copy(example: &str, change: impl Fn(&str) -> String) -> Self {
        let (setup, from) = (Setup::empty(), repository().join("examples"));
        let folder = setup.dir().join("examples").join(example);
        std::fs::create_dir_all(folder.join("herd")).unwrap();
        for script in ["find-remuda", "instances", "three-servers"] {
            std::fs::copy(from.join(script), folder.join("..").join(script)).unwrap();
        }
        let python = hub_peers().join("venv/bin");
        let venv = format!(
            "venv() {{ mkdir -p ../../target/examples/$1; export PATH={}:$PATH; }}\n",
            python.display()
        );
        std::fs::write(folder.join("../venv"), venv).unwrap();
        let changed = |name: &Path| {
            // The copy keeps the mode: a script can be run.
            std::fs::copy(from.join(example).join(name), folder.join(name)).unwrap();
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            std::fs::write(folder.join(name), change(&text)).unwrap();
        };
        for entry in std::fs::read_dir(from.join(example)).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), PathBuf::from(entry.file_name()))).unwrap();
            if name == Path::new("herd") {
                for config in std::fs::read_dir(path).unwrap() {
                    changed(&name.join(config.unwrap().file_name()));
                }
            } else if name == Path::new("run") || name == Path::new("remuda.toml") {
                changed(&name);
            } else {
                symlink(path, folder.join(name)).unwrap();
            }
        }
        Self { setup, folder, instances: Vec::new() }
    }

    /// Five servers, each with a config of its own.
    fn whereabouts() -> Self {
        let old: Vec<u16> = (12_490..=12_494).chain([12_497]).chain(12_500..=12_504).collect();
        // All are held until the last is drawn, so that none is drawn twice.
        let drawn: Vec<TcpListener> = old.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let drawn: Vec<u16> = drawn.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let mut example = Self::copy("whereabouts", |text| {
            let mut text = text.replace("python ", "python -B ");
            for (old, new) in old.iter().zip(&drawn) {
                text = text.replace(&format!("127.0.0.1:{old}"), &format!("127.0.0.1:{new}"));
            }
            text
        });
        for name in WHEREABOUTS {
            let config = example.folder.join("herd").join(format!("{name}.toml"));
            let text = std::fs::read_to_string(&config).unwrap();
            std::fs::write(&config, with_runtime(&text, &example.runtime(name))).unwrap();
            example.instances.push((config, name));
        }
        example
    }

    /// Three servers of one config.
    fn rtmonitor() -> Self {
        let mut example = Self::copy("rtmonitor", str::to_owned);
        let config = example.folder.join("remuda.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, with_runtime(&text, &example.runtime("${NODE:-one}"))).unwrap();
        example.instances.extend(["a", "b", "c"].map(|node| (config.clone(), node)));
        example
    }

    fn runtime(&self, name: &str) -> PathBuf {
        self.setup.dir().join(format!("run-{name}"))
    }

    /// `run herd` in a terminal of its own.
    fn run(&self, port: u16) -> Running {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side: OwnedFd =
            rustix::fs::open(ptsname(&terminal, Vec::new()).unwrap(), flags, Mode::empty()).unwrap();
        let mut command = self.setup.marked("setsid");
        command
            .arg("--ctty")
            .arg(self.folder.join("run"))
            .arg("herd")
            .env("REMUDA", env!("CARGO_BIN_EXE_remuda"))
            .env("PORT", port.to_string())
            .stdin(side.try_clone().unwrap())
            .stdout(side.try_clone().unwrap())
            .stderr(side);
        let child = command.spawn().unwrap();
        Running { child, terminal: Some(File::from(terminal)), said: String::new() }
    }

    /// `remuda down` of one of the instances.
    fn down(&self, number: usize) -> run::Said {
        let (config, node) = &self.instances[number];
        let mut command = self.setup.marked(env!("CARGO_BIN_EXE_remuda"));
        command.arg("-c").arg(config).arg("down").env("NODE", node);
        run::run(command)
    }

    fn answering(&self) -> Vec<&str> {
        let answers = |name: &str| UnixStream::connect(self.runtime(name).join("control.sock")).is_ok();
        self.instances.iter().map(|(_, name)| *name).filter(|name| answers(name)).collect()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        for number in 0..self.instances.len() {
            if self.answering().contains(&self.instances[number].1) {
                self.down(number);
            }
        }
    }
}

/// A script, and the terminal it has.
struct Running {
    child: Child,
    terminal: Option<File>,
    said: String,
}

impl Running {
    /// Reads what it says until it has said `words`, or has let the terminal go.
    #[track_caller]
    fn says(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        let terminal = self.terminal.as_mut().unwrap();
        while !self.said.contains(words) {
            let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).unwrap();
            let ready = poll(&mut [PollFd::new(&*terminal, PollFlags::IN)], Some(&left)).unwrap();
            assert!(ready > 0, "it did not say {words:?} in time: {}", self.said);
            let mut bytes = [0; 4096];
            // Where all have closed the other side there is nothing to read any more.
            let count = terminal.read(&mut bytes).unwrap_or(0);
            assert!(count > 0, "it ended before it said {words:?}: {}", self.said);
            self.said.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    fn press(&mut self) {
        self.terminal.as_mut().unwrap().write_all(b"x").unwrap();
    }

    /// Waits for its end; its exit code, or a signal's number and 128.
    #[track_caller]
    fn ends(&mut self) -> i32 {
        assert!(process::wait_end(self.child.id(), PATIENCE), "it does not end: {}", self.said);
        let status = self.child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        status.code().or(signal.map(|signal| 128 + signal)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        process::signal(self.child.id(), Signal::KILL);
        // It is ours and was killed, or has ended.
        let _ = self.child.wait();
    }
}

/// A config whose instance has its runtime folder in the test's.
fn with_runtime(config: &str, runtime: &Path) -> String {
    config.replacen("[remuda]", &format!("[remuda]\nruntime_dir = \"{}\"", runtime.display()), 1)
}

/// The first of three ports that are free, as are those a hundred above.
fn three_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if first < 65_000 && (0..3).all(|number| is_free(first + number) && is_free(first + 100 + number)) {
            return first;
        }
    }
}

#[test]
fn five_servers_are_linked_when_a_key_is_asked_for_and_all_go_with_it_though_one_is_down_already() {
    let example = Example::whereabouts();
    let mut running = example.run(0);
    running.says(INVITATION);
    assert!(
        running.said.contains("herd whereabouts") && running.said.contains("4 others"),
        "{}",
        running.said
    );
    assert_eq!(example.answering(), WHEREABOUTS);
    example.down(1).done();
    running.press();
    assert_eq!(running.ends(), 0, "{}", running.said);
    assert_eq!(example.answering(), [""; 0]);
}

#[test]
fn a_terminal_that_is_closed_takes_all_servers_of_an_example_with_it() {
    for example in [Example::whereabouts(), Example::rtmonitor()] {
        let mut running = example.run(three_ports());
        running.says(INVITATION);
        assert_eq!(example.answering().len(), example.instances.len());
        running.terminal = None;
        assert_eq!(running.ends(), 129);
        until("all to be gone", || example.answering().is_empty());
    }
}

#[test]
fn a_signal_to_the_script_takes_all_servers_with_it() {
    let example = Example::rtmonitor();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut running = example.run(three_ports());
        running.says(INVITATION);
        process::signal(running.child.id(), signal);
        assert_eq!(running.ends(), code, "{}", running.said);
        assert_eq!(example.answering(), [""; 0]);
    }
}
