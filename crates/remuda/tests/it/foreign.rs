//! Files of other systems, run by name as they are, and the examples as their readmes run them.

use std::collections::BTreeSet;
use std::os::fd::AsFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use remuda_model::EventKind;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::harness::{Instance, Setup, http, is_root, load, peers, run};

/// An instance of foreign `files`. Their names say nothing about where it is at home, so that is looked at and
/// cleared away here.
struct Foreign {
    instance: Instance,
    home: Home,
}

/// The runtime folder of a foreign instance.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        // There is none when the arbiter did not start.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Foreign {
    fn up(mut setup: Setup, arguments: &[&str]) -> Self {
        let root = match is_root() {
            true => PathBuf::from("/run/remuda"),
            false => setup.dir().join("runtime/remuda"),
        };
        let runtime = setup.dir().join("runtime");
        std::fs::create_dir(&runtime).unwrap();
        setup.environment.insert("XDG_RUNTIME_DIR".into(), runtime.to_string_lossy().into());
        setup.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let home = Home(root.join(setup.dir().file_name().unwrap()));
        Self { instance: setup.up(), home }
    }

    /// The address of the only socket.
    fn address(&self) -> String {
        let bound = self
            .instance
            .wait_event("the socket", |event| matches!(event.kind, EventKind::SocketBound { .. }));
        let EventKind::SocketBound { address, .. } = bound.event.kind else { unreachable!("waited for it") };
        address
    }

    #[track_caller]
    fn end(self) {
        let control = self.home.0.join("control.sock");
        assert!(control.exists(), "there is no {}", control.display());
        self.instance.end();
        assert!(!control.exists());
    }
}

/// Copies an example's files into the folder, with `from` replaced by `to`.
fn example(setup: &Setup, name: &str, from: &str, to: &str) {
    for entry in std::fs::read_dir(peers::repository().join("examples").join(name)).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_type().unwrap().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        setup.write(&entry.file_name().to_string_lossy(), &text.replace(from, to));
    }
}

/// Puts programs of the Python peers first on the arbiter's `PATH`.
fn on_path(setup: &Setup, programs: &[&str]) {
    let folder = setup.dir().join("bin");
    std::fs::create_dir(&folder).unwrap();
    for program in programs {
        symlink(peers::venv().join("bin").join(program), folder.join(program)).unwrap();
    }
}

/// Asks until so many different answers came. Bounded by the number of questions: each is answered by anybody.
fn different_answers(address: &str, count: usize) -> BTreeSet<String> {
    let mut answers = BTreeSet::new();
    for _ in 0..2000 {
        let answer = http::get(address, "/").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answers.insert(answer.body.trim().to_owned());
        if answers.len() == count {
            return answers;
        }
    }
    panic!("wanted {count} different answers, got {answers:?}");
}

#[test]
fn a_circus_ini_runs_by_name() {
    let setup = Setup::empty();
    example(&setup, "circus-chaussette", "port = 8080", "port = 0");
    on_path(&setup, &["chaussette"]);
    let foreign = Foreign::up(setup, &["circus.ini"]);
    foreign.instance.wait_event("the workers", |event| event.kind == EventKind::ServiceRunning);
    let answers = different_answers(&foreign.address(), 3);
    assert!(answers.iter().all(|answer| answer.starts_with("hello from pid ")), "{answers:?}");
    foreign.end();
}

#[test]
fn a_procfile_runs_by_name_each_process_type_with_its_port() {
    let setup = Setup::empty();
    setup.write(
        "Procfile",
        "web: echo web at $PORT; exec sleep 1000\nclock: echo clock at $PORT; exec sleep 1000\n",
    );
    setup.write(".env", "PORT=7000\n");
    let foreign = Foreign::up(setup, &["Procfile", "--workers", "clock=2"]);
    let web = foreign.instance.wait_line("web at 7000");
    assert_eq!(web.service.as_str(), "web");
    foreign.instance.wait_line("clock at 7100");
    foreign.instance.transcript.wait("two clocks", |written| {
        let clocks = written.lines.iter().filter(|line| line.service.as_str() == "clock");
        (clocks.count() == 2).then_some(())
    });
    foreign.end();
}

