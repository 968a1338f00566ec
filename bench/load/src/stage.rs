//! The connections of one run and the one thread's turn through them.

use std::time::{Duration, Instant};

use remuda_sys::clock::{self, WallTimer};
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::namespace;

use crate::connection::Connection;
use crate::dialect::{Format, GreetingError, Role};
use crate::failure::{LoadError, excerpt};
use crate::plan::Plan;
use crate::publisher::Publisher;
use crate::subscriber::Subscriber;
use crate::tally::{MARK, PROBE};

/// One read of a subscriber; more than a TCP receive buffer usually holds. All read into the same one.
const BUFFER_BYTES: usize = 512 * 1024;
/// Time between two probes, and the longest wait of a turn where nothing is due.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);
/// How long subscriptions may take to work.
const REACHED_WITHIN: Duration = Duration::from_secs(15);

/// The publisher's token; subscribers have their index.
const PUBLISHER: Token = Token(u64::MAX);
/// The timer's token.
const TIMER: Token = Token(u64::MAX - 1);

/// Everybody connected, and every subscription known to work.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) publisher: Publisher,
    pub(crate) subscribers: Vec<Subscriber>,
    format: Format,
    poller: Poller,
    timer: WallTimer,
    buffer: Vec<u8>,
    ready: Vec<usize>,
    waits_for_room: bool,
}

impl Stage {
    /// Connects everybody, then publishes probes until each subscriber has had one.
    pub(crate) fn set(plan: &Plan) -> Result<Self, LoadError> {
        let format = plan.dialect.format(plan.payload_bytes);
        let poller = Poller::new()?;
        let mut subscribers = Vec::with_capacity(plan.subscribers);
        if let Some(path) = &plan.subscribe_from {
            namespace::enter_network(path)?;
        }
        for _ in 0..plan.subscribers {
            subscribers.push(Subscriber::new(connect(plan, &plan.subscribe, Role::Subscriber)?));
        }
        if let Some(path) = &plan.publish_from {
            namespace::enter_network(path)?;
        }
        let publisher = Publisher::new(connect(plan, &plan.publish, Role::Publisher)?, &format);
        poller.add(&publisher.connection, PUBLISHER, Interest::Read)?;
        for (token, subscriber) in (0..).zip(&subscribers) {
            poller.add(&subscriber.connection, Token(token), Interest::Read)?;
        }
        let timer = WallTimer::new()?;
        poller.add(&timer, TIMER, Interest::Read)?;
        let mut stage = Self {
            publisher,
            subscribers,
            format,
            poller,
            timer,
            buffer: vec![0; BUFFER_BYTES],
            ready: Vec::new(),
            waits_for_room: false,
        };
        stage.reach_all()?;
        Ok(stage)
    }

    /// Waits at most `timeout` for news, then reads every socket that has some once; whether any had.
    ///
    /// `seen` is told every message's subscriber and number.
    pub(crate) fn turn(
        &mut self,
        timeout: Duration,
        mut seen: impl FnMut(usize, u64),
    ) -> Result<bool, LoadError> {
        self.watch_for_room()?;
        let mut publisher = None;
        let mut rang = false;
        self.ready.clear();
        for news in self.poller.wait(Some(timeout))? {
            match news.token {
                PUBLISHER => publisher = Some(news),
                TIMER => rang = true,
                Token(index) => self.ready.extend(usize::try_from(index)),
            }
        }
        if rang {
            self.timer.take()?;
        }
        for index in 0..self.ready.len() {
            let index = self.ready[index];
            self.read(index, usize::MAX, |number| seen(index, number))?;
        }
        if let Some(news) = publisher {
            if news.readable || news.hangup || news.error {
                self.publisher.read(&self.format, &mut self.buffer)?;
            }
            if news.writable {
                self.publisher.write()?;
            }
        }
        Ok(publisher.is_some() || !self.ready.is_empty())
    }

    /// Ends the wait of a turn after `delay`. The wait's own limit counts in milliseconds; this does not.
    pub(crate) fn ring_in(&self, delay: Duration) -> Result<(), LoadError> {
        Ok(self.timer.set(Some(clock::realtime() + delay))?)
    }

