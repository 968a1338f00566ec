//! A running arbiter. When the value goes, so does everything it started; when the test failed, its output is shown.

use std::ops::Deref;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use remuda_model::view::{self, ServicePhase};
use remuda_model::{Event, EventKind, Record};
use rustix::process::Signal;

use super::run::{Said, run};
use super::transcript::Transcript;
use super::{PATIENCE, Setup, process};

/// `remuda up`, running. Derefs to its [`Setup`].
#[derive(Debug)]
pub(crate) struct Instance {
    setup: Setup,
    arbiter: Child,
    ended: Option<i32>,
    /// All it wrote.
    pub(crate) transcript: Transcript,
}

impl Deref for Instance {
    type Target = Setup;
    fn deref(&self) -> &Setup {
        &self.setup
    }
}

impl Instance {
    /// Starts an arbiter on `config` and waits until all its services have settled.
    pub(crate) fn up(config: &str) -> Self {
        let instance = Setup::new(config).up();
        instance.settled();
        instance
    }

    /// Runs `command`, an arbiter of `setup`, and waits until its control socket answers.
    pub(crate) fn start(setup: Setup, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut arbiter = command.spawn().unwrap();
        let transcript = Transcript::default();
        transcript.follow(arbiter.stdout.take().unwrap());
        transcript.follow(arbiter.stderr.take().unwrap());
        let instance = Self { setup, arbiter, ended: None, transcript };
        instance.wait_event("the arbiter's start", |event| {
            matches!(event.kind, EventKind::InstanceStarted { .. })
        });
        instance
    }

    /// Pid of the process that was started: the arbiter's, unless there is a wrapper.
    pub(crate) fn pid(&self) -> u32 {
        self.arbiter.id()
    }

    /// Runs `remuda` with these arguments against this instance.
    #[track_caller]
    pub(crate) fn remuda(&self, arguments: &[&str]) -> Said {
        run(self.setup.command(arguments))
    }

    /// The picture that `remuda status --json` gives.
    #[track_caller]
    pub(crate) fn status(&self) -> view::Instance {
        let said = self.remuda(&["status", "--json"]);
        assert!(said.code <= 1, "{said:?}");
        said.json()
    }

    /// The picture of one service.
    #[track_caller]
    pub(crate) fn service(&self, name: &str) -> view::Service {
        find(&self.status(), name)
    }

