//! The gateway's connection to the hub: what is published for it, and what it publishes.
//!
//! There is one for each process. It subscribes to prefixes of topics for whoever listens, and comes back by itself when
//! the hub was away, with what the hub still has of the time between; clients stay connected meanwhile. What is
//! published while there is no hub waits, up to a limit. Messages that came together are given out together, and then
//! everybody who heard one is told that these were all, so that each client is written to once.

mod link;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use remuda_toolkit::client::Address;
use remuda_wire::resp::encode_command;
use tokio::sync::{Notify, oneshot};

/// Bytes of messages that wait for the hub; beyond them new ones are dropped and counted.
const PUBLISH_WAITING_MAX: usize = 4 << 20;

/// A message of the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number at this hub.
    pub sequence: u64,
    /// Its topic.
    pub topic: Vec<u8>,
    /// What it says.
    pub payload: Vec<u8>,
}

/// Somebody who listens to a prefix of topics.
pub trait Listener {
    /// A message came.
    fn hear(&self, message: &Message);

    /// Messages are missing, at most so many.
    fn missed(&self, messages: u64) {
        let _ = messages;
    }

    /// These were all that came together.
    fn settle(&self);
}

/// What the hub has of the past: how many messages are missing, and the others.
pub type Replay = (Option<u64>, Vec<Message>);

/// The connection to the hub, or the lack of it.
pub struct Bus {
    address: Address,
    topics: RefCell<BTreeMap<Vec<u8>, Topic>>,
    /// Commands that wait to be sent, and what their answers are for.
    commands: RefCell<Vec<(Vec<u8>, Expected)>>,
    /// Publications that wait to be sent.
    waiting: RefCell<VecDeque<Vec<u8>>>,
    waiting_bytes: Cell<usize>,
    is_connected: Cell<bool>,
    bell: Notify,
    counts: Cell<BusCounts>,
}

/// What is counted of a connection to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BusCounts {
    /// Messages that came.
    pub heard: u64,
    /// Messages that were sent.
    pub published: u64,
    /// Messages that were not: too many waited, or the connection broke under them.
    pub dropped: u64,
    /// Messages that may be missing of those that were to come.
    pub missed: u64,
    /// Times a connection was made.
    pub connected: u64,
    /// Commands the hub refused.
    pub refused: u64,
}

struct Topic {
    listeners: Vec<Rc<dyn Listener>>,
    /// The number of the last message heard.
    position: Option<u64>,
}

/// What the answer to a command is for.
enum Expected {
    Nothing,
    Subscribed,
    Replay(oneshot::Sender<Replay>),
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Bus {
    /// To the hub at `address`; nothing is done before [`Bus::run`].
    #[must_use]
    pub fn new(address: Address) -> Rc<Self> {
        Rc::new(Self {
            address,
            topics: RefCell::default(),
            commands: RefCell::default(),
            waiting: RefCell::default(),
            waiting_bytes: Cell::new(0),
            is_connected: Cell::new(false),
            bell: Notify::new(),
            counts: Cell::default(),
        })
    }

    /// Whether the hub is there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_connected.get()
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> BusCounts {
        self.counts.get()
    }

    fn count(&self, add: impl FnOnce(&mut BusCounts)) {
        let mut counts = self.counts.get();
        add(&mut counts);
        self.counts.set(counts);
    }

    /// Has `listener` hear topics that begin with `prefix`, from now on.
    pub fn subscribe(&self, prefix: &[u8], listener: Rc<dyn Listener>) {
        let mut topics = self.topics.borrow_mut();
        let is_new = !topics.contains_key(prefix);
        let topic = topics.entry(prefix.to_vec()).or_insert(Topic { listeners: Vec::new(), position: None });
        topic.listeners.push(listener);
        if is_new && self.is_connected() {
            self.command(&[b"BUS.SUBSCRIBE", prefix], Expected::Subscribed);
        }
    }

    /// Has `listener` hear them no more.
    pub fn unsubscribe(&self, prefix: &[u8], listener: &Rc<dyn Listener>) {
        let mut topics = self.topics.borrow_mut();
        let Some(topic) = topics.get_mut(prefix) else { return };
        topic.listeners.retain(|other| !Rc::ptr_eq(other, listener));
        if topic.listeners.is_empty() {
            topics.remove(prefix);
            if self.is_connected() {
                self.command(&[b"BUS.UNSUBSCRIBE", prefix], Expected::Subscribed);
            }
        }
    }

    /// Publishes; while the hub is away it waits, if not too much does already. Whether it does.
    pub fn publish(&self, topic: &[u8], payload: &[u8]) -> bool {
        let mut command = Vec::with_capacity(topic.len() + payload.len() + 48);
        encode_command(&[b"PUBLISH", topic, payload], &mut command);
        if self.waiting_bytes.get() + command.len() > PUBLISH_WAITING_MAX {
            self.count(|counts| counts.dropped += 1);
            return false;
        }
        self.waiting_bytes.set(self.waiting_bytes.get() + command.len());
        self.waiting.borrow_mut().push_back(command);
        self.bell.notify_one();
        true
    }

    /// What the hub still has of topics with `prefix` after message `after`; `None`: it is away.
    pub async fn replay(&self, prefix: &[u8], after: u64) -> Option<Replay> {
        if !self.is_connected() {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        let after = after.to_string();
        self.command(&[b"BUS.REPLAY", prefix, after.as_bytes()], Expected::Replay(answer));
        answered.await.ok()
    }

    fn command(&self, words: &[&[u8]], expected: Expected) {
        let mut command = Vec::new();
        encode_command(words, &mut command);
        self.commands.borrow_mut().push((command, expected));
        self.bell.notify_one();
    }

    /// Gives a message to all who listen to it; they are noted in `touched`.
    fn give(&self, message: &Message, touched: &mut Vec<Rc<dyn Listener>>) {
        self.count(|counts| counts.heard += 1);
        let mut heard: Vec<Rc<dyn Listener>> = Vec::new();
        for (prefix, topic) in self.topics.borrow_mut().iter_mut() {
            if message.topic.starts_with(prefix) && topic.position.is_none_or(|last| last < message.sequence)
            {
                topic.position = Some(message.sequence);
                heard.extend(topic.listeners.iter().cloned());
            }
        }
        for listener in heard {
            listener.hear(message);
            if !touched.iter().any(|other| Rc::ptr_eq(other, &listener)) {
                touched.push(listener);
            }
        }
    }

    fn all_listeners(&self) -> Vec<Rc<dyn Listener>> {
        self.topics.borrow().values().flat_map(|topic| topic.listeners.iter().cloned()).collect()
    }
}
