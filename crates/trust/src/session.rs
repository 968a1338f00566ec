//! A connection between two servers: bytes of TCP go in and out, frames come out and go in.
//!
//! A session has no socket and no clock, so the loop that has them can be any, and a test can be one that loses, cuts and
//! delays. What arrives goes in with [`Session::feed`]; what it means is taken with [`Session::next_event`]; what is to be
//! sent is taken with [`Session::write_to`]. It goes through three phases:
//!
//! 1. the handshake of TLS 1.3, in which both sides show certificates and a stranger is refused;
//! 2. between nodes a [`Hello`] from each, from which both find what they agree on; who asks a signer says none;
//! 3. frames ([`Frame`]) in both directions, until one side closes.
//!
//! The first two together have a deadline and a limit of bytes. Memory is bounded in all three: by one frame and what the
//! library holds for incoming, by [`SessionOptions::outgoing_max`] for outgoing bytes. An error is the end: what is left
//! to be written then is the alert that tells the peer.

mod event;
mod failure;
mod frame;
mod hello;
mod options;
mod patience;
mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use remuda_herd::NodeId;

use crate::endpoint::{Endpoint, Protocol};
use crate::identity::{Certified, Identity};
use crate::trust::{Distrust, Trust, Unverified};
use patience::Patience;
use tls::{Stage, Tls};

pub use event::{Counterpart, Event};
pub use failure::{SendError, SessionError};
pub use frame::{FRAME_BYTES_MAX, Frame, HEADER_BYTES, HELLO_KIND, KIND_MAX};
pub use hello::{Agreement, Disagreement, Hello, LZ4, Versions};
pub use options::SessionOptions;

/// Most bytes of a handshake and a [`Hello`]. Ours have 4 KiB; a chain of other certificates can have more.
pub const HANDSHAKE_BYTES_MAX: usize = 32 << 10;

#[derive(Debug)]
enum Phase {
    Handshake,
    Greeting(Certified),
    Speaking,
    Failed,
}

/// A connection between two servers.
#[derive(Debug)]
pub struct Session {
    tls: Tls,
    phase: Phase,
    options: SessionOptions,
    hello: Option<Hello>,
    deadline: Duration,
    /// Bytes that came in before the peer was known.
    early: usize,
    incoming: BytesMut,
    outgoing: BytesMut,
    ready: Option<Box<Counterpart>>,
    peer: Option<Box<Counterpart>>,
    compress_from: Option<usize>,
    patience: Patience,
}

impl Session {
    /// Begins to speak to `wanted`, or whichever node answers. `hello` is what we say of ourselves, between nodes;
    /// without it we ask a signer. `now` is on any clock that only goes forward, the one of [`Session::tick`].
    ///
    /// # Errors
    /// The endpoint's credentials are of no use.
    pub fn connect(
        endpoint: &Endpoint,
        wanted: Option<NodeId>,
        hello: Option<Hello>,
        options: SessionOptions,
        now: Duration,
    ) -> Result<Self, SessionError> {
        let protocol = if hello.is_some() { Protocol::Herd } else { Protocol::Join };
        let tls = Tls::connecting(endpoint.client(protocol, wanted)?);
        Ok(Self::new(tls, hello, options, now))
    }

    /// Begins to listen to whoever connected. `hello` is what is said to nodes.
    #[must_use]
    pub fn accept(endpoint: Arc<Endpoint>, hello: Hello, options: SessionOptions, now: Duration) -> Self {
        Self::new(Tls::accepting(endpoint), Some(hello), options, now)
    }

    /// As [`Session::accept`], for a signer that speaks to nobody but those who ask it.
    #[must_use]
    pub fn accept_requests(endpoint: Arc<Endpoint>, options: SessionOptions, now: Duration) -> Self {
        Self::new(Tls::accepting(endpoint), None, options, now)
    }

    fn new(tls: Tls, hello: Option<Hello>, options: SessionOptions, now: Duration) -> Self {
        let options = SessionOptions { frame_max: options.frame_max.min(FRAME_BYTES_MAX), ..options };
        Self {
            tls,
            phase: Phase::Handshake,
            options,
            hello,
            deadline: now.saturating_add(options.handshake_within),
            early: 0,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            ready: None,
            peer: None,
            compress_from: None,
            patience: Patience::default(),
        }
    }

    /// Who is at the other end, once that is known.
    #[must_use]
    pub fn peer(&self) -> Option<&Counterpart> {
        self.peer.as_deref()
    }

