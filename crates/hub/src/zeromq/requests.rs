//! Requests of REQ, DEALER, ROUTER and REP peers, carried out. What they are stands in [`super::control`].

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use remuda_bus::Capacity;
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

/// The longest a call or a `SYNC` may take: an hour.
const TIMEOUT_MAX_MS: u64 = 3_600_000;
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
    /// Its answer, encoded; empty when there is none yet, or never.
    answer: BytesMut,
}

impl<'a> Request<'a> {
    fn error(&mut self, reason: &str) {
        self.encode(&[b"ERROR", reason.as_bytes()]);
    }

    fn ok(&mut self, values: &[&[u8]]) {
        let mut words: Vec<&[u8]> = vec![b"OK"];
        words.extend_from_slice(values);
        self.encode(&words);
    }

    /// What the answer begins with, unless a signature comes in between.
    fn own_envelope(&self) -> &'a [&'a [u8]] {
        if self.signer.is_some() { &[] } else { self.envelope }
    }

    /// What is kept for an answer that comes later.
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

    fn encode(&mut self, words: &[&[u8]]) {
        let mut parts = self.own_envelope().to_vec();
        parts.extend_from_slice(words);
        encode_message(&parts, &mut self.answer);
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
    let mut answer = BytesMut::new();
    let Some(asked) = split(frames) else {
        encode_message(&[b"ERROR", b"an empty request: the first frame is a verb"], &mut answer);
        return answer;
    };
    let Asked { envelope, .. } = asked;
    match signature::open(&asked, core) {
        Ok(Opened { words, signer: None }) => {
            let mut request = Request { key, envelope, words, user: peer.user.clone(), signer: None, answer };
            carry_out(core, peer, &mut request);
            request.answer
        }
        Ok(Opened { words, signer: Some(signer) }) => {
            let user = Some(core.users.user(&signer));
            // The envelope is put in front of the signature afterwards.
            let signer = Some(signer);
            let mut request = Request { key, envelope, words, user, signer: signer.clone(), answer };
            carry_out(core, peer, &mut request);
            signed(core, envelope, signer.as_deref(), request.answer)
        }
        Err(refused) => {
            core.figures.refused += 1;
            let user = peer.user.clone();
            let mut request = Request { key, envelope, words: &[], user, signer: None, answer };
            request.error(&refused);
            request.answer
        }
    }
}

/// The words of an answer behind their signature.
fn signed(core: &Core, envelope: &[&[u8]], signer: Option<&str>, words: BytesMut) -> BytesMut {
    let mut answer = BytesMut::new();
    if words.is_empty() {
        return answer;
    }
    let batch = super::batch_of(words.freeze());
    let words: Vec<&[u8]> = batch.messages.iter().flat_map(|span| frames_of(&batch, span)).collect();
    signature::encode(core, signer, envelope, &words, &mut answer);
    answer
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
            request.ok(&[]);
        }
        (b"PUB", [_, parts @ ..]) if !parts.is_empty() => publish(core, peer, request, parts),
        (b"SYNC", [_, prefix, timeout]) => sync(core, peer, request, prefix, timeout),
        (b"REPLAY", [_, prefix, after]) => replay(core, request, prefix, after),
        (b"PING", [_]) => request.ok(&[b"PONG"]),
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
    number(frame).filter(|millis| (1..=TIMEOUT_MAX_MS).contains(millis)).map(Duration::from_millis)
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
            request.ok(&[]);
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
    let heard = core.bus.publish(peer.origin, &super::batch_of(frames.freeze()));
    request.ok(&[heard.receivers.to_string().as_bytes()]);
}

fn sync(core: &mut Core, peer: &mut Peer, request: &mut Request<'_>, prefix: &[u8], limit: &[u8]) {
    let Some(limit) = timeout(limit) else {
        return request.error("the timeout of SYNC is 1 to 3600000 milliseconds");
    };
    if !request.may_publish(prefix) && !request.may_subscribe(prefix) {
        return request.error("this peer has nothing to do with topics of this prefix");
    }
    if core.bus.listeners(remuda_bus::FilterKind::Prefix, prefix) > 0 {
        return request.ok(&[]);
    }
    if peer.sync.is_some() {
        return request.error("this peer waits for another SYNC already");
    }
    peer.sync = Some((prefix.to_vec(), request.pending()));
    core.syncing.entry(prefix.to_vec()).or_default().push(request.key);
    core.timers.set(request.key, Due::Sync, core.moment.tick + limit);
}

fn replay(core: &Core, request: &mut Request<'_>, prefix: &[u8], after: &[u8]) {
    let Some(after) = number(after) else { return request.error("the sequence number is a whole number") };
    if !request.may_subscribe(prefix) {
        return request.error("this peer may not hear topics with this prefix");
    }
    let replay = core.bus.replay(prefix, after);
    let mut values: Vec<Vec<u8>> = vec![replay.lost.unwrap_or_default().to_string().into_bytes()];
    for message in replay.take(REPLAY_MAX) {
        values.push(message.sequence.to_string().into_bytes());
        values.push(message.topic.to_vec());
        values.push(message.payload.into_owned());
    }
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    request.ok(&values);
}

/// A command of the store, as Redis has it.
fn command(core: &mut Core, request: &mut Request<'_>) {
    let words = request.words;
    let Some(spec) = remuda_store::lookup(words[0]) else {
        let verb = String::from_utf8_lossy(&words[0][..words[0].len().min(64)]).into_owned();
        return request.error(&format!("unknown verb '{verb}'"));
    };
    let writes = spec.flags.has(Flag::Write);
    if let Some(refused) = core.refuses_writes().filter(|_| writes) {
        return request.error(&refused);
    }
    let Some(user) = request.user.clone().filter(|user| user.is_known) else {
        return request.error("the store is for peers that have shown who they are");
    };
    let may = |key: &[u8]| if writes { user.access.may_write(key) } else { user.access.may_read(key) };
    let reaches_all = user.access.keys.is_none();
    if !reaches_all && (spec.keys_of(words).next().is_none() || !spec.keys_of(words).names().all(may)) {
        return request.error("no permissions to access a key");
    }
    let mut answer = FramesAnswer::default();
    let client = request.key.client();
    let outcome = core.store.execute(core.moment, client, 0, words, Mode::Transaction, &mut answer);
    core.after_command(0, words, outcome == Outcome::Done { verbatim: true });
    if !writes {
        // As for Redis clients: nobody waits for the disk to note that a key has ended.
        core.durability.take_hold();
    }
    answer.encode(request.own_envelope(), &mut request.answer);
}
