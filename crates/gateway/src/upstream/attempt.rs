//! One attempt: a connection, the request on it, and the head of the answer.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use remuda_model::gateway::ProxyProtocol;
use remuda_wire::http::{ResponseHead, ResponseParser};
use remuda_wire::proxy_protocol;

use super::failure::UpstreamError;
use super::group::Upstream;
use super::link::{Link, write_all};
use super::sending::{SendError, Sending};
use crate::balance::MemberId;
use crate::server::{BUFFER_BYTES, Peer, Transport};

/// Heads before the answer's own that are read of one answer.
const INTERIM_MAX: u32 = 16;
/// How long a server may think about whether it wants a body it was asked about, until it gets it anyway: not all know
/// the question (RFC 9110 10.1.1). As curl does.
const EXPECT_WITHIN: Duration = Duration::from_secs(1);

/// The head of an answer, and what came behind it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: ResponseHead,
    /// A buffer with what was read.
    pub(super) input: Vec<u8>,
    /// Where in it the body begins.
    pub(super) start: usize,
}

impl Upstream {
    /// A connection to `member`: one that waits, or a new one; `fresh`: surely a new one.
    pub(super) async fn link(
        &self,
        member: MemberId,
        peer: &Peer,
        fresh: bool,
    ) -> Result<Link, UpstreamError> {
        // A connection that was introduced is one client's.
        if !fresh && self.spec.proxy_protocol.is_none() {
            let closed = || self.figures.closed_idle();
            if let Some(link) = self.pool.take(member, self.deadlines.now(), closed) {
                return Ok(link);
            }
        }
        let transport = self.dial(member).await?;
        if let Some(version) = self.spec.proxy_protocol {
            let within = self.connect_within(self.place(member));
            let introduced = tokio::time::timeout(within, introduce(&transport, version, peer)).await;
            introduced
                .map_err(|_elapsed| UpstreamError::ConnectLate(within))?
                .map_err(|error| UpstreamError::Connect(error.to_string()))?;
        }
        let alarm = self.deadlines.alarm();
        Ok(Link { transport, member, alarm, answers: 0.into(), idle_since: Instant::now() })
    }

    /// A new connection to `member`.
    pub(super) async fn dial(&self, member: MemberId) -> Result<Transport, UpstreamError> {
        let place = self.place(member);
        let within = self.connect_within(place);
        self.figures.connected();
        match tokio::time::timeout(within, self.open(place)).await {
            Ok(Ok(transport)) => Ok(transport),
            Ok(Err(error)) => Err(UpstreamError::Connect(error.to_string())),
            Err(_elapsed) => Err(UpstreamError::ConnectLate(within)),
        }
    }

    /// Sends the request and waits for the head of the answer. `first_byte` runs from the last byte that moved.
    pub(super) async fn exchange(
        self: &Rc<Self>,
        link: &Link,
        sending: &mut Sending,
        first_byte: Duration,
        may_switch: bool,
    ) -> Result<Answer, UpstreamError> {
        let mut reading = Reading {
            upstream: self,
            link,
            first_byte,
            may_switch,
            parser: ResponseParser::new(self.head_limits.clone()),
            head: ResponseHead::new(0),
            input: Vec::new(),
            start: 0,
            interim: 0,
            asked: false,
        };
        link.alarm.set(first_byte);
        let read = poll_fn(|context| reading.poll(context, sending)).await;
        match read {
            Ok(()) => Ok(Answer { head: reading.head, input: reading.input, start: reading.start }),
            Err(error) => {
                self.buffers().keep(reading.input);
                Err(error)
            }
        }
    }
}

/// Tells a server by the PROXY protocol who the client is; of one on a Unix socket, that there is nothing to tell.
async fn introduce(transport: &Transport, version: ProxyProtocol, peer: &Peer) -> io::Result<()> {
    let mut header = Vec::new();
    let addresses = peer.address.zip(peer.local);
    match (version, addresses) {
        (ProxyProtocol::V1, addresses) => proxy_protocol::write_v1(addresses, &mut header),
        (ProxyProtocol::V2, Some((source, local))) => proxy_protocol::write_v2(source, local, &mut header),
        (ProxyProtocol::V2, None) => proxy_protocol::write_v2_local(&mut header),
    }
    write_all(transport, &header).await
}

