//! Requests of REQ, DEALER, ROUTER and REP peers, carried out. What they are stands in [`super::control`].

mod locks;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use remuda_bus::{Capacity, ServicesOptions};
use remuda_model::message::Batch;
use remuda_store::{Flag, Mode, Outcome};
use remuda_wire::zmtp::{encode_message, frames_of};

use super::answers::FramesAnswer;
use super::control::{Asked, split};
use super::peer::{Peer, Pending};
use crate::access::User;
use crate::core::Core;
use crate::digest::REPLIES_MAX_BYTES;
use crate::events::is_reserved;
use crate::outbox::Outbox;
use crate::signature::{self, Opened};
use crate::table::Key;
use crate::timers::Due;

/// Calls of one peer that are not answered yet.
const CALLS_MAX: usize = 1_000;
/// Messages of one answer to `REPLAY`; who is further behind asks again.
const REPLAY_MAX: usize = 1_000;

/// One request being carried out.
struct Request<'a> {
    key: Key,
    envelope: &'a [&'a [u8]],
    words: &'a [&'a [u8]],
    /// In whose name it is: the signer's, else the peer's own.
    user: Option<Arc<User>>,
    signer: Option<String>,
    /// The words of its answer; empty when there is none yet, or never.
    answer: Vec<Bytes>,
}

impl<'a> Request<'a> {
    fn error(&mut self, reason: &str) {
        self.answer = vec![Bytes::from_static(b"ERROR"), Bytes::copy_from_slice(reason.as_bytes())];
    }

    fn ok(&mut self, values: impl IntoIterator<Item = Vec<u8>>) {
        self.answer = vec![Bytes::from_static(b"OK")];
        self.answer.extend(values.into_iter().map(Bytes::from));
    }

    /// How an answer that comes later is sent.
    fn pending(&self) -> Pending {
        let envelope = self.envelope.iter().map(|frame| Bytes::copy_from_slice(frame)).collect();
        Pending { envelope, signer: self.signer.clone() }
    }

    fn may_subscribe(&self, name: &[u8]) -> bool {
        self.user.as_ref().is_some_and(|user| user.access.may_subscribe(name))
    }

    fn may_publish(&self, name: &[u8]) -> bool {
        self.user.as_ref().is_some_and(|user| user.access.may_publish(name))
    }

    /// The answer as it is sent, signed where the request was.
    fn encoded(&self, core: &Core) -> BytesMut {
        let mut frames = BytesMut::new();
        if !self.answer.is_empty() {
            let words: Vec<&[u8]> = self.answer.iter().map(AsRef::as_ref).collect();
            signature::encode(core, self.signer.as_deref(), self.envelope, &words, &mut frames);
        }
        frames
    }
}

/// Carries out the requests of `batch` from number `from` on, as long as answers do not pile up.
pub(crate) fn requests(
    core: &mut Core,
    key: Key,
    peer: &mut Peer,
    batch: Batch,
    from: usize,
    outbox: &mut Outbox,
) {
    for (place, span) in batch.messages.iter().enumerate().skip(from) {
        if outbox.len() > REPLIES_MAX_BYTES {
            peer.behind = Some((batch, place));
            return;
        }
        let frames: Vec<&[u8]> = frames_of(&batch, span).collect();
        let mark = outbox.mark();
        let answer = one(core, key, peer, &frames);
        if !answer.is_empty() {
            peer.send(&answer, outbox);
        }
        if let Some(position) = core.durability.take_hold() {
            outbox.hold(mark, position);
        }
    }
}

fn one(core: &mut Core, key: Key, peer: &mut Peer, frames: &[&[u8]]) -> BytesMut {
    let answer = Vec::new();
    let Some(asked) = split(frames) else {
        let mut request = Request { key, envelope: &[], words: &[], user: None, signer: None, answer };
        request.error("an empty request: the first frame is a verb");
        return request.encoded(core);
    };
    let Asked { envelope, .. } = asked;
    let mut request = Request { key, envelope, words: &[], user: peer.user.clone(), signer: None, answer };
    match signature::open(&asked, core) {
        Ok(Opened { words, signer }) => {
            if let Some(signer) = &signer {
                request.user = Some(core.users.user(signer));
            }
            (request.words, request.signer) = (words, signer);
            carry_out(core, peer, &mut request);
        }
        Err(refused) => {
            core.figures.refused += 1;
            request.error(&refused);
        }
    }
    request.encoded(core)
}

