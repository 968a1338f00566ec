//! What operators and programs ask of a running arbiter: by command, by HTTP, by signal, by a changed config.

mod api;
mod apply;
mod check;
mod queries;
mod signals;
mod up;

use std::process::Stdio;

use super::harness::transcript::Transcript;
use super::harness::{Instance, process};

/// Prints to both outputs at the start, and `again` to the first on USR1.
const TALKER: &str = r#"
trap 'echo again' USR1
echo "to stdout"
echo "to stderr" >&2
while :; do sleep 1000 & wait; kill $!; done
"#;

/// An instance with a talker as `web` and another as `api`.
fn talkers() -> Instance {
    let setup = super::harness::Setup::empty();
    setup.program("talk", &format!("#!/bin/sh\n{TALKER}"));
    setup.configure("[service.web]\ncommand = \"@DIR@/talk\"\n[service.api]\ncommand = \"@DIR@/talk\"\n");
    let instance = setup.up();
    instance.settled();
    for service in ["web", "api"] {
        for output in ["to stdout", "to stderr"] {
            instance.transcript.wait(&format!("{output} of {service}"), |written| {
                written
                    .lines
                    .iter()
                    .find(|line| line.service.as_str() == service && line.text == output)
                    .map(|_| ())
            });
        }
    }
    instance
}

/// A command that goes on, and what it writes.
struct Following {
    child: std::process::Child,
    transcript: Transcript,
}

impl Following {
    fn start(instance: &Instance, arguments: &[&str]) -> Self {
        let mut command = instance.command(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let transcript = Transcript::default();
        transcript.follow(child.stdout.take().unwrap());
        Self { child, transcript }
    }

    #[track_caller]
    fn wait_end(&mut self) -> Option<i32> {
        assert!(process::wait_end(self.child.id(), super::harness::PATIENCE), "it does not end");
        self.transcript.wait_end();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // One that has ended needs no kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
