//! Running hooks: a program that gets a JSON object on stdin and answers with its exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use remuda_config::substitute::{Values, substitute};
use remuda_model::{ExitStatus, Hook, HookCall, HookOutcome, ServiceSpec, WorkerId};
use remuda_sys::spawn::EnvironmentValue;
use remuda_sys::{memfd, pipe};
use serde_json::json;

use crate::daemon::Daemon;
use crate::environment::known;
use crate::helper::Helper;
use crate::logs::Stream;
use crate::logs::capture::Writer;
use crate::spawner::{Newcomer, values};
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
        let values = match child {
            Some(child) => self.values_of(child),
            None => self.values_of_service(&spec, &variables),
        };
        let argv: Result<Vec<OsString>, _> =
            hook.argv.iter().map(|text| substitute(text, &values).map(OsString::from)).collect();
        let argv = match argv {
            Ok(argv) => argv,
            Err(error) => return self.hook_failed(&call, error.to_string()),
        };
        variables.insert("REMUDA_HOOK".into(), call.point.to_string());
        variables.insert("REMUDA_SERVICE".into(), call.service.to_string());
        if let Some(child) = child {
            variables.insert("REMUDA_SLOT".into(), child.slot.to_string());
            variables.insert("REMUDA_PID".into(), child.pid.to_string());
        }
        let text =
            |(name, value): (String, String)| (OsString::from(name), EnvironmentValue::Text(value.into()));
        let helper = Helper {
            argv,
            environment: variables.into_iter().map(text).collect(),
            directory: spec.directory.clone(),
            user,
            stdin: Some(stdin),
            stderr: stdout.writer.try_clone().ok(),
            stdout: Some(stdout.writer),
            timeout: hook.timeout,
        };
        let helpers = self.tasks.helpers().clone();
        self.tasks.start_hook(async move {
            let outcome = match helper.run(&helpers).await {
                Ok(ExitStatus::Code(0)) => HookOutcome::Passed,
                Ok(status) => HookOutcome::Failed(status.to_string()),
                Err(reason) => HookOutcome::Failed(reason),
            };
            Done::Hook(call.id, outcome)
        });
    }

    /// What placeholders become in a hook that is about no worker: slot 0, and no generation.
    fn values_of_service(&self, spec: &Arc<ServiceSpec>, known: &BTreeMap<String, String>) -> Values {
        let sockets: Vec<_> =
            spec.sockets.iter().filter_map(|name| self.sockets.get(name).cloned()).collect();
        let nobody = Newcomer {
            worker: WorkerId(0),
            slot: 0,
            generation: 0,
            workers: spec.workers,
            spec,
            stored: Vec::new(),
        };
        values(&nobody, &sockets, known.clone())
    }

    fn hook_failed(&mut self, call: &HookCall, reason: String) {
        let (id, outcome) = (call.id, HookOutcome::Failed(reason));
        self.tasks.start_hook(async move { Done::Hook(id, outcome) });
    }
}