fn carry_out(core: &mut Core, peer: &mut Peer, request: &mut Request<'_>) {
    let verb = request.words[0].to_ascii_uppercase();
    match (verb.as_slice(), request.words) {
        (b"CALL", [_, service, timeout, body]) => call(core, peer, request, service, timeout, body),
        (b"SERVE", [_, service]) => serve(core, peer, request, service, None),
        (b"SERVE", [_, service, capacity]) => serve(core, peer, request, service, Some(capacity)),
        (b"REPLY", [_, call, body]) => reply(core, request, call, Ok(Bytes::copy_from_slice(body))),
        (b"FAIL", [_, call, reason]) => reply(core, request, call, Err(Bytes::copy_from_slice(reason))),
        (b"LEAVE", [_, service]) => {
            core.leave_service(request.key, service);
            request.ok([]);
        }
        (b"PUB", [_, parts @ ..]) if !parts.is_empty() => publish(core, peer, request, parts),
        (b"SYNC", [_, prefix, timeout]) => sync(core, peer, request, prefix, timeout),
        (b"REPLAY", [_, prefix, after]) => replay(core, request, prefix, after),
        (b"LOCK" | b"RENEW" | b"UNLOCK" | b"LOCKINFO" | b"LOCKS", words) => {
            locks::ask(core, peer, request, &verb, &words[1..]);
        }
        (b"PING", [_]) => request.ok([b"PONG".to_vec()]),
        (b"CALL" | b"SERVE" | b"REPLY" | b"FAIL" | b"LEAVE" | b"PUB" | b"SYNC" | b"REPLAY", _) => {
            let verb = String::from_utf8_lossy(&verb).into_owned();
            request.error(&format!("wrong number of frames for {verb}"));
        }
        _ => command(core, request),
    }
}

fn number(frame: &[u8]) -> Option<u64> {
    std::str::from_utf8(frame).ok()?.parse().ok()
}

fn timeout(frame: &[u8]) -> Option<Duration> {
    let limit = number(frame).map(Duration::from_millis).filter(|limit| !limit.is_zero());
    limit.filter(|limit| *limit <= ServicesOptions::TIMEOUT_MAX)
}

fn call(
    core: &mut Core,
    peer: &mut Peer,
    request: &mut Request<'_>,
    service: &[u8],
    limit: &[u8],
    body: &[u8],
) {
    let Some(limit) = timeout(limit) else {
        return request.error("the timeout of a call is 1 to 3600000 milliseconds");
    };
    if !request.may_subscribe(service) {
        return request.error("this peer may not call this service");
    }
    if peer.calls.len() >= CALLS_MAX {
        return request.error("1000 calls of this peer are not answered yet");
    }
    let ticket = peer.next_ticket;
    peer.next_ticket += 1;
    peer.calls.insert(ticket, request.pending());
    let name = request.user.as_ref().map_or("", |user| &user.name);
    core.call(request.key, name, ticket, service, limit, body);
}

fn serve(
    core: &mut Core,
    peer: &mut Peer,
    request: &mut Request<'_>,
    service: &[u8],
    capacity: Option<&[u8]>,
) {
    if !request.may_publish(service) {
        return request.error("this peer may not answer for this service");
    }
    let default = Capacity::default();
    let outstanding_max = match capacity {
        None => default.outstanding_max,
        Some(frame) => {
            match number(frame).and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0) {
                Some(count) => count,
                None => return request.error("the capacity of a worker is a number from 1"),
            }
        }
    };
    let capacity = Capacity { outstanding_max, ..default };
    match core.serve(request.key, service, capacity) {
        Ok(()) => {
            peer.signer.clone_from(&request.signer);
            request.ok([]);
        }
        Err(error) => request.error(&error),
    }
}