#[test]
fn systemd_units_run_by_name_and_each_instance_answers() {
    let setup = Setup::empty();
    setup.write("www@.socket", "[Socket]\nListenStream=127.0.0.1:0\nReusePort=yes\nService=www@%i.service\n");
    let service = "[Service]\nType=notify\nExecStart=@PYTHON@ @WORKERS@/notify_worker.py\nRestart=always\n";
    setup.write("www@.service", service);
    let foreign = Foreign::up(setup, &["www@.socket", "www@.service", "--instances", "4"]);
    foreign.instance.wait_event("the workers", |event| event.kind == EventKind::ServiceRunning);
    assert_eq!(load::distinct_pids(&foreign.address(), 4).len(), 4);
    foreign.end();
}

#[test]
fn the_twistd_units_of_the_example_serve_what_they_say() {
    let setup = Setup::empty();
    example(&setup, "systemd-twisted", "127.0.0.1:8080", "127.0.0.1:0");
    on_path(&setup, &["twistd"]);
    let foreign = Foreign::up(setup, &["www@.socket", "www@.service", "--instances", "4"]);
    let answer = http::get(&foreign.address(), "/").unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Directory listing"), "{answer:?}");
    foreign.end();
}

/// Runs an example's own script where port 8080 and `/run` are its alone, and asks it as its readme does.
fn runs_as_its_readme_says(name: &str, answers: usize) {
    let folder = peers::repository().join("examples").join(name);
    if !is_root() {
        // Only root can give it a network of its own; that its files are good is seen all the same.
        let mut check = Command::new(env!("CARGO_BIN_EXE_remuda"));
        let files = ["remuda.toml", "circus.ini", "www@.socket", "www@.service"];
        check.arg("check").args(files.into_iter().filter(|file| folder.join(file).exists()));
        run::run({
            check.current_dir(folder);
            check
        })
        .done();
        return;
    }
    if folder.join("requirements.txt").exists() {
        // Before the network is gone. The script finds it done.
        let mut install = Command::new("bash");
        install.args(["-ec", &format!("source ../venv; venv {name}")]).current_dir(&folder);
        assert!(install.status().unwrap().success());
    }
    let setup = Setup::empty();
    let program = setup.program(
        "remuda",
        &format!("#!/bin/sh\nexec {} \"$@\" --log-format json\n", env!("CARGO_BIN_EXE_remuda")),
    );
    let script = "mount -t tmpfs none /run && ip link set lo up && exec \"$0\"";
    let mut command = setup.marked("unshare");
    command.args(["--net", "--mount", "sh", "-c", script]).arg(folder.join("run"));
    // The folder is the repository's: nothing is to be left in it.
    command.env("REMUDA", program).env("PYTHONDONTWRITEBYTECODE", "1");
    let instance = Instance::start(setup, command);
    instance.wait_event("the workers", |event| event.kind == EventKind::ServiceRunning);
    let network =
        std::fs::File::open(Path::new("/proc").join(instance.pid().to_string()).join("ns/net")).unwrap();
    let asked = std::thread::spawn(move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        different_answers("127.0.0.1:8080", answers)
    });
    asked.join().unwrap();
    instance.end();
}

#[test]
fn the_hello_example_runs_as_its_readme_says() {
    runs_as_its_readme_says("hello", 3);
}

#[test]
fn the_circus_example_runs_as_its_readme_says() {
    runs_as_its_readme_says("circus-chaussette", 3);
}

#[test]
fn the_systemd_example_runs_as_its_readme_says() {
    runs_as_its_readme_says("systemd-twisted", 1);
}
