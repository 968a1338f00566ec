//! From bytes that came in to what they mean.

use bytes::{Buf, BytesMut};
use remuda_sys::event::Interest;
use remuda_wire::resp::{CommandParser, Writer, encode_command};

use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::herd;
use crate::outbox::Outbox;
use crate::redis::session::{Session, Waiting};
use crate::redis::{Flow, follows, is_http, obey, subscribes, wants_reply};
use crate::stream::Remote;
use crate::zeromq;

/// Replies that wait for a client to read them: with more than this nothing further of it is carried out.
pub(crate) const REPLIES_MAX_BYTES: usize = 1 << 20;
/// Commands kept for a client that waits for the reply to an earlier one.
const AHEAD_MAX_BYTES: usize = 64 * 1024;
/// Of whoever is cut off for speaking HTTP.
const HTTP: &str = "cut off: it speaks HTTP (POST, or Host:), as a browser does that a hostile page sends here; nothing \
     that follows is carried out";
/// Arguments that need no memory of their own.
const FEW: usize = 8;

impl Connection {
    /// Does what the input says, as far as it is whole. Says whether more of it is wanted now.
    pub(crate) fn digest(&mut self, core: &mut Core) -> bool {
        if self.closing {
            if matches!(self.protocol, Protocol::Herd(_)) {
                // Another server is read on, so that it can be closed in order; what it goes on saying is not kept.
                self.input.clear();
            }
            return false;
        }
        let goes_on = match &mut self.protocol {
            Protocol::Redis(session, parser) => {
                let (goes_on, close) =
                    commands(core, session, parser, &mut self.input, &mut self.outbox, &self.remote);
                self.closing |= close;
                goes_on
            }
            Protocol::ZeroMq(peer) => {
                let goes_on = zeromq::events(core, self.key, peer, &mut self.input, &mut self.outbox);
                self.closing |= !goes_on;
                goes_on
            }
            Protocol::Herd(peer) => {
                let goes_on = herd::frames::events(core, self.key, peer, &mut self.input, &self.remote);
                if !goes_on {
                    self.closing = true;
                    self.input.clear();
                }
                goes_on
            }
        };
        if self.input.is_empty() && self.input.capacity() > 0 {
            // A quiet connection keeps no buffer.
            self.input = BytesMut::new();
        }
        self.weigh(core);
        goes_on
    }

    /// Counts what is there of a ZeroMQ peer's message that is not whole.
    fn weigh(&mut self, core: &mut Core) {
        if let Protocol::ZeroMq(peer) = &self.protocol {
            let half = self.input.len() + peer.wire.kept();
            core.halves.change(std::mem::replace(&mut self.half, half), half);
        }
    }

    /// Whether reading it has to wait for others: what it sends would find no room. A Redis client may be about to write,
    /// which the disk has to take; with slow readers it has to do only if it publishes.
    pub(crate) fn has_to_wait(&self, core: &mut Core) -> bool {
        match &self.protocol {
            Protocol::ZeroMq(peer) => peer.publishes() && core.holds_publishers(),
            Protocol::Redis(session, _) if session.has_published => core.holds_publishers(),
            // Signs of life come with a server's messages: what finds no room in a member's queue is dropped and counted.
            Protocol::Redis(..) | Protocol::Herd(_) => core.durability.is_congested(),
        }
    }

    /// Whether there are commands that were not carried out because replies piled up, and now may be.
    pub(crate) fn is_behind(&self) -> bool {
        let is_behind = match &self.protocol {
            Protocol::Redis(session, _) => match session.waiting {
                None => !self.input.is_empty() && session.is_behind,
                Some(Waiting::Disk) => !self.outbox.is_held(),
                Some(_) => false,
            },
            Protocol::ZeroMq(peer) => peer.behind.is_some(),
            Protocol::Herd(_) => false,
        };
        is_behind && !self.closing && self.outbox.len() <= REPLIES_MAX_BYTES / 2
    }

    /// Nothing of it is left in the machines.
    pub(crate) fn forget(&mut self, core: &mut Core) {
        match &mut self.protocol {
            Protocol::Redis(session, _) => {
                core.figures.redis_clients -= 1;
                core.forget_client(session);
            }
            Protocol::ZeroMq(peer) => {
                core.figures.zeromq_peers -= 1;
                core.halves.change(std::mem::take(&mut self.half), 0);
                if peer.is_member {
                    core.bus.leave(self.key.member());
                }
                if let Some((prefix, _)) = peer.sync.take() {
                    core.stop_syncing(self.key, &prefix);
                }
                core.stop_serving(self.key);
                core.locks.gone(core.moment.tick, self.key.number());
            }
            Protocol::Herd(peer) => {
                core.figures.servers -= 1;
                core.lose_peer(self.key, peer, &self.remote);
            }
        }
    }

