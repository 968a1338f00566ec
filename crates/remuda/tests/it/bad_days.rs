//! Days on which much goes wrong at once, and places where the arbiter stands in for somebody else.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use remuda_model::view::{Service, ServicePhase};
use remuda_model::{EventKind, ExitStatus, Record};
use rustix::process::Signal;

use crate::harness::{Instance, PATIENCE, Setup, is_root, process, run};

/// An answer of the control API takes no longer, whatever happens, even where other tests want the processors too.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Many ends at once are dealt with in so much time.
const FAST: Duration = Duration::from_secs(3);
/// The arbiter's memory stays below this, kB.
const MEMORY_MAX_KB: u64 = 64 * 1024;

/// Asks for the status, again and again, until `done`; the answers. Between two of them something has to happen.
#[track_caller]
fn answers_until(instance: &Instance, what: &str, done: impl Fn(&Service) -> bool) -> Vec<Service> {
    let mut answers = Vec::new();
    loop {
        let seen = instance.transcript.locked().events.len();
        let asked = Instant::now();
        answers.push(instance.service("web"));
        assert!(asked.elapsed() < ANSWER_MAX, "waited for {what}: an answer took {:?}", asked.elapsed());
        if answers.last().is_some_and(&done) {
            return answers;
        }
        let deadline = Instant::now() + PATIENCE;
        instance.transcript.wait_for_news(seen, deadline);
        assert!(Instant::now() < deadline, "waited for {what}: nothing happens");
    }
}

#[test]
fn a_thousand_workers_that_crash_at_once_do_not_stop_the_arbiter_from_answering() {
    let mut setup =
        Setup::new("[service.web]\ncommand = \"sleep 1000\"\nworkers = 1000\nrestart = \"never\"\n");
    setup.arguments.push("--quiet".into());
    let instance = setup.up();
    let answers = answers_until(&instance, "all to be ready", |service| service.workers_ready == 1000);
    let between: BTreeSet<u32> = answers.iter().map(|service| service.workers_ready).collect();
    assert!(between.len() > 5, "it answers while it starts them: {between:?}");
    instance.remuda(&["signal", "KILL", "web"]).done();
    let answers = answers_until(&instance, "all to end", |service| service.workers.is_empty());
    assert_eq!(answers.last().map(|service| service.failures_total), Some(1000));
    let peak: u64 = process::status(instance.pid(), "VmHWM").trim_end_matches(" kB").parse().unwrap();
    assert!(peak < MEMORY_MAX_KB, "{peak} kB");
    instance.end();
}

/// An arbiter that has to go through all processes to find those of a worker; `None` where that takes rights we lack.
fn without_control_groups(config: &str) -> Option<Instance> {
    let mut setup = Setup::new(config);
    if is_root() {
        let hide = "for mount in $(awk '$3 == \"cgroup2\" { print $2 }' /proc/mounts); do umount -l $mount; done; exec \"$0\" \"$@\"";
        setup.wrapper = ["unshare", "-m", "sh", "-c", hide].map(str::to_owned).to_vec();
    }
    let instance = setup.up();
    instance.status().tracking.starts_with("process tree").then_some(instance)
}

#[test]
fn many_workers_that_crash_at_once_do_not_stop_the_arbiter_without_control_groups_either() {
    let config = "[service.web]\ncommand = \"sleep 1000\"\nworkers = 1000\nrestart = \"never\"\n";
    let Some(mut instance) = without_control_groups(config) else { return };
    answers_until(&instance, "all to be ready", |service| service.workers_ready == 1000);
    for pid in instance.pids("web") {
        process::signal(pid, Signal::KILL);
    }
    let asked = Instant::now();
    let answers = answers_until(&instance, "all to end", |service| service.workers.is_empty());
    // Looking for the family of each by itself takes many times as long.
    assert!(asked.elapsed() < FAST, "{:?} and {} answers", asked.elapsed(), answers.len());
    assert_eq!(answers.last().map(|service| service.failures_total), Some(1000));
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    instance.assert_nothing_left();
}

