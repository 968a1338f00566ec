//! Servers that speak HTTP/2 without asking (prior knowledge): gRPC, mostly.
//!
//! One connection to each member carries all its requests, as streams; a second one is made when the first is about to
//! end. What is sent is the same head as on HTTP/1, its lines taken apart again: the rules about what goes on are in one
//! place.

mod relay;
mod sending;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use remuda_wire::http::{Framing, ResponseHead};
use tokio::task::JoinSet;

use super::deadlines::Alarm;
use super::failure::UpstreamError;
use super::forward::Forward;
use super::group::Upstream;
use super::head::{self, Framed, Rewritten};
use crate::balance::MemberId;
use crate::server::{Body, Request, Response};
use relay::Relay;
use sending::Failed;
pub(super) use sending::Sending;

/// Bytes a server may send of one answer, and of all together, before they are taken: a slow client's answer must not
/// keep others'.
const WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// Bytes of an answer's head.
const HEAD_MAX: u32 = 64 << 10;

/// Connections to members, each with the streams of many requests.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: RefCell<Vec<Option<SendRequest<Bytes>>>>,
    /// What reads and writes them; ends with this.
    drivers: RefCell<JoinSet<()>>,
}

impl Upstream {
    /// One attempt at `member`. `Ok(Err(…))` says whether the connection had been used before.
    pub(super) async fn ask_http2(
        self: &Rc<Self>,
        request: &Request,
        how: Forward<'_>,
        member: MemberId,
        fresh: bool,
        sending: &mut Sending,
    ) -> Result<(ResponseHead, h2::RecvStream), (UpstreamError, bool)> {
        let (mut session, is_used) = self.session(member, fresh).await.map_err(|error| (error, false))?;
        let head = self.http2_head(request, how, sending.framed).map_err(|error| (error, false))?;
        let opened = poll_fn(|context| session.poll_ready(context)).await;
        let opened = opened.and_then(|()| session.send_request(head, sending.framed == Framed::Empty));
        let (answer, stream) = opened.map_err(|_gone| {
            self.forget(member);
            (UpstreamError::Ended, is_used)
        })?;
        sending.begin(stream);
        let alarm = self.deadlines.alarm();
        let first_byte = self.first_byte(how);
        alarm.set(first_byte);
        let mut waiting = Waiting { answer, alarm, first_byte };
        poll_fn(|context| waiting.poll(context, sending)).await.map_err(|error| {
            let was_refused = matches!(error, UpstreamError::Ended);
            if was_refused {
                self.forget(member);
            }
            (error, is_used && was_refused)
        })
    }

