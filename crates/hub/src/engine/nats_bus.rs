//! The bus on a NATS: core NATS on one connection, where we hear what we publish ourselves.
//!
//! What is ours beside topic and payload travels in headers: `Remuda-From`, the hub, a number that goes up, and the origin,
//! and `Remuda-Frames`, the shape of messages that are no pairs. NATS sends a message once for each of our subscriptions
//! that fits it; the copy of the oldest is delivered. Where subscriptions change just then, the number tells copies.
//!
//! Nothing is confirmed but by a `PONG`: it is behind everything that came before the `PING`.

use std::collections::BTreeMap;

use bytes::{Buf as _, BytesMut};
use remuda_bus::{Bus, Origin};
use remuda_wire::nats::{
    Limits, Login, Message, Operation, Parser, encode_connect, encode_headers, encode_ping, encode_pong,
    encode_publish, encode_subscribe, encode_unsubscribe, header,
};
use serde::Deserialize;

use super::bus_news::{News, Outgoing};
use super::delivery::{Delivery, ELSEWHERE, deliver};
use super::envelope::Shape;
use super::interest::{Ask, beginning_of};
use super::subject::{self, Named};
use remuda_model::hub::EngineUrl;

/// Header of the sender.
const FROM: &str = "Remuda-From";
/// Header of the shape.
const FRAMES: &str = "Remuda-Frames";
/// Hubs whose last number is remembered; more have their copies told by subscriptions alone.
const HUBS_MAX: usize = 1_000;
/// Largest message a server takes that does not say (its own default).
const PAYLOAD_MAX_BYTES: usize = 1 << 20;

/// What a server says of itself, as far as we look at it.
#[derive(Debug, Deserialize)]
struct Info {
    #[serde(default)]
    headers: bool,
    #[serde(default)]
    tls_required: bool,
    max_payload: Option<usize>,
}

#[derive(Debug)]
struct Subscription {
    number: u64,
    times: u64,
}

/// What we know of the conversation.
#[derive(Debug)]
pub(crate) struct NatsBus {
    parser: Parser,
    /// Names this hub on this connection.
    own_name: String,
    next: u64,
    subscriptions: BTreeMap<Vec<u8>, Subscription>,
    next_subscription: u64,
    /// The last number of each hub that was delivered.
    seen: BTreeMap<Vec<u8>, u64>,
    payload_max: usize,
    is_introduced: bool,
    is_greeted: bool,
    has_changed: bool,
    pings: u64,
    pongs: u64,
}

impl NatsBus {
    pub(crate) fn new(own_name: String, message_max: usize) -> Self {
        // Headers are small, and so is what they add to the largest message.
        let limits = Limits { message_max: message_max.saturating_add(1 << 20), ..Limits::default() };
        Self {
            parser: Parser::new(limits),
            own_name,
            next: 1,
            subscriptions: BTreeMap::new(),
            next_subscription: 1,
            seen: BTreeMap::new(),
            payload_max: PAYLOAD_MAX_BYTES,
            is_introduced: false,
            is_greeted: false,
            has_changed: false,
            pings: 0,
            pongs: 0,
        }
    }

    pub(crate) fn ping(&mut self, out: &mut BytesMut) {
        encode_ping(out);
        self.pings += 1;
    }

    /// Asks for something, or no more.
    pub(crate) fn ask(&mut self, ask: &Ask, is_on: bool, out: &mut BytesMut) {
        let subject = match ask {
            Ask::Prefix(prefix) => subject::of_prefix(prefix),
            Ask::Pattern(pattern) => subject::of_prefix(beginning_of(pattern)),
            Ask::Channel(channel) => subject::of_topic(channel),
            Ask::Shard(channel) => subject::of_shard(channel),
        };
        if is_on {
            let number = self.next_subscription;
            let subscription = self.subscriptions.entry(subject).or_insert_with_key(|subject| {
                encode_subscribe(subject, number, out);
                Subscription { number, times: 0 }
            });
            subscription.times += 1;
            if subscription.number == number {
                self.next_subscription += 1;
                self.has_changed = true;
            }
        } else if let Some(subscription) = self.subscriptions.get_mut(&subject) {
            subscription.times -= 1;
            if subscription.times == 0 {
                encode_unsubscribe(subscription.number, out);
                self.subscriptions.remove(&subject);
            }
        }
    }

    /// Has what was asked for confirmed.
    pub(crate) fn end_asking(&mut self, out: &mut BytesMut) {
        if std::mem::take(&mut self.has_changed) {
            self.ping(out);
        }
    }

    pub(crate) fn asked(&self) -> u64 {
        self.pings
    }

    pub(crate) fn confirmed(&self) -> u64 {
        self.pongs
    }

