//! `MULTI EXEC DISCARD WATCH UNWATCH`.

use remuda_store::{Flag, Mode, Transaction};
use remuda_wire::resp::Writer;

use super::session::Session;
use super::{CommandKind, lookup, run};
use crate::core::Core;
use crate::engine::routes;

pub(crate) fn multi(session: &mut Session, out: &mut Writer<'_>) {
    if session.transaction.begin() {
        out.simple("OK");
    } else {
        out.error("ERR MULTI calls can not be nested");
    }
}

pub(crate) fn discard(core: &mut Core, session: &mut Session, out: &mut Writer<'_>) {
    if !session.transaction.discard() {
        return out.error("ERR DISCARD without MULTI");
    }
    unwatch(core, session);
    out.simple("OK");
}

/// Ends all watches.
pub(crate) fn unwatch(core: &mut Core, session: &mut Session) {
    core.store.unwatch(session.key.client());
    if session.is_watching {
        routes::release_watch(core, session);
    }
    session.is_watching = false;
    session.has_lost_watch = false;
}

pub(crate) fn watch(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, keys: &[&[u8]]) {
    if session.transaction.is_open() {
        return out.error("ERR WATCH inside MULTI is not allowed");
    }
    for key in keys {
        if !core.store.watch(core.moment, session.key.client(), session.database, key) {
            return out.error("ERR this client watches as many keys as one may");
        }
    }
    session.is_watching = true;
    out.simple("OK");
}

/// `EXEC` that cannot be: the transaction is over.
pub(crate) fn abort(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, why: &str) {
    session.transaction.discard();
    unwatch(core, session);
    out.error(&format!("EXECABORT Transaction discarded because of: {why}"));
}

/// Carries out what was queued, with nothing of anybody else in between.
pub(crate) fn exec(core: &mut Core, session: &mut Session, out: &mut Writer<'_>) {
    if !session.transaction.is_open() {
        return out.error("ERR EXEC without MULTI");
    }
    let intact = !session.has_lost_watch && core.store.is_intact(core.moment, session.key.client());
    unwatch(core, session);
    let transaction = session.transaction.take();
    if transaction.is_poisoned() {
        return out.error("EXECABORT Transaction discarded because of previous errors.");
    }
    if !intact {
        return out.null_array();
    }
    if let Some(refused) = refused(core, &transaction) {
        return out.error(&format!("EXECABORT Transaction discarded because of: {refused}"));
    }
    core.begin_group();
    out.array(transaction.len());
    transaction.for_each(|_, command| {
        run(core, session, out, command, Mode::Transaction);
    });
    core.end_group();
}

/// Why the transaction cannot be carried out as a whole: some of its commands would be refused, others not.
fn refused(core: &mut Core, transaction: &Transaction) -> Option<String> {
    let (mut writes, mut grows) = (false, false);
    transaction.for_each(|_, command| {
        if let Some(CommandKind::Store(spec)) = command.first().and_then(|name| lookup(name)) {
            writes |= spec.flags.has(Flag::Write);
            grows |= spec.flags.has(Flag::DenyOom);
        }
    });
    if writes && let Some(refused) = core.refuses_writes() {
        return Some(refused);
    }
    (grows && !core.store.has_room(core.moment))
        .then(|| "OOM command not allowed when used memory > 'maxmemory'.".to_owned())
}