#[test]
fn workers_that_crash_at_once_take_those_with_them_who_left_their_sessions() {
    // The first shell becomes the worker; what it has put in the background leads a session of its own.
    let config = "[service.web]\nshell = true\nworkers = 20\nrestart = \"never\"\nready = \"log:gone\"\n\
                  command = \"setsid sh -c 'echo gone $$$$; exec sleep 1000' & exec sleep 1000\"\n";
    let Some(instance) = without_control_groups(config) else { return };
    instance.wait_phase("web", ServicePhase::Running);
    let escaped: Vec<u32> = instance.transcript.wait("20 lines", |written| {
        let told = written.lines.iter().filter_map(|line| line.text.strip_prefix("gone ")?.parse().ok());
        Some(told.collect::<Vec<_>>()).filter(|pids| pids.len() == 20)
    });
    let workers = instance.pids("web");
    assert!(escaped.iter().all(|pid| process::is_alive(*pid) && !workers.contains(pid)));
    for pid in workers {
        process::signal(pid, Signal::KILL);
    }
    for pid in escaped {
        assert!(process::wait_end(pid, PATIENCE), "{pid} outlives its worker");
    }
    instance.end();
}

#[test]
fn a_thousand_workers_that_cannot_boot_are_held_in_a_crash_loop() {
    let mut setup = Setup::new("[service.web]\ncommand = \"false\"\nworkers = 1000\n");
    setup.arguments.push("--quiet".into());
    let instance = setup.up();
    instance.wait_event("the crash loop", |event| matches!(event.kind, EventKind::CrashLoop { .. }));
    // Each slot tries once; from then on one tries for all.
    for count in (100..=1000).step_by(100) {
        let ends = |record: &&Record| matches!(record.event.kind, EventKind::WorkerExited { .. });
        instance.transcript.wait(&format!("{count} ends"), |written| {
            (written.events.iter().filter(ends).count() >= count).then_some(())
        });
    }
    let view = instance.wait_status("all slots but one to be held", |view| {
        let held = view.services[0].backoffs.iter().filter(|pause| pause.retry_in_ms.is_none());
        held.count() == 999
    });
    assert!(view.services[0].failures_total < 1100, "{}", view.services[0].failures_total);
    instance.end();
}

#[test]
fn a_pid_file_that_cannot_be_written_keeps_the_arbiter_from_starting() {
    let mut setup = Setup::new("[service.web]\ncommand = \"sleep 1000\"\n");
    let folder = setup.dir().join("full");
    std::fs::create_dir(&folder).unwrap();
    let why = if is_root() {
        // A disk of our own, and full.
        let script = "mount -t tmpfs -o size=4k none full && head -c 4096 /dev/zero >full/stuff; exec \"$@\"";
        setup.wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"].map(String::from).to_vec();
        "ENOSPC"
    } else {
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
        "EACCES"
    };
    setup.arguments = vec!["--pid-file".into(), folder.join("pid").to_string_lossy().into()];
    let said = run::run(setup.up_command()).exits(1);
    assert!(said.err.contains(why) && said.err.contains("full/pid"), "{said:?}");
    assert!(said.err.contains("nothing was started"), "{said:?}");
    assert!(!setup.control().exists());
    assert_eq!(process::marked(setup.dir()), [0_u32; 0]);
}

