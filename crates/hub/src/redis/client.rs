//! `CLIENT`: who is connected, and how a client wants to be treated.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use remuda_model::Tick;
use remuda_wire::resp::Writer;

use super::Flow;
use super::greeting::valid_name;
use super::session::{Replies, Session, Waiting};
use super::text::{is, number, printable, subcommand_refused};
use crate::core::{Core, Errand};
use crate::table::Key;

/// What `CLIENT` knows.
const SUBCOMMANDS: [&str; 15] = [
    "getname",
    "getredir",
    "id",
    "info",
    "kill",
    "list",
    "no-evict",
    "no-touch",
    "reply",
    "setinfo",
    "setname",
    "tracking",
    "trackinginfo",
    "unblock",
    "unpause",
];

/// One client as `CLIENT LIST` shows it.
pub(crate) fn line(session: &Session, address: &str, queued: usize, now: Tick) -> String {
    let mut line = String::new();
    let _ = write!(
        line,
        "id={} addr={address} laddr= fd=0 name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} \
         qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={queued} oll=0 omem={queued} tot-mem={queued} events=r \
         cmd={} user={} redir=-1 resp={} lib-name={} lib-ver={}",
        session.key.number(),
        session.name,
        now.since(session.opened).as_secs(),
        now.since(session.active).as_secs(),
        flags(session),
        session.database,
        session.channels.len(),
        session.patterns.len(),
        session.shards.len(),
        if session.transaction.is_open() {
            i64::try_from(session.transaction.len()).unwrap_or(i64::MAX)
        } else {
            -1
        },
        if session.last_command.is_empty() {
            "NULL".to_owned()
        } else {
            session.last_command.to_ascii_lowercase()
        },
        session.user.as_ref().map_or("(none)", |user| &user.name),
        if session.version == remuda_wire::resp::Version::Resp3 { 3 } else { 2 },
        session.library,
        session.library_version,
    );
    line
}

fn flags(session: &Session) -> String {
    let mut flags = String::new();
    if session.waiting.is_some_and(|waiting| !matches!(waiting, Waiting::Errand | Waiting::Disk)) {
        flags.push('b');
    }
    if session.subscriptions() + session.shards.len() + session.sequenced.len() > 0 {
        flags.push('P');
    }
    if session.transaction.is_open() {
        flags.push('x');
    }
    if flags.is_empty() {
        flags.push('N');
    }
    flags
}

/// Carries it out; what is about other connections is answered at the end of the turn.
pub(crate) fn client(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    command: &[&[u8]],
) -> Flow {
    let before = core.errands.len();
    answer(core, session, out, command);
    if core.errands.len() == before {
        return Flow::Go;
    }
    if core.is_grouped() {
        core.errands.truncate(before);
        out.error("ERR this is not answered inside MULTI");
        return Flow::Go;
    }
    session.waiting = Some(Waiting::Errand);
    Flow::Wait
}

fn answer(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let what = command[1];
    match command.len() {
        2 if is(what, "ID") => out.integer(i64::try_from(session.key.number()).unwrap_or(i64::MAX)),
        2 if is(what, "GETNAME") => match session.name.as_str() {
            "" => out.null(),
            name => out.bulk(name.as_bytes()),
        },
        2 if is(what, "INFO") => {
            let which = Which { keys: Some(BTreeSet::from([session.key])), ..Which::default() };
            core.ask(Errand::List { to: session.key, which });
        }
        2.. if is_about_others(what) && !may_do_so(session) => out.error(&format!(
            "NOPERM User {} has no permissions to run the 'client|{}' command",
            session.user.as_ref().map_or("default", |user| user.name.as_str()),
            printable(what).to_ascii_lowercase()
        )),
        2 if is(what, "LIST") => core.ask(Errand::List { to: session.key, which: Which::default() }),
        _ if is(what, "LIST") => list_some(core, session, out, &command[2..]),
        2 if is(what, "GETREDIR") => out.integer(-1),
        2 if is(what, "UNPAUSE") => out.simple("OK"),
        2 if is(what, "TRACKINGINFO") => {
            out.map(3);
            out.bulk(b"flags");
            out.set(1);
            out.bulk(b"off");
            out.bulk(b"redirect");
            out.integer(-1);
            out.bulk(b"prefixes");
            out.array(0);
        }
        3 if is(what, "SETNAME") => match valid_name(command[2]) {
            Some(name) => {
                session.name = name;
                out.simple("OK");
            }
            None => out.error("ERR Client names cannot contain spaces, newlines or special characters."),
        },
        4 if is(what, "SETINFO") => set_info(session, out, command[2], command[3]),
        3 if is(what, "NO-EVICT") || is(what, "NO-TOUCH") => out.simple("OK"),
        3 if is(what, "REPLY") => reply(session, out, command[2]),
        3.. if is(what, "TRACKING") && is(command[2], "OFF") => out.simple("OK"),
        3.. if is(what, "TRACKING") => out.error("ERR client side caching is not supported"),
        3.. if is(what, "KILL") => kill(core, session, out, &command[2..]),
        3 | 4 if is(what, "UNBLOCK") => unblock(core, session, out, command),
        _ => out.error(&subcommand_refused("client", &SUBCOMMANDS, what)),
    }
}

fn is_about_others(what: &[u8]) -> bool {
    ["LIST", "KILL", "UNBLOCK"].iter().any(|word| is(what, word))
}

/// Others are no business of a service whose rules narrow what it may do.
fn may_do_so(session: &Session) -> bool {
    session.user.as_ref().is_some_and(|user| user.is_unrestricted())
}

