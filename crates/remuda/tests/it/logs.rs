//! What workers write: that it is all there, bounded, and holds up nobody.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use remuda_daemon::LogLine;
use remuda_model::view::ServicePhase;
use remuda_model::{Event, EventKind};
use rustix::process::Signal;

use crate::harness::transcript::Transcript;
use crate::harness::{Instance, PATIENCE, Setup, is_root, process, run, until};

/// The arbiter's memory stays below this, kB.
const MEMORY_MAX_KB: u64 = 64 * 1024;
/// An answer of the control API takes no longer, whatever workers do.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// So often the arbiter is asked while a worker floods; each round trip waits for a worker's line.
const FLOODED_FOR: Duration = Duration::from_secs(2);

fn peak_memory_kb(pid: u32) -> u64 {
    process::status(pid, "VmHWM").trim_end_matches(" kB").parse().unwrap()
}

/// An arbiter whose output nobody keeps: what a flooding worker writes is too much for a test to hold.
struct Unwatched {
    setup: Setup,
    arbiter: Child,
}

impl Unwatched {
    fn up(config: &str) -> Self {
        let setup = Setup::new(config);
        // Returns when all is ready; the arbiter itself is the one in the foreground.
        let arbiter = setup.up_command().stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        until("the control socket", || setup.control().exists());
        Self { setup, arbiter }
    }
}

impl Drop for Unwatched {
    fn drop(&mut self) {
        // One that has ended needs no kill.
        let _ = self.arbiter.kill();
        let _ = self.arbiter.wait();
        process::kill_marked(self.setup.dir());
        process::remove_control_groups(self.setup.name());
    }
}

