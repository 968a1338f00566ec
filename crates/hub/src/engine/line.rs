//! One connection to an engine that is to be there always: dialled, greeted, watched, and dialled again when it is lost.
//!
//! | phase | ends with |
//! |---|---|
//! | away | the time to try again |
//! | resolving | the addresses of a name, from a thread of their own |
//! | connecting | a socket that can be written to, or [`CONNECT_WITHIN`] |
//! | greeting | the engine's answer to who we are, or [`GREET_WITHIN`] |
//! | up | an error, the end, or silence |

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use remuda_model::Tick;
use remuda_sys::event::{Interest, Poller, Readiness, Token};
use remuda_sys::socket::begin_connect;
use remuda_toolkit::Backoff;

use super::resolver::Resolver;
use crate::stream::Stream;
use remuda_model::hub::{EngineMetrics, EngineUrl};

/// An engine that does not take a connection in this time is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// An engine that does not say who it is in this time is none.
const GREET_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait between tries: an engine that comes back is found soon, and a hundred hubs that try are no load.
const BACKOFF_CAP: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Away { until: Tick },
    Resolving,
    Connecting { until: Tick },
    Greeting { until: Tick },
    Up,
}

/// A connection, or the lack of one.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) address: EngineUrl,
    token: Token,
    /// For the log: `bus`, `store`.
    purpose: &'static str,
    phase: Phase,
    stream: Option<Stream>,
    watched: Interest,
    pub(crate) input: BytesMut,
    pub(crate) output: BytesMut,
    addresses: Vec<SocketAddr>,
    /// Which of them is tried next.
    turn: usize,
    /// Which one it is connected to.
    pub(crate) peer: Option<SocketAddr>,
    backoff: Backoff,
    /// Since when it is up.
    since: Tick,
    heard: Tick,
    /// When it was asked for a sign of life, if it has not given one since.
    asked: Option<Tick>,
    /// Why it is away; empty while that is not known.
    pub(crate) trouble: String,
    /// Whether the log knows that it is away.
    is_told: bool,
    /// Whether it was ever up.
    pub(crate) was_up: bool,
    /// How often it was lost.
    pub(crate) losses: u64,
}

/// What news of its socket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    /// It is connected: greet.
    Connected,
    /// There is something in [`Line::input`].
    Something,
}

impl Line {
    pub(crate) fn new(address: EngineUrl, token: Token, purpose: &'static str, seed: u64) -> Self {
        Self {
            address,
            token,
            purpose,
            phase: Phase::Away { until: Tick::default() },
            stream: None,
            watched: Interest::Nothing,
            input: BytesMut::new(),
            output: BytesMut::new(),
            addresses: Vec::new(),
            turn: 0,
            peer: None,
            backoff: Backoff::new(seed).cap(BACKOFF_CAP),
            since: Tick::default(),
            heard: Tick::default(),
            asked: None,
            trouble: String::new(),
            is_told: false,
            was_up: false,
            losses: 0,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Whether something can be written: it is up, or greets.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Up | Phase::Greeting { .. })
    }

