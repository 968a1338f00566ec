//! One client's connection to the store's engine: commands go out, and what becomes of each answer is known before it is
//! there.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use remuda_model::Tick;
use remuda_model::hub::EngineUrl;
use remuda_sys::event::{Interest, Poller, Readiness, Token};
use remuda_sys::socket::begin_connect;
use remuda_wire::resp::{Version, encode_command};

use super::extent::Extent;
use super::line::write;
use super::parting::{GREETING_MAX_BYTES, Wait, id_in};
use super::redis_bus::hello;
use crate::redis::session::Session;
use crate::stream::Stream;
use crate::table::Key;

/// Bytes of commands that wait for one client's connection to the engine; with more the client is not read.
const AHEAD_MAX_BYTES: usize = 1 << 20;
/// Commands of one client that wait for their answers; with more the client is not read.
const AHEAD_MAX_COMMANDS: usize = 10_000;
/// Bytes read for one client before the others have their turn.
const READ_PER_TURN: usize = 256 * 1024;
/// An engine that does not take a client's connection in this time is not there for it.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What a command is answered whose wait the engine was asked to end.
const UNBLOCKED: &[u8] = b"-UNBLOCKED ";

/// What becomes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    /// The client gets it. The command as it was sent, if it is one that waits: another hub may ask it again.
    Relay(Vec<u8>),
    /// The client gets it; if it is no error the client is in this database now.
    Select(u32),
    /// The same, but that nobody gets it.
    SelectUnheard(u32),
    /// The client gets it: how many replicas have what it wrote.
    Count,
    /// Nobody gets it.
    Swallow,
    /// The engine lets us in, or not.
    Greeting,
}

impl Expect {
    /// Whether the client gets it.
    pub(crate) fn is_relayed(&self) -> bool {
        matches!(self, Self::Relay(_) | Self::Select(_) | Self::Count)
    }
}

/// One client's connection to the engine.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) owner: Key,
    pub(crate) stream: Stream,
    pub(crate) input: BytesMut,
    pub(crate) output: BytesMut,
    pub(crate) expects: VecDeque<Expect>,
    /// What the engine calls this connection, once it has greeted; `None` too if it does not say.
    pub(crate) id: Option<i64>,
    /// The greeting, as far as it is there.
    greeting: BytesMut,
    /// Of the command that waits, if there is one.
    pub(crate) wait: Wait,
    pub(crate) extent: Extent,
    /// When it has to be connected; `None` once it is.
    pub(crate) until: Option<Tick>,
    pub(crate) watched: Interest,
    /// The client has a part of the answer that passes.
    pub(crate) is_begun: bool,
    /// Its client does not read: neither is it.
    pub(crate) is_paused: bool,
}

/// What a client's connection has for it.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) bytes: BytesMut,
    /// How many of them are whole answers, or the ends of such.
    pub(crate) whole: usize,
    /// Whether what is behind them, or was passed on before, is an answer without its end.
    pub(crate) is_begun: bool,
    pub(crate) database: Option<u32>,
    /// Whether all that was asked is answered.
    pub(crate) is_idle: bool,
    /// Why the connection is of no use any more, if so.
    pub(crate) trouble: Option<String>,
}

impl Upstream {
    /// Begins a connection for the client of `session`: in its version, its database, and with our name and password.
    pub(crate) fn open(
        address: &EngineUrl,
        peer: SocketAddr,
        session: &Session,
        now: Tick,
    ) -> Result<Self, String> {
        let stream = begin_connect(peer).map_err(|error| error.to_string())?;
        let stream = Stream::tcp(stream).map_err(|error| error.to_string())?;
        let mut output = BytesMut::new();
        let mut expects = VecDeque::from([Expect::Greeting]);
        hello(address, version(session.version), &mut output);
        if session.database != 0 {
            encode_command(&[b"SELECT", session.database.to_string().as_bytes()], &mut output);
            expects.push_back(Expect::Greeting);
        }
        Ok(Self {
            owner: session.key,
            stream,
            input: BytesMut::new(),
            output,
            expects,
            id: None,
            greeting: BytesMut::new(),
            wait: Wait::Free,
            extent: Extent::default(),
            until: Some(now + CONNECT_WITHIN),
            watched: Interest::ReadWrite,
            is_begun: false,
            is_paused: false,
        })
    }

