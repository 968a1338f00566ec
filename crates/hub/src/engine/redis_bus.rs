//! The bus on a Redis: one connection of RESP3, on which we subscribe and publish, so that both keep their order.
//!
//! Redis sends a message once for each of our subscriptions that fits it. Only one of these copies is delivered: the one
//! by the channel itself, else by the shortest prefix, else by the first pattern, of those that are in force. Which are
//! in force Redis says itself, between the messages, when it confirms them.
//!
//! A message of our own is known by what it says when it comes back: just before the answer to its `PUBLISH` (Redis 7.0)
//! or just after it (7.2). Another's that says the same, on the same topic, at that very moment, is no different.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use bytes::{Buf as _, Bytes, BytesMut};
use remuda_bus::{Bus, Origin};
use remuda_model::glob_matches;
use remuda_wire::resp::{self, Value, encode_command, parse_value};

use super::bus_news::{News, Outgoing};
use super::delivery::{Delivery, ELSEWHERE, deliver};
use super::envelope::{split, trailer};
use super::interest::{Ask, glob_of};
use super::push;
use crate::table::Key;
use remuda_model::hub::EngineUrl;

/// What we sent and Redis has not answered yet.
#[derive(Debug)]
enum Sent {
    Hello,
    Ping,
    Name,
    Change(Ask, bool),
    Publish(Own),
}

/// A message of ours that may come back.
#[derive(Debug, Clone, Copy)]
struct Own {
    origin: Origin,
    mark: u64,
    /// Who waits for how many heard it.
    answer: Option<Key>,
    is_back: bool,
}

/// Subscriptions that are in force.
#[derive(Debug, Default)]
struct InForce {
    channels: BTreeSet<Bytes>,
    prefixes: BTreeSet<Bytes>,
    patterns: BTreeSet<Bytes>,
}

impl InForce {
    fn change(&mut self, ask: &Ask, is_on: bool) {
        let (set, name) = match ask {
            Ask::Channel(name) => (&mut self.channels, name),
            Ask::Prefix(name) => (&mut self.prefixes, name),
            Ask::Pattern(name) => (&mut self.patterns, name),
            Ask::Shard(_) => return,
        };
        if is_on {
            set.insert(name.clone());
        } else {
            set.remove(name);
        }
    }

    /// Whether the copy of a message on `topic` that came by `pattern` is the one to be delivered.
    fn is_first(&self, pattern: &[u8], topic: &[u8]) -> bool {
        if self.channels.contains(topic) {
            return false;
        }
        let shortest =
            (0..=topic.len()).map(|end| &topic[..end]).find(|prefix| self.prefixes.contains(*prefix));
        match shortest {
            Some(prefix) => glob_of(prefix) == pattern,
            None => {
                let earlier = self.patterns.range::<[u8], _>((Bound::Unbounded, Bound::Excluded(pattern)));
                !earlier.into_iter().any(|earlier| glob_matches(earlier, topic))
            }
        }
    }
}

/// What we know of the conversation.
#[derive(Debug, Default)]
pub(crate) struct RedisBus {
    sent: VecDeque<Sent>,
    /// The last of ours that was answered and did not come back yet.
    answered: Option<Own>,
    /// Prefixes that are wanted, and those among them that are asked for: one is enough for all that begin with it.
    wanted: BTreeSet<Bytes>,
    asked_prefixes: BTreeSet<Bytes>,
    in_force: InForce,
    /// Changes asked for and confirmed.
    pub(crate) asked: u64,
    pub(crate) confirmed: u64,
}

impl RedisBus {
    /// Says who we are.
    pub(crate) fn greet(&mut self, address: &EngineUrl, out: &mut BytesMut) {
        hello(address, b"3", out);
        self.sent.push_back(Sent::Hello);
        encode_command(&[b"CLIENT", b"SETNAME", b"remuda-hub-bus"], out);
        self.sent.push_back(Sent::Name);
    }

    pub(crate) fn ping(&mut self, out: &mut BytesMut) {
        encode_command(&[b"PING"], out);
        self.sent.push_back(Sent::Ping);
    }

    /// Asks for something, or no more.
    pub(crate) fn ask(&mut self, ask: &Ask, is_on: bool, out: &mut BytesMut) {
        match ask {
            Ask::Prefix(prefix) if is_on => self.want_prefix(prefix, out),
            Ask::Prefix(prefix) => self.want_prefix_no_more(prefix, out),
            other => self.send(other.clone(), is_on, out),
        }
    }

