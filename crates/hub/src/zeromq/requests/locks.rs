//! Locks, for ZeroMQ peers: for those who have shown who they are, as the store is.

use remuda_store::Asker;

use super::{CALLS_MAX, Peer, Request};
use crate::core::Core;
use crate::locks::words::Shown;

pub(super) fn ask(core: &mut Core, peer: &mut Peer, request: &mut Request<'_>, verb: &[u8], words: &[&[u8]]) {
    let Some(user) = request.user.clone().filter(|user| user.is_known) else {
        return request.error("locks are for peers that have shown who they are");
    };
    if verb == b"LOCKS" {
        return match core.locks_shown(Some(&user)) {
            Ok(all) => request.ok(all.iter().flat_map(frames)),
            Err(why) => request.error(&why),
        };
    }
    let Some(name) = words.first() else { return request.error("a question about a lock has its name") };
    let may = if verb == b"LOCKINFO" { user.access.may_read(name) } else { user.access.may_write(name) };
    if !may {
        return request.error("this peer may not use a lock of this name");
    }
    if verb == b"LOCKINFO" {
        return match core.lock_shown(name) {
            Ok(Some(shown)) => request.ok(frames(&shown)),
            Ok(None) => request.answer = vec![bytes::Bytes::from_static(b"NIL")],
            Err(why) => request.error(&why),
        };
    }
    if peer.locks.len() >= CALLS_MAX {
        return request.error("1000 questions of this peer about locks are not answered yet");
    }
    let who = Asker { client: request.key.number(), ticket: peer.next_ticket };
    let asked = match verb {
        b"LOCK" => core.acquire_lock(who, words),
        b"RENEW" => core.renew_lock(who, words),
        _ => core.release_lock(who, words),
    };
    match asked {
        Ok(()) => {
            peer.next_ticket += 1;
            peer.locks.insert(who.ticket, request.pending());
        }
        Err(why) => {
            core.locks.count_refusal();
            request.error(why.strip_prefix("ERR ").unwrap_or(&why));
        }
    }
}

/// Name, fence, owner, milliseconds left, ttl, how many wait, whether it ends with a connection.
fn frames(shown: &Shown) -> [Vec<u8>; 7] {
    let number = |number: u64| number.to_string().into_bytes();
    [
        shown.name.clone(),
        number(shown.fence),
        shown.owner.clone(),
        number(shown.left_ms),
        number(shown.ttl_ms),
        number(shown.waiting),
        number(u64::from(shown.is_session)),
    ]
}
