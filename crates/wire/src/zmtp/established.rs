//! A connection whose handshake is done: what comes is messages, and now and then a command.
//!
//! Of a sealed connection the frames are opened first, some at a time, into a buffer that then is walked as if it had
//! come over the wire: there is one walk for all mechanisms, and one place for the limits.

use bytes::{Bytes, BytesMut};

use super::command::{self, Command};
use super::curve::{Sealed, Session};
use super::traffic::{Found, Traffic};
use super::{Event, Limits, Peer, ProtocolError, SavedConnection};

/// What is known of it.
#[derive(Debug)]
pub(super) struct Established {
    peer: Peer,
    /// Whether the shell knows.
    is_reported: bool,
    traffic: Traffic,
    sealed: Option<Sealed>,
}

impl Established {
    /// The connection with `peer`, sealed with `session` if there is one.
    pub(super) fn new(peer: Peer, session: Option<Session>) -> Self {
        let sealed = session.map(|session| Sealed { session, clear: BytesMut::new() });
        Self { peer, is_reported: false, traffic: Traffic::default(), sealed }
    }

    pub(super) fn restore(saved: &SavedConnection) -> Self {
        let sealed = saved.curve.as_ref().map(|curve| Sealed {
            session: Session::restore(curve),
            clear: BytesMut::from(&curve.clear[..]),
        });
        Self { peer: saved.peer.clone(), is_reported: true, traffic: Traffic::default(), sealed }
    }

    /// `None` while the shell does not know of the peer.
    pub(super) fn save(&self, output: Vec<u8>) -> Option<SavedConnection> {
        self.is_reported.then(|| SavedConnection {
            peer: self.peer.clone(),
            output,
            curve: self.sealed.as_ref().map(|sealed| sealed.session.save(&sealed.clear)),
        })
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Bytes that were opened and are no whole message yet.
    pub(super) fn kept(&self) -> usize {
        self.sealed.as_ref().map_or(0, |sealed| sealed.clear.len())
    }

    pub(super) fn session(&mut self) -> Option<&mut Session> {
        self.sealed.as_mut().map(|sealed| &mut sealed.session)
    }

    /// The next event. `answers`: where a heartbeat is answered, if it is.
    pub(super) fn next(
        &mut self,
        input: &mut BytesMut,
        limits: &Limits,
        mut answers: Option<&mut BytesMut>,
        missing: &mut usize,
    ) -> Result<Option<Event>, ProtocolError> {
        if !self.is_reported {
            self.is_reported = true;
            return Ok(Some(Event::Ready(self.peer.clone())));
        }
        loop {
            let Some(found) = self.take(input, limits, missing)? else { return Ok(None) };
            let body = match found {
                Found::Messages(batch) => return Ok(Some(Event::Messages(batch))),
                Found::Subscribe(topic) => return Ok(Some(Event::Subscribe(topic))),
                Found::Cancel(topic) => return Ok(Some(Event::Cancel(topic))),
                Found::Command(body) => body,
            };
            if let Some(event) = self.obey(&body, limits, answers.as_deref_mut())? {
                return Ok(Some(event));
            }
        }
    }

    fn take(
        &mut self,
        input: &mut BytesMut,
        limits: &Limits,
        missing: &mut usize,
    ) -> Result<Option<Found>, ProtocolError> {
        let Some(sealed) = &mut self.sealed else {
            let found = self.traffic.next(input, self.peer.socket_type, limits);
            *missing = self.traffic.missing;
            return found;
        };
        loop {
            if let Some(found) = self.traffic.next(&mut sealed.clear, self.peer.socket_type, limits)? {
                return Ok(Some(found));
            }
            let opened = sealed.clear.len();
            let incomplete = sealed.open(input, limits.frame_max, limits.batch_max)?;
            if sealed.clear.len() == opened {
                *missing = incomplete.unwrap_or(1);
                return Ok(None);
            }
        }
    }

    fn obey(
        &self,
        body: &Bytes,
        limits: &Limits,
        answers: Option<&mut BytesMut>,
    ) -> Result<Option<Event>, ProtocolError> {
        match Command::read(body)? {
            Command::Ping { ttl_deciseconds, context } => {
                if let Some(out) = answers {
                    command::put_pong(&context, out);
                }
                Ok(Some(Event::Ping { ttl_deciseconds }))
            }
            Command::Pong => Ok(Some(Event::Pong)),
            Command::Subscribe(topic) => {
                self.subscription(topic, limits).map(|topic| Some(Event::Subscribe(topic)))
            }
            Command::Cancel(topic) => {
                self.subscription(topic, limits).map(|topic| Some(Event::Cancel(topic)))
            }
            Command::Error(reason) => Ok(Some(Event::Failed(reason))),
            Command::Unknown => Ok(None),
        }
    }

    fn subscription(&self, topic: Bytes, limits: &Limits) -> Result<Bytes, ProtocolError> {
        let (length, max) = (topic.len() as u64, limits.subscription_max);
        if !self.peer.socket_type.is_subscriber() {
            return Err(ProtocolError::Unexpected {
                found: format!("a subscription of a {} socket", self.peer.socket_type),
                wanted: "data",
            });
        }
        if length > u64::from(max) {
            return Err(ProtocolError::SubscriptionTooLong { length, max });
        }
        Ok(topic)
    }
}
