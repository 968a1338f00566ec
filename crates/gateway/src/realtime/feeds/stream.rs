//! One client's stream of events.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Sleep;

use super::{Feeds, Subscription, event, gap};
use crate::server::{Broken, Source, Step};

/// Times the hub is asked for more of the past, each time for up to 1,000 messages.
const REPLAYS_MAX: usize = 100;

/// What waits for a client.
#[derive(Debug)]
pub(in crate::realtime) struct Stream {
    queue: RefCell<VecDeque<(u64, Bytes)>>,
    bytes: Cell<usize>,
    is_named: bool,
    has_ended: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Stream {
    pub(in crate::realtime) fn new(is_named: bool) -> Rc<Self> {
        Rc::new(Self {
            queue: RefCell::default(),
            bytes: Cell::new(0),
            is_named,
            has_ended: Cell::new(false),
            waker: RefCell::default(),
        })
    }

    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }

    /// Adds an event; whether there was room.
    pub(super) fn push(&self, sequence: u64, event: Bytes, queue_max: usize) -> bool {
        let bytes = self.bytes.get() + event.len();
        if self.has_ended.get() || (self.bytes.get() > 0 && bytes > queue_max) {
            return false;
        }
        self.bytes.set(bytes);
        self.queue.borrow_mut().push_back((sequence, event));
        true
    }

    /// Ends it, after what waits; the client comes back and says what it had last.
    pub(super) fn end(&self) {
        self.has_ended.set(true);
        self.wake();
    }

    /// Whether it was ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn next(&self) -> Option<(u64, Bytes)> {
        let next = self.queue.borrow_mut().pop_front()?;
        self.bytes.set(self.bytes.get() - next.1.len());
        Some(next)
    }
}

/// What came before: the last number, and the events.
type Past = (u64, Vec<Bytes>);

/// The body of the answer.
pub(in crate::realtime) struct StreamSource {
    stream: Rc<Stream>,
    _subscription: Subscription,
    /// What the client missed is asked for; what comes meanwhile waits.
    past: Option<Pin<Box<dyn Future<Output = Past>>>>,
    /// Up to here the client has everything.
    position: u64,
    ready: VecDeque<Bytes>,
    every: Duration,
    heartbeat: Pin<Box<Sleep>>,
}

impl fmt::Debug for StreamSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSource").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl StreamSource {
    /// Begins with `first`, then what came after `last` on `topics`, where the client says what it had.
    pub(in crate::realtime) fn new(
        stream: Rc<Stream>,
        subscription: Subscription,
        first: Bytes,
        last: Option<(Vec<Vec<u8>>, Option<u64>)>,
        every: Duration,
    ) -> Self {
        let feeds = Rc::clone(&subscription.feeds);
        let is_named = stream.is_named;
        let past = last.map(|(topics, last)| {
            Box::pin(past(feeds, topics, last, is_named)) as Pin<Box<dyn Future<Output = Past>>>
        });
        Self {
            stream,
            _subscription: subscription,
            past,
            position: 0,
            ready: VecDeque::from([first]),
            every,
            heartbeat: Box::pin(tokio::time::sleep(every)),
        }
    }
}

impl Source for StreamSource {
    fn poll_step(&mut self, context: &mut Context<'_>, _buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        *self.stream.waker.borrow_mut() = Some(context.waker().clone());
        if let Some(past) = &mut self.past
            && let Poll::Ready((position, events)) = past.as_mut().poll(context)
        {
            self.past = None;
            self.position = position;
            self.ready.extend(events);
        }
        if let Some(event) = self.ready.pop_front() {
            return Poll::Ready(Ok(Step::Shared(event)));
        }
        if self.past.is_none() {
            while let Some((sequence, event)) = self.stream.next() {
                if sequence == 0 || sequence > self.position {
                    return Poll::Ready(Ok(Step::Shared(event)));
                }
            }
            if self.stream.has_ended.get() {
                return Poll::Ready(Ok(Step::End));
            }
        }
        if self.heartbeat.as_mut().poll(context).is_ready() {
            self.heartbeat.as_mut().reset(tokio::time::Instant::now() + self.every);
            return Poll::Ready(Ok(Step::Shared(Bytes::from_static(b":\n\n"))));
        }
        Poll::Pending
    }
}

/// What came after `last` on `topics`, in order, or word of a gap. `last` is `None` where it is a number of another hub.
async fn past(feeds: Rc<Feeds>, topics: Vec<Vec<u8>>, last: Option<u64>, is_named: bool) -> Past {
    let Some(last) = last else { return (0, vec![gap(None)]) };
    let (mut position, mut all, mut missed) = (last, Vec::new(), None);
    for topic in &topics {
        let mut after = last;
        for _ in 0..REPLAYS_MAX {
            let Some((lost, messages)) = feeds.bus().replay(topic, after).await else {
                return (position, vec![gap(None)]);
            };
            missed = missed.max(lost);
            let Some(newest) = messages.last().map(|message| message.sequence) else { break };
            after = newest;
            position = position.max(newest);
            all.extend(messages);
        }
    }
    all.sort_by_key(|message| message.sequence);
    let events = missed.map(|missed| gap(Some(missed)));
    let events = events.into_iter().chain(all.iter().map(|message| event(message, feeds.node(), is_named)));
    (position, events.collect())
}