    /// What the poller is to tell of it.
    pub(crate) fn wants(&self, is_full: bool) -> Interest {
        let is_server = matches!(self.protocol, Protocol::Herd(_));
        let reads = !self.paused && (!self.closing || is_server) && {
            let has_room = self.outbox.len() <= REPLIES_MAX_BYTES;
            let waits = matches!(&self.protocol, Protocol::Redis(session, _) if session.waiting.is_some());
            has_room && !(waits && self.input.len() > AHEAD_MAX_BYTES)
        };
        match (reads, is_full) {
            (true, false) => Interest::Read,
            (true, true) => Interest::ReadWrite,
            (false, true) => Interest::Write,
            (false, false) => Interest::Nothing,
        }
    }
}

/// Carries out whole commands one after the other: whether more input is wanted, and whether the connection ends.
fn commands(
    core: &mut Core,
    session: &mut Session,
    parser: &mut CommandParser,
    input: &mut BytesMut,
    outbox: &mut Outbox,
    remote: &Remote,
) -> (bool, bool) {
    let mut places = std::mem::take(&mut session.places);
    let mut ended = (true, false);
    if session.waiting == Some(Waiting::Disk) && !outbox.is_held() {
        let _wants_reply = session.wakes();
    }
    while session.waiting.is_none() {
        session.is_behind = outbox.len() > REPLIES_MAX_BYTES;
        if session.is_behind {
            ended = (false, false);
            break;
        }
        match parser.parse(input, &mut places) {
            Ok(None) => break,
            Err(error) => {
                Writer::new(outbox.bytes(), session.version).error(&format!("ERR {error}"));
                ended = (false, true);
                break;
            }
            Ok(Some(consumed)) => {
                let mut few: [&[u8]; FEW] = [&[]; FEW];
                let many: Vec<&[u8]>;
                let command: &[&[u8]] = if places.len() <= FEW {
                    for (word, place) in few.iter_mut().zip(&places) {
                        *word = &input[place.clone()];
                    }
                    &few[..places.len()]
                } else {
                    many = places.iter().map(|place| &input[place.clone()]).collect();
                    &many
                };
                if is_http(command) {
                    core.figures.protocol_errors += 1;
                    core.say_of(remote, &HTTP);
                    ended = (false, true);
                    break;
                }
                if outbox.is_held() && subscribes(session, command) {
                    session.waiting = Some(Waiting::Disk);
                    break;
                }
                let store = core.engines.store.as_ref();
                let has_to_wait =
                    store.is_some_and(|store| store.is_leaving || store.outstanding(session) > 0);
                if has_to_wait && !follows(core, session, command) {
                    // Read again when what was asked before is answered, or by another hub; a command in one line would read otherwise then.
                    if input.first() != Some(&b'*') {
                        let mut again = BytesMut::new();
                        encode_command(command, &mut again);
                        again.extend_from_slice(&input[consumed..]);
                        *input = again;
                    }
                    session.waiting = Some(Waiting::Upstream);
                    session.waits_with.clear();
                    break;
                }
                let flow = carry_out(core, session, outbox, command);
                parser.set_authenticated(session.user.is_some());
                if flow == Flow::Wait {
                    session.waits_with = input[..consumed].to_vec();
                }
                input.advance(consumed);
                if flow == Flow::Close {
                    ended = (false, true);
                    break;
                }
            }
        }
    }
    session.places = places;
    ended
}

fn carry_out(core: &mut Core, session: &mut Session, outbox: &mut Outbox, command: &[&[u8]]) -> Flow {
    let mark = outbox.mark();
    let before = outbox.bytes().len();
    let mut writer = Writer::new(outbox.bytes(), session.version);
    (session.is_forwarded, session.has_subscribed) = (false, false);
    let flow = obey(core, session, &mut writer, command);
    core.figures.commands += 1;
    if !wants_reply(session) {
        outbox.bytes().truncate(before);
        session.is_muted = flow == Flow::Wait || session.waiting == Some(Waiting::Engine);
        if session.is_forwarded
            && let Some(store) = &mut core.engines.store
        {
            store.swallow_last(session);
        }
    }
    if session.has_subscribed && session.waiting.is_none() && outbox.bytes().len() > before {
        let confirmation = outbox.bytes().split_off(before);
        if core.hold_confirmation(session.key, &confirmation) {
            session.waiting = Some(Waiting::Engine);
        } else {
            outbox.bytes().extend_from_slice(&confirmation);
        }
    }
    if let Some(position) = core.durability.take_hold() {
        outbox.hold(mark, position);
    }
    if std::mem::take(&mut session.is_confirming) {
        confirm(core, session, outbox);
    }
    flow
}

/// Queues the confirmation of a subscription ahead of all that comes of it: messages, and what a ring has. What is to be
/// written before any message may stay where it is.
fn confirm(core: &mut Core, session: &Session, outbox: &mut Outbox) {
    // What the disk holds back of it, in a transaction that writes as well under `fsync = "always"`, stays behind: to queue
    // it here would need a place in the middle of the queue that is filled later.
    if session.is_member && !outbox.is_parted() {
        let confirmed = outbox.ready().len();
        core.bus.enqueue(session.key.member(), outbox.ready());
        outbox.queued(confirmed);
    }
    for (key, prefix, after) in std::mem::take(&mut core.catch_up) {
        core.bus.catch_up(key.member(), &prefix, after);
    }
}

#[cfg(test)]
mod tests;