    fn want_prefix(&mut self, prefix: &Bytes, out: &mut BytesMut) {
        self.wanted.insert(prefix.clone());
        let is_covered = (0..prefix.len()).any(|end| self.asked_prefixes.contains(&prefix[..end]));
        if is_covered || !self.asked_prefixes.insert(prefix.clone()) {
            return;
        }
        self.send(Ask::Prefix(prefix.clone()), true, out);
        let covered: Vec<Bytes> = below(&self.asked_prefixes, prefix).cloned().collect();
        for longer in covered {
            self.asked_prefixes.remove(&longer);
            self.send(Ask::Prefix(longer), false, out);
        }
    }

    fn want_prefix_no_more(&mut self, prefix: &Bytes, out: &mut BytesMut) {
        self.wanted.remove(prefix);
        if !self.asked_prefixes.remove(prefix) {
            return;
        }
        let mut uncovered: Vec<Bytes> = Vec::new();
        for longer in below(&self.wanted, prefix) {
            // In order, so that a prefix comes before all that begin with it.
            if !uncovered.last().is_some_and(|last| longer.starts_with(last)) {
                uncovered.push(longer.clone());
            }
        }
        for longer in uncovered {
            self.asked_prefixes.insert(longer.clone());
            self.send(Ask::Prefix(longer), true, out);
        }
        self.send(Ask::Prefix(prefix.clone()), false, out);
    }

    fn send(&mut self, ask: Ask, is_on: bool, out: &mut BytesMut) {
        let glob;
        let (words, name): ([&[u8]; 2], &[u8]) = match &ask {
            Ask::Channel(name) => ([b"SUBSCRIBE", b"UNSUBSCRIBE"], name),
            Ask::Shard(name) => ([b"SSUBSCRIBE", b"SUNSUBSCRIBE"], name),
            Ask::Pattern(name) => ([b"PSUBSCRIBE", b"PUNSUBSCRIBE"], name),
            Ask::Prefix(prefix) => {
                glob = glob_of(prefix);
                ([b"PSUBSCRIBE", b"PUNSUBSCRIBE"], &glob)
            }
        };
        encode_command(&[words[usize::from(!is_on)], name], out);
        self.sent.push_back(Sent::Change(ask, is_on));
        self.asked += 1;
    }

    pub(crate) fn publish(&mut self, message: &Outgoing<'_>, out: &mut BytesMut) {
        let parcel = &message.parcel;
        let (word, with_trailer): (&[u8], _) =
            if message.is_shard { (b"SPUBLISH", None) } else { (b"PUBLISH", trailer(parcel)) };
        let mark = match &with_trailer {
            None => {
                encode_command(&[word, parcel.topic, parcel.payload], out);
                mark(message.is_shard, parcel.topic, parcel.payload)
            }
            Some(trailer) => {
                let content = [parcel.payload, trailer].concat();
                encode_command(&[word, parcel.topic, &content], out);
                mark(message.is_shard, parcel.topic, &content)
            }
        };
        let own = Own { origin: message.origin, mark, answer: message.answer, is_back: false };
        self.sent.push_back(Sent::Publish(own));
    }

