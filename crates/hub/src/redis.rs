//! Redis clients: which command is whose, who may, and when.

mod allowed;
pub(crate) mod client;
mod greeting;
mod kind;
mod locks;
pub(crate) mod own;
mod pubsub;
mod scripts;
mod server;
pub(crate) mod services;
pub(crate) mod session;
pub(crate) mod text;
mod transactions;

use remuda_store::{Flag, Mode, Outcome, Queued};
use remuda_wire::resp::Writer;

use self::allowed::{acl, allowed};
use self::own::{Own, Verb};
use self::pubsub::Sort;
use self::session::{Session, Waiting};
use self::text::one_line;
use crate::core::{Core, Errand};
use crate::engine::routes;
use crate::reply::Reply;

pub(crate) use self::greeting::wants_reply;
pub(crate) use self::kind::{CommandKind, all, lookup};

/// How the connection goes on after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// With the next one.
    Go,
    /// Not before the reply to this one is there.
    Wait,
    /// Not at all: what was replied is written, then it ends.
    Close,
}

/// Whether carrying out `command` now would subscribe the client to something.
pub(crate) fn subscribes(session: &Session, command: &[&[u8]]) -> bool {
    let verb = |command: &[&[u8]]| own::find(command.first()?).map(|own| own.verb);
    let is_one =
        |verb| matches!(verb, Verb::Subscribe | Verb::PSubscribe | Verb::SSubscribe | Verb::BusSubscribe);
    match verb(command) {
        Some(Verb::Exec) => {
            let mut is_among = false;
            session.transaction.for_each(|_, queued| is_among |= verb(queued).is_some_and(is_one));
            is_among
        }
        Some(verb) => is_one(verb) && !session.transaction.is_open(),
        None => false,
    }
}

/// Whether this is a line of HTTP: a browser that was led here by a page sends one, with commands in its body.
pub(crate) fn is_http(command: &[&[u8]]) -> bool {
    command
        .first()
        .is_some_and(|name| name.eq_ignore_ascii_case(b"POST") || name.eq_ignore_ascii_case(b"Host:"))
}

/// Carries out one command of a client, or queues it, or says why not.
pub(crate) fn obey(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) -> Flow {
    let Some(name) = command.first() else { return Flow::Go };
    session.commands += 1;
    session.active = core.moment.tick;
    let Some(kind) = find(core, name) else {
        session.transaction.poison();
        out.error(&unknown(command));
        return Flow::Go;
    };
    session.last_command = kind.name();
    if !kind.takes(command.len()) {
        let name = kind.name().to_ascii_lowercase();
        let why = format!("wrong number of arguments for '{name}' command");
        if matches!(kind, CommandKind::Own(own) if own.verb == Verb::Exec) {
            transactions::abort(core, session, out, &why);
        } else {
            session.transaction.poison();
            out.error(&format!("ERR {why}"));
        }
        return Flow::Go;
    }
    if let Err(refused) = allowed(session, kind, command) {
        session.transaction.poison();
        out.error(&refused);
        return Flow::Go;
    }
    let at_once = matches!(kind, CommandKind::Own(own) if own.not_queued);
    if session.transaction.is_open() && !at_once {
        if let Err(refused) = routes::queues(core, session, kind) {
            session.transaction.poison();
            out.error(&refused);
            return Flow::Go;
        }
        match session.transaction.queue(session.database, command) {
            Queued::Yes => out.simple("QUEUED"),
            Queued::Full => out.error("ERR the transaction has more commands, or longer ones, than it may"),
        }
        return Flow::Go;
    }
    run_kind(core, session, out, kind, command, Mode::Normal)
}

/// The command of this name, the engine's own among them.
fn find(core: &Core, name: &[u8]) -> Option<CommandKind> {
    lookup(name).or_else(|| routes::foreign(core, name).map(CommandKind::Foreign))
}

/// Whether a command may be carried out before those that went to the store's engine are answered: it goes there too.
pub(crate) fn follows(core: &Core, session: &Session, command: &[&[u8]]) -> bool {
    let Some(kind) = command.first().and_then(|name| find(core, name)) else { return false };
    kind.takes(command.len())
        && allowed(session, kind, command).is_ok()
        && routes::follows(core, session, kind)
}

/// Carries out a command that was checked before.
pub(crate) fn run(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    command: &[&[u8]],
    mode: Mode,
) -> Flow {
    match command.first().and_then(|name| lookup(name)) {
        Some(kind) => run_kind(core, session, out, kind, command, mode),
        None => {
            out.error(&unknown(command));
            Flow::Go
        }
    }
}