    /// Publishes; an error says why that cannot be.
    pub(crate) fn publish(&mut self, message: &Outgoing<'_>, out: &mut BytesMut) -> Result<(), String> {
        let parcel = &message.parcel;
        let from = format!("{} {} {}", self.own_name, self.next, message.origin.0);
        let mut headers = BytesMut::new();
        match std::str::from_utf8(parcel.shape.text()) {
            Ok(shape) if !shape.is_empty() => encode_headers(&[(FROM, &from), (FRAMES, shape)], &mut headers),
            _ => encode_headers(&[(FROM, &from)], &mut headers),
        }
        let length = headers.len() + parcel.payload.len();
        if length > self.payload_max {
            return Err(format!(
                "{length} bytes are more than the bus's engine takes ({})",
                self.payload_max
            ));
        }
        let subject =
            if message.is_shard { subject::of_shard(parcel.topic) } else { subject::of_topic(parcel.topic) };
        encode_publish(&subject, &headers, parcel.payload, out);
        self.next += 1;
        Ok(())
    }

    /// Reads on, delivers messages, and returns what others have to know. An error is why nothing more can be read.
    pub(crate) fn read(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
        bus: &mut Bus,
        address: &EngineUrl,
    ) -> Result<Option<News>, String> {
        loop {
            let parsed = self.parser.parse(input).map_err(|error| error.to_string())?;
            let Some((operation, length)) = parsed else { return Ok(None) };
            let news = match &operation {
                Operation::Message(message) => self.deliver(input, message, bus),
                Operation::Info(place) => {
                    let place = place.clone();
                    self.introduced(&input[place], address, out)?;
                    None
                }
                Operation::Ping => {
                    encode_pong(out);
                    None
                }
                Operation::Pong => {
                    self.pongs += 1;
                    let is_first = !std::mem::replace(&mut self.is_greeted, true);
                    Some(if is_first { News::Greeted } else { News::Confirmed })
                }
                Operation::Done => None,
                Operation::Refusal(words) => {
                    let words = String::from_utf8_lossy(&input[words.clone()]).into_owned();
                    // After these the connection goes on; after all others the server ends it.
                    if !words.starts_with("Permissions Violation") && !words.starts_with("Invalid Subject") {
                        return Err(format!("it refuses us: {words}"));
                    }
                    let is_message = words.starts_with("Permissions Violation for Publish");
                    Some(if is_message { News::NotPublished(words) } else { News::Refused(words) })
                }
            };
            input.advance(length);
            if let Some(news) = news {
                return Ok(Some(news));
            }
        }
    }

    /// The server has said what it is, for the first time or again.
    fn introduced(&mut self, json: &[u8], address: &EngineUrl, out: &mut BytesMut) -> Result<(), String> {
        let info: Info = serde_json::from_slice(json)
            .map_err(|error| format!("what it says of itself is no JSON: {error}"))?;
        self.payload_max = info.max_payload.unwrap_or(PAYLOAD_MAX_BYTES);
        if std::mem::replace(&mut self.is_introduced, true) {
            return Ok(());
        }
        if info.tls_required {
            return Err("it wants TLS, which the hub does not speak yet".to_owned());
        }
        if !info.headers {
            return Err("it knows no headers: a NATS from 2.2 on is needed, with headers allowed".to_owned());
        }
        let login = match (&address.user, &address.password) {
            (Some(token), None) => Login { token: Some(token), ..Login::default() },
            (user, password) => Login { user: user.as_deref(), password: password.as_deref(), token: None },
        };
        encode_connect("remuda-hub", env!("CARGO_PKG_VERSION"), login, out);
        self.ping(out);
        Ok(())
    }

    fn deliver(&mut self, input: &[u8], message: &Message, bus: &mut Bus) -> Option<News> {
        let subject = &input[message.subject.clone()];
        if !self.is_oldest(subject, message.subscription) {
            return None;
        }
        let headers = &input[message.headers.clone()];
        let payload = &input[message.payload.clone()];
        let mut origin = ELSEWHERE;
        if let Some((hub, number, from)) = header(headers, FROM).and_then(sender) {
            if !self.is_new(hub, number) {
                return None;
            }
            if hub == self.own_name.as_bytes() {
                origin = Origin(from);
            }
        }
        let shape =
            header(headers, FRAMES).and_then(|text| Shape::read(text, payload.len())).unwrap_or(Shape::Pair);
        let (is_shard, topic) = match subject::named(subject)? {
            Named::Topic(topic) => (false, topic),
            Named::Shard(channel) => (true, channel),
        };
        let taken = deliver(bus, &Delivery { origin, is_shard, topic: &topic, payload, shape });
        (!taken).then_some(News::TooLong)
    }

    /// Whether no older subscription of ours has `subject` too.
    fn is_oldest(&self, subject: &[u8], subscription: u64) -> bool {
        let numbers = subject::covering(subject).filter_map(|cover| self.subscriptions.get(&cover));
        numbers.map(|subscription| subscription.number).min() == Some(subscription)
    }

    fn is_new(&mut self, hub: &[u8], number: u64) -> bool {
        if let Some(last) = self.seen.get_mut(hub) {
            let is_new = number > *last;
            *last = number.max(*last);
            return is_new;
        }
        if self.seen.len() >= HUBS_MAX {
            self.seen.pop_first();
        }
        self.seen.insert(hub.to_vec(), number);
        true
    }
}

/// Hub, number and origin.
fn sender(value: &[u8]) -> Option<(&[u8], u64, u64)> {
    let mut words = value.split(|byte| *byte == b' ');
    let hub = words.next()?;
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    Some((hub, number()?, number()?))
}
