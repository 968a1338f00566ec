//! One connection, from its first byte to its last: what the shell holds for each socket.
//!
//! The shell reads into a buffer and calls [`Connection::read`] until that answers `None`; it writes what is in
//! [`Connection::output`], and beside that the messages it has for the peer, [sealed](Connection::seal) if the
//! connection is. Time is the shell's: it gives up handshakes that take too long, and peers that do not answer a
//! [`ping`](Connection::ping).

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};

use super::command::{self, encode_cancel, encode_subscribe};
use super::curve::Session;
use super::established::Established;
use super::frame::Header;
use super::handshake::{Handshake, Progress, Role};
use super::{AcceptOptions, ConnectOptions, Event, Limits, Peer, ProtocolError, SavedConnection, greeting};

/// Unsent bytes above which heartbeats go unanswered: a peer that does not read cannot make us collect answers.
const BACKLOG_MAX: usize = 4096;

/// One side of a ZMTP connection.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    limits: Limits,
    /// As they go over the wire.
    output: BytesMut,
    /// Commands in clear. Those of a sealed connection are sealed when the shell comes for them, because numbers on
    /// the wire must grow, and the shell seals messages in between.
    commands: BytesMut,
    missing: usize,
}

#[derive(Debug)]
enum Phase {
    Greeting(Role),
    Handshake(Box<Handshake>),
    /// The shell's word is waited for.
    Asking(Box<Handshake>),
    Ready(Box<Established>),
    Over,
}

impl Phase {
    fn session(&mut self) -> Option<&mut Session> {
        match self {
            Self::Ready(established) => established.session(),
            _ => None,
        }
    }
}

impl Connection {
    /// A connection that was accepted.
    #[must_use]
    pub fn accept(options: Arc<AcceptOptions>) -> Self {
        Self::start(Role::Accept(options))
    }

    /// A connection that was made.
    #[must_use]
    pub fn connect(options: Arc<ConnectOptions>) -> Self {
        Self::start(Role::Connect(options))
    }

    fn start(role: Role) -> Self {
        let mut output = BytesMut::with_capacity(2 * greeting::SIZE);
        greeting::put(role.mechanism(), role.is_server(), &mut output);
        let limits = role.limits().clone();
        Self {
            phase: Phase::Greeting(role),
            limits,
            output,
            commands: BytesMut::new(),
            missing: greeting::SIZE,
        }
    }

    /// Goes on with a connection another process saved, within these limits. What that had read from the socket and
    /// not taken must stand at the front of the next input.
    #[must_use]
    pub fn restore(saved: &SavedConnection, limits: Limits) -> Self {
        Self {
            phase: Phase::Ready(Box::new(Established::restore(saved))),
            limits,
            output: BytesMut::from(&saved.output[..]),
            commands: BytesMut::new(),
            missing: 1,
        }
    }

    /// What another process needs to go on; `None` before `Ready` was reported and after the end. This one must not
    /// be used any more: numbers of sealed frames would be used twice.
    #[must_use]
    pub fn save(&mut self) -> Option<SavedConnection> {
        let output = self.output().to_vec();
        let Phase::Ready(established) = &self.phase else { return None };
        established.save(output)
    }

    /// Takes what makes up the next event off the front of `input`; `None`: it needs more bytes, at least
    /// [`wanted`](Self::wanted), or a [decision](Self::decide). Between calls bytes may only be added to the end.
    ///
    /// # Errors
    /// A [`ProtocolError`]: the shell sends what is in the output, if it likes, and closes. All further calls fail.
    pub fn read(&mut self, input: &mut BytesMut) -> Result<Option<Event>, ProtocolError> {
        let event = self.advance(input);
        if matches!(event, Err(_) | Ok(Some(Event::Failed(_)))) {
            self.phase = Phase::Over;
        }
        event
    }

    fn advance(&mut self, input: &mut BytesMut) -> Result<Option<Event>, ProtocolError> {
        loop {
            match &mut self.phase {
                Phase::Greeting(role) => {
                    let Some(greeting) = greeting::read(input, role.mechanism())? else {
                        self.missing = greeting::SIZE - input.len();
                        return Ok(None);
                    };
                    input.advance(greeting::SIZE);
                    let handshake = Handshake::start(role.clone(), greeting.minor, &mut self.output);
                    self.phase = Phase::Handshake(Box::new(handshake));
                }
                Phase::Handshake(handshake) => {
                    let max = handshake.command_max();
                    let Some(body) = take_command(input, max, &mut self.missing)? else { return Ok(None) };
                    match handshake.command(&body, &mut self.output)? {
                        Progress::Waits => {}
                        Progress::Asks(credentials) => {
                            self.ask();
                            return Ok(Some(Event::Authenticate(credentials)));
                        }
                        Progress::Done(peer, session) => self.establish(peer, session),
                        Progress::Refused(reason) => return Ok(Some(Event::Failed(reason))),
                    }
                }
                Phase::Asking(_) => return Ok(None),
                Phase::Ready(established) => {
                    let backlog = self.output.len() + self.commands.len();
                    let out = (backlog < BACKLOG_MAX).then_some(&mut self.commands);
                    return established.next(input, &self.limits, out, &mut self.missing);
                }
                Phase::Over => return Err(ProtocolError::Over),
            }
        }
    }