    /// In a word, for `INFO`.
    pub(crate) fn state(&self) -> &'static str {
        match self.phase {
            Phase::Up => "up",
            Phase::Away { .. } => "away",
            Phase::Resolving | Phase::Connecting { .. } | Phase::Greeting { .. } => "connecting",
        }
    }

    /// What is known of the connection itself.
    pub(crate) fn metrics(&self) -> EngineMetrics {
        EngineMetrics {
            purpose: self.purpose.to_owned(),
            address: self.address.to_string(),
            state: self.state().to_owned(),
            trouble: self.trouble.clone(),
            losses_total: self.losses,
            connections: u64::from(self.is_open()),
            ..EngineMetrics::default()
        }
    }

    /// Why nothing can be had of it now.
    pub(crate) fn refusal(&self) -> String {
        let why = if self.trouble.is_empty() { "not connected yet" } else { &self.trouble };
        format!(
            "the engine of the {} at {} is away: {why}; it is tried again and again",
            self.purpose, self.address
        )
    }

    /// When [`Self::step`] or [`Self::asks`] has something to do.
    pub(crate) fn due(&self, every: Duration) -> Option<Tick> {
        match self.phase {
            Phase::Away { until } | Phase::Connecting { until } | Phase::Greeting { until } => Some(until),
            Phase::Resolving => None,
            Phase::Up => Some(self.asked.unwrap_or(self.heard) + every),
        }
    }

    /// Does what is due.
    pub(crate) fn step(&mut self, now: Tick, poller: &Poller, resolver: &mut Resolver) {
        match self.phase {
            Phase::Away { until } if until <= now => self.dial(now, poller, resolver),
            Phase::Connecting { until } if until <= now => self.fail("it does not take the connection", now),
            Phase::Greeting { until } if until <= now => self.fail("it does not answer", now),
            _ => {}
        }
    }

    /// Whether it is to be asked for a sign of life, having given none for `every`. An error: it was asked as long ago, and
    /// says nothing. However long nobody looked, because a turn took long or the machine slept, it is asked first.
    pub(crate) fn asks(&mut self, now: Tick, every: Duration) -> Result<bool, String> {
        if !self.is_up() || now.since(self.heard) < every {
            return Ok(false);
        }
        match self.asked {
            None => {
                self.asked = Some(now);
                Ok(true)
            }
            Some(asked) if now.since(asked) >= every => Err("it has gone silent".to_owned()),
            Some(_) => Ok(false),
        }
    }

    fn dial(&mut self, now: Tick, poller: &Poller, resolver: &mut Resolver) {
        if let Ok(address) = self.address.host.parse() {
            self.addresses = vec![SocketAddr::new(address, self.address.port)];
            return self.connect(now, poller);
        }
        // A name is asked for again each time: what it stands for may be why the engine was lost.
        match resolver.ask(self.token.0, &self.address.host, self.address.port) {
            Ok(()) => self.phase = Phase::Resolving,
            Err(error) => self.fail(&error, now),
        }
    }

    /// What the name stands for.
    pub(crate) fn resolved(&mut self, found: Result<Vec<SocketAddr>, String>, now: Tick, poller: &Poller) {
        if self.phase != Phase::Resolving {
            return;
        }
        match found {
            Ok(addresses) if !addresses.is_empty() => {
                self.addresses = addresses;
                self.connect(now, poller);
            }
            Ok(_) => self.fail("its name stands for no address", now),
            Err(error) => self.fail(&error, now),
        }
    }

    fn connect(&mut self, now: Tick, poller: &Poller) {
        let address = self.addresses[self.turn % self.addresses.len()];
        self.turn = self.turn.wrapping_add(1);
        let begun = begin_connect(address).map_err(|error| error.to_string()).and_then(|stream| {
            let stream = Stream::tcp(stream).map_err(|error| error.to_string())?;
            poller.add(&stream, self.token, Interest::ReadWrite).map_err(|error| error.to_string())?;
            Ok(stream)
        });
        match begun {
            Ok(stream) => {
                self.stream = Some(stream);
                self.watched = Interest::ReadWrite;
                self.peer = Some(address);
                self.phase = Phase::Connecting { until: now + CONNECT_WITHIN };
            }
            Err(error) => self.fail(&error, now),
        }
    }

    /// The engine took our greeting.
    pub(crate) fn greeted(&mut self, now: Tick) {
        self.phase = Phase::Up;
        self.since = now;
        self.heard = now;
        self.asked = None;
        self.was_up = true;
        self.trouble.clear();
        if std::mem::take(&mut self.is_told) {
            log::info!("the engine of the {} at {} is back", self.purpose, self.address);
        } else {
            log::info!("the engine of the {} is {}", self.purpose, self.address);
        }
    }

    /// It is lost, or was never there: it is tried again in a while. The log is told once.
    pub(crate) fn fail(&mut self, why: &str, now: Tick) {
        let lived = if self.is_up() { now.since(self.since) } else { Duration::ZERO };
        self.losses += u64::from(self.is_up());
        let wait = self.backoff.failed(lived);
        self.stream = None;
        self.input.clear();
        self.output.clear();
        self.trouble = told(why);
        self.phase = Phase::Away { until: now + wait };
        if !std::mem::replace(&mut self.is_told, true) {
            log::warn!("{}", self.refusal());
        }
    }

    /// Reads what the kernel has, at most `budget` bytes. An error is why it is lost; the caller has it [fail](Self::fail).
    pub(crate) fn hear(
        &mut self,
        news: Readiness,
        now: Tick,
        scratch: &mut [u8],
        budget: usize,
    ) -> Result<Heard, String> {
        let Some(stream) = &mut self.stream else { return Ok(Heard::Nothing) };
        if let Phase::Connecting { .. } = self.phase {
            if !(news.writable || news.error || news.hangup) {
                return Ok(Heard::Nothing);
            }
            if let Some(error) = stream.take_error().map_err(|error| error.to_string())? {
                return Err(error.to_string());
            }
            self.phase = Phase::Greeting { until: now + GREET_WITHIN };
            return Ok(Heard::Connected);
        }
        let mut read = 0;
        while read < budget {
            match stream.read_into(&mut self.input, scratch) {
                // What came before the end is heard first; the end is found again.
                Ok(0) if read > 0 => break,
                Ok(0) => return Err("it ended the connection".to_owned()),
                Ok(count) => {
                    read += count;
                    if count < scratch.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        if read == 0 {
            return Ok(Heard::Nothing);
        }
        self.heard = now;
        self.asked = None;
        Ok(Heard::Something)
    }

    /// Whether something waits that the kernel was not asked to take.
    pub(crate) fn has_work(&self) -> bool {
        self.is_open() && !self.output.is_empty() && self.watched == Interest::Read
    }

    /// Writes what waits, as far as the kernel takes it.
    pub(crate) fn flush(&mut self, poller: &Poller) -> Result<(), String> {
        if !self.is_open() {
            return Ok(());
        }
        let Some(stream) = &mut self.stream else { return Ok(()) };
        write(stream, &mut self.output).map_err(|error| error.to_string())?;
        let wanted = if self.output.is_empty() { Interest::Read } else { Interest::ReadWrite };
        if wanted != self.watched {
            poller.modify(&*stream, self.token, wanted).map_err(|error| error.to_string())?;
            self.watched = wanted;
        }
        Ok(())
    }
}

/// What an engine gave as a reason, as far as a line of a log takes it: it may be no engine at all.
pub(crate) fn told(why: &str) -> String {
    let plain = |sign: char| if sign.is_control() { ' ' } else { sign };
    why.chars().take(REASON_MAX_CHARS).map(plain).collect()
}

/// Writes `output` as far as the kernel takes it.
pub(crate) fn write(stream: &mut Stream, output: &mut BytesMut) -> io::Result<()> {
    while !output.is_empty() {
        match stream.write_slices(&[IoSlice::new(output)]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => output.advance(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // A burst should not leave its memory behind.
    if output.capacity() > KEPT_BYTES {
        *output = BytesMut::new();
    }
    Ok(())
}

/// Characters of a reason that are repeated.
const REASON_MAX_CHARS: usize = 300;
/// Memory kept for what is written.
const KEPT_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