fn run_kind(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    kind: CommandKind,
    command: &[&[u8]],
    mode: Mode,
) -> Flow {
    if let Some(flow) = routes::take(core, session, out, kind, command) {
        return flow;
    }
    match kind {
        CommandKind::Foreign(_) => Flow::Go,
        CommandKind::Own(own) => run_own(core, session, out, own, command, mode),
        CommandKind::Store(spec) => {
            if let Some(refused) = core.refuses_writes().filter(|_| spec.flags.has(Flag::Write)) {
                out.error(&refused);
                return Flow::Go;
            }
            let (client, database) = (session.key.client(), session.database);
            let mut reply = Reply(Writer::new(out.out, out.version));
            match core.store.execute(core.moment, client, database, command, mode, &mut reply) {
                Outcome::Blocked => {
                    // A reader of a group has made its consumer before it waits.
                    core.take_effects();
                    session.waiting = Some(Waiting::Key);
                    core.waits(session);
                    Flow::Wait
                }
                Outcome::Done { verbatim } => {
                    core.after_command(database, command, verbatim);
                    // Somebody hears of what it writes.
                    session.has_published |= spec.flags.has(Flag::Write) && core.tells_of_changes();
                    if !spec.flags.has(Flag::Write) && !core.is_grouped() {
                        // A key that was found to have ended is noted on disk, but nobody waits for that: reads go on
                        // while the disk does not.
                        core.durability.take_hold();
                    }
                    Flow::Go
                }
                Outcome::NotMine => Flow::Go,
            }
        }
    }
}