    /// The connection to `member`, and whether it had been used before.
    async fn session(
        &self,
        member: MemberId,
        fresh: bool,
    ) -> Result<(SendRequest<Bytes>, bool), UpstreamError> {
        if !fresh && let Some(session) = self.http2.open.borrow().get(member.0).cloned().flatten() {
            return Ok((session, true));
        }
        let transport = self.dial(member).await?;
        let handshake = client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEAD_MAX)
            .enable_push(false)
            .handshake::<_, Bytes>(transport.into_stream());
        let (session, driver) = handshake.await.map_err(|error| UpstreamError::Connect(error.to_string()))?;
        let mut drivers = self.http2.drivers.borrow_mut();
        while drivers.try_join_next().is_some() {}
        drivers.spawn_local(async move {
            if let Err(error) = driver.await {
                log::debug!("a connection of HTTP/2 ended: {error}");
            }
        });
        let mut open = self.http2.open.borrow_mut();
        if open.len() <= member.0 {
            open.resize(member.0 + 1, None);
        }
        open[member.0] = Some(session.clone());
        Ok((session, false))
    }

    /// The connection to `member` takes no more requests; those it has come to their end.
    fn forget(&self, member: MemberId) {
        if let Some(session) = self.http2.open.borrow_mut().get_mut(member.0) {
            *session = None;
        }
    }

    /// The head that goes on, from the lines it would be on HTTP/1.
    fn http2_head(
        &self,
        request: &Request,
        how: Forward<'_>,
        framed: Framed,
    ) -> Result<http::Request<()>, UpstreamError> {
        let rewritten = Rewritten {
            base: how.base,
            target: how.target,
            host: self.spec.host.as_deref(),
            framed,
            is_trusted: self.forwarding.trusts(request.peer.address),
            expects: false,
            keeps: true,
        };
        let mut text = self.buffers().lend();
        head::write(request, &rewritten, &mut text);
        let built = take_apart(&text);
        self.buffers().keep(text);
        built.ok_or_else(|| UpstreamError::Garbage("the request cannot be said in HTTP/2".to_owned()))
    }

    /// What the client gets of an answer whose head is there.
    pub(super) fn http2_answer(
        self: &Rc<Self>,
        request: &Request,
        how: Forward<'_>,
        answer: (ResponseHead, h2::RecvStream),
        sending: Sending,
        lease: super::lease::Lease,
    ) -> Result<Response, UpstreamError> {
        let (mut head, stream) = answer;
        let framing = head.framing(request.head.method());
        let framing = framing.map_err(|fault| UpstreamError::Garbage(fault.to_string()))?;
        lease.answered();
        head::strip(&mut head.fields);
        let mut response = Response { head, ..Response::default() };
        if framing == Framing::Empty {
            return Ok(response);
        }
        let is_stream = super::forward::is_event_stream(&response);
        let idle = if is_stream { Duration::ZERO } else { self.idle(how) };
        let alarm = self.deadlines.alarm();
        alarm.set(idle);
        response.body =
            Body::Stream(Box::new(Relay::new(Rc::clone(self), stream, sending, lease, alarm, idle)));
        Ok(response)
    }
}

/// Until the head of an answer is there.
struct Waiting {
    answer: ResponseFuture,
    alarm: Alarm,
    first_byte: Duration,
}

impl Waiting {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        sending: &mut Sending,
    ) -> Poll<Result<(ResponseHead, h2::RecvStream), UpstreamError>> {
        let mut moved = false;
        if let Poll::Ready(Err(Failed::Body(error))) = sending.poll(context, &mut moved) {
            return Poll::Ready(Err(error.into()));
        }
        if moved {
            self.alarm.set(self.first_byte);
        }
        match std::pin::Pin::new(&mut self.answer).poll(context) {
            Poll::Ready(Ok(answer)) => Poll::Ready(Ok(read_head(answer))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(meaning(&error))),
            Poll::Pending if self.alarm.has_rung(context) => {
                Poll::Ready(Err(UpstreamError::Late(self.first_byte)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What an error of a stream says. A stream that was refused, or came behind the last one of a connection that ends, was
/// not looked at.
fn meaning(error: &h2::Error) -> UpstreamError {
    let is_refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let is_end = error.get_io().map(io::Error::kind).is_some() || error.is_go_away();
    if is_refused || is_end { UpstreamError::Ended } else { UpstreamError::Garbage(error.to_string()) }
}

fn read_head(answer: http::Response<h2::RecvStream>) -> (ResponseHead, h2::RecvStream) {
    let (parts, stream) = answer.into_parts();
    let mut head = ResponseHead::new(parts.status.as_u16());
    for (name, value) in &parts.headers {
        head.fields.append(name.as_str(), value.as_bytes());
    }
    (head, stream)
}

/// Makes a head of HTTP/2 of the lines of one of HTTP/1.
fn take_apart(text: &[u8]) -> Option<http::Request<()>> {
    let text = text.strip_suffix(b"\r\n\r\n")?;
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let (method, target) = (words.next()?, words.next()?);
    let host = lines.next()?.strip_prefix(b"Host: ")?;
    let uri = http::Uri::builder()
        .scheme("http")
        .authority(if host.is_empty() { b"localhost" } else { host })
        .path_and_query(target)
        .build()
        .ok()?;
    let mut request = http::Request::builder().method(method).uri(uri).version(http::Version::HTTP_2);
    for line in lines {
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if !(is("connection") || is("upgrade") || is("transfer-encoding")) {
            request = request.header(name, value);
        }
    }
    request.body(()).ok()
}
