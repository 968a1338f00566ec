//! News of locks on their way: answers to whoever asked, events to whoever listens.

use bytes::BytesMut;
use remuda_bus::{Origin, Reserved};
use remuda_store::{Asker, LockEvent};
use remuda_sys::event::Interest;
use remuda_wire::resp::Writer;

use super::News;
use super::shared::refusal;
use super::words::now;
use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::events::quoted;
use crate::hub::{Hub, LOCKS};
use crate::redis::session::Waiting;
use crate::table::Key;

/// The origin of the hub's own messages; no connection and no process has it.
const HUB: Origin = Origin(0);

/// What somebody who asked is told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Fence(u64),
    Nothing,
    Done(bool),
    Refused(String),
}

impl Hub {
    /// Tells what the disk lets be told, and gives the disk what came of it.
    pub(crate) fn settle_locks(&mut self) {
        self.drive_lock_engine();
        if let Some(fd) = self.core.locks.begin_watch()
            && let Err(error) = self.poller.add(fd, LOCKS, Interest::Read)
        {
            log::error!("{error}; answers about locks come late");
        }
        while self.tell_of_a_lock() {}
        self.core.locks.keep();
    }

    /// The next news, if there is any.
    pub(super) fn tell_of_a_lock(&mut self) -> bool {
        let now = now();
        let Some(news) = self.core.locks.next_news(now) else { return false };
        match news {
            News::Granted { to, name, fence } => {
                if !self.answer_lock(to, Told::Fence(fence)) {
                    self.core.locks.give_back(now, &name, fence);
                }
            }
            News::Denied { to } => drop(self.answer_lock(to, Told::Nothing)),
            News::Refused { to, why } => {
                self.core.locks.count_refusal();
                let _is_there = self.answer_lock(to, Told::Refused(refusal(&why)));
            }
            News::Done { to, is_done } => drop(self.answer_lock(to, Told::Done(is_done))),
            News::Happened { name, event, fence, owner } => {
                self.core.tell_lock(&name, event, fence, &owner);
            }
        }
        true
    }

    /// Says whether somebody was there to be told.
    fn answer_lock(&mut self, to: Asker, told: Told) -> bool {
        let key = Key::from_number(to.client);
        let Some(connection) = self.connections.get_mut(key) else { return false };
        let Connection { protocol, outbox, .. } = connection;
        match protocol {
            Protocol::Redis(session, _) => {
                if session.waiting != Some(Waiting::Lock) {
                    return false;
                }
                if session.wakes() {
                    let mut writer = Writer::new(outbox.bytes(), session.version);
                    match told {
                        Told::Fence(fence) => writer.integer(i64::try_from(fence).unwrap_or(i64::MAX)),
                        Told::Nothing => writer.null(),
                        Told::Done(is_done) => writer.integer(i64::from(is_done)),
                        Told::Refused(why) => writer.error(&why),
                    }
                }
            }
            Protocol::ZeroMq(peer) => {
                let Some(pending) = peer.locks.remove(&to.ticket) else { return false };
                let (verb, text): (&[u8], String) = match told {
                    Told::Fence(fence) => (b"OK", fence.to_string()),
                    Told::Done(is_done) => (b"OK", u8::from(is_done).to_string()),
                    Told::Refused(why) => (b"ERROR", why),
                    Told::Nothing => (b"NIL", String::new()),
                };
                let words = [verb, text.as_bytes()];
                let words = if verb == b"NIL" { &words[..1] } else { &words[..] };
                let mut frames = BytesMut::new();
                pending.encode(&self.core, words, &mut frames);
                peer.send(&frames, outbox);
            }
            // Other servers ask nothing about locks.
            Protocol::Herd(_) => return false,
        }
        // What it sent behind its question is its turn now, unless another hub is to do that.
        if self.core.locks.is_passing() {
            self.mark(key);
        } else {
            self.go_on(key);
        }
        true
    }
}

impl Core {
    /// `lock.<name>` on the bus, for whoever asked for it by name.
    fn tell_lock(&mut self, name: &[u8], event: LockEvent, fence: u64, owner: &[u8]) {
        if !self.bus.is_heard(Reserved::Lock) {
            return;
        }
        let mut payload = String::from("{\"lock\":");
        quoted(name, &mut payload);
        payload.push_str(&format!(",\"event\":\"{}\",\"fence\":{fence},\"owner\":", event.name()));
        quoted(owner, &mut payload);
        payload.push('}');
        let topic = [b"lock.", name].concat();
        // Names are short, and so are such messages.
        let _ = self.bus.publish_one(HUB, &topic, payload.as_bytes());
    }
}