    fn ask(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Handshake(handshake) => Phase::Asking(handshake),
            other => other,
        };
    }

    fn establish(&mut self, peer: Peer, session: Option<Session>) {
        let is_accepting = match &self.phase {
            Phase::Handshake(handshake) | Phase::Asking(handshake) => handshake.is_accepting(),
            _ => false,
        };
        // A publisher that connected to us sends nothing before it is asked to; we take all it has.
        if is_accepting && peer.own_type.is_subscriber() {
            encode_subscribe(b"", peer.minor, &mut self.commands);
        }
        self.phase = Phase::Ready(Box::new(Established::new(peer, session)));
    }

    /// The answer to [`Event::Authenticate`]: let in, or refused with a reason. libzmq's clients tell their
    /// application reasons of the form `400`, and try again after others. Then [`read`](Self::read) goes on; a peer
    /// that was refused is closed when the output is sent. Without an open question nothing happens.
    pub fn decide(&mut self, verdict: Result<(), &str>) {
        let mut handshake = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Asking(handshake) => handshake,
            other => return self.phase = other,
        };
        if let Err(reason) = verdict {
            return command::put_error(reason, &mut self.output);
        }
        let done = handshake.decide(&mut self.output);
        self.phase = Phase::Handshake(handshake);
        if let Some((peer, session)) = done {
            self.establish(peer, Some(session));
        }
    }

    /// How many bytes the input lacks at least, as of the last [`read`](Self::read) that answered `None`: what the
    /// peer announced, within the limits. A shell makes room as bytes come, not for all of it at once.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.missing
    }

    /// Bytes of a message that is not whole yet which the connection keeps itself: what a sealed one has opened. The rest
    /// is in the shell's input.
    #[must_use]
    pub fn kept(&self) -> usize {
        match &self.phase {
            Phase::Ready(established) => established.kept(),
            _ => 0,
        }
    }

    /// Bytes to be sent; the shell takes them off the front. On a sealed connection they must leave in the order in
    /// which this and [`seal`](Self::seal) were called.
    pub fn output(&mut self) -> &mut BytesMut {
        if !self.commands.is_empty() {
            let commands = self.commands.split();
            match self.phase.session() {
                Some(session) => session.seal(&commands, &mut self.output),
                None => self.output.extend_from_slice(&commands),
            }
        }
        &mut self.output
    }

    /// Whether messages have to be [sealed](Self::seal).
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        matches!(&self.phase, Phase::Ready(established) if established.is_sealed())
    }

    /// Appends `frames`, whole data frames, to `out` as they have to be sent: sealed with CURVE, else as they are.
    pub fn seal(&mut self, frames: &[u8], out: &mut BytesMut) {
        match self.phase.session() {
            Some(session) => session.seal(frames, out),
            None => out.extend_from_slice(frames),
        }
    }

    /// Asks the peer for a sign of life, and to give us up if we are silent for `ttl_deciseconds` (0: never). Of
    /// `context`, which comes back with the answer, 16 bytes count. `false`: there is nobody to ask, because the
    /// handshake is not done or the peer speaks ZMTP 3.0, which has no heartbeats.
    pub fn ping(&mut self, ttl_deciseconds: u16, context: &[u8]) -> bool {
        let can = self.peer().is_some_and(|peer| peer.minor > 0);
        if can {
            command::put_ping(ttl_deciseconds, context, &mut self.commands);
        }
        can
    }

    /// Subscribes to what begins with `topic`, in the form the peer understands. `false`: it is not `Ready`.
    pub fn subscribe(&mut self, topic: &[u8]) -> bool {
        self.put_subscription(topic, encode_subscribe)
    }

    /// Takes one such subscription back. `false`: it is not `Ready`.
    pub fn cancel(&mut self, topic: &[u8]) -> bool {
        self.put_subscription(topic, encode_cancel)
    }

    fn put_subscription(&mut self, topic: &[u8], encode: fn(&[u8], u8, &mut BytesMut)) -> bool {
        let minor = self.peer().map(|peer| peer.minor);
        if let Some(minor) = minor {
            encode(topic, minor, &mut self.commands);
        }
        minor.is_some()
    }

    /// The peer, once the handshake is done.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        match &self.phase {
            Phase::Ready(established) => Some(established.peer()),
            _ => None,
        }
    }
}

/// Takes a command frame of up to `max` bytes off the front; `None`: `missing` bytes are.
fn take_command(
    input: &mut BytesMut,
    max: u64,
    missing: &mut usize,
) -> Result<Option<BytesMut>, ProtocolError> {
    let Some(header) = Header::read(input)? else {
        *missing = Header::size_of(input) - input.len();
        return Ok(None);
    };
    if !header.is_command() {
        return Err(ProtocolError::Unexpected { found: "a message".to_owned(), wanted: "the handshake" });
    }
    let too_long = ProtocolError::CommandTooLong { length: header.length, max };
    let Ok(length) = usize::try_from(header.length) else { return Err(too_long) };
    if header.length > max {
        return Err(too_long);
    }
    let whole = header.size + length;
    if whole > input.len() {
        *missing = whole - input.len();
        return Ok(None);
    }
    input.advance(header.size);
    Ok(Some(input.split_to(length)))
}