    /// Reads one subscriber once, at most `bytes` beside what it kept; how many there were.
    pub(crate) fn read(
        &mut self,
        index: usize,
        bytes: usize,
        seen: impl FnMut(u64),
    ) -> Result<usize, LoadError> {
        // What it keeps is shorter than a message, and there must be room for more than that.
        let limit = bytes.saturating_add(self.format.delivered.bytes.len()).min(self.buffer.len());
        let subscriber = &mut self.subscribers[index];
        if subscriber.ended.is_some() {
            return Ok(0);
        }
        let count = subscriber.read(&self.format, &mut self.buffer[..limit], seen)?;
        if subscriber.ended.is_some() {
            self.poller.remove(&subscriber.connection)?;
        }
        Ok(count)
    }

    /// Stops or resumes to read a subscriber in [`turn`](Self::turn).
    pub(crate) fn listen_to(&self, index: usize, listen: bool) -> Result<(), LoadError> {
        let subscriber = &self.subscribers[index];
        if subscriber.ended.is_none() {
            let interest = if listen { Interest::Read } else { Interest::Nothing };
            let token = Token(u64::try_from(index).unwrap_or(u64::MAX));
            self.poller.modify(&subscriber.connection, token, interest)?;
        }
        Ok(())
    }

    /// How far the last of the subscribers that are still connected is; `None` when all are gone.
    pub(crate) fn slowest(&self) -> Option<u64> {
        self.subscribers.iter().filter(|each| each.ended.is_none()).map(|each| each.tally.next).min()
    }

    /// Messages that all subscribers together received.
    pub(crate) fn received(&self) -> u64 {
        self.subscribers.iter().map(|each| each.tally.received).sum()
    }

    /// Publishes probes until all have had one, then the mark that ends them, until all have that.
    fn reach_all(&mut self) -> Result<(), LoadError> {
        let limit = Instant::now() + REACHED_WITHIN;
        let mut probe_at = Instant::now();
        let mut marked = false;
        loop {
            let now = Instant::now();
            let all_probed = self.subscribers.iter().all(|each| each.tally.probed);
            if self.publisher.is_idle() && !marked && all_probed {
                self.publisher.publish_aside(MARK)?;
                marked = true;
            } else if self.publisher.is_idle() && !marked && now >= probe_at {
                self.publisher.publish_aside(PROBE)?;
                probe_at = now + PROBE_INTERVAL;
            }
            self.turn(PROBE_INTERVAL, |_, _| ())?;
            let missing = self.subscribers.iter().filter(|each| !each.tally.marked).count();
            if missing == 0 {
                return Ok(());
            }
            if now > limit || self.subscribers.iter().any(|each| each.ended.is_some()) {
                let all = self.subscribers.len();
                return Err(LoadError::NotReached { missing, all, seconds: REACHED_WITHIN.as_secs() });
            }
        }
    }

    fn watch_for_room(&mut self) -> Result<(), LoadError> {
        let waits = !self.publisher.is_idle();
        if waits != self.waits_for_room {
            let interest = if waits { Interest::ReadWrite } else { Interest::Read };
            self.poller.modify(&self.publisher.connection, PUBLISHER, interest)?;
            self.waits_for_room = waits;
        }
        Ok(())
    }
}

fn connect(plan: &Plan, address: &str, role: Role) -> Result<Connection, LoadError> {
    open(address, |connection| plan.dialect.greet(connection, role, plan.login.as_ref()))
}

/// A greeted connection that does not block any more.
pub(crate) fn open(
    address: &str,
    greet: impl FnOnce(&mut Connection) -> Result<(), GreetingError>,
) -> Result<Connection, LoadError> {
    let failed = |attempt: &'static str| {
        move |source| LoadError::Connect { attempt, address: address.to_owned(), source }
    };
    let mut connection = Connection::open(address).map_err(failed("connect"))?;
    greet(&mut connection).map_err(|error| match error {
        GreetingError::Socket(source) => failed("greet and subscribe")(source),
        GreetingError::Answer(said) => LoadError::Refused {
            attempt: "greet and subscribe",
            address: address.to_owned(),
            said: excerpt(&said),
        },
    })?;
    connection.stop_blocking().map_err(failed("prepare the socket"))?;
    Ok(connection)
}