/// An arbiter that is PID 1 of a container, as far as the kernel goes.
fn container(config: &str) -> (Instance, u32) {
    let mut setup = Setup::new(config);
    let user = if is_root() { vec![] } else { vec!["--user", "--map-root-user"] };
    let words =
        ["unshare"].into_iter().chain(user).chain(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    setup.wrapper = words.map(String::from).collect();
    let instance = setup.up();
    let children = format!("/proc/{0}/task/{0}/children", instance.pid());
    let first = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    (instance, first)
}

#[test]
fn as_pid_1_it_forwards_term_and_reaps_strangers() {
    let (mut instance, first) = container(
        "[service.web]\nshell = true\n\
         command = \"trap 'echo bye; exit 0' TERM; setsid -f true; echo up; while :; do sleep 1000 & wait; done\"\n\
         [service.looker]\ncommand = \"python3 @DIR@/look\"\noneshot = true\nrestart = \"never\"\nautostart = false\n",
    );
    instance.write(
        "look",
        "import glob, time\n\
         dead = lambda: [p for p in glob.glob('/proc/[0-9]*/stat') if ') Z ' in open(p).read()]\n\
         while dead(): time.sleep(0.02)\n\
         print('no zombies', flush=True)\n",
    );
    instance.wait_line("up");
    assert_eq!(instance.status().pid, 1);
    // Orphans of a worker are ours to bury, or they would stay for ever.
    instance.remuda(&["start", "looker"]).done();
    instance.wait_line("no zombies");
    process::signal(first, Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    instance.wait_line("bye");
}

#[test]
fn as_pid_1_it_ends_with_the_service_that_exit_with_names_and_with_its_code() {
    let (mut instance, _) = container(
        "[remuda]\nexit_with = \"main\"\n[service.side]\ncommand = \"sleep 1000\"\n\
         [service.main]\nshell = true\ncommand = \"trap 'exit 7' USR1; echo up; while :; do sleep 1000 & wait; done\"\n\
         restart = \"never\"\n",
    );
    instance.wait_line("up");
    instance.remuda(&["signal", "USR1", "main"]).done();
    assert_eq!(instance.wait_end(), 7);
    let exited = instance.wait_event("the end of main", |event| {
        matches!(event.kind, EventKind::WorkerExited { .. })
            && event.service.as_ref().is_some_and(|name| name.as_str() == "main")
    });
    let EventKind::WorkerExited { status, .. } = exited.event.kind else { unreachable!("waited for it") };
    assert_eq!(status, ExitStatus::Code(7));
}

/// The notify socket of a service manager that we play.
fn manager(setup: &mut Setup) -> UnixDatagram {
    let path = setup.dir().join("manager.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    setup.environment.insert("NOTIFY_SOCKET".into(), path.to_string_lossy().into());
    socket
}

#[track_caller]
fn heard(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 4096];
    let length = manager.recv(&mut buffer).expect("the service manager is told something");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[test]
fn a_service_manager_is_told_ready_reloading_and_stopping() {
    let config = "[service.web]\ncommand = \"sleep 1000\"\nready = \"exec:test -e @DIR@/go\"\n";
    let mut setup = Setup::new(config);
    let socket = manager(&mut setup);
    let mut instance = setup.up();
    let own = instance.dir().join("manager.sock");
    instance.wait_event("the worker", |event| event.kind == EventKind::WorkerSpawned);
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 64]).is_err(), "nothing is said before the worker is ready");
    socket.set_nonblocking(false).unwrap();
    instance.write("go", "");
    assert!(heard(&socket).starts_with("READY=1"));
    let told = process::environment(instance.pids("web")[0])["NOTIFY_SOCKET"].clone();
    assert_ne!(told, own.to_string_lossy(), "a worker speaks to us, not to our manager");
    // A manager that sends HUP to reload waits for both words, whatever the config says.
    for text in [config, &format!("{config}workers = 2\n"), "[service.web"] {
        instance.configure(text);
        instance.signal(Signal::HUP);
        let reloading = heard(&socket);
        assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
        assert!(heard(&socket).starts_with("READY=1"));
    }
    instance.signal(Signal::TERM);
    assert_eq!(heard(&socket), "STOPPING=1");
    assert_eq!(instance.wait_end(), 0);
}

#[test]
fn a_service_manager_with_a_watchdog_gets_its_signs_of_life() {
    let mut setup = Setup::new("[service.web]\ncommand = \"sleep 1000\"\n");
    let socket = manager(&mut setup);
    setup.environment.insert("WATCHDOG_USEC".into(), "400000".into());
    let instance = setup.up();
    assert!(heard(&socket).starts_with("READY=1"));
    let first = Instant::now();
    for _ in 0..4 {
        assert_eq!(heard(&socket), "WATCHDOG=1");
    }
    assert!(first.elapsed() < Duration::from_secs(4), "{:?}", first.elapsed());
    instance.end();
}

#[test]
fn a_pid_file_that_is_something_else_is_left_alone() {
    let mut setup = Setup::new("[service.web]\ncommand = \"sleep 1000\"\n");
    let precious = setup.write("precious.txt", "precious\n");
    setup.arguments = vec!["--pid-file".into(), precious.to_string_lossy().into()];
    let said = run::run(setup.up_command()).exits(1);
    assert!(said.err.contains("precious.txt is something else"), "{said:?}");
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious\n");
}
