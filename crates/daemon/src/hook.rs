//! Running hooks: a program that gets a JSON object on stdin and answers with its exit code.

use std::ffi::OsString;

use remuda_model::{ExitStatus, Hook, HookCall, HookOutcome};
use remuda_sys::spawn::EnvironmentValue;
use remuda_sys::{memfd, pipe};
use serde_json::json;

use crate::daemon::Daemon;
use crate::environment::known;
use crate::helper::Helper;
use crate::logs::Stream;
use crate::logs::capture::Writer;
use crate::tasks::Done;

impl Daemon {
    /// Starts a hook. Its output goes into the log of its service.
    pub(crate) fn run_hook(&mut self, call: HookCall, hook: Hook) {
        let Some(spec) = self.specs.get(&call.service).cloned() else {
            return self.hook_failed(&call, "its service is gone".to_owned());
        };
        let child = call.worker.and_then(|worker| self.children.get(&worker));
        let facts = json!({
            "hook": call.point.to_string(),
            "service": call.service,
            "worker": call.worker,
            "slot": child.map(|child| child.slot),
            "pid": child.map(|child| child.pid),
        });
        let stdin = memfd::with_content("remuda-hook", facts.to_string().as_bytes());
        let (stdin, stdout) = match (stdin, pipe::log()) {
            (Ok(stdin), Ok(stdout)) => (stdin, stdout),
            (Err(error), _) | (_, Err(error)) => return self.hook_failed(&call, error.to_string()),
        };
        let writer = Writer {
            worker: None,
            service: call.service.clone(),
            slot: child.map_or(0, |child| child.slot),
            pid: 0,
            stream: Stream::Stderr,
        };
        if let Err(error) = self.capture.add(stdout.reader, writer, self.config.instance.log_line_max) {
            return self.hook_failed(&call, error.to_string());
        }
        let (account, user) = match crate::spawner::account(&spec) {
            Ok(found) => found,
            Err(failure) => return self.hook_failed(&call, failure.to_string()),
        };
        let mut variables = known(&self.ours, &spec, account.as_ref());
        variables.insert("REMUDA_HOOK".into(), call.point.to_string());
        variables.insert("REMUDA_SERVICE".into(), call.service.to_string());
        if let Some(child) = child {
            variables.insert("REMUDA_SLOT".into(), child.slot.to_string());
            variables.insert("REMUDA_PID".into(), child.pid.to_string());
        }
        let text =
            |(name, value): (String, String)| (OsString::from(name), EnvironmentValue::Text(value.into()));
        let helper = Helper {
            argv: hook.argv.into_iter().map(OsString::from).collect(),
            environment: variables.into_iter().map(text).collect(),
            directory: spec.directory.clone(),
            user,
            stdin: Some(stdin),
            stderr: stdout.writer.try_clone().ok(),
            stdout: Some(stdout.writer),
            timeout: hook.timeout,
        };
        let helpers = self.tasks.helpers().clone();
        self.tasks.start(async move {
            let outcome = match helper.run(&helpers).await {
                Ok(ExitStatus::Code(0)) => HookOutcome::Passed,
                Ok(status) => HookOutcome::Failed(status.to_string()),
                Err(reason) => HookOutcome::Failed(reason),
            };
            Done::Hook(call.id, outcome)
        });
    }

    fn hook_failed(&mut self, call: &HookCall, reason: String) {
        let (id, outcome) = (call.id, HookOutcome::Failed(reason));
        self.tasks.start(async move { Done::Hook(id, outcome) });
    }
}
