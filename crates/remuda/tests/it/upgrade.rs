//! Another program goes on in the arbiter's process, and nobody notices.

use remuda_model::view::ServicePhase;
use remuda_model::{EventKind, Record};
use rustix::process::Signal;

use crate::harness::load::Load;
use crate::harness::{Instance, Setup, http, process};

const HELLO: &str = r#"
[socket.web]
listen = "127.0.0.1:0"
[service.web]
command = "python3 @WORKERS@/notify_worker.py"
sockets = ["web"]
workers = 3
ready = "notify"
"#;

fn upgrades(instance: &Instance) -> Vec<Record> {
    let events = instance.events().into_iter();
    events.filter(|record| matches!(record.event.kind, EventKind::InstanceUpgraded { .. })).collect()
}

#[test]
fn workers_connections_and_numbers_go_on_and_no_request_is_lost() {
    for mode in ["shared", "per-worker"] {
        let instance = Instance::up(&HELLO.replace("listen", &format!("mode = \"{mode}\"\nlisten")));
        let (arbiter, address, pids) = (instance.pid(), instance.address("web"), instance.pids("web"));
        let load = Load::start(&address);
        for _ in 0..5 {
            let said = instance.remuda(&["upgrade"]).done();
            assert!(said.out.contains("with the same workers"), "{said:?}");
            assert_eq!(instance.status().pid, arbiter);
            assert_eq!(instance.pids("web"), pids);
        }
        let account = load.finish();
        assert!(account.failures.is_empty(), "{mode}: {:?}", account.failures);
        assert!(account.answered > 0);
        let events = instance.events();
        assert!(events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "{events:?}");
        assert_eq!(upgrades(&instance).len(), 5);
        instance.remuda(&["reload", "web"]).done();
        let said = instance.remuda(&["scale", "web=1"]).done();
        assert!(said.out.contains("1 worker"), "{said:?}");
        instance.end();
    }
}

#[test]
fn a_signal_upgrades_too_and_children_stay_children() {
    let instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    instance.signal(Signal::USR2);
    let after =
        instance.wait_event("the upgrade", |event| matches!(event.kind, EventKind::InstanceUpgraded { .. }));
    process::signal(pids[0], Signal::TERM);
    let ended = instance.wait_event_after(after.seq, "the end of a worker", |event| {
        matches!(event.kind, EventKind::WorkerExited { .. })
    });
    let EventKind::WorkerExited { status, .. } = ended.event.kind else { unreachable!() };
    assert_eq!(status, remuda_model::ExitStatus::Code(0), "its status is seen by its parent");
    instance.wait_phase("web", ServicePhase::Running);
    instance.end();
}

#[test]
fn another_build_is_gone_on_with_and_the_next_upgrade_finds_it() {
    let instance = Instance::up(HELLO);
    let copy = instance.dir().join("remuda-next");
    std::fs::copy(env!("CARGO_BIN_EXE_remuda"), &copy).unwrap();
    instance.remuda(&["upgrade", "--to", "remuda-next"]).done();
    let executable = std::fs::read_link(format!("/proc/{}/exe", instance.pid())).unwrap();
    assert_eq!(executable, copy.canonicalize().unwrap());
    instance.remuda(&["upgrade"]).done();
    let asked = instance.events().into_iter().rev().find_map(|record| match record.event.kind {
        EventKind::Requested { request, .. } => Some(request),
        _ => None,
    });
    assert!(asked.is_some_and(|request| request.contains("remuda-next")));
    instance.end();
}

#[test]
fn a_begun_line_is_one_line_and_the_lines_before_are_kept() {
    let setup = Setup::new("[service.slow]\ncommand = \"python3 @DIR@/slow.py\"\n");
    setup.write(
        "slow.py",
        "import sys\nprint('first', flush=True)\nsys.stdout.write('begun '); sys.stdout.flush()\n\
         open('there', 'w').write('x')\nopen('gate').readline()\nprint('and ended', flush=True)\nopen('last').readline()\n",
    );
    ["gate", "there", "last"].iter().for_each(|gate| setup.gate(gate));
    let instance = setup.up();
    std::fs::read_to_string(instance.dir().join("there")).unwrap();
    instance.remuda(&["upgrade"]).done();
    let _gate = instance.open_gate("gate");
    instance.wait_line("begun and ended");
    let said = instance.remuda(&["logs"]).done();
    assert!(said.out.contains("first"), "{said:?}");
    let _last = instance.open_gate("last");
    instance.end();
}

