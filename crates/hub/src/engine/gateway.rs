//! The store's engine: each client's commands go to a connection of its own there, and the answers come back as they are.
//!
//! So transactions, waits, watched keys and numbered databases are the engine's, as if the client had connected there; who
//! it is and what it may, its subscriptions and its calls stay ours. Transactions are queued here and sent whole.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use remuda_bus::{Bus, Reserved};
use remuda_model::Tick;
use remuda_model::hub::Events;
use remuda_sys::event::{Poller, Readiness, Token};
use remuda_wire::resp::encode_command;

use super::line::{Heard, Line};
use super::parting::Wait;
use super::upstream::{Arrived, Expect, Upstream, version};
use super::watch::Watch;
use crate::redis::session::Session;
use crate::table::Key;
use remuda_model::hub::EngineUrl;

/// Bytes read from the line of the store itself.
const WATCH_PER_TURN: usize = 1 << 20;

/// All of it.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// A connection that is there always: says whether the engine is there, and what keys change.
    pub(crate) line: Line,
    pub(super) watch: Watch,
    every: Duration,
    first_token: u64,
    pub(super) upstreams: Vec<Option<Upstream>>,
    free: Vec<usize>,
    fresh: Vec<usize>,
    /// Connections that are not read since their clients read slowly.
    paused: BTreeSet<usize>,
    /// Connections that are being made, with when they have to be there, the oldest first; some may be there already.
    connecting: VecDeque<(Tick, usize)>,
    pub(super) dirty: Vec<usize>,
    /// A successor takes over: what clients sent and was not carried out is for it.
    pub(crate) is_leaving: bool,
    /// When the engine was asked last to end waits.
    pub(super) told: Option<Tick>,
    /// Connections with a command that is to be asked again, unless they are gone.
    pub(super) ended: Vec<usize>,
    /// Commands sent.
    pub(crate) forwarded: u64,
}

/// What a client is left with whose connection to the engine is gone.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) owner: Key,
    /// Answers that will not come.
    pub(crate) owed: usize,
    /// Something of one answer was passed on already.
    pub(crate) is_cut: bool,
}

impl Gateway {
    pub(crate) fn new(
        address: EngineUrl,
        token: Token,
        first_token: u64,
        every: Duration,
        seed: u64,
    ) -> Self {
        Self {
            line: Line::new(address, token, "store", seed),
            watch: Watch::default(),
            every,
            first_token,
            upstreams: Vec::new(),
            free: Vec::new(),
            fresh: Vec::new(),
            paused: BTreeSet::new(),
            connecting: VecDeque::new(),
            dirty: Vec::new(),
            is_leaving: false,
            told: None,
            ended: Vec::new(),
            forwarded: 0,
        }
    }

    /// Connections of clients.
    pub(crate) fn connections(&self) -> usize {
        self.upstreams.len() - self.free.len()
    }