    pub(crate) fn is_full(&self) -> bool {
        self.output.len() > AHEAD_MAX_BYTES || self.expects.len() > AHEAD_MAX_COMMANDS
    }

    pub(crate) fn hear(
        &mut self,
        news: Readiness,
        scratch: &mut [u8],
        arrived: &mut Arrived,
    ) -> Result<(), String> {
        if self.until.is_some() {
            if !(news.writable || news.error || news.hangup) {
                return Ok(());
            }
            if let Some(error) = self.stream.take_error().map_err(|error| error.to_string())? {
                return Err(error.to_string());
            }
            self.until = None;
        }
        let mut read = 0;
        let mut is_over = false;
        while !self.is_paused && read < READ_PER_TURN {
            match self.stream.read_into(&mut self.input, scratch) {
                Ok(0) => {
                    is_over = true;
                    break;
                }
                Ok(count) => {
                    read += count;
                    if count < scratch.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        self.pass_on(arrived)?;
        if is_over { Err("it ended the connection".to_owned()) } else { Ok(()) }
    }

    fn pass_on(&mut self, arrived: &mut Arrived) -> Result<(), String> {
        while !self.input.is_empty() {
            let Some(expect) = self.expects.front().filter(|_| self.wait != Wait::Ended) else {
                return Err("it answered what it was not asked".to_owned());
            };
            let (passed, is_over) = self.extent.feed(&self.input)?;
            let is_error = self.extent.first == Some(b'-');
            if self.wait == Wait::Told && is_over && expect.waits().is_some() {
                let is_ended = is_error && self.input.starts_with(UNBLOCKED);
                self.wait = if is_ended { Wait::Ended } else { Wait::Free };
                if is_ended {
                    self.input.advance(passed);
                    self.extent.reset();
                    continue;
                }
            }
            match expect {
                Expect::Relay(_) | Expect::Count => arrived.bytes.extend_from_slice(&self.input[..passed]),
                Expect::Select(database) | Expect::SelectUnheard(database) => {
                    if expect.is_relayed() {
                        arrived.bytes.extend_from_slice(&self.input[..passed]);
                    }
                    if is_over && !is_error {
                        arrived.database = Some(*database);
                    }
                }
                Expect::Greeting if is_error && is_over => {
                    let text = String::from_utf8_lossy(&self.input[1..passed]).trim_end().to_owned();
                    return Err(format!("it refuses us: {text}"));
                }
                Expect::Greeting if self.greeting.len() + passed <= GREETING_MAX_BYTES => {
                    self.greeting.extend_from_slice(&self.input[..passed]);
                }
                Expect::Swallow | Expect::Greeting => {}
            }
            self.input.advance(passed);
            self.is_begun = expect.is_relayed() && !is_over && (passed > 0 || self.is_begun);
            if !is_over {
                break;
            }
            arrived.whole = arrived.bytes.len();
            self.extent.reset();
            if self.expects.pop_front() == Some(Expect::Greeting) {
                self.id = self.id.or(id_in(&std::mem::take(&mut self.greeting)));
            }
        }
        if self.input.is_empty() && self.input.capacity() > 0 {
            // A quiet connection keeps no buffer.
            self.input = BytesMut::new();
        }
        Ok(())
    }

    /// Writes; says whether there is room again where there was none.
    pub(crate) fn flush(&mut self, poller: &Poller, token: Token) -> Result<bool, String> {
        let was_full = self.is_full();
        if self.until.is_none() {
            write(&mut self.stream, &mut self.output).map_err(|error| error.to_string())?;
        }
        let wants_write = self.until.is_some() || !self.output.is_empty();
        let wanted = match (self.is_paused, wants_write) {
            (false, false) => Interest::Read,
            (false, true) => Interest::ReadWrite,
            (true, true) => Interest::Write,
            (true, false) => Interest::Nothing,
        };
        if wanted != self.watched {
            poller.modify(&self.stream, token, wanted).map_err(|error| error.to_string())?;
            self.watched = wanted;
        }
        Ok(was_full && !self.is_full())
    }
}

/// As `HELLO` has it.
pub(crate) fn version(version: Version) -> &'static [u8] {
    match version {
        Version::Resp2 => b"2",
        Version::Resp3 => b"3",
    }
}