    /// Waits until the status is as wanted; it is asked for anew after each event.
    #[track_caller]
    pub(crate) fn wait_status(&self, what: &str, wanted: impl Fn(&view::Instance) -> bool) -> view::Instance {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.transcript.locked().events.len();
            let view = self.status();
            if wanted(&view) {
                return view;
            }
            assert!(Instant::now() < deadline, "waited for {what}: it took too long; {view:#?}");
            self.transcript.wait_for_news(seen, deadline);
        }
    }

    /// Waits until a service is in a phase.
    #[track_caller]
    pub(crate) fn wait_phase(&self, service: &str, phase: ServicePhase) -> view::Service {
        let view = self.wait_status(&format!("{service} to be {phase}"), |view| {
            let now = find(view, service);
            now.phase == phase && (phase != ServicePhase::Running || now.workers_ready == now.workers_wanted)
        });
        find(&view, service)
    }

    /// Waits until no service is on its way to somewhere.
    #[track_caller]
    pub(crate) fn settled(&self) -> view::Instance {
        let settled = |service: &view::Service| {
            use ServicePhase::{Reloading, Starting, Stopping, Waiting};
            !matches!(service.phase, Reloading | Starting | Stopping | Waiting)
        };
        self.wait_status("all services to settle", |view| view.services.iter().all(settled))
    }

    /// Waits for an event, one of those so far included.
    #[track_caller]
    pub(crate) fn wait_event(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Record {
        self.wait_event_after(0, what, wanted)
    }

    /// Waits for an event after the one numbered `after`.
    #[track_caller]
    pub(crate) fn wait_event_after(&self, after: u64, what: &str, wanted: impl Fn(&Event) -> bool) -> Record {
        self.transcript.wait(what, |written| {
            written.events.iter().find(|record| record.seq > after && wanted(&record.event)).cloned()
        })
    }

    /// Number of the last event so far.
    pub(crate) fn last_event(&self) -> u64 {
        self.events().last().map_or(0, |record| record.seq)
    }

    /// Events so far: all that the arbiter has told, whether or not they have come through its output yet.
    pub(crate) fn events(&self) -> Vec<Record> {
        let said = self.remuda(&["events", "--json"]);
        let newest =
            if said.code == 0 { said.json_lines::<Record>().last().map(|record| record.seq) } else { None };
        if let Some(newest) = newest {
            self.transcript.wait("the output to catch up", |written| {
                written.events.last().is_some_and(|record| record.seq >= newest).then_some(())
            });
        }
        self.transcript.locked().events.clone()
    }

    /// Waits for a worker's line that contains `text`.
    #[track_caller]
    pub(crate) fn wait_line(&self, text: &str) -> remuda_daemon::LogLine {
        self.transcript.wait(&format!("a line with {text:?}"), |written| {
            written.lines.iter().find(|line| line.text.contains(text)).cloned()
        })
    }

    /// The real address of a socket.
    #[track_caller]
    pub(crate) fn address(&self, socket: &str) -> String {
        let view = self.status();
        let found = view.sockets.iter().find(|candidate| candidate.name.as_str() == socket);
        found.unwrap_or_else(|| panic!("no socket {socket} in {view:#?}")).address.clone()
    }

    /// Pids of a service's workers, by slot.
    #[track_caller]
    pub(crate) fn pids(&self, service: &str) -> Vec<u32> {
        self.service(service).workers.iter().filter_map(|worker| worker.pid).collect()
    }

    /// Puts another process in the arbiter's place.
    pub(super) fn replace(&mut self, arbiter: Child) {
        (self.arbiter, self.ended) = (arbiter, None);
    }

    /// Sends the arbiter a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        process::signal(self.pid(), signal);
    }

    /// Waits until the arbiter has ended by itself; its exit code, or 128 and the number of the signal that killed it.
    #[track_caller]
    pub(crate) fn wait_end(&mut self) -> i32 {
        if let Some(code) = self.ended {
            return code;
        }
        assert!(process::wait_end(self.pid(), PATIENCE), "the arbiter does not end");
        let status = self.arbiter.wait().unwrap();
        self.transcript.wait_end();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
        self.ended = Some(code);
        code
    }

    /// Ends the arbiter with TERM, checks that it ends well and that nothing of it is left: process or file.
    #[track_caller]
    pub(crate) fn end(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait_end(), 0, "exit code after TERM");
        self.assert_nothing_left();
    }

    /// Fails the test when something that was started still runs, or a file that should be gone is there.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let left = process::marked(self.dir());
        let words: Vec<_> = left.iter().map(|pid| process::arguments(*pid)).collect();
        assert!(left.is_empty(), "processes left: {left:?} {words:?}");
        assert!(!self.control().exists(), "the control socket is left");
        let groups = process::control_groups(self.name());
        assert!(groups.is_empty(), "control groups left: {groups:?}");
    }
}

fn find(view: &view::Instance, name: &str) -> view::Service {
    let found = view.services.iter().find(|service| service.name.as_str() == name);
    found.unwrap_or_else(|| panic!("no service {name} in {view:#?}")).clone()
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.ended.is_none() {
            process::signal(self.pid(), Signal::KILL);
            // It is ours and was killed, so this returns.
            let _ = self.arbiter.wait();
        }
        process::kill_marked(self.dir());
        process::remove_control_groups(self.name());
        self.transcript.wait_end();
        if std::thread::panicking() {
            self.transcript.print();
        }
    }
}
