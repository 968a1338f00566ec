//! The arbiter dies, and another one comes; or another program takes its place.

use std::process::{Child, Command, Stdio};

use remuda_model::EventKind;
use rustix::process::Signal;

use super::{Instance, process};

/// How another arbiter comes to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is killed, and started again.
    Crash,
    /// It is replaced in its process.
    Upgrade,
}

impl Way {
    /// All there are.
    pub(crate) const ALL: [Self; 2] = [Self::Crash, Self::Upgrade];
}

impl Instance {
    /// Has another arbiter go on, and waits until it does.
    #[track_caller]
    pub(crate) fn succeed(&mut self, way: Way) {
        match way {
            Way::Crash => {
                self.kill_arbiter();
                self.again();
            }
            Way::Upgrade => {
                self.remuda(&["upgrade"]).done();
            }
        }
    }

    /// Kills the arbiter as nobody can foresee it, and waits for its end.
    pub(crate) fn kill_arbiter(&mut self) {
        self.signal(Signal::KILL);
        self.wait_end();
    }

    /// Starts another arbiter with the same setup, and waits until it goes on with what the last one left.
    #[track_caller]
    pub(crate) fn again(&mut self) {
        self.begin_again();
        self.wait_event("the arbiter to go on", |event| {
            matches!(event.kind, EventKind::InstanceResumed { .. })
        });
    }

    /// Starts another arbiter with the same setup. What was told and written so far is forgotten.
    pub(crate) fn begin_again(&mut self) {
        let mut command: Command = self.up_command();
        command.args(["--log-format", "json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut arbiter: Child = command.spawn().unwrap();
        self.transcript = super::transcript::Transcript::default();
        self.transcript.follow(arbiter.stdout.take().unwrap());
        self.transcript.follow(arbiter.stderr.take().unwrap());
        self.replace(arbiter);
    }

    /// Starts another arbiter, which finds nothing to go on with and begins anew; waits until it has.
    #[track_caller]
    pub(crate) fn anew(&mut self) {
        self.begin_again();
        let first = self.wait_event("the arbiter to begin", |event| {
            matches!(event.kind, EventKind::InstanceResumed { .. } | EventKind::InstanceStarted { .. })
        });
        let begun = matches!(first.event.kind, EventKind::InstanceStarted { .. });
        assert!(begun, "it goes on with what it should not have found: {first:?}");
    }

    /// Pid of the keeper.
    #[track_caller]
    pub(crate) fn keeper(&self) -> u32 {
        let is_keeper = |pid: &u32| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            name.trim_end() == "remuda-keeper" && process::is_alive(*pid)
        };
        let keepers: Vec<u32> = process::marked(self.dir()).into_iter().filter(is_keeper).collect();
        assert_eq!(keepers.len(), 1, "keepers: {keepers:?}");
        keepers[0]
    }

    /// Kills a process as nobody can foresee it, and waits for its end.
    #[track_caller]
    pub(crate) fn kill(&self, pid: u32) {
        process::signal(pid, Signal::KILL);
        assert!(process::wait_end(pid, super::PATIENCE), "{pid} of {} outlives SIGKILL", self.name());
    }
}
