//! Command lines and hooks.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_model::{Command, Hook, HookFailure, HookPoint, SocketName};

use super::{Resolution, or};
use crate::raw::{self, Located, Span};
use crate::report::Problem;
use crate::substitute::{self, SubstituteError};

const HOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Words that mean something to a shell and nothing to a program.
const SHELL_WORDS: [&str; 10] = ["|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1"];

const PLACEHOLDERS: &str = "placeholders are $(socket.NAME), $(address.NAME), $(port.NAME), $(slot), $(service), $(generation), $(workers) and $(env.NAME); write $$( for a plain $(";

impl Resolution<'_> {
    pub(super) fn service_command(
        &mut self,
        name: &Located<String>,
        raw: &raw::Service,
        sockets: &[SocketName],
    ) -> Command {
        let Some(command) = &raw.command else {
            let problem = Problem::error(name.span.clone(), format!("service.{} has no command", name.value));
            self.problems.push(problem.hint("write what its workers run: command = \"gunicorn shop.wsgi\""));
            return Command { argv: Vec::new() };
        };
        if !or(&raw.shell, false) {
            return Command { argv: self.words(command, sockets, true) };
        }
        match &command.value {
            raw::Command::Line(line) => {
                let line = command.with(line.clone());
                self.argument(&line, sockets);
                if line.trim().is_empty() {
                    self.error(line.span.as_ref(), "the command is empty");
                }
                Command { argv: vec!["/bin/sh".into(), "-c".into(), line.value] }
            }
            raw::Command::Words(_) => {
                let problem =
                    Problem::error(command.span.clone(), "a shell takes one text, not a list of words");
                let shell = raw.shell.as_ref().and_then(|shell| shell.span.clone());
                self.problems.push(problem.related(shell, "run by a shell"));
                Command { argv: Vec::new() }
            }
        }
    }

    /// The words of a command. `shell` tells whether a shell can be asked for instead.
    fn words(&mut self, command: &Located<raw::Command>, sockets: &[SocketName], shell: bool) -> Vec<String> {
        let words = match &command.value {
            raw::Command::Line(line) => {
                let line = command.with(line.clone());
                self.argument(&line, sockets);
                let words = self.split(&line);
                self.warn_of_shell_words(&line, &words, shell);
                words
            }
            raw::Command::Words(words) => {
                for word in words {
                    self.argument(word, sockets);
                }
                words.iter().map(|word| word.value.clone()).collect()
            }
        };
        if words.first().is_none_or(String::is_empty) {
            self.error(command.span.as_ref(), "the command is empty");
        }
        words
    }

    /// Splits a line as a shell does.
    pub(super) fn split(&mut self, line: &Located<String>) -> Vec<String> {
        shlex::split(line).unwrap_or_else(|| {
            self.error(line.span.as_ref(), "a quote is not closed, or a backslash stands at the end");
            vec![String::from("?")]
        })
    }

    fn warn_of_shell_words(&mut self, line: &Located<String>, words: &[String], shell: bool) {
        let Some(word) = words.iter().find(|word| SHELL_WORDS.contains(&word.as_str())) else { return };
        let span = line.span.as_ref().map(|span| self.sources.inside(span, word));
        let message = format!("no shell runs this command, so {word:?} is passed to the program as it is");
        let hint = if shell {
            "write shell = true to have /bin/sh run it"
        } else {
            "write [\"/bin/sh\", \"-c\", \"…\"]"
        };
        self.problems.push(Problem::warning(span, message).hint(hint));
    }

    /// A text that becomes an argument or a variable.
    pub(super) fn argument(&mut self, text: &Located<String>, sockets: &[SocketName]) {
        if text.contains('\0') {
            self.error(text.span.as_ref(), "arguments and variables cannot contain a NUL byte");
        }
        self.placeholders(text, sockets);
    }

    /// Refuses placeholders that will have no value.
    fn placeholders(&mut self, text: &Located<String>, sockets: &[SocketName]) {
        let mut rest = text.as_str();
        while let Err(why) = substitute::check(rest, sockets) {
            let range = why.range();
            let written = rest.get(range.clone()).unwrap_or("");
            let span = text.span.as_ref().map(|span| self.sources.inside(span, written));
            self.refuse_placeholder(span, &why);
            rest = rest.get(range.end..).unwrap_or("");
        }
    }

    fn refuse_placeholder(&mut self, span: Option<Span>, why: &SubstituteError) {
        let problem = Problem::error(span, why.to_string());
        self.problems.push(match why {
            SubstituteError::Unknown { nearest: Some(nearest), .. } => problem.nearest(Some(nearest)),
            SubstituteError::Unknown { .. } | SubstituteError::Unclosed { .. } => problem.hint(PLACEHOLDERS),
            SubstituteError::Socket { name, .. } if self.file.socket.contains_key(name.as_str()) => {
                problem.hint(format!("add it: sockets = [\"{name}\"]"))
            }
            SubstituteError::Socket { nearest, .. } => problem.nearest(nearest.as_deref()),
            SubstituteError::Port { .. } | SubstituteError::Variable { .. } => problem,
        });
    }

    pub(super) fn hooks(
        &mut self,
        hooks: Option<&raw::Hooks>,
        sockets: &[SocketName],
    ) -> BTreeMap<HookPoint, Hook> {
        let Some(hooks) = hooks else { return BTreeMap::new() };
        let points = [
            (HookPoint::BeforeStart, &hooks.before_start),
            (HookPoint::AfterStart, &hooks.after_start),
            (HookPoint::BeforeSpawn, &hooks.before_spawn),
            (HookPoint::AfterSpawn, &hooks.after_spawn),
            (HookPoint::BeforeStop, &hooks.before_stop),
            (HookPoint::AfterStop, &hooks.after_stop),
            (HookPoint::BeforeReap, &hooks.before_reap),
            (HookPoint::AfterReap, &hooks.after_reap),
        ];
        let set = points.into_iter().filter_map(|(point, hook)| Some((point, hook.as_ref()?)));
        set.map(|(point, hook)| (point, self.hook(point, hook, sockets))).collect()
    }

    fn hook(&mut self, point: HookPoint, hook: &Located<raw::Hook>, sockets: &[SocketName]) -> Hook {
        let table = match &hook.value {
            raw::Hook::Command(command) => {
                raw::HookTable { command: Some(hook.with(command.clone())), ..raw::HookTable::default() }
            }
            raw::Hook::Table(table) => table.clone(),
        };
        let argv = match &table.command {
            Some(command) => self.words(command, sockets, false),
            None => {
                self.error(hook.span.as_ref(), format!("the hook {point} has no command"));
                Vec::new()
            }
        };
        let default = if point.aborts_by_default() { HookFailure::Abort } else { HookFailure::Ignore };
        Hook {
            argv,
            timeout: self.time(&table.timeout, HOOK_TIMEOUT),
            on_failure: or(&table.on_failure, default),
        }
    }
}