fn set_info(session: &mut Session, out: &mut Writer<'_>, what: &[u8], value: &[u8]) {
    let Some(value) = valid_name(value).or_else(|| value.is_empty().then(String::new)) else {
        let what = printable(&what.to_ascii_lowercase());
        return out.error(&format!("ERR {what} cannot contain spaces, newlines or special characters."));
    };
    if is(what, "LIB-NAME") {
        session.library = value;
    } else if is(what, "LIB-VER") {
        session.library_version = value;
    } else {
        return out.error(&format!("ERR Unrecognized option '{}'", printable(what)));
    }
    out.simple("OK");
}

fn reply(session: &mut Session, out: &mut Writer<'_>, wish: &[u8]) {
    if is(wish, "ON") {
        session.replies = Replies::On;
        out.simple("OK");
    } else if is(wish, "OFF") {
        session.replies = Replies::Off;
    } else if is(wish, "SKIP") {
        if session.replies == Replies::On {
            session.replies = Replies::SkipNext;
        }
    } else {
        out.error("ERR syntax error");
    }
}

fn list_some(core: &mut Core, session: &Session, out: &mut Writer<'_>, options: &[&[u8]]) {
    match options {
        [word, kind] if is(word, "TYPE") => match Type::of(kind) {
            Some(kind) => {
                let which = Which { kind: Some(kind), ..Which::default() };
                core.ask(Errand::List { to: session.key, which });
            }
            None => out.error(&format!("ERR Unknown client type '{}'", printable(kind))),
        },
        [word, ids @ ..] if is(word, "ID") && !ids.is_empty() => {
            let keys: Option<BTreeSet<Key>> = ids.iter().map(|id| key(id)).collect();
            match keys {
                Some(keys) => {
                    let which = Which { keys: Some(keys), ..Which::default() };
                    core.ask(Errand::List { to: session.key, which });
                }
                None => out.error("ERR Invalid client ID"),
            }
        }
        _ => out.error("ERR syntax error"),
    }
}

fn key(id: &[u8]) -> Option<Key> {
    number(id).and_then(|id| u64::try_from(id).ok()).map(Key::from_number)
}

fn kill(core: &mut Core, session: &Session, out: &mut Writer<'_>, options: &[&[u8]]) {
    let to = session.key;
    if let [address] = options {
        let which =
            Which { address: Some(String::from_utf8_lossy(address).into_owned()), ..Which::default() };
        return core.ask(Errand::Kill { to, which, is_one: true });
    }
    // Whoever asks is spared, unless it says otherwise.
    let mut which = Which { except: Some(to), ..Which::default() };
    for pair in options.chunks(2) {
        let [word, value] = pair else { return out.error("ERR syntax error") };
        let text = || Some(String::from_utf8_lossy(value).into_owned());
        if is(word, "ID") {
            match number(value).filter(|id| *id > 0).and_then(|_| key(value)) {
                Some(key) => which.keys = Some(BTreeSet::from([key])),
                None => return out.error("ERR client-id should be greater than 0"),
            }
        } else if is(word, "TYPE") {
            match Type::of(value) {
                Some(kind) => which.kind = Some(kind),
                None => return out.error(&format!("ERR Unknown client type '{}'", printable(value))),
            }
        } else if is(word, "ADDR") {
            which.address = text();
        } else if is(word, "USER") {
            match text().filter(|name| name == "default" || core.users.names().any(|known| known == name)) {
                Some(name) => which.user = Some(name),
                None => return out.error(&format!("ERR No such user '{}'", printable(value))),
            }
        } else if is(word, "SKIPME") && is(value, "NO") {
            which.except = None;
        } else if !(is(word, "SKIPME") && is(value, "YES")) {
            return out.error("ERR syntax error");
        }
    }
    core.ask(Errand::Kill { to, which, is_one: false });
}

/// Sorts of clients that Redis tells apart; ours are of the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Normal,
    PubSub,
    Replication,
}

impl Type {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            name if is(name, "NORMAL") => Some(Self::Normal),
            name if is(name, "PUBSUB") => Some(Self::PubSub),
            name if is(name, "MASTER") || is(name, "REPLICA") || is(name, "SLAVE") => Some(Self::Replication),
            _ => None,
        }
    }
}

/// Which clients are meant: those that all of it is true of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Which {
    keys: Option<BTreeSet<Key>>,
    address: Option<String>,
    kind: Option<Type>,
    user: Option<String>,
    except: Option<Key>,
}

impl Which {
    /// Whom alone it may mean, each once, where it names them.
    pub(crate) fn keys(&self) -> Option<&BTreeSet<Key>> {
        self.keys.as_ref()
    }

    pub(crate) fn takes(&self, session: &Session, address: &str) -> bool {
        let listens = session.subscriptions() + session.shards.len() + session.sequenced.len() > 0;
        let kind = if listens { Type::PubSub } else { Type::Normal };
        let user = session.user.as_ref().map(|user| user.name.as_str());
        self.keys.as_ref().is_none_or(|keys| keys.contains(&session.key))
            && self.address.as_deref().is_none_or(|wanted| wanted == address)
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.user.as_deref().is_none_or(|wanted| user == Some(wanted))
            && self.except != Some(session.key)
    }
}

fn unblock(core: &mut Core, session: &Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let with_error = match command.get(3) {
        None => false,
        Some(wish) if is(wish, "TIMEOUT") => false,
        Some(wish) if is(wish, "ERROR") => true,
        Some(_) => return out.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
    };
    match key(command[2]) {
        Some(whom) => core.ask(Errand::Unblock { to: session.key, whom, with_error }),
        None => out.error("ERR value is not an integer or out of range"),
    }
}
