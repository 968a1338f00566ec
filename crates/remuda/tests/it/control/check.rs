//! What `remuda check` says beforehand: that which `remuda up` would do, and what would keep it from doing so.

use std::os::unix::net::UnixListener;

use remuda_model::view::ServicePhase;
use serde_json::Value;

use crate::harness::{Said, Setup, run};

const SLEEPER: &str = "[service.web]\ncommand = \"sleep 1000\"\n";

#[track_caller]
fn remuda(setup: &Setup, arguments: &[&str]) -> Said {
    run::run(setup.command(arguments))
}

/// The effective config that `check` shows.
#[track_caller]
fn effective(setup: &Setup, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["check", "--json"].iter().chain(arguments).copied().collect();
    let said: Value = remuda(setup, &all).done().json();
    said["config"].as_str().unwrap().to_owned()
}

#[test]
fn check_takes_the_options_of_up_that_change_the_config_and_shows_what_up_then_runs() {
    let mut setup = Setup::new(SLEEPER);
    let pid_file = setup.dir().join("pid").to_string_lossy().into_owned();
    let options = ["--workers", "web=3", "--pid-file", &pid_file];
    let shown = effective(&setup, &options);
    assert!(shown.contains("workers = 3") && shown.contains(&pid_file), "{shown}");
    for wrong in ["wbe=3", "web=20000"] {
        let refused = remuda(&setup, &["check", "--workers", wrong]).exits(2);
        assert!(refused.err.contains("--workers"), "{refused:?}");
    }
    setup.arguments = options.map(str::to_owned).to_vec();
    let instance = setup.up();
    assert_eq!(instance.wait_phase("web", ServicePhase::Running).workers_ready, 3);
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap().trim(), instance.pid().to_string());
    instance.end();
}

#[test]
fn check_takes_the_formation_of_a_procfile() {
    let setup = Setup::empty();
    setup.write("Procfile", "web: exec sleep 1000\nclock: exec sleep 1000\n");
    let shown = effective(&setup, &["Procfile", "--workers", "clock=2"]);
    assert_eq!(shown.matches("workers = 2").count(), 1, "{shown}");
}

#[test]
fn check_warns_of_addresses_that_are_taken_and_disturbs_nobody() {
    let setup = Setup::new(SLEEPER);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    let path = setup.dir().join("taken.sock");
    let unix = UnixListener::bind(&path).unwrap();
    unix.set_nonblocking(true).unwrap();
    setup.configure(&format!(
        "[socket.a]\nlisten = \"{address}\"\n[socket.b]\nlisten = \"unix:@DIR@/taken.sock\"\n\
         [socket.c]\nlisten = \"unix:@DIR@/free.sock\"\n{SLEEPER}\
         sockets = [\"a\", \"b\", \"c\"]\n"
    ));
    let said = remuda(&setup, &["check"]).done();
    let own = format!("socket a: {address} is taken by pid {}", std::process::id());
    assert!(said.err.contains(&own), "{said:?}");
    assert!(said.err.contains("socket b: unix:") && !said.err.contains("socket c"), "{said:?}");
    assert!(unix.accept().is_err() && path.exists(), "nobody has connected, nothing was removed");
    assert!(!setup.dir().join("free.sock").exists());
    drop((port, unix));
    let said = remuda(&setup, &["check"]).done();
    assert!(!said.err.contains("warning"), "what a dead one left is taken over: {said:?}");
    let instance = setup.up();
    let said = instance.remuda(&["check"]).done();
    assert!(!said.err.contains("warning"), "its own addresses are no trouble: {said:?}");
    instance.end();
}

#[test]
fn a_unit_whose_protections_are_lost_says_so_on_check_import_and_up() {
    let setup = Setup::empty();
    setup.write("a.service", "[Service]\nExecStart=/bin/false\nPrivateTmp=yes\nRestart=no\n");
    let told = "a.service:3: PrivateTmp: lost: yes is not applied";
    for arguments in [&["check", "a.service"][..], &["import", "a.service"]] {
        let said = remuda(&setup, arguments).done();
        assert!(said.err.contains(told), "{said:?}");
    }
    setup.write("b.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\nDynamicUser=yes\n");
    for arguments in [&["check", "b.service"][..], &["import", "b.service"], &["up", "b.service"]] {
        let said = remuda(&setup, arguments).exits(2);
        assert!(
            said.err.contains("DynamicUser=yes without User=") && said.err.contains("useradd"),
            "{said:?}"
        );
    }
    let runtime = setup.dir().join("run").to_string_lossy().into_owned();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    setup.write("c.socket", &format!("[Socket]\nListenStream={address}\n"));
    setup.write("c.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n");
    let mut up = setup.command(&["up", "c.socket"]);
    up.env("XDG_RUNTIME_DIR", &runtime);
    let said = run::run(up).exits(1);
    let (lost, failed) = (said.err.find("PrivateTmp: lost"), said.err.find("is taken by"));
    assert!(lost.is_some() && failed > lost, "it is told before anything starts: {said:?}");
}

#[test]
fn a_runtime_folder_too_long_for_its_sockets_is_refused_by_check_and_up_alike() {
    let setup = Setup::empty();
    let long = format!("/{}", "r".repeat(95));
    std::fs::write(setup.config(), format!("[remuda]\nruntime_dir = \"{long}\"\n{SLEEPER}")).unwrap();
    for command in ["check", "up"] {
        let said = remuda(&setup, &[command]).exits(2);
        assert!(said.err.contains("at most 107 bytes") && said.err.contains("notify/"), "{said:?}");
    }
}
