//! From bytes that came in to what they mean.

use bytes::{Buf, BytesMut};
use remuda_sys::event::Interest;
use remuda_wire::resp::{CommandParser, Writer};

use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::outbox::Outbox;
use crate::redis::session::Session;
use crate::redis::{Flow, obey, wants_reply};
use crate::zeromq;

/// Replies that wait for a client to read them: with more than this nothing further of it is carried out.
pub(crate) const REPLIES_MAX_BYTES: usize = 1 << 20;
/// Commands kept for a client that waits for the reply to an earlier one.
const AHEAD_MAX_BYTES: usize = 64 * 1024;
/// Arguments that need no memory of their own.
const FEW: usize = 8;

impl Connection {
    /// Does what the input says, as far as it is whole. Says whether more of it is wanted now.
    pub(crate) fn digest(&mut self, core: &mut Core) -> bool {
        let goes_on = match &mut self.protocol {
            Protocol::Redis(session, parser) => {
                let (goes_on, close) = commands(core, session, parser, &mut self.input, &mut self.outbox);
                self.closing |= close;
                goes_on
            }
            Protocol::ZeroMq(peer) => {
                let goes_on = zeromq::events(core, self.key, peer, &mut self.input, &mut self.outbox);
                self.closing |= !goes_on;
                goes_on
            }
        };
        if self.input.is_empty() && self.input.capacity() > 0 {
            // A quiet connection keeps no buffer.
            self.input = BytesMut::new();
        }
        goes_on
    }

    /// Whether reading it has to wait for others: what it sends would find no room.
    pub(crate) fn has_to_wait(&self, core: &mut Core) -> bool {
        let sends = match &self.protocol {
            Protocol::ZeroMq(peer) => peer.publishes(),
            Protocol::Redis(..) => true,
        };
        sends && core.holds_publishers()
    }

    /// Whether there are commands that were not carried out because replies piled up, and now may be.
    pub(crate) fn is_behind(&self) -> bool {
        let is_behind = match &self.protocol {
            Protocol::Redis(session, _) => {
                !self.input.is_empty() && session.waiting.is_none() && session.is_behind
            }
            Protocol::ZeroMq(peer) => peer.behind.is_some(),
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
                if peer.is_member {
                    core.bus.leave(self.key.member());
                }
                if let Some((prefix, _)) = peer.sync.take() {
                    core.stop_syncing(self.key, &prefix);
                }
                core.stop_serving(self.key);
            }
        }
    }

    /// What the poller is to tell of it.
    pub(crate) fn wants(&self, is_full: bool) -> Interest {
        let reads = !self.paused && !self.closing && {
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
) -> (bool, bool) {
    let mut places = std::mem::take(&mut session.places);
    let mut ended = (true, false);
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
                let flow = carry_out(core, session, outbox, command);
                parser.set_authenticated(session.user.is_some());
                if flow == Flow::Wait {
                    session.waits_with.clear();
                    session.waits_with.extend_from_slice(&input[..consumed]);
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
    let flow = obey(core, session, &mut writer, command);
    core.figures.commands += 1;
    if !wants_reply(session) {
        outbox.bytes().truncate(before);
    }
    if let Some(position) = core.durability.take_hold() {
        outbox.hold(mark, position);
    }
    if std::mem::take(&mut session.is_confirming) {
        confirm(core, session, outbox);
    }
    flow
}

/// Queues the confirmation of a subscription ahead of all that comes of it: messages, and what a ring has.
fn confirm(core: &mut Core, session: &Session, outbox: &mut Outbox) {
    if session.is_member {
        let confirmed = outbox.ready().len();
        core.bus.enqueue(session.key.member(), outbox.ready());
        outbox.written(confirmed);
    }
    if let Some((key, prefix, after)) = core.catch_up.take() {
        core.bus.catch_up(key.member(), &prefix, after);
    }
}
