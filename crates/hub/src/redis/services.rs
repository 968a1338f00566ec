//! `SERVICE.*`: calls between workers, for those who speak Redis.
//!
//! | command | reply |
//! |---|---|
//! | `SERVICE.SERVE name [CAPACITY n]` | `OK`: this connection answers calls of `name` |
//! | `SERVICE.NEXT [timeout_s]` | `[name, call, body, caller]`, or null when none came in time; caller is the service that calls |
//! | `SERVICE.REPLY call body` | `OK`, or an error if nobody waits for it any more |
//! | `SERVICE.FAIL call reason` | the same |
//! | `SERVICE.LEAVE name` | `OK` |
//! | `SERVICE.CALL name timeout_ms body` | the answer, or `-CALLFAILED why` |

use std::time::Duration;

use bytes::Bytes;
use remuda_wire::resp::Writer;

use super::Flow;
use super::session::{Session, Waiting};
use super::text::{is, number};
use remuda_bus::{Capacity, ServicesOptions};

use crate::core::Core;

/// The longest a call or a wait for one may take.
const TIMEOUT_MAX: Duration = ServicesOptions::TIMEOUT_MAX;

pub(crate) fn serve(core: &mut Core, session: &Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let capacity = match command {
        [_, _] => Some(1),
        [_, _, word, count] if is(word, "CAPACITY") => {
            number(count).and_then(|count| usize::try_from(count).ok())
        }
        _ => return out.error("ERR syntax error"),
    };
    let Some(capacity) = capacity.filter(|capacity| *capacity > 0) else {
        return out.error("ERR CAPACITY is a number from 1");
    };
    let name = command[1];
    if !session.user.as_ref().is_some_and(|user| user.access.may_publish(name)) {
        return out.error("NOPERM this user may not answer for this service");
    }
    let capacity = Capacity { outstanding_max: capacity, is_pull: true };
    match core.serve(session.key, name, capacity) {
        Ok(()) => out.simple("OK"),
        Err(error) => out.error(&format!("ERR {error}")),
    }
}

pub(crate) fn leave(core: &mut Core, session: &Session, out: &mut Writer<'_>, name: &[u8]) {
    core.leave_service(session.key, name);
    out.simple("OK");
}

pub(crate) fn next(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) -> Flow {
    let timeout = match command.get(1) {
        None => None,
        Some(text) => match std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()) {
            Some(seconds) if seconds >= 0.0 && seconds <= TIMEOUT_MAX.as_secs_f64() => {
                (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
            }
            _ => {
                out.error("ERR timeout is not a number of seconds from 0 to 3600");
                return Flow::Go;
            }
        },
    };
    // A call that is there already comes as a letter too, at the end of the turn.
    if !core.services.next(session.key.peer(), &mut core.orders) {
        out.error("ERR this connection serves nothing: SERVICE.SERVE comes first");
        return Flow::Go;
    }
    session.waiting = Some(Waiting::Call);
    core.wait_for_call(session.key, timeout);
    Flow::Wait
}

/// One call as the worker reads it.
pub(crate) fn call_to(out: &mut Writer<'_>, service: &[u8], call: u64, body: &[u8], caller: &[u8]) {
    out.array(4);
    out.bulk(service);
    out.integer(i64::try_from(call).unwrap_or(i64::MAX));
    out.bulk(body);
    out.bulk(caller);
}

pub(crate) fn reply(
    core: &mut Core,
    session: &Session,
    out: &mut Writer<'_>,
    command: &[&[u8]],
    failed: bool,
) {
    let Some(call) = number(command[1]).and_then(|call| u64::try_from(call).ok()) else {
        return out.error("ERR the call is not a number that SERVICE.NEXT gave");
    };
    let body = Bytes::copy_from_slice(command[2]);
    match core.answer(session.key, call, if failed { Err(body) } else { Ok(body) }) {
        true => out.simple("OK"),
        false => out
            .error("ERR nobody waits for this call: it was answered, has timed out, or is not this worker's"),
    }
}

pub(crate) fn call(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, command: &[&[u8]]) -> Flow {
    let timeout = number(command[2])
        .and_then(|millis| u64::try_from(millis).ok())
        .map(Duration::from_millis)
        .filter(|timeout| !timeout.is_zero() && *timeout <= TIMEOUT_MAX);
    let Some(timeout) = timeout else {
        out.error("ERR SERVICE.CALL takes a name, a timeout of 1 to 3600000 ms, and a body");
        return Flow::Go;
    };
    if !session.user.as_ref().is_some_and(|user| user.access.may_subscribe(command[1])) {
        out.error("NOPERM this user may not call this service");
        return Flow::Go;
    }
    session.waiting = Some(Waiting::Answer);
    let name = session.user.as_ref().map_or("", |user| &user.name);
    core.call(session.key, name, 0, command[1], timeout, command[3]);
    Flow::Wait
}
