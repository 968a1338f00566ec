//! Topics on their way to plain WebSockets and streams of events.
//!
//! All clients that hear the same prefix share a feed: one subscription, and each message encoded once for each form.

mod stream;
#[cfg(test)]
mod tests;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use remuda_model::gateway::SlowClient;
use remuda_wire::websocket::{CloseCode, Opcode, head};

use super::bus::{Listener, Message};
use super::table::Table;
use super::{Bus, Key, Sink};

pub(super) use stream::{Stream, StreamSource};

/// All feeds of a process.
#[derive(Debug)]
pub struct Feeds {
    bus: Rc<Bus>,
    /// Which hub the numbers of messages are of.
    node: String,
    feeds: RefCell<BTreeMap<Vec<u8>, Rc<Feed>>>,
    counts: Cell<FeedCounts>,
}

/// What is counted of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedCounts {
    /// Messages that went to clients' queues.
    pub delivered: u64,
    /// Messages that did not, because a client did not keep up.
    pub dropped: u64,
    /// Clients that were let go because of that.
    pub too_slow: u64,
    /// Messages of clients.
    pub heard: u64,
}

/// One prefix of topics, and who hears it.
#[derive(Debug)]
struct Feed {
    feeds: Weak<Feeds>,
    outlets: RefCell<Table<Outlet>>,
}

/// A client, and how much may wait for it.
#[derive(Debug, Clone)]
pub(super) struct Outlet {
    pub(super) way: Way,
    pub(super) queue_max: usize,
    pub(super) slow: SlowClient,
}

#[derive(Debug, Clone)]
pub(super) enum Way {
    /// A WebSocket; whether everything is a binary frame.
    Socket(Rc<Sink>, bool),
    /// A stream of events.
    Stream(Rc<Stream>),
}

impl Way {
    /// Whether the client was let go already: nothing is put in any more, and nothing counted a second time.
    fn is_ending(&self) -> bool {
        match self {
            Self::Socket(sink, _) => sink.is_ending(),
            Self::Stream(stream) => stream.has_ended(),
        }
    }
}

/// A message in the forms clients take.
#[derive(Debug, Default)]
struct Forms {
    frame: OnceCell<Bytes>,
    binary: OnceCell<Bytes>,
    event: OnceCell<Bytes>,
    named: OnceCell<Bytes>,
}

/// Where a client hears, until it is dropped.
#[derive(Debug)]
pub(super) struct Subscription {
    feeds: Rc<Feeds>,
    places: Vec<(Vec<u8>, Key)>,
}

impl Feeds {
    /// Of this hub, on the server `node`.
    #[must_use]
    pub fn new(bus: Rc<Bus>, node: &str) -> Rc<Self> {
        Rc::new(Self { bus, node: node.to_owned(), feeds: RefCell::default(), counts: Cell::default() })
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> FeedCounts {
        self.counts.get()
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut FeedCounts)) {
        let mut counts = self.counts.get();
        add(&mut counts);
        self.counts.set(counts);
    }

    /// Figures, as JSON.
    #[must_use]
    pub fn figures(&self) -> serde_json::Value {
        let counts = self.counts();
        let feeds = self.feeds.borrow();
        let clients: usize = feeds.values().map(|feed| feed.outlets.borrow().len()).sum();
        serde_json::json!({
            "topics": feeds.len(), "clients": clients, "delivered": counts.delivered, "dropped": counts.dropped,
            "too_slow": counts.too_slow, "heard": counts.heard,
        })
    }

