//! What the store's Redis tells of changed keys, as the hub's own topics.
//!
//! Redis tells only those who ask, and only if its `notify-keyspace-events` allows: that is looked at, and set where it
//! can be, as soon as somebody here wants to hear. A key's change has no revision here, since Redis counts none.

use std::collections::VecDeque;

use bytes::{Buf as _, BytesMut};
use remuda_bus::{Bus, Origin, Reserved};
use remuda_model::hub::Events;
use remuda_wire::resp::{Limits, Value, encode_command, parse_value};

use super::push;
use super::redis_bus::{greeted, hello};
use crate::events::{self, quoted};
use remuda_model::hub::EngineUrl;

/// The origin of the hub's own messages.
const HUB: Origin = Origin(0);
const PATTERNS: [&[u8]; 2] = [b"__keyspace@*__:*", b"__keyevent@*__:*"];
/// Longest key or event that is told, in bytes.
const BULK_MAX: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Hello,
    Other,
    Flags,
    SetFlags,
    Subscribe,
    Unblock,
}

/// The conversation.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    sent: VecDeque<Sent>,
    is_subscribed: bool,
    /// Requests to end a wait that are not answered yet.
    pub(super) unblocking: usize,
    /// The engine does not let us end waits.
    pub(super) is_refused: bool,
}

impl Watch {
    pub(crate) fn greet(&mut self, address: &EngineUrl, out: &mut BytesMut) {
        *self = Self::default();
        hello(address, b"3", out);
        encode_command(&[b"CLIENT", b"SETNAME", b"remuda-hub-store"], out);
        self.sent.extend([Sent::Hello, Sent::Other]);
    }

    pub(crate) fn ping(&mut self, out: &mut BytesMut) {
        encode_command(&[b"PING"], out);
        self.sent.push_back(Sent::Other);
    }

    /// Asks for the end of a wait of the connection `id`: with an `ERROR`, or as by `TIMEOUT`.
    pub(super) fn unblock(&mut self, id: i64, how: &[u8], out: &mut BytesMut) {
        encode_command(&[b"CLIENT", b"UNBLOCK", id.to_string().as_bytes(), how], out);
        self.sent.push_back(Sent::Unblock);
        self.unblocking += 1;
    }

    /// Asks for changes if somebody wants to hear of them, and no more if nobody does.
    pub(crate) fn want(&mut self, is_wanted: bool, out: &mut BytesMut) {
        if is_wanted == self.is_subscribed {
            return;
        }
        self.is_subscribed = is_wanted;
        if is_wanted {
            encode_command(&[b"CONFIG", b"GET", b"notify-keyspace-events"], out);
            self.sent.push_back(Sent::Flags);
        }
        let word: &[u8] = if is_wanted { b"PSUBSCRIBE" } else { b"PUNSUBSCRIBE" };
        for pattern in PATTERNS {
            encode_command(&[word, pattern], out);
            self.sent.push_back(Sent::Subscribe);
        }
    }

    /// Reads on and publishes changes; says whether the engine took our greeting. An error is why it is of no use.
    pub(crate) fn read(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
        bus: &mut Bus,
        events: Events,
    ) -> Result<bool, String> {
        let mut is_greeted = false;
        loop {
            match input.first() {
                None => return Ok(is_greeted),
                Some(b'>') => {
                    let Some(push) = push::read(input, BULK_MAX)? else { return Ok(is_greeted) };
                    let part = |number: usize| &input[push.parts[number].clone()];
                    match part(0) {
                        b"pmessage" => tell(part(2), part(3), bus, events),
                        b"psubscribe" | b"punsubscribe" => drop(self.sent.pop_front()),
                        _ => {}
                    }
                    input.advance(push.end);
                }
                Some(_) => {
                    let parsed = parse_value(input, &Limits::default()).map_err(|error| error.to_string())?;
                    let Some((value, length)) = parsed else { return Ok(is_greeted) };
                    input.advance(length);
                    is_greeted |= self.replied(&value, out)?;
                }
            }
        }
    }

