//! `EVAL` and its kin: what a script may call, and how its answer gets out.

use remuda_store::{Answer, Flag, Mode, Outcome};
use remuda_wire::resp::Writer;

use super::pubsub::{self, Sort};
use super::session::Session;
use super::text::{is, number, one_line, subcommand_refused};
use super::{CommandKind, greeting, lookup, server};
use crate::complaints::Complaint;
use crate::core::Core;
use crate::reply::Reply;
use crate::script::{CallMode, Host, Request, Source};

/// Of a line that a script writes to the log so much is shown: a value that was meant to be looked at, and no file.
const LINE_MAX_BYTES: usize = 1024;

/// The store as a script sees it.
struct Stage<'a> {
    core: &'a mut Core,
    session: &'a mut Session,
}

impl Host for Stage<'_> {
    fn call(&mut self, command: &[&[u8]], mode: CallMode, answer: &mut dyn Answer) {
        let Some(name) = command.first() else {
            return answer.error("ERR Please specify at least one argument for this redis.call() call");
        };
        match lookup(name) {
            None | Some(CommandKind::Foreign(_)) => {
                answer.error("ERR Unknown Redis command called from script");
            }
            Some(kind) if !kind.takes(command.len()) => {
                answer.error("ERR Wrong number of args calling Redis command from script");
            }
            Some(CommandKind::Store(spec)) => {
                let writes = spec.flags.has(Flag::Write);
                if writes && mode.is_read_only {
                    return answer.error("ERR Write commands are not allowed from read-only scripts.");
                }
                if let Err(refused) = super::allowed::allowed(self.session, CommandKind::Store(spec), command)
                {
                    return answer.error(&refused);
                }
                if let Some(refused) = self.core.refuses_writes().filter(|_| writes) {
                    return answer.error(&refused);
                }
                let (client, database) = (self.session.key.client(), self.session.database);
                let core = &mut *self.core;
                let outcome =
                    core.store.execute(core.moment, client, database, command, Mode::Script, answer);
                core.after_command(database, command, outcome == Outcome::Done { verbatim: true });
                self.session.has_published |= writes && self.core.tells_of_changes();
            }
            Some(CommandKind::Own(own)) => self.own(own.name, command, answer),
        }
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        let level = match level {
            0 => log::Level::Debug,
            1 | 2 => log::Level::Info,
            _ => log::Level::Warn,
        };
        let core = &mut *self.core;
        if !log::log_enabled!(level) {
            return;
        }
        let Some(left_out) = core.complaints.admit(Complaint::Script, core.moment.tick) else { return };
        let shown = one_line(&line[..line.len().min(LINE_MAX_BYTES)]);
        let cut = if line.len() > LINE_MAX_BYTES { " …" } else { "" };
        let before = match left_out {
            0 => String::new(),
            lines => format!(" ({lines} lines of scripts were left out before)"),
        };
        log::log!(level, "a script says: {shown}{cut}{before}");
    }
}

impl Stage<'_> {
    /// The few commands beside the store's that scripts use.
    fn own(&mut self, name: &str, command: &[&[u8]], answer: &mut dyn Answer) {
        match (name, command) {
            ("PUBLISH", [_, topic, payload]) => self.publish(Sort::Channel, topic, payload, answer),
            ("SPUBLISH", [_, topic, payload]) => self.publish(Sort::Shard, topic, payload, answer),
            ("TIME", [_]) => server::time(answer),
            ("PING", [_]) => answer.simple("PONG"),
            ("ECHO", [_, text]) => answer.bulk(text),
            ("SELECT", [_, database]) => greeting::select(self.core, self.session, answer, database),
            _ => answer.error("ERR This Redis command is not allowed from script"),
        }
    }

    fn publish(&mut self, sort: Sort, topic: &[u8], payload: &[u8], answer: &mut dyn Answer) {
        match pubsub::publish_to(self.core, self.session, sort, topic, payload) {
            Ok(receivers) => answer.integer(receivers),
            Err(error) => answer.error(&error),
        }
    }
}

/// `EVAL script numkeys key … argument …`, and the same by the script's SHA-1, and both without writes.
pub(crate) fn eval(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let count = match number(command[2]) {
        None => return out.error("ERR value is not an integer or out of range"),
        Some(count) => match usize::try_from(count) {
            Err(_) => return out.error("ERR Number of keys can't be negative"),
            Ok(count) if count > command.len() - 3 => {
                return out.error("ERR Number of keys can't be greater than number of args");
            }
            Ok(count) => count,
        },
    };
    let (keys, arguments) = command[3..].split_at(count);
    let by_sha = command[0].len() >= 7 && command[0][..7].eq_ignore_ascii_case(b"EVALSHA");
    let source = if by_sha { Source::Sha(command[1]) } else { Source::Text(command[1]) };
    let is_read_only =
        command[0].len() >= 3 && command[0][command[0].len() - 3..].eq_ignore_ascii_case(b"_RO");
    let Some(mut scripts) = core.scripts.take() else {
        return out.error("ERR This Redis command is not allowed from script");
    };
    let was_grouped = core.is_grouped();
    if !was_grouped {
        core.begin_group();
    }
    let database = session.database;
    let request = Request { source, keys, arguments, is_read_only };
    core.figures.scripts += 1;
    scripts.run(request, &mut Stage { core, session }, &mut Reply(Writer::new(out.out, out.version)));
    session.database = database;
    if !was_grouped {
        core.end_group();
    }
    core.scripts = Some(scripts);
}

/// `SCRIPT LOAD|EXISTS|FLUSH`.
pub(crate) fn script(core: &mut Core, out: &mut Writer<'_>, rest: &[&[u8]]) {
    let Some(scripts) = &mut core.scripts else {
        return out.error("ERR This Redis command is not allowed from script");
    };
    match rest {
        [what, source] if is(what, "LOAD") => match scripts.load(source) {
            Ok(sha) => out.bulk(&sha),
            Err(error) => out.error(&error),
        },
        [what, shas @ ..] if is(what, "EXISTS") && !shas.is_empty() => {
            out.array(shas.len());
            for sha in shas {
                out.integer(i64::from(scripts.contains(sha)));
            }
        }
        [what, how @ ..] if is(what, "FLUSH") => match how {
            [] => {
                scripts.flush();
                out.simple("OK");
            }
            [how] if is(how, "ASYNC") || is(how, "SYNC") => {
                scripts.flush();
                out.simple("OK");
            }
            _ => out.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
        },
        [what] if is(what, "KILL") => out.error("NOTBUSY No scripts in execution right now."),
        [what, ..] => out.error(&subcommand_refused("script", &["exists", "flush", "kill", "load"], what)),
        [] => out.error("ERR wrong number of arguments for 'script' command"),
    }
}