    pub(super) fn bus(&self) -> &Rc<Bus> {
        &self.bus
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Has a client hear `topics`, each with those below it.
    pub(super) fn subscribe(self: &Rc<Self>, topics: &[Vec<u8>], outlet: &Outlet) -> Subscription {
        let mut topics: Vec<&[u8]> = topics.iter().map(Vec::as_slice).collect();
        topics.sort_unstable();
        // One that begins with another adds nothing, and its messages would come twice.
        topics.dedup_by(|next, before| next.starts_with(before));
        let mut places = Vec::new();
        for topic in topics {
            let known = self.feeds.borrow().get(topic).cloned();
            let feed = known.unwrap_or_else(|| {
                let feed = Rc::new(Feed { feeds: Rc::downgrade(self), outlets: RefCell::default() });
                self.feeds.borrow_mut().insert(topic.to_vec(), Rc::clone(&feed));
                self.bus.subscribe(topic, Rc::clone(&feed) as Rc<dyn Listener>);
                feed
            });
            let key = feed.outlets.borrow_mut().insert(outlet.clone());
            places.push((topic.to_vec(), key));
        }
        Subscription { feeds: Rc::clone(self), places }
    }

    /// Lets all clients go, spread over `within`.
    pub(super) async fn drain(&self, within: Duration) {
        let outlets: Vec<Outlet> = self.feeds.borrow().values().flat_map(|feed| feed.all()).collect();
        let pause = within / u32::try_from(outlets.len().max(1)).unwrap_or(u32::MAX);
        let mut due = tokio::time::Instant::now();
        for outlet in outlets {
            // The timer of the runtime knows milliseconds; less is not waited for.
            if due > tokio::time::Instant::now() + Duration::from_millis(1) {
                tokio::time::sleep_until(due).await;
            }
            due += pause;
            match &outlet.way {
                Way::Socket(sink, _) => sink.close(Some(CloseCode::GOING_AWAY), ""),
                Way::Stream(stream) => stream.end(),
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for (topic, key) in &self.places {
            let Some(feed) = self.feeds.feeds.borrow().get(topic).cloned() else { continue };
            let is_last = {
                let mut outlets = feed.outlets.borrow_mut();
                outlets.remove(*key);
                outlets.len() == 0
            };
            if is_last {
                self.feeds.feeds.borrow_mut().remove(topic);
                self.feeds.bus.unsubscribe(topic, &(feed as Rc<dyn Listener>));
            }
        }
    }
}

impl Feed {
    fn all(&self) -> Vec<Outlet> {
        let outlets = self.outlets.borrow();
        outlets.keys().filter_map(|key| outlets.get(key).cloned()).collect()
    }
}

impl Listener for Feed {
    fn hear(&self, message: &Message) {
        let Some(feeds) = self.feeds.upgrade() else { return };
        let forms = Forms::default();
        let outlets = self.outlets.borrow();
        for outlet in outlets.keys().filter_map(|key| outlets.get(key)) {
            if outlet.way.is_ending() {
                continue;
            }
            let is_kept = match &outlet.way {
                Way::Socket(sink, is_binary) => {
                    let frame = forms.frame(message, *is_binary);
                    let fits = sink.waiting() == 0 || sink.waiting() + frame.len() <= outlet.queue_max;
                    if fits {
                        sink.push(frame);
                    } else if outlet.slow == SlowClient::Close {
                        sink.cut(CloseCode::TRY_AGAIN, "too slow");
                    }
                    fits
                }
                Way::Stream(stream) => {
                    let event = forms.event(message, feeds.node(), stream.is_named());
                    let fits = stream.push(message.sequence, event, outlet.queue_max);
                    if !fits && outlet.slow == SlowClient::Close {
                        stream.end();
                    }
                    fits
                }
            };
            feeds.count(|counts| {
                if is_kept {
                    counts.delivered += 1;
                } else {
                    counts.dropped += 1;
                    counts.too_slow += u64::from(outlet.slow == SlowClient::Close);
                }
            });
        }
    }

    fn missed(&self, messages: u64) {
        for outlet in self.all() {
            if let Way::Stream(stream) = &outlet.way {
                stream.push(0, gap(Some(messages)), usize::MAX);
            }
        }
    }

    fn settle(&self) {
        let outlets = self.outlets.borrow();
        for outlet in outlets.keys().filter_map(|key| outlets.get(key)) {
            match &outlet.way {
                Way::Socket(sink, _) => sink.flush(),
                Way::Stream(stream) => stream.wake(),
            }
        }
    }
}

impl Forms {
    fn frame(&self, message: &Message, is_binary: bool) -> Bytes {
        let cell = if is_binary { &self.binary } else { &self.frame };
        let make = || {
            let is_text = !is_binary && str::from_utf8(&message.payload).is_ok();
            let opcode = if is_text { Opcode::Text } else { Opcode::Binary };
            let head = head(opcode, message.payload.len());
            Bytes::from([head.as_ref(), &message.payload].concat())
        };
        cell.get_or_init(make).clone()
    }

    fn event(&self, message: &Message, node: &str, is_named: bool) -> Bytes {
        let cell = if is_named { &self.named } else { &self.event };
        cell.get_or_init(|| event(message, node, is_named)).clone()
    }
}

/// A message as an event. Bytes that are no text become base64, in an event named `base64`.
pub(super) fn event(message: &Message, node: &str, is_named: bool) -> Bytes {
    let mut out = format!("id: {node}-{}\n", message.sequence);
    let text = str::from_utf8(&message.payload);
    if is_named {
        let topic = String::from_utf8_lossy(&message.topic).replace(['\r', '\n', '\0'], " ");
        out.push_str(&format!("event: {topic}\n"));
    } else if text.is_err() {
        out.push_str("event: base64\n");
    }
    match text {
        Ok(text) => {
            // Any of the three ends a line of a stream.
            for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
                out.push_str("data: ");
                out.push_str(line);
                out.push('\n');
            }
        }
        Err(_) => out.push_str(&format!("data: {}\n", BASE64.encode(&message.payload))),
    }
    out.push('\n');
    out.into()
}

/// Tells that messages are missing; how many at most, where that is known.
pub(super) fn gap(missed: Option<u64>) -> Bytes {
    let missed = missed.map_or("null".to_owned(), |missed| missed.to_string());
    format!("event: gap\ndata: {{\"missed\":{missed}}}\n\n").into()
}
