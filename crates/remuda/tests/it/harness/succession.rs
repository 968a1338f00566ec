//! The arbiter dies, and another one comes.

use std::process::{Child, Command, Stdio};

use remuda_model::EventKind;
use rustix::process::Signal;

use super::Instance;

impl Instance {
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
}