    /// Commands of ours that are not answered yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.sent.len()
    }

    /// Messages that Redis may have got or not, and those who wait for their answers.
    pub(crate) fn unsure(&self) -> (u64, Vec<Key>) {
        let publishes = self.sent.iter().filter_map(|sent| match sent {
            Sent::Publish(own) => Some(own),
            _ => None,
        });
        (publishes.clone().count() as u64, publishes.filter_map(|own| own.answer).collect())
    }

    /// Reads on, delivers messages, and returns what others have to know. An error is why nothing more can be read.
    pub(crate) fn read(
        &mut self,
        input: &mut BytesMut,
        bus: &mut Bus,
        limits: &resp::Limits,
    ) -> Result<Option<News>, String> {
        loop {
            match input.first() {
                None => return Ok(None),
                Some(b'>') => {
                    let Some(push) = push::read(input, limits.bulk_max)? else { return Ok(None) };
                    let news = self.pushed(input, &push, bus);
                    input.advance(push.end);
                    if let Some(news) = news {
                        return Ok(Some(news));
                    }
                }
                Some(_) => {
                    let parsed = parse_value(input, limits).map_err(|error| error.to_string())?;
                    let Some((value, length)) = parsed else { return Ok(None) };
                    input.advance(length);
                    if let Some(news) = self.replied(value)? {
                        return Ok(Some(news));
                    }
                }
            }
        }
    }

    fn pushed(&mut self, input: &[u8], push: &push::Push, bus: &mut Bus) -> Option<News> {
        let part = |number: usize| &input[push.parts[number].clone()];
        match (part(0), push.count) {
            (b"message", 3) => self.deliver(bus, false, part(1), part(2)),
            (b"smessage", 3) => self.deliver(bus, true, part(1), part(2)),
            (b"pmessage", 4) => {
                if !self.in_force.is_first(part(1), part(2)) {
                    return None;
                }
                self.deliver(bus, false, part(2), part(3))
            }
            (
                b"subscribe" | b"unsubscribe" | b"psubscribe" | b"punsubscribe" | b"ssubscribe"
                | b"sunsubscribe",
                _,
            ) => {
                if let Some(Sent::Change(ask, is_on)) = self.sent.front() {
                    self.in_force.change(ask, *is_on);
                    self.sent.pop_front();
                    self.confirmed += 1;
                }
                Some(News::Confirmed)
            }
            _ => None,
        }
    }

    fn deliver(&mut self, bus: &mut Bus, is_shard: bool, topic: &[u8], content: &[u8]) -> Option<News> {
        let origin = self.origin_of(is_shard, topic, content);
        let (payload, shape) =
            if is_shard { (content, super::envelope::Shape::Pair) } else { split(content) };
        let taken = deliver(bus, &Delivery { origin, is_shard, topic, payload, shape });
        (!taken).then_some(News::TooLong)
    }

    fn origin_of(&mut self, is_shard: bool, topic: &[u8], content: &[u8]) -> Origin {
        let front = match self.sent.front_mut() {
            Some(Sent::Publish(own)) if !own.is_back => Some(own),
            _ => None,
        };
        let candidates = [self.answered.as_mut(), front];
        if candidates.iter().all(Option::is_none) {
            return ELSEWHERE;
        }
        let found = mark(is_shard, topic, content);
        for own in candidates.into_iter().flatten() {
            if own.mark == found && !own.is_back {
                own.is_back = true;
                return own.origin;
            }
        }
        ELSEWHERE
    }

    fn replied(&mut self, value: Value) -> Result<Option<News>, String> {
        let refused = match &value {
            Value::Error(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        match (self.sent.pop_front(), refused) {
            (Some(Sent::Hello), Some(error)) => Err(format!("it refuses us: {error}")),
            (Some(Sent::Hello), None) => greeted(&value).map(|()| Some(News::Greeted)),
            (Some(Sent::Ping | Sent::Name), _) => Ok(None),
            (Some(Sent::Change(ask, _)), Some(error)) => {
                self.confirmed += 1;
                Ok(Some(News::Refused(format!("it does not let us hear {ask:?}: {error}"))))
            }
            (Some(Sent::Publish(own)), refused) => {
                self.answered = (!own.is_back && refused.is_none()).then_some(own);
                let count = match (value, refused) {
                    (_, Some(error)) => Err(error),
                    (Value::Integer(count), None) => Ok(count),
                    _ => Ok(0),
                };
                Ok(match (own.answer, count) {
                    (Some(to), count) => Some(News::Published { to, count }),
                    (None, Err(why)) => Some(News::NotPublished(why)),
                    (None, Ok(_)) => None,
                })
            }
            (Some(Sent::Change(..)) | None, _) => Err("it answered what it was not asked".to_owned()),
        }
    }
}

/// Those of `set` that begin with `prefix` and are longer, in order.
fn below<'a>(set: &'a BTreeSet<Bytes>, prefix: &'a Bytes) -> impl Iterator<Item = &'a Bytes> {
    let after = set.range::<Bytes, _>((Bound::Excluded(prefix), Bound::Unbounded));
    after.take_while(move |longer| longer.starts_with(prefix))
}

/// `HELLO`, with name and password if there are any.
pub(crate) fn hello(address: &EngineUrl, version: &[u8], out: &mut BytesMut) {
    match &address.password {
        None => encode_command(&[b"HELLO", version], out),
        Some(password) => {
            let user = address.user.as_deref().unwrap_or("default");
            encode_command(&[b"HELLO", version, b"AUTH", user.as_bytes(), password.as_bytes()], out);
        }
    }
}

/// Whether this is how a Redis answers `HELLO`.
pub(crate) fn greeted(value: &Value) -> Result<(), String> {
    let is_name = |name: &Value| matches!(name, Value::Bulk(name) | Value::Simple(name) if name.as_slice() == b"server");
    match value {
        Value::Map(pairs) if pairs.iter().any(|(name, _)| is_name(name)) => Ok(()),
        _ => Err("it does not greet as a Redis does".to_owned()),
    }
}

fn mark(is_shard: bool, topic: &[u8], content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (is_shard, topic, content).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