    fn replied(&mut self, value: &Value, out: &mut BytesMut) -> Result<bool, String> {
        let refused = match value {
            Value::Error(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        match (self.sent.pop_front(), refused) {
            (Some(Sent::Hello), Some(error)) => Err(format!("it refuses us: {error}")),
            (Some(Sent::Hello), None) => greeted(value).map(|()| true),
            (Some(Sent::Unblock), refused) => {
                self.unblocking -= 1;
                if let Some(error) = refused
                    && !std::mem::replace(&mut self.is_refused, true)
                {
                    log::warn!(
                        "the store's engine does not let the hub end waits of its clients ({error}): what it gives them while \
                         the hub is reloaded may be lost; allow its account CLIENT|UNBLOCK"
                    );
                }
                Ok(false)
            }
            (Some(Sent::Other), _) | (Some(Sent::SetFlags), None) => Ok(false),
            (Some(Sent::Flags), None) => {
                let flags = flags_of(value);
                if !(has_all(&flags)) {
                    let wanted = [&flags[..], b"AKE"].concat();
                    encode_command(&[b"CONFIG", b"SET", b"notify-keyspace-events", &wanted], out);
                    self.sent.push_back(Sent::SetFlags);
                }
                Ok(false)
            }
            (Some(Sent::Flags | Sent::SetFlags | Sent::Subscribe), Some(error)) => {
                log::warn!(
                    "the store's engine does not tell of changed keys ({error}): set its notify-keyspace-events to AKE for \
                     subscribers of store. and __key topics"
                );
                Ok(false)
            }
            (Some(Sent::Subscribe) | None, _) => Err("it answered what it was not asked".to_owned()),
        }
    }
}

fn flags_of(value: &Value) -> Vec<u8> {
    let first = match value {
        Value::Map(pairs) => pairs.first().map(|(_, flags)| flags),
        Value::Array(values) => values.get(1),
        _ => None,
    };
    match first {
        Some(Value::Bulk(flags)) => flags.clone(),
        _ => Vec::new(),
    }
}

fn has_all(flags: &[u8]) -> bool {
    let all = flags.contains(&b'A') || b"g$lshzxetd".iter().all(|class| flags.contains(class));
    all && flags.contains(&b'K') && flags.contains(&b'E')
}

/// Publishes one notification of Redis' as it is, and what it means as an event of the store.
fn tell(topic: &[u8], payload: &[u8], bus: &mut Bus, wanted: Events) {
    if bus.is_heard(Reserved::Keyspace) {
        // Too long for the bus: Redis tells its own clients.
        let _ = bus.publish_one(HUB, topic, payload);
    }
    let Some((database, key)) = keyspace(topic) else { return };
    if wanted == Events::Off || !bus.is_heard(Reserved::Store) {
        return;
    }
    let mut own_topic = Vec::new();
    events::topic(database, Some(key), &mut own_topic);
    let _ = bus.publish_one(HUB, &own_topic, event(key, payload).as_bytes());
}

fn event(key: &[u8], name: &[u8]) -> String {
    let mut text = "{\"key\":".to_owned();
    quoted(key, &mut text);
    text.push_str(",\"event\":");
    quoted(name, &mut text);
    if matches!(name, b"del" | b"expired" | b"evicted" | b"rename_from" | b"move_from") {
        text.push_str(",\"deleted\":true");
    }
    text.push('}');
    text
}

/// Database and key of `__keyspace@0__:key`.
fn keyspace(topic: &[u8]) -> Option<(u32, &[u8])> {
    let rest = topic.strip_prefix(b"__keyspace@")?;
    let at = rest.windows(3).position(|window| window == b"__:")?;
    let database = std::str::from_utf8(&rest[..at]).ok()?.parse().ok()?;
    Some((database, &rest[at + 3..]))
}

#[cfg(test)]
mod tests;
