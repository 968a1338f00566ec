//! The hub's one loop: whoever has something to say is heard, what it means is done, what is to be written is written.
//!
//! A turn waits for the kernel's news, reads from each connection a bounded amount, carries out what came, then does what
//! concerns several connections, hands the journal what changed, and writes to everybody who has something waiting, with
//! all of it merged. Nothing in it waits for anything but that news: the disk has its own thread, and so has nothing else.

mod accept;
mod write;

use std::io::ErrorKind;
use std::time::Duration;

use remuda_bus::MemberId;
use remuda_model::Tick;
use remuda_store::Moment;
use remuda_sys::clock;
use remuda_sys::event::{Interest, Poller, Readiness, Token};
use remuda_sys::socket::Link;
use remuda_toolkit::Quit;
use remuda_toolkit::watchdog::Pulse;

use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::engine::FIRST_TOKEN;
use crate::error::HubError;
use crate::herd::{self, Herd};
use crate::journal::RewriteError;
use crate::table::{Key, Table};

/// Bytes read from one connection before the others have their turn.
const READ_PER_TURN: usize = 256 * 1024;
/// Bytes of one read.
const READ_BYTES: usize = 128 * 1024;
/// Tokens of what is no connection; a connection's are larger.
pub(crate) const JOURNAL: Token = Token(0);
pub(crate) const QUIT: Token = Token(1);
const HANDOVER: Token = Token(2);
pub(crate) const LOCKS: Token = Token(5);
const FIRST_ENDPOINT: u64 = 16;

/// How a run of the loop ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It was told to.
    Asked,
    /// Another process has taken everything over.
    HandedOver(Link),
}

/// Everything there is.
pub(crate) struct Hub {
    pub(crate) poller: Poller,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) connections: Table<Connection>,
    pub(crate) core: Core,
    /// Those that may have something to write.
    dirty: Vec<Key>,
    /// Those that were not read because publishers, or writers, have to wait.
    stalled: Vec<Key>,
    /// Those with replies that wait for the disk.
    held: Vec<Key>,
    /// Up to where the disk had everything when that was looked at last.
    pub(crate) settled: u64,
    accept_again: Option<Tick>,
    pub(crate) scratch: Vec<u8>,
    news: Vec<Readiness>,
    awake: Vec<MemberId>,
    /// Beats while a turn is done, so that one that does not end is noticed.
    pulse: Pulse,
}

impl Hub {
    /// Everything around `core`; `poller` watches its engines and the wish to end already.
    pub(crate) fn new(
        endpoints: Vec<Endpoint>,
        core: Core,
        poller: Poller,
        pulse: Pulse,
    ) -> Result<Self, HubError> {
        if let Some(journal) = core.durability.as_fd() {
            poller.add(journal, JOURNAL, Interest::Read)?;
        }
        for (number, endpoint) in (FIRST_ENDPOINT..).zip(&endpoints) {
            poller.add(endpoint, Token(number), Interest::Read)?;
        }
        Ok(Self {
            poller,
            endpoints,
            connections: Table::new(),
            core,
            dirty: Vec::new(),
            stalled: Vec::new(),
            held: Vec::new(),
            settled: 0,
            accept_again: None,
            scratch: vec![0; READ_BYTES],
            news: Vec::new(),
            awake: Vec::new(),
            pulse,
        })
    }

    /// Has the name that successors know watched.
    pub(crate) fn watch_for_successors(&mut self) {
        if let Some(giving) = &self.core.giving
            && let Err(error) = self.poller.add(giving, HANDOVER, Interest::Read)
        {
            self.core.say(&error);
        }
    }

    /// Goes on until somebody says otherwise.
    pub(crate) fn run(&mut self, quit: &Quit) -> Result<End, HubError> {
        loop {
            self.wait()?;
            if quit.is_asked() {
                return Ok(End::Asked);
            }
            let news = std::mem::take(&mut self.news);
            for readiness in &news {
                if readiness.token == HANDOVER {
                    // It has limits of its own, and the old hub rests for good when the new one has everything.
                    self.pulse.rest();
                    if let Some(link) = self.hand_over()? {
                        return Ok(End::HandedOver(link));
                    }
                } else {
                    self.hear(*readiness)?;
                }
            }
            self.news = news;
            self.settle();
        }
    }

    /// Waits for news, until the next thing is due.
    fn wait(&mut self) -> Result<(), HubError> {
        let is_idle = self.dirty.is_empty() && self.core.has_delivered() && !self.core.engines.have_work();
        let timeout = if is_idle { self.patience() } else { Some(Duration::ZERO) };
        self.news.clear();
        self.pulse.rest();
        self.news.extend(self.poller.wait(timeout)?);
        self.pulse.beat();
        self.core.moment = moment();
        self.core.bus.tick(self.core.moment.tick);
        Ok(())
    }

    fn patience(&mut self) -> Option<Duration> {
        let now = moment();
        let store = self.core.store.deadline(now).map(|wait| now.tick + wait);
        let ticks = [
            store,
            self.core.bus.deadline(),
            self.core.services.deadline(),
            self.core.timers.next(),
            self.accept_again,
            self.core.durability.again(),
            self.core.engines.due(now.tick),
            self.core.herd.as_ref().and_then(Herd::due),
            self.core.locks.deadline(),
        ];
        let next = ticks.into_iter().flatten().min()?;
        Some(next.since(now.tick))
    }