    /// Until when the peer has to be known.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        matches!(self.phase, Phase::Handshake | Phase::Greeting(_)).then_some(self.deadline)
    }

    /// Time goes on.
    ///
    /// # Errors
    /// The peer should have said by now who it is.
    pub fn tick(&mut self, now: Duration) -> Result<(), SessionError> {
        match self.deadline() {
            Some(deadline) if deadline <= now => {
                self.fail(SessionError::Late { within: self.options.handshake_within })
            }
            _ => Ok(()),
        }
    }

    /// Takes in bytes, and says how many. Fewer than there are when a whole frame waits to be taken: then they are to be
    /// kept, and the peer is not to be read from, until [`Session::next_event`] has given all it has.
    ///
    /// # Errors
    /// The peer is refused, refuses us, or says what cannot be understood; the session has ended.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, SessionError> {
        if matches!(self.phase, Phase::Failed) {
            return Err(SessionError::Over);
        }
        self.take(bytes).or_else(|error| self.fail(error))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<usize, SessionError> {
        let mut rest = bytes;
        while !rest.is_empty() && self.incoming.len() < self.options.frame_max + HEADER_BYTES {
            let had = rest.len();
            self.tls.read(&mut rest, &mut self.incoming)?;
            self.advance()?;
            if rest.len() == had {
                // Closed by the peer, in whichever phase: what it may still send is nothing to us.
                return Ok(bytes.len());
            }
            if matches!(self.phase, Phase::Handshake | Phase::Greeting(_)) {
                self.early += had - rest.len();
                if self.early > HANDSHAKE_BYTES_MAX {
                    return Err(SessionError::HandshakeTooLong);
                }
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Goes on to the next phase, if there is what it needs.
    fn advance(&mut self) -> Result<(), SessionError> {
        if matches!(self.phase, Phase::Handshake)
            && let Stage::Established { protocol, certificate } = self.tls.stage()?
        {
            let certified = Certified::read(&certificate).map_err(Distrust::from)?;
            match (protocol, &self.hello) {
                (Protocol::Herd, Some(hello)) => {
                    let features = hello.features & !LZ4 | self.options.compress_from.map_or(0, |_| LZ4);
                    let hello = Hello { features, ..hello.clone() };
                    frame::encode(&mut self.outgoing, HELLO_KIND, &hello.encode());
                    self.phase = Phase::Greeting(certified);
                }
                (Protocol::Join, _) => self.speak(Counterpart { certified, protocol, hello: None }),
                (Protocol::Herd, None) => return Err(SessionError::NoProtocol),
            }
        }
        let Phase::Greeting(certified) = &self.phase else { return Ok(()) };
        let Some(first) = frame::decode(&mut self.incoming, hello::BYTES_MAX, false)? else { return Ok(()) };
        let (Some(ours), Identity::Node(node)) = (&self.hello, &certified.identity) else {
            return Err(Distrust::Invitation.into());
        };
        if first.kind != HELLO_KIND {
            return Err(SessionError::NoHello { kind: first.kind });
        }
        let theirs = Hello::decode(&first.payload)?;
        let mut agreement = ours.agree(&theirs, node)?;
        if theirs.features & LZ4 != 0 {
            self.compress_from = self.options.compress_from;
        }
        if self.compress_from.is_none() {
            agreement.features &= !LZ4;
        } else {
            agreement.features |= LZ4;
        }
        let certified = certified.clone();
        let hello = Some((theirs, agreement));
        self.speak(Counterpart { certified, protocol: Protocol::Herd, hello });
        Ok(())
    }

    fn speak(&mut self, peer: Counterpart) {
        self.phase = Phase::Speaking;
        self.ready = Some(Box::new(peer.clone()));
        self.peer = Some(Box::new(peer));
    }

    /// The next thing that the bytes so far mean; `None` when more are needed.
    ///
    /// # Errors
    /// A frame is too long or damaged; the session has ended.
    pub fn next_event(&mut self) -> Result<Option<Event>, SessionError> {
        if let Some(peer) = self.ready.take() {
            return Ok(Some(Event::Ready(peer)));
        }
        if !matches!(self.phase, Phase::Speaking) {
            return Ok(None);
        }
        match frame::decode(&mut self.incoming, self.options.frame_max, self.compress_from.is_some()) {
            Err(error) => self.fail(error),
            Ok(Some(frame)) if frame.kind == HELLO_KIND => self.fail(SessionError::SecondHello),
            Ok(Some(frame)) => Ok(Some(Event::Frame(frame))),
            Ok(None) if self.tls.is_closed_by_peer() && !self.incoming.is_empty() => {
                self.fail(SessionError::Cut)
            }
            Ok(None) if self.tls.is_closed_by_peer() => Ok(Some(Event::Closed)),
            Ok(None) => Ok(None),
        }
    }

    /// The connection has ended. In order only if the peer said so before.
    ///
    /// # Errors
    /// It did not: frames may be missing.
    pub fn end(&mut self) -> Result<(), SessionError> {
        if self.tls.is_closed_by_peer() && self.incoming.is_empty() {
            return Ok(());
        }
        if matches!(self.phase, Phase::Failed) {
            Err(SessionError::Over)
        } else {
            self.fail(SessionError::Cut)
        }
    }

    /// Bytes of frames that wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outgoing.len()
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// The peer is not known yet, the frame is too long, or too much waits; nothing was queued.
    pub fn send(&mut self, kind: u8, payload: &[u8]) -> Result<(), SendError> {
        if !matches!(self.phase, Phase::Speaking) {
            return Err(SendError::NotReady);
        }
        if kind == HELLO_KIND || kind > KIND_MAX {
            return Err(SendError::Kind(kind));
        }
        if payload.len() > self.options.frame_max {
            return Err(SendError::TooLong { bytes: payload.len(), limit: self.options.frame_max });
        }
        let would_wait = self.outgoing.len() + HEADER_BYTES + payload.len();
        if would_wait > self.options.outgoing_max && !self.outgoing.is_empty() {
            return Err(SendError::Full);
        }
        let is_long = self.compress_from.is_some_and(|least| payload.len() >= least);
        if is_long && self.patience.is_over() {
            let has_paid = frame::encode_compressed(&mut self.outgoing, kind, payload);
            self.patience.learn(has_paid);
            if has_paid {
                return Ok(());
            }
        }
        frame::encode(&mut self.outgoing, kind, payload);
        Ok(())
    }

    /// Whether there is something to write.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.tls.wants_write() || (!self.outgoing.is_empty() && self.tls.is_open())
    }

    /// Writes what waits, until there is nothing more or `out` takes no more for now; says how many bytes.
    ///
    /// # Errors
    /// Writing failed for another reason than that it would have to wait.
    pub fn write_to(&mut self, out: &mut dyn io::Write) -> io::Result<usize> {
        let mut written = 0;
        loop {
            while !self.outgoing.is_empty() {
                let taken = self.tls.write(&self.outgoing)?;
                if taken == 0 {
                    break;
                }
                self.outgoing.advance(taken);
            }
            match self.tls.write_to(out) {
                Ok(0) => return Ok(written),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says that nothing more comes from here. Frames that wait are sent first only if they have been written.
    pub fn close(&mut self) {
        self.tls.close();
    }

    /// Judges the peer anew, by what is believed now: a node that was removed has to go at once, and so has one whose
    /// authority is believed no longer. That a certificate has expired meanwhile ends no session.
    ///
    /// # Errors
    /// It is not believed any more; the session has ended.
    pub fn recheck(&mut self, trust: &Trust) -> Result<(), SessionError> {
        let judged = self.peer.as_ref().map_or(Ok(()), |peer| self.judge(&peer.certified, trust));
        judged.or_else(|error| {
            self.close();
            self.fail(error)
        })
    }

    fn judge(&self, certified: &Certified, trust: &Trust) -> Result<(), SessionError> {
        trust.judge_identity(&certified.identity)?;
        match (&certified.identity, self.tls.chain()) {
            (Identity::Node(_), Some(chain)) => match trust.verify(chain, certified.not_before) {
                Ok(_) => Ok(()),
                Err(Unverified::Distrust(distrust)) => Err(distrust.into()),
                Err(Unverified::Tls(error)) => Err(error.into()),
                Err(Unverified::Empty) => Err(SessionError::NoProtocol),
            },
            // Who asks a signer by an invitation is gone after one answer.
            _ => Ok(()),
        }
    }

    fn fail<T>(&mut self, error: SessionError) -> Result<T, SessionError> {
        // A hello that waits still goes: the peer learns from it what we do not agree on.
        if matches!(self.phase, Phase::Speaking) {
            self.outgoing = BytesMut::new();
        }
        self.phase = Phase::Failed;
        self.ready = None;
        self.incoming = BytesMut::new();
        Err(error)
    }
}

/// A payload without a copy, where there is one.
impl From<Frame> for Bytes {
    fn from(frame: Frame) -> Self {
        frame.payload
    }
}

#[cfg(test)]
mod tests;
