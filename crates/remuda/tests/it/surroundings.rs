//! What else a worker finds: signals as they were, its user, its limits, its folder, and a clean environment.

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;

use crate::harness::{Instance, Setup, is_root, process};

fn only_worker(instance: &Instance, service: &str) -> u32 {
    instance.pids(service)[0]
}

/// A field of `/proc/PID/stat` by its number in proc(5), from 3 up.
fn stat(pid: u32, field: usize) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = text.rsplit_once(") ").unwrap().1;
    after_name.split(' ').nth(field - 3).unwrap().to_owned()
}

/// Soft and hard value of a line of `/proc/PID/limits`.
fn limit(pid: u32, name: &str) -> (String, String) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

#[test]
fn signals_are_as_a_login_shell_would_give_them() {
    let mut setup = Setup::new("[service.web]\ncommand = \"sleep 600\"\n");
    // An arbiter started by something that ignores signals does not hand that down.
    setup.wrapper = ["sh", "-c", "trap '' HUP USR2 PIPE; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    let pid = only_worker(&instance, "web");
    for field in ["SigBlk", "SigIgn", "SigCgt"] {
        assert_eq!(process::status(pid, field), "0000000000000000", "{field}");
    }
    instance.end();
}

#[test]
fn umask_folder_niceness_and_limits_are_what_the_config_says() {
    let setup = Setup::new(
        r#"
        [service.web]
        command = "sleep 600"
        directory = "sub"
        umask = "027"
        nice = 7
        oom_score_adjust = 500
        no_new_privileges = true
        [service.web.limits]
        nofile = { soft = 300, hard = 400 }
        core = 0
        fsize = "8MiB"
        stack = { soft = "4MiB", hard = "unlimited" }
        "#,
    );
    std::fs::create_dir(setup.dir().join("sub")).unwrap();
    let instance = setup.up();
    instance.settled();
    let pid = only_worker(&instance, "web");
    assert_eq!(process::status(pid, "Umask"), "0027");
    assert_eq!(process::status(pid, "NoNewPrivs"), "1");
    assert_eq!(stat(pid, 19), "7");
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), instance.dir().join("sub"));
    assert_eq!(std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap(), "500\n");
    let pair = |soft: &str, hard: &str| (soft.to_owned(), hard.to_owned());
    assert_eq!(limit(pid, "Max open files"), pair("300", "400"));
    assert_eq!(limit(pid, "Max core file size"), pair("0", "0"));
    assert_eq!(limit(pid, "Max file size"), pair("8388608", "8388608"));
    assert_eq!(limit(pid, "Max stack size"), pair("4194304", "unlimited"));
    instance.end();
}