    fn hear(&mut self, readiness: Readiness) -> Result<(), HubError> {
        match readiness.token {
            QUIT | HANDOVER => {}
            herd::RESOLVER => self.hear_resolver(),
            herd::CLERK => self.hear_clerk(),
            JOURNAL => self.core.durability.hear(),
            LOCKS => self.core.locks.hear(),
            Token(number) if (FIRST_TOKEN..1 << 32).contains(&number) => self.hear_engine(readiness),
            Token(number) if number < 1 << 32 => {
                let index =
                    usize::try_from(number - FIRST_ENDPOINT).expect("endpoints are counted in an usize");
                self.accept(index)?;
            }
            Token(number) => {
                let key = Key::from_number(number);
                if readiness.readable || readiness.hangup || readiness.error {
                    self.read(key);
                }
                if readiness.writable {
                    self.mark(key);
                }
            }
        }
        Ok(())
    }

    /// Reads what one connection has, and does what it says.
    pub(crate) fn read(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.paused {
            return self.look_away(key);
        }
        if connection.has_to_wait(&mut self.core) {
            connection.paused = true;
            self.stalled.push(key);
            let is_full = connection.is_full();
            return self.watch(key, is_full);
        }
        let mut budget = READ_PER_TURN;
        let mut is_over = false;
        while budget > 0 && (!connection.closing || matches!(connection.protocol, Protocol::Herd(_))) {
            match connection.stream.read_into(&mut connection.input, &mut self.scratch) {
                Ok(0) => {
                    is_over = true;
                    break;
                }
                Ok(count) => {
                    connection.heard = self.core.moment.tick;
                    budget = budget.saturating_sub(count);
                    if !connection.digest(&mut self.core) || count < READ_BYTES {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    connection.lost(&error);
                    return self.end(key);
                }
            }
        }
        if is_over {
            return self.end(key);
        }
        self.mark(key);
        self.cut_longest_half();
    }

    /// The peer of a connection that is not read for now is gone. What it sent before is read when its turn comes; until
    /// then the poller would tell the same in every turn.
    fn look_away(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && connection.is_watched
            && self.poller.remove(&connection.stream).is_ok()
        {
            connection.is_watched = false;
            connection.interest = Interest::Nothing;
        }
    }

    /// Has `key` written to at the end of the turn.
    pub(crate) fn mark(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.is_dirty {
            connection.is_dirty = true;
            self.dirty.push(key);
        }
        // It may have been marked before it had something to hold.
        if connection.outbox.is_held() && !connection.is_held {
            connection.is_held = true;
            self.held.push(key);
        }
    }

    /// What concerns more than one connection, and the end of the turn.
    fn settle(&mut self) {
        self.resume_accepting();
        self.look_for_the_journal();
        self.pass_time();
        self.run_errands();
        self.deliver();
        self.drive_engines();
        self.drive_herd();
        self.core.tell_changes();
        self.keep();
        self.settle_locks();
        self.release();
        self.awake.clear();
        self.core.bus.take_awake(&mut self.awake);
        let awake = std::mem::take(&mut self.awake);
        for member in &awake {
            self.mark(Key::from_number(member.0));
        }
        self.awake = awake;
        let mut doomed = Vec::new();
        self.core.bus.take_doomed(&mut doomed);
        for member in doomed {
            self.core.figures.cut_off += 1;
            let key = Key::from_number(member.0);
            if let Some(connection) = self.connections.get(key) {
                self.core
                    .say_of(&connection.remote, &"cut off: it reads too slowly for what it subscribed to");
            }
            self.end(key);
        }
        self.flush();
        self.fetch_again();
        self.relieve();
    }

    /// The journal gets what the turn brought, and is written anew when it has grown too much.
    fn keep(&mut self) {
        self.core.durability.flush();
        match self.core.durability.turned() {
            Some(Err(why)) => {
                log::error!(
                    "the disk does not take changes: {why}; writes are refused from now on, reads go on"
                );
            }
            Some(Ok(())) => log::warn!("the disk takes changes again, and so does the store"),
            None => {}
        }
        match self.core.rewrite_journal(false) {
            Ok(()) | Err(RewriteError::Running) => {}
            Err(error) => {
                self.core.say(&format!("rewrite the store's journal: {error}; it goes on as it is"));
            }
        }
        if let Some(Err(error)) = self.core.durability.rewritten() {
            self.core.say(&format!("rewrite the store's journal: {error}; it goes on as it is"));
        }
    }

    /// What is due by the clock.
    fn pass_time(&mut self) {
        let now = self.core.moment.tick;
        self.core.pass_time();
        while let Some((key, due)) = self.core.timers.pop(now) {
            self.fall_due(key, due);
        }
    }

    /// Ends a connection, and everything that was its.
    pub(crate) fn end(&mut self, key: Key) {
        let Some(mut connection) = self.connections.remove(key) else { return };
        // It lives on in another process if it was passed on; it is not watched here any more.
        let _ = self.poller.remove(&connection.stream);
        connection.forget(&mut self.core);
        self.core.timers.forget(key);
    }
}

/// Both clocks.
pub(crate) fn moment() -> Moment {
    let wall = clock::realtime();
    Moment { tick: clock::boottime(), wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) }
}
