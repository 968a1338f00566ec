//! Starting the arbiter, in the foreground and in the background, and ending it.

use std::ops::Deref;

use remuda_model::view::ServicePhase;

use crate::harness::{Instance, PATIENCE, Said, Setup, process, run};

const SLEEPER: &str = "[service.web]\ncommand = \"sleep 1000\"\n";

/// An arbiter in the background, whose parent is not us; when the value goes, so does it.
struct Detached(Setup);

impl Deref for Detached {
    type Target = Setup;
    fn deref(&self) -> &Setup {
        &self.0
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        process::kill_marked(self.dir());
        process::remove_control_groups(self.name());
    }
}

impl Detached {
    #[track_caller]
    fn start(config: &str) -> (Self, Said) {
        let mut setup = Setup::new(config);
        let file = setup.dir().join("pid");
        setup.arguments = vec!["--detach".into(), "--pid-file".into(), file.to_string_lossy().into()];
        let said = run::run(setup.up_command());
        (Self(setup), said)
    }

    fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.dir().join("pid")).ok()?.trim().parse().ok()
    }
}

#[test]
fn a_second_up_on_the_same_instance_is_refused_and_the_first_is_not_touched() {
    let instance = Instance::up(SLEEPER);
    let before = instance.pids("web");
    let said = run::run(instance.up_command()).exits(1);
    assert!(said.err.contains(&format!("pid {}", instance.pid())), "{said:?}");
    assert!(said.err.contains("hint"), "{said:?}");
    assert_eq!(instance.pids("web"), before);
    instance.end();
}

#[test]
fn down_ends_everything_and_says_so() {
    let mut instance = Instance::up(SLEEPER);
    instance.remuda(&["down"]).done();
    assert_eq!(instance.wait_end(), 0);
    instance.assert_nothing_left();
    assert!(!instance.runtime().exists(), "its runtime folder goes with it");
    instance.remuda(&["down"]).exits(3);
}

#[test]
fn a_runtime_folder_with_something_else_in_it_stays_without_its_lock() {
    let mut instance = Instance::up(SLEEPER);
    let own = instance.runtime().join("notes");
    std::fs::write(&own, "mine").unwrap();
    instance.remuda(&["down"]).done();
    assert_eq!(instance.wait_end(), 0);
    let left: Vec<_> =
        std::fs::read_dir(instance.runtime()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [own]);
}

#[test]
fn the_last_line_of_up_says_that_all_is_stopped_why_and_with_which_exit_code() {
    let setup = Setup::new(
        "[remuda]\nexit_with = \"web\"\n[service.web]\ncommand = [\"sh\", \"-c\", \"exit 7\"]\nrestart = \"never\"\n",
    );
    let said = run::run(setup.up_command()).exits(7);
    let last = said.out.lines().last().unwrap_or_default();
    assert!(last.ends_with("all is stopped (web has ended); exit code 7"), "{said:?}");
}

#[test]
fn a_reload_during_a_restart_is_done_by_the_restart() {
    let setup = Setup::new(
        "[service.web]\ncommand = [\"sh\", \"-c\", \"trap 'read _ < gate; exit' TERM; while :; do sleep 1000 & wait; done\"]\n",
    );
    setup.gate("gate");
    let instance = setup.up();
    instance.settled();
    let before = instance.pids("web");
    instance.remuda(&["restart", "web", "--no-wait"]).done();
    instance.wait_phase("web", ServicePhase::Stopping);
    instance.remuda(&["reload", "web", "--no-wait"]).done();
    let _gate = instance.open_gate("gate");
    let after = instance.wait_phase("web", ServicePhase::Running);
    assert_eq!(after.workers.len(), 1);
    assert_ne!(instance.pids("web"), before);
    process::kill_marked(instance.dir());
}

#[test]
fn after_down_the_instance_can_be_started_again_at_once() {
    let (detached, said) = Detached::start(SLEEPER);
    said.done();
    for _ in 0..5 {
        run::run(detached.command(&["down"])).done();
        run::run(detached.command(&["status"])).exits(3);
        run::run(detached.up_command()).done();
    }
    run::run(detached.command(&["down"])).done();
}

#[test]
fn detach_returns_when_all_is_ready_and_the_pid_file_names_the_arbiter() {
    let (detached, said) = Detached::start(SLEEPER);
    let said = said.done();
    let pid = detached.pid().unwrap();
    assert!(said.out.contains(&pid.to_string()), "{said:?}");
    let status = run::run(detached.command(&["status", "--json"])).done();
    let view: remuda_model::view::Instance = status.json();
    assert_eq!((view.pid, view.services[0].workers_ready), (pid, 1));
    let outputs: Vec<String> =
        process::descriptors(pid).into_iter().filter(|(fd, _)| *fd < 3).map(|(_, target)| target).collect();
    assert_eq!(outputs, ["/dev/null"; 3], "it has let go of the terminal");
    let session = rustix::process::getsid(rustix::process::Pid::from_raw(pid.try_into().unwrap())).unwrap();
    assert_eq!(session.as_raw_nonzero().get().unsigned_abs(), pid, "a session of its own");
    run::run(detached.command(&["down"])).done();
    assert!(process::wait_end(pid, PATIENCE));
    assert_eq!(detached.pid(), None, "the pid file goes with it");
    let left = process::marked(detached.dir());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn detach_says_where_the_dashboard_is_and_how_to_get_in_and_tells_no_secret() {
    let (detached, said) = Detached::start(SLEEPER);
    let said = said.done();
    let url = run::run(detached.command(&["dashboard", "url"])).done().out;
    assert!(said.out.contains(&format!("dashboard: {} ", url.trim())), "{said:?} {url}");
    assert!(said.out.contains("`remuda dashboard token`"), "{said:?}");
    assert!(!format!("{said:?}").contains("token="), "{said:?}");
    run::run(detached.command(&["down"])).done();
}

#[test]
fn detach_says_nothing_of_a_dashboard_that_is_off() {
    let (detached, said) = Detached::start(&format!("[dashboard]\nlisten = \"off\"\n{SLEEPER}"));
    assert!(!format!("{:?}", said.done()).contains("dashboard"));
    run::run(detached.command(&["down"])).done();
}

#[test]
fn detach_says_why_the_arbiter_cannot_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (detached, said) = Detached::start(&format!("[socket.web]\nlisten = \"{address}\"\n{SLEEPER}"));
    assert!(said.exits(1).err.contains(&address.to_string()));
    assert_eq!(detached.pid(), None);
    assert!(process::marked(detached.dir()).is_empty());
}

#[test]
fn detach_says_which_service_did_not_come_up() {
    let (detached, said) = Detached::start(&format!("{SLEEPER}[service.bad]\ncommand = \"./nowhere\"\n"));
    let said = said.exits(1);
    assert!(said.err.contains("bad") && said.err.contains("nowhere"), "{said:?}");
    run::run(detached.command(&["down"])).done();
}
