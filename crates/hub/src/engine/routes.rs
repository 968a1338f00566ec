//! Which command of a Redis client goes to the store's engine, which is ours, and which nobody has.

use bytes::BytesMut;
use remuda_store::Flag;
use remuda_wire::resp::{Writer, encode_command};

use super::upstream::Expect;
use crate::core::Core;
use crate::redis::own::Verb;
use crate::redis::session::Session;
use crate::redis::text::number;
use crate::redis::{CommandKind, Flow};

/// Commands of Redis that the embedded store does not have, and an engine may. They are for users without rules, since
/// nobody here knows which of their arguments are keys; those about the server itself are not among them.
const FOREIGN: [&str; 21] = [
    "DUMP",
    "FCALL",
    "FCALL_RO",
    "FUNCTION",
    "GEOADD",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUS",
    "GEORADIUSBYMEMBER",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GEOSEARCHSTORE",
    "LCS",
    "PFADD",
    "PFCOUNT",
    "PFMERGE",
    "RESTORE",
    "HEXPIRE",
    "HTTL",
];

/// Where a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Ours,
    Engine,
    /// Nowhere, and why.
    Nowhere(&'static str),
}

/// The name of a command that only an engine has.
pub(crate) fn foreign(core: &Core, name: &[u8]) -> Option<&'static str> {
    core.engines.store.as_ref()?;
    FOREIGN.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

fn route(session: &Session, kind: CommandKind) -> Route {
    match kind {
        CommandKind::Store(_) | CommandKind::Foreign(_) => Route::Engine,
        CommandKind::Own(own) => match own.verb {
            Verb::Eval | Verb::Script
                if session.user.as_ref().is_some_and(|user| !user.is_unrestricted()) =>
            {
                Route::Nowhere(
                    "NOPERM scripts run in the store's engine, where nobody sees what they use: they are for users without rules",
                )
            }
            Verb::Eval | Verb::Script | Verb::Unwatch | Verb::Wait | Verb::Watch | Verb::Select => {
                Route::Engine
            }
            Verb::Changes => {
                Route::Nowhere("ERR CHANGES is not available with this engine: it counts no revisions")
            }
            Verb::BgRewrite | Verb::LastSave => Route::Nowhere(
                "ERR the store is held by another server, which keeps it on disk as it is told to",
            ),
            _ => Route::Ours,
        },
    }
}

/// Whether a command may stand in a transaction that is sent to the engine.
pub(crate) fn queues(core: &Core, session: &Session, kind: CommandKind) -> Result<(), String> {
    if core.engines.store.is_none() {
        return Ok(());
    }
    if matches!(kind, CommandKind::Own(own) if own.verb == Verb::Select) {
        return Err("ERR SELECT is not available inside MULTI with this engine: say it before".to_owned());
    }
    let is_shared = match kind {
        CommandKind::Own(own) => match own.verb {
            Verb::Ping | Verb::Echo | Verb::Time => true,
            Verb::Publish | Verb::SPublish => core.engines.are_one(),
            _ => false,
        },
        CommandKind::Store(_) | CommandKind::Foreign(_) => false,
    };
    match route(session, kind) {
        Route::Engine => Ok(()),
        Route::Ours if is_shared => Ok(()),
        Route::Nowhere(why) => Err(why.to_owned()),
        Route::Ours => Err(format!(
            "ERR {} is not available inside MULTI with this engine: the store's engine carries out transactions, and knows \
             only what is its own",
            kind.name()
        )),
    }
}

/// Whether a command goes to the engine as it is, so that it may follow others there whose answers are not here yet.
pub(crate) fn follows(core: &Core, session: &Session, kind: CommandKind) -> bool {
    let is_open = session.transaction.is_open();
    core.engines.store.as_ref().is_some_and(|store| store.takes_more(session))
        && !is_open
        && route(session, kind) == Route::Engine
}