#[test]
fn a_flooding_worker_holds_up_neither_its_neighbour_nor_the_arbiter() {
    let mut unwatched = Unwatched::up(
        "[service.flood]\ncommand = \"yes a line that comes and comes\"\n\
         log = { file = \"flood.log\", max_size = \"1MiB\", keep = 1 }\n\
         [service.quiet]\nshell = true\n\
         command = \"trap 'echo here' USR1; echo ready; while :; do sleep 1000 & wait; kill $!; done\"\n\
         ready = \"log:ready\"\n",
    );
    let setup = &unwatched.setup;
    run::run(setup.command(&["start", "quiet"])).done();
    let mut follower =
        setup.command(&["logs", "-f", "--json", "quiet"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = Transcript::default();
    lines.follow(follower.stdout.take().unwrap());
    let (begun, mut rounds) = (Instant::now(), 0);
    while begun.elapsed() < FLOODED_FOR {
        let asked = Instant::now();
        run::run(setup.command(&["signal", "USR1", "quiet"])).done();
        run::run(setup.command(&["status"])).done();
        assert!(asked.elapsed() < 2 * ANSWER_MAX, "two answers took {:?}", asked.elapsed());
        rounds += 1;
        let count = |lines: &[LogLine]| lines.iter().filter(|line| line.text == "here").count();
        lines.wait("the neighbour's line", |written| (count(&written.lines) >= rounds).then_some(()));
        assert!(asked.elapsed() < 3 * ANSWER_MAX, "its line took {:?}", asked.elapsed());
    }
    assert!(rounds > 2, "the arbiter answered only {rounds} times");
    let peak = peak_memory_kb(unwatched.arbiter.id());
    assert!(peak < MEMORY_MAX_KB, "{peak} kB");
    run::run(setup.command(&["down"])).done();
    assert!(process::wait_end(unwatched.arbiter.id(), PATIENCE), "the arbiter does not end");
    assert_eq!(unwatched.arbiter.wait().unwrap().code(), Some(0));
    follower.wait().unwrap();
}

#[test]
fn the_exit_event_of_a_crashing_worker_has_its_last_lines() {
    let instance = Instance::up(
        "[service.web]\nshell = true\ncommand = \"seq 100; echo 'and then' >&2; exit 3\"\nrestart = \"never\"\n",
    );
    let exited =
        instance.wait_event("the exit", |event| matches!(event.kind, EventKind::WorkerExited { .. }));
    let EventKind::WorkerExited { last_lines, .. } = exited.event.kind else { unreachable!("waited for it") };
    assert_eq!(last_lines.len(), 20, "{last_lines:?}");
    assert!(last_lines.contains(&"100".to_owned()), "{last_lines:?}");
    assert!(last_lines.contains(&"and then".to_owned()), "{last_lines:?}");
    instance.end();
}

#[test]
fn a_line_without_an_end_is_shown_when_its_writer_ends() {
    let instance = Instance::up(
        "[service.web]\ncommand = \"printf 'no newline'\"\noneshot = true\nrestart = \"never\"\n",
    );
    let line = instance.wait_line("no newline");
    assert!(line.partial);
    instance.end();
}

#[test]
fn a_line_that_is_too_long_is_cut_and_nothing_of_it_is_lost() {
    let instance = Instance::up(
        "[remuda]\nlog_line_max = \"1KiB\"\n[service.web]\nshell = true\noneshot = true\n\
         command = \"head -c 2500 /dev/zero | tr '\\\\0' x; echo; echo done\"\n",
    );
    instance.wait_line("done");
    let lines: Vec<(usize, bool)> =
        instance.transcript.locked().lines.iter().map(|line| (line.text.len(), line.partial)).collect();
    assert_eq!(lines, [(1024, true), (1024, true), (452, false), (4, false)]);
    instance.end();
}

#[test]
fn log_files_are_rotated_at_their_size_and_only_so_many_are_kept() {
    let mut instance = Instance::up(
        "[service.web]\ncommand = \"seq 10000 20000\"\noneshot = true\n\
         log = { file = \"web.log\", max_size = \"8KiB\", keep = 2 }\n",
    );
    instance.wait_event("the end of the task", |event| event.kind == EventKind::ServiceDone);
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let read = |name: &str| std::fs::read_to_string(instance.dir().join(name));
    let kept = ["web.log.2", "web.log.1", "web.log"].map(|name| read(name).unwrap());
    assert!(kept.iter().all(|text| text.len() <= 8 * 1024), "{:?}", kept.each_ref().map(String::len));
    assert!(read("web.log.3").is_err(), "only two are kept");
    let numbers: Vec<u32> = kept.concat().lines().map(|line| line.parse().unwrap()).collect();
    let first = 20_001 - u32::try_from(numbers.len()).unwrap();
    assert_eq!(numbers, (first..=20_000).collect::<Vec<_>>(), "no line is lost or torn at a rotation");
}

#[test]
fn a_line_that_comes_before_anybody_waits_for_it_makes_its_worker_ready() {
    // Readiness is asked for only after this hook, when the line is long written.
    let instance = Instance::up(
        "[service.web]\nshell = true\ncommand = \"echo open for business; exec sleep 1000\"\n\
         ready = \"log:open for\"\n[service.web.hooks]\nafter_spawn = \"sleep 0.3\"\n",
    );
    assert_eq!(instance.service("web").workers_ready, 1);
    instance.end();
}

#[test]
fn a_log_file_that_cannot_be_written_is_told_and_its_lines_are_still_shown() {
    let instance = Instance::up(
        "[service.web]\nshell = true\ncommand = \"echo here; exec sleep 1000\"\nlog = \"nowhere/web.log\"\n",
    );
    instance.wait_line("here");
    // Troubles of the thread that writes files are told at the arbiter's next step.
    instance.remuda(&["restart", "web"]).done();
    instance.remuda(&["stop", "web"]).done();
    instance.wait_event("the trouble", |event: &Event| {
        matches!(&event.kind, EventKind::Trouble { message } if message.contains("nowhere/web.log"))
    });
    assert!(!instance.status().limits_hit.is_empty(), "dropped lines are counted");
    instance.end();
}

/// Whether an event is the trouble with a log file.
fn troubled(event: &Event, path: &str, service: &str) -> bool {
    let EventKind::Trouble { message } = &event.kind else { return false };
    message.contains(path) && message.contains(&format!("of {service}:"))
}

#[test]
fn a_log_file_that_cannot_be_opened_is_told_before_a_line_comes_at_the_start_and_at_each_apply() {
    let silent = |name: &str, log: &str, more: &str| {
        format!("[service.{name}]\ncommand = \"sleep 1000\"\nlog = \"{log}\"\n{more}")
    };
    let setup = Setup::new(&[silent("web", "nowhere/web.log", ""), silent("api", "folder", "")].concat());
    std::fs::create_dir(setup.dir().join("folder")).unwrap();
    let instance = setup.up();
    instance.wait_event("no such folder", |event| troubled(event, "nowhere/web.log", "web"));
    instance.wait_event("not a file", |event| troubled(event, "/folder", "api"));
    instance.settled();
    let seen = instance.last_event();
    let changed = [silent("web", "nowhere/web.log", "workers = 2\n"), silent("api", "api.log", "")];
    instance.configure(&changed.concat());
    instance.remuda(&["apply"]).done();
    instance
        .wait_event_after(seen, "still no such folder", |event| troubled(event, "nowhere/web.log", "web"));
    instance.wait_status("the file", |_| instance.dir().join("api.log").exists());
    let events = instance.events();
    let after = events.iter().filter(|record| record.seq > seen);
    assert_eq!(after.filter(|record| troubled(&record.event, "", "api")).count(), 0);
    instance.end();
}

/// Mounts a file system whose server never answers on the folder given first, and becomes the rest.
const HANG: &str = "import ctypes, os, sys\n\
    fd = os.open('/dev/fuse', os.O_RDWR)\n\
    os.set_inheritable(fd, True)\n\
    options = f'fd={fd},rootmode=40000,user_id=0,group_id=0'.encode()\n\
    if ctypes.CDLL(None, use_errno=True).mount(b'hung', sys.argv[1].encode(), b'fuse', 0, options):\n\
    \x20   sys.exit(f'mount: {os.strerror(ctypes.get_errno())}')\n\
    os.execvp(sys.argv[2], sys.argv[2:])\n";

/// Longer than the queue for log files: 40 MB in 5,000 lines.
const MUCH: &str =
    "yes $$(head -c 7999 /dev/zero | tr '\\\\0' x) | head -n 5000; echo written; exec sleep 1000";

#[test]
fn a_log_file_that_hangs_holds_up_neither_a_reopening_nor_an_apply_nor_the_end() {
    if !is_root() || !std::path::Path::new("/dev/fuse").exists() {
        // Nobody else can make a disk hang.
        return;
    }
    let config = |workers: u32| {
        format!(
            "[service.web]\nshell = true\ncommand = \"{MUCH}\"\nready = \"log:written\"\nlog = \"hung/web.log\"\n\
             [service.other]\ncommand = \"sleep 1000\"\nworkers = {workers}\nlog = \"other.log\"\n"
        )
    };
    let mut setup = Setup::new(&config(1));
    let folder = setup.dir().join("hung");
    std::fs::create_dir(&folder).unwrap();
    setup.wrapper = ["unshare", "--mount", "python3", "-c", HANG].map(str::to_owned).to_vec();
    setup.wrapper.push(folder.to_string_lossy().into());
    setup.arguments.push("--quiet".into());
    let mut instance = setup.up();
    instance.wait_phase("web", ServicePhase::Running);
    assert!(!instance.status().limits_hit.is_empty(), "what the queue had no room for is counted");
    for _ in 0..3 {
        instance.signal(Signal::USR1);
        let asked = Instant::now();
        instance.status();
        assert!(asked.elapsed() < ANSWER_MAX, "an answer took {:?}", asked.elapsed());
    }
    instance.configure(&config(2));
    instance.remuda(&["apply"]).done();
    assert_eq!(instance.wait_phase("other", ServicePhase::Running).workers_ready, 2);
    let asked = Instant::now();
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    assert!(asked.elapsed() < Duration::from_secs(10), "the end took {:?}", asked.elapsed());
    instance.wait_event("what is lost", |event| {
        let EventKind::Trouble { message } = &event.kind else { return false };
        message.contains("hung/web.log of web has not answered") && message.contains("are lost")
    });
    instance.assert_nothing_left();
}