fn reply(core: &mut Core, request: &mut Request<'_>, call: &[u8], outcome: Result<Bytes, Bytes>) {
    let Some(call) = number(call) else { return request.error("the call is not a number that was given") };
    if !core.answer(request.key, call, outcome) {
        request.error("nobody waits for this call: it was answered, has timed out, or is not this worker's");
    }
}

fn publish(core: &mut Core, peer: &Peer, request: &mut Request<'_>, parts: &[&[u8]]) {
    let topic = parts[0];
    if is_reserved(topic) || !request.may_publish(topic) {
        return request.error("this peer may not publish on this topic");
    }
    core.tell_changes();
    let mut frames = BytesMut::new();
    encode_message(parts, &mut frames);
    let heard = core.broadcast(peer.origin, &super::batch_of(frames.freeze()));
    request.ok([heard.to_string().into_bytes()]);
}

fn sync(core: &mut Core, peer: &mut Peer, request: &mut Request<'_>, prefix: &[u8], limit: &[u8]) {
    let Some(limit) = timeout(limit) else {
        return request.error("the timeout of SYNC is 1 to 3600000 milliseconds");
    };
    if !request.may_publish(prefix) && !request.may_subscribe(prefix) {
        return request.error("this peer has nothing to do with topics of this prefix");
    }
    let is_there = core.bus.listeners(remuda_bus::FilterKind::Prefix, prefix) > 0;
    if is_there && core.is_settled() {
        return request.ok([]);
    }
    if peer.sync.is_some() {
        return request.error("this peer waits for another SYNC already");
    }
    peer.sync = Some((prefix.to_vec(), request.pending()));
    core.syncing.entry(prefix.to_vec()).or_default().push(request.key);
    core.timers.set(request.key, Due::Sync, core.moment.tick + limit);
    if is_there {
        core.tell_subscribed(prefix);
    }
}

fn replay(core: &Core, request: &mut Request<'_>, prefix: &[u8], after: &[u8]) {
    let Some(after) = number(after) else { return request.error("the sequence number is a whole number") };
    if !request.user.as_ref().is_some_and(|user| user.may_replay(prefix)) {
        return request.error("this peer may not hear topics with this prefix");
    }
    let replay = core.bus.replay(prefix, after);
    let mut values: Vec<Vec<u8>> = vec![replay.lost.unwrap_or_default().to_string().into_bytes()];
    for message in replay.take(REPLAY_MAX) {
        values.push(message.sequence.to_string().into_bytes());
        values.push(message.topic.to_vec());
        values.push(message.payload.into_owned());
    }
    request.ok(values);
}

/// A command of the store, as Redis has it.
fn command(core: &mut Core, request: &mut Request<'_>) {
    let words = request.words;
    let Some(spec) = remuda_store::lookup(words[0]) else {
        let verb = String::from_utf8_lossy(&words[0][..words[0].len().min(64)]).into_owned();
        return request.error(&format!("unknown verb '{verb}'"));
    };
    if let Some(store) = &core.engines.store {
        let why = format!(
            "the store is held by {}: its commands are there for Redis clients (REDIS_URL), not on the bus",
            store.line.address
        );
        return request.error(&why);
    }
    let writes = spec.flags.has(Flag::Write);
    if let Some(refused) = core.refuses_writes().filter(|_| writes) {
        return request.error(&refused);
    }
    let Some(user) = request.user.clone().filter(|user| user.is_known) else {
        return request.error("the store is for peers that have shown who they are");
    };
    if let Err(denied) = user.may_run(spec, words) {
        return request.error(&denied.to_string());
    }
    let mut answer = FramesAnswer::default();
    let client = request.key.client();
    let outcome = core.store.execute(core.moment, client, 0, words, Mode::Transaction, &mut answer);
    core.after_command(0, words, outcome == Outcome::Done { verbatim: true });
    if !writes {
        // As for Redis clients: nobody waits for the disk to note that a key has ended.
        core.durability.take_hold();
    }
    request.answer = answer.into_words();
}