/// Sends a command to the store's engine, if that is where it belongs. `None`: it is ours.
pub(crate) fn take(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    kind: CommandKind,
    command: &[&[u8]],
) -> Option<Flow> {
    core.engines.store.as_ref()?;
    match route(session, kind) {
        Route::Ours => return None,
        Route::Nowhere(why) => {
            out.error(why);
            return Some(Flow::Go);
        }
        Route::Engine => {}
    }
    let verb = match kind {
        CommandKind::Own(own) => Some(own.verb),
        CommandKind::Store(_) | CommandKind::Foreign(_) => None,
    };
    if verb == Some(Verb::Watch) && session.transaction.is_open() {
        out.error("ERR WATCH inside MULTI is not allowed");
        return Some(Flow::Go);
    }
    let expect = match (verb, kind) {
        (Some(Verb::Select), _) => match number(command[1]).and_then(|index| u32::try_from(index).ok()) {
            Some(index) => Expect::Select(index),
            None => Expect::Relay(Vec::new()),
        },
        (_, CommandKind::Store(spec)) if spec.flags.has(Flag::Blocking) => {
            let mut encoded = BytesMut::new();
            encode_command(command, &mut encoded);
            Expect::Relay(encoded.to_vec())
        }
        (Some(Verb::Wait), _) => Expect::Count,
        _ => Expect::Relay(Vec::new()),
    };
    match verb {
        Some(Verb::Watch) => session.is_watching = true,
        Some(Verb::Unwatch) => (session.is_watching, session.has_lost_watch) = (false, false),
        _ => {}
    }
    Some(forward(core, session, out, command, expect))
}

fn forward(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    command: &[&[u8]],
    expect: Expect,
) -> Flow {
    let Some(store) = &mut core.engines.store else { return Flow::Go };
    match store.forward(session, command, expect, core.moment.tick) {
        Ok(()) => session.is_forwarded = true,
        Err(error) => out.error(&format!("ERR {error}")),
    }
    Flow::Go
}

/// `EXEC` with the store's engine: what was queued is sent whole, and the answer to all of it comes back. `None`: the
/// store is our own.
pub(crate) fn exec(core: &mut Core, session: &mut Session, out: &mut Writer<'_>) -> Option<Flow> {
    core.engines.store.as_ref()?;
    if !session.transaction.is_open() {
        out.error("ERR EXEC without MULTI");
        return Some(Flow::Go);
    }
    let transaction = session.transaction.take();
    let was_watching = std::mem::take(&mut session.is_watching);
    let has_lost = std::mem::take(&mut session.has_lost_watch);
    if transaction.is_poisoned() || has_lost {
        if was_watching {
            release_watch(core, session);
        }
        if transaction.is_poisoned() {
            out.error("EXECABORT Transaction discarded because of previous errors.");
        } else {
            out.null_array();
        }
        return Some(Flow::Go);
    }
    let mut failed = None;
    let mut send = |session: &mut Session, command: &[&[u8]], expect| {
        if failed.is_none()
            && let Some(store) = &mut core.engines.store
        {
            failed = store.forward(session, command, expect, core.moment.tick).err();
        }
    };
    send(session, &[b"MULTI"], Expect::Swallow);
    transaction.for_each(|_, command| send(session, command, Expect::Swallow));
    send(session, &[b"EXEC"], Expect::Relay(Vec::new()));
    match failed {
        None => session.is_forwarded = true,
        Some(error) => out.error(&format!("ERR {error}")),
    }
    Some(Flow::Go)
}

/// Ends a client's watches in the engine.
pub(crate) fn release_watch(core: &mut Core, session: &mut Session) {
    if session.upstream.is_some()
        && let Some(store) = &mut core.engines.store
    {
        // Should it fail, the connection is gone, and with it what was watched.
        let _ = store.forward(session, &[b"UNWATCH"], Expect::Swallow, core.moment.tick);
    }
}