/// What is known of an answer so far.
struct Reading<'a> {
    upstream: &'a Upstream,
    link: &'a Link,
    first_byte: Duration,
    may_switch: bool,
    parser: ResponseParser,
    head: ResponseHead,
    input: Vec<u8>,
    start: usize,
    interim: u32,
    /// Whether the wait for a word about the body has begun.
    asked: bool,
}

impl Reading<'_> {
    fn poll(&mut self, context: &mut Context<'_>, sending: &mut Sending) -> Poll<Result<(), UpstreamError>> {
        self.send(context, sending)?;
        loop {
            if self.input.capacity() == 0 {
                self.input = self.upstream.buffers().lend();
            } else if self.input.len() == self.input.capacity() {
                self.input.reserve(BUFFER_BYTES);
            }
            match self.link.transport.poll_read(context, &mut self.input) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.ended())),
                Poll::Ready(Err(error)) if is_end(&error) => return Poll::Ready(Err(self.ended())),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(UpstreamError::Garbage(error.to_string())));
                }
                Poll::Ready(Ok(_)) => {
                    if self.parse(sending)? {
                        return Poll::Ready(Ok(()));
                    }
                    // An interim head may have set the body free.
                    self.send(context, sending)?;
                }
                Poll::Pending => {
                    if self.input.is_empty() {
                        self.upstream.buffers().keep(std::mem::take(&mut self.input));
                    }
                    return self.wait(context, sending);
                }
            }
        }
    }

    fn send(&self, context: &mut Context<'_>, sending: &mut Sending) -> Result<(), UpstreamError> {
        if sending.is_over() {
            return Ok(());
        }
        let mut moved = false;
        let sent = sending.poll(context, self.link, &mut moved);
        if moved {
            self.link.alarm.set(self.first_byte);
        }
        match sent {
            Poll::Ready(Err(SendError::Body(error))) => Err(error.into()),
            // It may have answered before it stopped reading; what it said is looked at.
            Poll::Ready(Err(SendError::Link) | Ok(())) | Poll::Pending => Ok(()),
        }
    }

    fn wait(&mut self, context: &mut Context<'_>, sending: &mut Sending) -> Poll<Result<(), UpstreamError>> {
        if sending.is_waiting() {
            if !self.asked {
                self.asked = true;
                self.link.alarm.set(EXPECT_WITHIN);
            }
            if !self.link.alarm.has_rung(context) {
                return Poll::Pending;
            }
            sending.go_on();
            self.link.alarm.set(self.first_byte);
            self.send(context, sending)?;
        }
        if self.link.alarm.has_rung(context) {
            return Poll::Ready(Err(UpstreamError::Late(self.first_byte)));
        }
        Poll::Pending
    }

    /// Whether the head of the answer itself is there.
    fn parse(&mut self, sending: &mut Sending) -> Result<bool, UpstreamError> {
        loop {
            let rest = &self.input[self.start..];
            let parsed = self.parser.parse(rest, &mut self.head);
            let Some(len) = parsed.map_err(|fault| UpstreamError::Garbage(fault.to_string()))? else {
                return Ok(false);
            };
            self.start += len;
            if self.head.status == 101 && !self.may_switch {
                return Err(UpstreamError::Garbage(
                    "it changes the protocol though nobody asked it to".to_owned(),
                ));
            }
            if !self.head.is_interim() {
                return Ok(true);
            }
            self.interim += 1;
            if self.interim > INTERIM_MAX {
                return Err(UpstreamError::Garbage("it sends interim heads without end".to_owned()));
            }
            if self.head.status == 100 {
                sending.go_on();
            } else {
                self.upstream.figures.interim_dropped();
            }
            self.input.drain(..self.start);
            self.start = 0;
        }
    }

    fn ended(&self) -> UpstreamError {
        if self.input.is_empty() {
            UpstreamError::Ended
        } else {
            UpstreamError::Garbage("it ended the connection in the middle of the head".to_owned())
        }
    }
}

/// Whether an error of a connection says that the other side is gone.
pub(super) fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    )
}
