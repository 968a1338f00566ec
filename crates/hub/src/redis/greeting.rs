//! Commands about the connection itself: `HELLO AUTH PING ECHO SELECT RESET`.

use std::sync::Arc;

use remuda_store::Answer;
use remuda_wire::resp::{Version, Writer};

use super::session::{NAME_MAX_BYTES, Replies, Session};
use super::text::{is, number, printable};
use crate::access::User;
use crate::core::Core;

/// The version of Redis whose commands we answer like, told to clients that ask for one.
pub(crate) const REDIS_VERSION: &str = "7.4.0";

const WRONG_PASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";

pub(crate) fn hello(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let mut version = session.version;
    let mut rest = &command[1..];
    if let Some(first) = rest.first() {
        version = match number(first) {
            Some(2) => Version::Resp2,
            Some(3) => Version::Resp3,
            Some(_) => return out.error("NOPROTO unsupported protocol version"),
            None => return out.error("ERR Protocol version is not an integer or out of range"),
        };
        rest = &rest[1..];
    }
    let mut user = session.user.clone();
    let mut name = None;
    while let Some(option) = rest.first() {
        if is(option, "AUTH") && rest.len() >= 3 {
            match core.users.authenticate(rest[1], rest[2]) {
                Some(known) => user = Some(known),
                None => {
                    core.figures.refused += 1;
                    return out.error(WRONG_PASS);
                }
            }
            rest = &rest[3..];
        } else if is(option, "SETNAME") && rest.len() >= 2 {
            match valid_name(rest[1]) {
                Some(valid) => name = Some(valid),
                None => {
                    return out
                        .error("ERR Client names cannot contain spaces, newlines or special characters.");
                }
            }
            rest = &rest[2..];
        } else {
            return out.error(&format!("ERR Syntax error in HELLO option '{}'", printable(option)));
        }
    }
    if user.is_none() {
        return out.error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        );
    }
    session.user = user;
    session.name = name.unwrap_or_else(|| std::mem::take(&mut session.name));
    session.version = version;
    out.version = version;
    core.speaks_anew(session);
    out.map(7);
    for (key, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        out.bulk(key.as_bytes());
        out.bulk(value.as_bytes());
    }
    out.bulk(b"proto");
    out.integer(if version == Version::Resp3 { 3 } else { 2 });
    out.bulk(b"id");
    out.integer(i64::try_from(session.key.number()).unwrap_or(i64::MAX));
    for (key, value) in [("mode", "standalone"), ("role", "master")] {
        out.bulk(key.as_bytes());
        out.bulk(value.as_bytes());
    }
    out.bulk(b"modules");
    out.array(0);
}

pub(crate) fn auth(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let user = match command {
        [_, token] => core.users.authenticate(b"default", token),
        [_, name, token] => core.users.authenticate(name, token),
        _ => return out.error("ERR syntax error"),
    };
    match user {
        Some(user) => {
            session.user = Some(user);
            core.speaks(session);
            out.simple("OK");
        }
        None => {
            core.figures.refused += 1;
            out.error(WRONG_PASS);
        }
    }
}

pub(crate) fn ping(session: &Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    if command.len() > 2 {
        return out.error("ERR wrong number of arguments for 'ping' command");
    }
    let text = command.get(1);
    if session.is_listening_only() {
        out.array(2);
        out.bulk(b"pong");
        return out.bulk(text.copied().unwrap_or_default());
    }
    match text {
        Some(text) => out.bulk(text),
        None => out.simple("PONG"),
    }
}

/// `SELECT`, of clients and of scripts.
pub(crate) fn select(core: &Core, session: &mut Session, answer: &mut dyn Answer, database: &[u8]) {
    match number(database) {
        None => answer.error("ERR value is not an integer or out of range"),
        Some(index) => match u32::try_from(index) {
            Ok(index) if index < core.databases() => {
                session.database = index;
                answer.simple("OK");
            }
            _ if i32::try_from(index).is_err() => {
                answer.error("ERR value is out of range, value must between -2147483648 and 2147483647");
            }
            _ => answer.error("ERR DB index is out of range"),
        },
    }
}

/// Back to how a connection begins, but for who the client is where the way in says that.
pub(crate) fn reset(core: &mut Core, session: &mut Session, out: &mut Writer<'_>) {
    core.start_over(session);
    let user: Option<Arc<User>> = session.first_user.clone();
    let fresh = Session::new(session.key, user, session.origin, session.opened);
    let (active, commands, is_member) = (session.active, session.commands, session.is_member);
    let database = core.engines.first_database();
    *session = Session { active, commands, database, is_member, ..fresh };
    core.speaks(session);
    out.version = Version::Resp2;
    out.simple("RESET");
}

/// A name that a line of `CLIENT LIST` can carry.
pub(crate) fn valid_name(name: &[u8]) -> Option<String> {
    let fits = name.len() <= NAME_MAX_BYTES && name.iter().all(|byte| (b'!'..=b'~').contains(byte));
    fits.then(|| String::from_utf8_lossy(name).into_owned())
}

/// Whether the reply to the command that was just carried out is wanted, given what the client said of replies.
pub(crate) fn wants_reply(session: &mut Session) -> bool {
    match session.replies {
        Replies::On => true,
        Replies::Off => false,
        Replies::SkipNext => {
            session.replies = Replies::Skip;
            false
        }
        Replies::Skip => {
            session.replies = Replies::On;
            false
        }
    }
}
