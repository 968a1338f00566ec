//! `LOCK.*`, for those who speak Redis; what the words mean stands in [`crate::locks::words`].

use remuda_store::{Asker, Mode};
use remuda_wire::resp::Writer;

use super::Flow;
use super::own::LockVerb;
use super::session::{Session, Waiting};
use crate::core::Core;
use crate::locks::words::Shown;

/// Carries out one of them.
pub(super) fn run(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    verb: LockVerb,
    words: &[&[u8]],
    mode: Mode,
) -> Flow {
    match verb {
        LockVerb::Info => info(core, out, words[0]),
        LockVerb::List => list(core, session, out),
        _ if mode != Mode::Normal => out.error("ERR locks cannot be waited for inside MULTI"),
        verb => return ask(core, session, out, verb, words),
    }
    Flow::Go
}

/// An answer that waits for the disk, or for the lock.
fn ask(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    verb: LockVerb,
    words: &[&[u8]],
) -> Flow {
    let who = Asker { client: session.key.number(), ticket: 0 };
    let asked = match verb {
        LockVerb::Acquire => core.acquire_lock(who, words),
        LockVerb::Renew => core.renew_lock(who, words),
        _ => core.release_lock(who, words),
    };
    match asked {
        Ok(()) => {
            session.waiting = Some(Waiting::Lock);
            Flow::Wait
        }
        Err(why) => {
            core.locks.count_refusal();
            out.error(&why);
            Flow::Go
        }
    }
}

fn info(core: &Core, out: &mut Writer<'_>, name: &[u8]) {
    match core.lock_shown(name) {
        Err(why) => out.error(&why),
        Ok(None) => out.null(),
        Ok(Some(shown)) => show(out, &shown),
    }
}

fn list(core: &Core, session: &Session, out: &mut Writer<'_>) {
    match core.locks_shown(session.user.as_deref()) {
        Err(why) => out.error(&why),
        Ok(all) => {
            out.array(all.len());
            for shown in all {
                show(out, &shown);
            }
        }
    }
}

fn show(out: &mut Writer<'_>, shown: &Shown) {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    out.map(7);
    out.bulk(b"name");
    out.bulk(&shown.name);
    out.bulk(b"fence");
    out.integer(whole(shown.fence));
    out.bulk(b"owner");
    out.bulk(&shown.owner);
    out.bulk(b"left_ms");
    out.integer(whole(shown.left_ms));
    out.bulk(b"ttl_ms");
    out.integer(whole(shown.ttl_ms));
    out.bulk(b"waiting");
    out.integer(whole(shown.waiting));
    out.bulk(b"session");
    out.integer(i64::from(shown.is_session));
}