    /// Bytes of commands that wait to be sent.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.upstreams.iter().flatten().map(|upstream| upstream.output.len()).sum()
    }

    /// Sends a command for a client, whose connection is made if it has none. An error says why not.
    pub(crate) fn forward(
        &mut self,
        session: &mut Session,
        command: &[&[u8]],
        expect: Expect,
        now: Tick,
    ) -> Result<(), String> {
        let place = match session.upstream {
            Some(place) => place,
            None => self.open(session, now)?,
        };
        let Some(upstream) = self.upstreams.get_mut(place).and_then(Option::as_mut) else {
            return Err("the connection to the store's engine is gone".to_owned());
        };
        encode_command(command, &mut upstream.output);
        upstream.expects.push_back(expect);
        self.dirty.push(place);
        self.forwarded += 1;
        Ok(())
    }

    fn open(&mut self, session: &mut Session, now: Tick) -> Result<usize, String> {
        let peer = match self.line.peer {
            Some(peer) if self.line.is_up() => peer,
            _ => return Err(self.line.refusal()),
        };
        let upstream = Upstream::open(&self.line.address, peer, session, now).map_err(|error| {
            format!("the engine of the store at {} cannot be reached: {error}", self.line.address)
        })?;
        let place = self.free.pop().unwrap_or_else(|| {
            self.upstreams.push(None);
            self.upstreams.len() - 1
        });
        self.connecting.extend(upstream.until.map(|until| (until, place)));
        self.upstreams[place] = Some(upstream);
        self.fresh.push(place);
        session.upstream = Some(place);
        Ok(place)
    }

    /// The client speaks another version from now on.
    pub(crate) fn speaks(&mut self, session: &mut Session, now: Tick) {
        if session.upstream.is_some() {
            // Its connection is there; whether it still works shows with the next command.
            let _ = self.forward(session, &[b"HELLO", version(session.version)], Expect::Swallow, now);
        }
    }

    /// Nobody gets the answer to what `session` sent last.
    pub(crate) fn swallow_last(&mut self, session: &Session) {
        if let Some(last) = self.of(session).and_then(|upstream| upstream.expects.back_mut()) {
            *last = match last {
                Expect::Select(database) => Expect::SelectUnheard(*database),
                _ => Expect::Swallow,
            };
        }
    }

    fn of(&mut self, session: &Session) -> Option<&mut Upstream> {
        self.upstreams.get_mut(session.upstream?)?.as_mut()
    }

    /// Answers that `session` still waits for.
    pub(crate) fn outstanding(&self, session: &Session) -> usize {
        session
            .upstream
            .and_then(|place| self.upstreams.get(place)?.as_ref())
            .map_or(0, |upstream| upstream.expects.len())
    }

    /// Whether more of `session` may be sent before answers are there: not if that is more than its connection takes, and
    /// not behind a command that waits, for what follows would be answered, and it itself perhaps not.
    pub(crate) fn takes_more(&self, session: &Session) -> bool {
        let upstream = session.upstream.and_then(|place| self.upstreams.get(place)?.as_ref());
        !self.is_leaving
            && upstream.is_none_or(|upstream| !upstream.is_full() && upstream.waiting().is_none())
    }

    /// Ends the connection of a client, if it has one.
    pub(crate) fn close(&mut self, session: &mut Session) {
        if let Some(place) = session.upstream.take() {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: usize) -> Option<Left> {
        let upstream = self.upstreams.get_mut(place)?.take()?;
        self.free.push(place);
        self.paused.remove(&place);
        let owed = upstream.expects.iter().filter(|expect| expect.is_relayed());
        Some(Left { owner: upstream.owner, owed: owed.count(), is_cut: upstream.is_begun })
    }

    /// The place of the connection that `token` stands for, if it is one of a client.
    pub(crate) fn place(&self, token: Token) -> Option<usize> {
        let place = usize::try_from(token.0.checked_sub(self.first_token)?).ok()?;
        self.upstreams.get(place)?.is_some().then_some(place)
    }

    /// Places where there may be one.
    pub(crate) fn places(&self) -> std::ops::Range<usize> {
        0..self.upstreams.len()
    }

    pub(crate) fn owner(&self, place: usize) -> Option<Key> {
        Some(self.upstreams.get(place)?.as_ref()?.owner)
    }

    /// News of a client's connection.
    pub(crate) fn hear(&mut self, place: usize, news: Readiness, scratch: &mut [u8]) -> Arrived {
        let mut arrived = Arrived::default();
        let Some(upstream) = self.upstreams.get_mut(place).and_then(Option::as_mut) else { return arrived };
        if let Err(error) = upstream.hear(news, scratch, &mut arrived) {
            arrived.trouble = Some(error);
        }
        arrived.is_idle = upstream.expects.is_empty();
        arrived.is_begun = upstream.is_begun;
        if upstream.wait == Wait::Ended {
            self.ended.push(place);
        }
        self.dirty.push(place);
        arrived
    }

    /// A client reads slowly (true), or again.
    pub(crate) fn pause(&mut self, place: usize, is_paused: bool) {
        if let Some(upstream) = self.upstreams.get_mut(place).and_then(Option::as_mut)
            && upstream.is_paused != is_paused
        {
            upstream.is_paused = is_paused;
            self.dirty.push(place);
            if is_paused {
                self.paused.insert(place)
            } else {
                self.paused.remove(&place)
            };
        }
    }

    /// Clients whose connections are not read since they read slowly.
    pub(crate) fn paused(&self) -> Vec<(usize, Key)> {
        self.paused.iter().filter_map(|place| Some((*place, self.owner(*place)?))).collect()
    }

    /// Whether something was put down since it was [written](Self::flush) last.
    pub(crate) fn has_work(&self) -> bool {
        !(self.fresh.is_empty() && self.dirty.is_empty()) || self.line.has_work()
    }

    /// Writes what clients sent. Those whose connection failed come back with the reason; and those, with none, whose
    /// connection has room again.
    pub(crate) fn flush(&mut self, poller: &Poller) -> Vec<(usize, Option<String>)> {
        let mut told = Vec::new();
        for place in std::mem::take(&mut self.fresh) {
            let token = Token(self.first_token + place as u64);
            if let Some(upstream) = self.upstreams[place].as_mut()
                && let Err(error) = poller.add(&upstream.stream, token, upstream.watched)
            {
                told.push((place, Some(error.to_string())));
            }
        }
        self.ask_again();
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        for place in dirty {
            let token = Token(self.first_token + place as u64);
            let Some(upstream) = self.upstreams.get_mut(place).and_then(Option::as_mut) else { continue };
            match upstream.flush(poller, token) {
                Ok(true) => told.push((place, None)),
                Ok(false) => {}
                Err(error) => told.push((place, Some(error))),
            }
        }
        told
    }

    /// Ends the connection at `place`; what its client is left with.
    pub(crate) fn lose(&mut self, place: usize) -> Option<Left> {
        self.remove(place)
    }

    /// What is due; clients whose connection was not taken in time.
    pub(crate) fn pass_time(&mut self, now: Tick) -> Vec<usize> {
        let mut late = Vec::new();
        while let Some((until, place)) = self.connecting.front().copied() {
            let is_made = |upstream: &Upstream| upstream.until != Some(until);
            if self.upstreams.get(place).and_then(Option::as_ref).is_none_or(is_made) {
                self.connecting.pop_front();
            } else if until <= now {
                self.connecting.pop_front();
                late.push(place);
            } else {
                break;
            }
        }
        late
    }

    /// When something is due.
    pub(crate) fn due(&self) -> Option<Tick> {
        let line = self.line.due(self.every);
        let connecting = self.connecting.front().map(|(until, _)| *until);
        line.into_iter().chain(connecting).min()
    }

    /// News of the line itself.
    pub(crate) fn hear_line(
        &mut self,
        news: Readiness,
        now: Tick,
        scratch: &mut [u8],
        bus: &mut Bus,
        events: Events,
    ) -> Result<(), String> {
        match self.line.hear(news, now, scratch, WATCH_PER_TURN)? {
            Heard::Nothing => Ok(()),
            Heard::Connected => {
                self.watch.greet(&self.line.address, &mut self.line.output);
                Ok(())
            }
            Heard::Something => {
                let Line { input, output, .. } = &mut self.line;
                if self.watch.read(input, output, bus, events)? {
                    self.line.greeted(now);
                }
                Ok(())
            }
        }
    }

    /// Asks for changes of keys if somebody wants to hear of them, and for a sign of life when there was none for long.
    pub(crate) fn check(&mut self, now: Tick, bus: &Bus) -> Result<(), String> {
        if !self.line.is_up() {
            return Ok(());
        }
        let is_wanted = bus.is_heard(Reserved::Store) || bus.is_heard(Reserved::Keyspace);
        self.watch.want(is_wanted, &mut self.line.output);
        if self.line.asks(now, self.every)? {
            self.watch.ping(&mut self.line.output);
        }
        Ok(())
    }
}