fn run_own(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    own: &Own,
    command: &[&[u8]],
    mode: Mode,
) -> Flow {
    let rest = &command[1..];
    match own.verb {
        Verb::Acl => acl(core, session, out, rest),
        Verb::Auth => greeting::auth(core, session, out, command),
        Verb::BgRewrite => core.rewrite(out),
        Verb::BusEcho => pubsub::echo(core, session, out, rest[0]),
        Verb::BusReplay => pubsub::replay(core, session, out, command),
        Verb::BusSubscribe => pubsub::subscribe_sequenced(core, session, out, command),
        Verb::BusUnsubscribe => pubsub::unsubscribe_sequenced(core, session, out, rest[0]),
        Verb::Changes => changes(core, session, out, rest),
        Verb::Client => return client::client(core, session, out, command),
        Verb::Command => server::command(out, command),
        Verb::Config => server::config(core, out, command),
        Verb::Discard => transactions::discard(core, session, out),
        Verb::Echo => out.bulk(rest[0]),
        Verb::Eval => scripts::eval(core, session, out, command),
        Verb::Exec => match routes::exec(core, session, out) {
            Some(flow) => return flow,
            None => transactions::exec(core, session, out),
        },
        Verb::Hello => greeting::hello(core, session, out, command),
        Verb::HubHerd if !rest.is_empty() => herd_check(core, out, rest),
        Verb::HubHerd | Verb::HubMetrics => return of_connections(core, session, out, own.verb),
        Verb::Info => server::info(core, session, out, rest),
        // What is written is on disk a second later: there is no save to remember.
        Verb::LastSave => out.integer(i64::try_from(core.moment.wall_ms / 1000).unwrap_or(i64::MAX)),
        Verb::Lock(verb) => return locks::run(core, session, out, verb, rest, mode),
        Verb::Lolwut => out.bulk(concat!("Remuda ver. ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        Verb::Module => out.array(0),
        Verb::Multi => transactions::multi(session, out),
        Verb::Ping => greeting::ping(session, out, command),
        Verb::Publish => return pubsub::publish(core, session, out, Sort::Channel, (rest[0], rest[1]), mode),
        Verb::PubSub => pubsub::pubsub(core, session, out, command),
        Verb::Quit => {
            out.simple("OK");
            return Flow::Close;
        }
        Verb::ReadOnly => out.error("ERR This instance has cluster support disabled"),
        Verb::Reset => greeting::reset(core, session, out),
        Verb::Role => server::role(out),
        Verb::SPublish => return pubsub::publish(core, session, out, Sort::Shard, (rest[0], rest[1]), mode),
        Verb::Script => scripts::script(core, out, rest),
        Verb::Select => {
            greeting::select(core, session, &mut Reply(Writer::new(out.out, out.version)), rest[0]);
        }
        Verb::ServiceCall | Verb::ServiceNext if mode != Mode::Normal => {
            out.error("ERR calls cannot be waited for inside MULTI");
        }
        Verb::ServiceCall => return services::call(core, session, out, command),
        Verb::ServiceFail => services::reply(core, session, out, command, true),
        Verb::ServiceLeave => services::leave(core, session, out, rest[0]),
        Verb::ServiceNext => return services::next(core, session, out, command),
        Verb::ServiceReply => services::reply(core, session, out, command, false),
        Verb::ServiceServe => services::serve(core, session, out, command),
        Verb::SlowLog => server::slow_log(out, rest),
        Verb::Subscribe | Verb::PSubscribe | Verb::SSubscribe => {
            pubsub::subscribe(core, session, out, Sort::of_verb(own.verb), rest);
        }
        Verb::Unsubscribe | Verb::PUnsubscribe | Verb::SUnsubscribe => {
            pubsub::unsubscribe(core, session, out, Sort::of_verb(own.verb), rest);
        }
        Verb::Time => server::time(&mut Reply(Writer::new(out.out, out.version))),
        Verb::Unwatch => {
            transactions::unwatch(core, session);
            out.simple("OK");
        }
        Verb::Wait => server::wait(core, out, command),
        Verb::Watch => transactions::watch(core, session, out, rest),
    }
    Flow::Go
}

/// Bytes of the arguments that the text about an unknown command shows, and of its name.
const UNKNOWN_SHOWN_BYTES: usize = 128;

/// Redis' own words for a command that does not exist.
fn unknown(command: &[&[u8]]) -> String {
    // A zero byte ends what is shown of a word, as it does in C.
    let shown = |word: &'_ [u8], most: usize| {
        let word = &word[..word.len().min(most)];
        word.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
    };
    let mut arguments = Vec::new();
    for argument in &command[1..] {
        if arguments.len() >= UNKNOWN_SHOWN_BYTES {
            break;
        }
        let shown = shown(argument, UNKNOWN_SHOWN_BYTES - arguments.len());
        arguments.extend_from_slice(&[b"'", shown.as_slice(), b"' "].concat());
    }
    let (name, arguments) = (shown(command[0], UNKNOWN_SHOWN_BYTES), one_line(&arguments));
    format!("ERR unknown command '{}', with args beginning with: {arguments}", one_line(&name))
}

/// `HUB.HERD CHECK` begins to compare shared keys with other servers, `HUB.HERD CHECKED` says what was found so far.
fn herd_check(core: &mut Core, out: &mut Writer<'_>, rest: &[&[u8]]) {
    let checked = match rest {
        [word] if word.eq_ignore_ascii_case(b"CHECK") && core.is_grouped() => {
            Err("ERR this is not answered inside MULTI")
        }
        [word] if word.eq_ignore_ascii_case(b"CHECK") => core.begin_check(),
        [word] if word.eq_ignore_ascii_case(b"CHECKED") => core.check_result(),
        _ => Err("ERR HUB.HERD takes CHECK, CHECKED, or nothing"),
    };
    match checked {
        Ok(check) => out.bulk(&serde_json::to_vec(&check).expect("what was found is numbers and texts")),
        Err(error) => out.error(error),
    }
}

/// `HUB.METRICS` and `HUB.HERD`, as JSON. Connections are looked at at the end of the turn.
fn of_connections(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, verb: Verb) -> Flow {
    if core.is_grouped() {
        out.error("ERR this is not answered inside MULTI");
        return Flow::Go;
    }
    let to = session.key;
    let with_names = session.user.as_ref().is_some_and(|user| user.is_unrestricted());
    core.ask(if verb == Verb::HubHerd { Errand::Herd { to } } else { Errand::Metrics { to, with_names } });
    session.waiting = Some(Waiting::Errand);
    Flow::Wait
}

/// `CHANGES`: the revision of the last change. `CHANGES revision prefix`: what happened to the keys with this prefix after
/// `revision`.
fn changes(core: &mut Core, session: &Session, out: &mut Writer<'_>, rest: &[&[u8]]) {
    if rest.is_empty() {
        return out.integer(i64::try_from(core.store.revision()).unwrap_or(i64::MAX));
    }
    if rest.len() != 2 {
        return out.error("ERR CHANGES takes a revision and a prefix, or nothing");
    }
    let Some(after) = text::number(rest[0]).and_then(|after| u64::try_from(after).ok()) else {
        return out.error("ERR the revision is not a whole number from 0");
    };
    let prefix = rest[1];
    if !session.user.as_ref().is_some_and(|user| user.access.may_read(prefix)) {
        return out.error("NOPERM No permissions to access a key");
    }
    core.changes_since(after, session.database, prefix, out);
}

#[cfg(test)]
mod tests;