#[test]
fn a_worker_has_the_limit_of_descriptors_the_arbiter_was_started_with_and_not_its_raised_one() {
    let mut setup = Setup::new("[service.web]\ncommand = \"sleep 600\"\n");
    setup.wrapper = ["sh", "-c", "ulimit -Sn 333; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    assert_eq!(limit(only_worker(&instance, "web"), "Max open files").0, "333");
    assert_ne!(limit(instance.pid(), "Max open files").0, "333");
    instance.end();
}

#[test]
fn a_worker_runs_as_the_user_and_groups_of_the_config() {
    let setup = Setup::new(
        r#"
        [socket.web]
        listen = "127.0.0.1:0"
        [service.plain]
        command = "python3 @WORKERS@/notify_worker.py"
        sockets = ["web"]
        user = "nobody"
        ready = "notify"
        [service.grouped]
        command = "sleep 600"
        user = "nobody"
        group = "daemon"
        groups = ["sys", 7]
        "#,
    );
    let instance = setup.up();
    if !is_root() {
        let failed = instance.wait_phase("grouped", ServicePhase::Failed);
        assert!(failed.reason.is_some_and(|reason| reason.contains("user")), "{:?}", instance.events());
        return;
    }
    instance.wait_phase("plain", ServicePhase::Running);
    instance.wait_phase("grouped", ServicePhase::Running);
    let plain = only_worker(&instance, "plain");
    let uid = process::status(plain, "Uid");
    assert!(uid.split_whitespace().all(|id| id == "65534"), "{uid}");
    assert_eq!(process::status(plain, "CapEff"), "0000000000000000");
    let environment = process::environment(plain);
    assert_eq!(environment["USER"], "nobody");
    assert_eq!(environment["LOGNAME"], "nobody");
    assert_eq!(environment["HOME"], "/nonexistent");
    let grouped = only_worker(&instance, "grouped");
    assert!(process::status(grouped, "Gid").split_whitespace().all(|id| id == "1"));
    let groups = process::status(grouped, "Groups");
    assert_eq!(groups.split_whitespace().collect::<Vec<_>>(), ["3", "7"]);
    instance.end();
}

#[test]
fn the_environment_is_clean_unless_the_config_wants_it_inherited() {
    let mut setup = Setup::new(
        r#"
        [service.clean]
        command = "sleep 600"
        env_files = ["vars", "-missing"]
        [service.clean.env]
        WINS = "table"
        SLOT = "$(slot) of $(workers)"
        NUMBER = 5
        [service.inherits]
        command = "sleep 600"
        inherit_env = true
        "#,
    );
    setup.write("vars", "FROM_FILE=1\nWINS=file\n# comment\nQUOTED=\"a b\"\n");
    for (name, value) in [
        ("SECRET", "1"),
        ("TZ", "Europe/Paris"),
        ("LANG", "C.UTF-8"),
        ("LISTEN_FDNAMES", "left over"),
        ("WATCHDOG_USEC", "60000000"),
        ("HOME", "/root"),
    ] {
        setup.environment.insert(name.to_owned(), value.to_owned());
    }
    let instance = setup.up();
    instance.settled();
    let clean = process::environment(only_worker(&instance, "clean"));
    let names: Vec<&str> =
        clean.keys().map(String::as_str).filter(|name| !name.starts_with("REMUDA_")).collect();
    assert_eq!(
        names,
        [
            "FROM_FILE",
            "HOME",
            "LANG",
            "LOGNAME",
            "NOTIFY_SOCKET",
            "NUMBER",
            "PATH",
            "QUOTED",
            "SHELL",
            "SLOT",
            "TZ",
            "USER",
            "WINS",
        ]
    );
    assert_eq!(clean["WINS"], "table");
    assert_eq!(clean["QUOTED"], "a b");
    assert_eq!(clean["SLOT"], "0 of 1");
    assert_eq!(clean["NUMBER"], "5");
    assert_eq!(clean["TZ"], "Europe/Paris");
    let inherits = process::environment(only_worker(&instance, "inherits"));
    assert_eq!(inherits["SECRET"], "1");
    for ours in ["LISTEN_FDNAMES", "WATCHDOG_USEC"] {
        assert!(!inherits.contains_key(ours), "{ours} was said to the arbiter");
    }
    instance.end();
}

#[test]
fn a_worker_leads_a_session_a_group_or_nothing_as_the_config_says() {
    let instance = Instance::up(
        r#"
        [service.new]
        command = "sleep 600"
        [service.group]
        command = "sleep 600"
        session = "group"
        [service.inherit]
        command = "sleep 600"
        session = "inherit"
        "#,
    );
    let (group, session) = (5, 6);
    let arbiter = instance.pid();
    let new = only_worker(&instance, "new");
    assert_eq!((stat(new, group), stat(new, session)), (new.to_string(), new.to_string()));
    let grouped = only_worker(&instance, "group");
    assert_eq!((stat(grouped, group), stat(grouped, session)), (grouped.to_string(), stat(arbiter, session)));
    let inherits = only_worker(&instance, "inherit");
    assert_eq!(
        (stat(inherits, group), stat(inherits, session)),
        (stat(arbiter, group), stat(arbiter, session))
    );
    instance.end();
}

#[test]
fn a_user_that_does_not_exist_is_told_with_its_name_and_not_tried_again() {
    let instance = Setup::new("[service.web]\ncommand = \"sleep 600\"\nuser = \"no-such-user\"\n").up();
    instance.wait_phase("web", ServicePhase::Failed);
    let events = instance.events();
    let failures: Vec<_> = events
        .iter()
        .filter_map(|record| match &record.event.kind {
            EventKind::SpawnFailed { failure } => Some(failure),
            _ => None,
        })
        .collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].permanent && failures[0].stage == "user", "{failures:?}");
    assert!(failures[0].detail.contains("no-such-user"), "{failures:?}");
    assert_eq!(instance.remuda(&["status"]).exits(1).err, "");
    instance.end();
}