#[test]
fn a_program_that_cannot_take_over_is_refused_before_anything_is_touched() {
    let instance = Instance::up(HELLO);
    let (pids, arbiter) = (instance.pids("web"), instance.pid());
    let plain = instance.write("plain", "#!/bin/sh\n");
    let ends = instance.program("ends", "#!/bin/sh\necho it is too old to read this >&2\nexit 3\n");
    let silent = instance.program("silent", "#!/bin/sh\nexit 0\n");
    let hangs = instance.program("hangs", "#!/bin/sh\nexec sleep 600\n");
    let missing = instance.dir().join("missing");
    let refusals = [
        (plain, "is not executable"),
        (missing, "no such file"),
        (instance.dir().to_path_buf(), "is not a file"),
        ("/bin/true".into(), "it is no remuda"),
        (silent, "it is no remuda"),
        (ends, "it is too old to read this"),
        (hangs, "timed out after 10s"),
    ];
    for (program, why) in refusals {
        let said = instance.remuda(&["upgrade", "--to", &program.to_string_lossy()]).exits(1);
        assert!(said.err.contains(why), "{why}: {said:?}");
        assert!(said.err.contains("what runs runs on"), "{said:?}");
    }
    assert_eq!((instance.status().pid, instance.pids("web")), (arbiter, pids));
    assert!(upgrades(&instance).is_empty());
    http::get(&instance.address("web"), "/").unwrap();
    instance.end();
}

#[test]
fn a_program_that_fails_on_its_way_leads_back_to_the_old_one() {
    let faults = [
        ("exit", "it ended by itself"),
        ("panic", "it ended by itself"),
        ("abort", "ended by signal 06"),
        ("segfault", "ended by signal 11"),
        ("hang", "did not go on in time"),
    ];
    for (fault, why) in faults {
        let mut setup = Setup::new(HELLO);
        setup.environment.insert("REMUDA_FAULT".into(), fault.into());
        let instance = setup.up();
        instance.settled();
        let (pids, arbiter, address) = (instance.pids("web"), instance.pid(), instance.address("web"));
        let load = Load::start(&address);
        let said = instance.remuda(&["upgrade"]).exits(1);
        assert!(said.err.contains(why), "{fault}: {said:?}");
        assert_eq!((instance.status().pid, instance.pids("web")), (arbiter, pids), "{fault}");
        instance.remuda(&["reload", "web"]).done();
        let account = load.finish();
        assert!(account.failures.is_empty(), "{fault}: {:?}", account.failures);
        instance.end();
    }
}

#[test]
fn a_reload_under_way_goes_on_to_its_end() {
    let instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    let load = Load::start(&instance.address("web"));
    instance.remuda(&["reload", "web", "--no-wait"]).done();
    instance.remuda(&["upgrade"]).done();
    instance.wait_event("the end of the reload", |event| matches!(event.kind, EventKind::ReloadDone { .. }));
    let account = load.finish();
    assert!(account.failures.is_empty(), "{:?}", account.failures);
    assert!(instance.pids("web").iter().all(|pid| !pids.contains(pid)));
    instance.end();
}

#[test]
fn a_runtime_folder_that_is_gone_does_not_keep_the_successor_from_going_on() {
    let mut instance = Instance::up(HELLO);
    let (address, pids) = (instance.address("web"), instance.pids("web"));
    std::fs::remove_dir_all(instance.runtime()).unwrap();
    instance.signal(Signal::USR2);
    instance.wait_event("the upgrade", |event| matches!(event.kind, EventKind::InstanceUpgraded { .. }));
    assert!(pids.contains(&http::get(&address, "/").unwrap().pid()));
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
}
