//! A request that is passed on, from its head to the head of the answer: who gets it, and who if that fails.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use remuda_model::gateway::{RouteTimeouts, UpstreamProtocol};
use remuda_wire::http::{BodyDecoder, Framing};

use super::attempt::Answer;
use super::failure::UpstreamError;
use super::group::Upstream;
use super::head::{self, Framed, Rewritten};
use super::http2;
use super::lease::Lease;
use super::link::Link;
use super::relay::Relay;
use super::sending::{Content, Sending};
use super::spool::Spool;
use super::tunnel;
use crate::balance::{Attempt, Failure, MemberId, Retry, retry};
use crate::server::{Body, Request, RequestBody, Response};

/// How a request is passed on, beside what the upstream's settings say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forward<'a> {
    /// What stands before the target; empty, or beginning with a slash and not ending with one.
    pub base: &'a str,
    /// The target, where it is not the request's own as it came.
    pub target: Option<&'a [u8]>,
    /// The route's times.
    pub timeouts: Option<&'a RouteTimeouts>,
}

/// What is known of a request while it is tried.
struct Trying {
    tried: Vec<MemberId>,
    stale: u32,
    fresh: bool,
    is_idempotent: bool,
    content: Option<Content>,
    framed: Framed,
    expects: bool,
}

impl Upstream {
    /// Answers `request` with what a member answers, or with a page that says why there is nothing.
    pub async fn forward(self: &Rc<Self>, request: &mut Request, how: Forward<'_>) -> Response {
        let total = how.timeouts.and_then(|timeouts| timeouts.total);
        let unanswered = self.figures.begin();
        let answered = match total {
            None => self.pass_on(request, how).await,
            Some(total) => match tokio::time::timeout(total, self.pass_on(request, how)).await {
                Ok(answered) => answered,
                Err(_elapsed) => Err(UpstreamError::Late(total)),
            },
        };
        drop(unanswered);
        answered.unwrap_or_else(|error| self.refuse(request, &error))
    }

    fn refuse(&self, request: &Request, error: &UpstreamError) -> Response {
        self.count(error.word());
        self.figures.warn(|| {
            log::warn!(
                "{}: request {} gets {}: {error} (stage: {})",
                self.name,
                request.id,
                error.status(),
                error.stage().word()
            );
        });
        error.response(&self.name, request)
    }

    async fn pass_on(
        self: &Rc<Self>,
        request: &mut Request,
        how: Forward<'_>,
    ) -> Result<Response, UpstreamError> {
        let mut trying = self.prepare(request).await?;
        let hash = self.hash(request);
        loop {
            let lease = self.lease(hash, &trying.tried).await?;
            if self.spec.protocol == UpstreamProtocol::Http2 {
                match self.try_http2(request, how, &mut trying, lease).await? {
                    Some(response) => return Ok(response),
                    None => continue,
                }
            }
            // The server may be closing an idle connection at this moment. What can be sent twice then goes on a new one; what
            // cannot is not sent on an old one.
            let fresh = trying.fresh || !trying.is_idempotent;
            let link = match self.link(lease.member, &request.peer, fresh).await {
                Ok(link) => link,
                Err(error) => {
                    self.judge(&mut trying, &lease, error, false, false)?;
                    continue;
                }
            };
            let mut sending = self.sending(request, how, &mut trying);
            let may_switch = request.head.upgrade().is_some();
            let answer = self.exchange(&link, &mut sending, self.first_byte(how), may_switch).await;
            let error = match answer {
                Ok(answer) => return self.answer(request, how, answer, sending, link, lease),
                Err(error) => error,
            };
            let (was_used, was_sent) = (link.answers.get() > 0, sending.was_sent);
            let is_replayable = sending.is_replayable();
            let (content, output) = sending.into_parts();
            self.buffers().keep(output);
            trying.content = is_replayable.then_some(content);
            self.judge(&mut trying, &lease, error, was_used, was_sent)?;
        }
    }

    /// One attempt in HTTP/2; `None`: it is to be made again.
    async fn try_http2(
        self: &Rc<Self>,
        request: &Request,
        how: Forward<'_>,
        trying: &mut Trying,
        lease: Lease,
    ) -> Result<Option<Response>, UpstreamError> {
        let content = trying.content.take().unwrap_or(Content::Client(RequestBody::empty()));
        let mut sending = http2::Sending::new(content, trying.framed);
        match self.ask_http2(request, how, lease.member, trying.fresh, &mut sending).await {
            Ok(answer) => self.http2_answer(request, how, answer, sending, lease).map(Some),
            Err((error, was_used)) => {
                let was_sent = !matches!(error, UpstreamError::Connect(_) | UpstreamError::ConnectLate(_));
                trying.content = sending.into_content();
                self.judge(trying, &lease, error, was_used, was_sent).map(|()| None)
            }
        }
    }

    /// Takes the body out of the request; keeps it first, where that is wanted.
    async fn prepare(&self, request: &mut Request) -> Result<Trying, UpstreamError> {
        let (mut body, head) = (request.body.take(), &request.head);
        let is_idempotent = head.method().is_idempotent() || head.fields().contains("idempotency-key");
        let mut expects = head.expects_continue();
        let mut framed = match body.length() {
            _ if body.is_empty() => Framed::Empty,
            Some(length) => Framed::Length(length),
            None => Framed::Chunked,
        };
        let content = if framed != Framed::Empty && self.keeps_bodies() {
            let memory = usize::try_from(self.spec.buffer_memory).unwrap_or(usize::MAX);
            let spool = Spool::keep(&mut body, memory).await?;
            if spool.is_whole {
                framed = Framed::Length(spool.len());
            }
            // It was asked for, or there would be nothing to keep.
            expects = false;
            Content::Kept(spool, body)
        } else {
            Content::Client(body)
        };
        let tried = Vec::new();
        Ok(Trying { tried, stale: 0, fresh: false, is_idempotent, content: Some(content), framed, expects })
    }

    fn sending(&self, request: &Request, how: Forward<'_>, trying: &mut Trying) -> Sending {
        let mut output = self.buffers().lend();
        let rewritten = Rewritten {
            base: how.base,
            target: how.target,
            host: self.spec.host.as_deref(),
            framed: trying.framed,
            is_trusted: self.forwarding.trusts(request.peer.address),
            expects: trying.expects,
            keeps: self.keeps_links(),
        };
        head::write(request, &rewritten, &mut output);
        let content = trying.content.take().unwrap_or(Content::Client(RequestBody::empty()));
        Sending::new(output, content, trying.framed, trying.expects)
    }

    /// Ends an attempt that failed: either it is to be made again, or the error stands.
    fn judge(
        &self,
        trying: &mut Trying,
        lease: &Lease,
        error: UpstreamError,
        was_used: bool,
        was_sent: bool,
    ) -> Result<(), UpstreamError> {
        let Some(failure) = error.failure(was_used) else { return Err(error) };
        if failure == Failure::Stale {
            trying.stale += 1;
        }
        if !trying.tried.contains(&lease.member) {
            trying.tried.push(lease.member);
        }
        let group = &self.group;
        let attempt = Attempt {
            failure,
            is_idempotent: trying.is_idempotent,
            is_replayable: trying.content.is_some(),
            was_sent,
            tries: u32::try_from(trying.tried.len()).unwrap_or(u32::MAX),
            stale: trying.stale,
            tries_max: self.spec.retry.attempts.saturating_add(1),
            has_other: group.borrow().has_other(&trying.tried),
        };
        match retry(&attempt) {
            Retry::Fresh => {
                self.figures.was_stale();
                trying.fresh = true;
                trying.tried.pop();
                Ok(())
            }
            Retry::Other if group.borrow_mut().may_retry(self.clock.now()) => {
                lease.failed();
                self.figures.retried();
                Ok(())
            }
            Retry::Other => {
                self.count("upstream-retry-budget");
                lease.failed();
                Err(error)
            }
            Retry::No => {
                lease.failed();
                Err(error)
            }
        }
    }

    pub(super) fn first_byte(&self, how: Forward<'_>) -> Duration {
        how.timeouts.and_then(|timeouts| timeouts.first_byte).unwrap_or(self.spec.first_byte)
    }

    /// What the client gets of an answer whose head is there.
    fn answer(
        self: &Rc<Self>,
        request: &Request,
        how: Forward<'_>,
        answer: Answer,
        mut sending: Sending,
        link: Link,
        lease: Lease,
    ) -> Result<Response, UpstreamError> {
        let Answer { mut head, input, start } = answer;
        let framing = match head.framing(request.head.method()) {
            Ok(framing) => framing,
            Err(fault) => {
                lease.failed();
                return Err(UpstreamError::Garbage(fault.to_string()));
            }
        };
        lease.answered();
        link.answers.set(link.answers.get() + 1);
        if head.status == 101 {
            return Ok(tunnel::response(self, head, input, start, link, lease));
        }
        let mut keeps = self.keeps_links() && head.keeps_alive() && framing != Framing::UntilClose;
        head::strip(&mut head.fields);
        if head.status == 204 {
            head.fields.remove("content-length");
        }
        let mut response = Response { head, ..Response::default() };
        if sending.is_done() {
            self.buffers().keep(sending.take_buffer());
        } else {
            keeps &= !framing.is_empty();
        }
        let came = input.len() - start;
        let is_whole = match framing {
            Framing::Empty => true,
            Framing::Length(length) => sending.is_done() && came as u64 >= length,
            Framing::Chunked | Framing::UntilClose => false,
        };
        if is_whole {
            let length = if let Framing::Length(length) = framing { length } else { 0 };
            let end = start + usize::try_from(length).unwrap_or(came).min(came);
            // Behind its end nothing has any business: whose answer would it be?
            keeps &= end == input.len();
            response.body = Bytes::copy_from_slice(&input[start..end]).into();
            self.buffers().keep(input);
            self.put_back(link, keeps);
            return Ok(response);
        }
        let is_stream = is_event_stream(&response);
        let idle = if is_stream { Duration::ZERO } else { self.idle(how) };
        link.alarm.set(idle);
        response.body = Body::Stream(Box::new(Relay {
            upstream: Rc::clone(self),
            decoder: BodyDecoder::new(framing),
            first: Some((input, start)),
            rest: Vec::new(),
            is_much: false,
            sending: (!sending.is_done()).then_some(sending),
            idle,
            keeps,
            trailers: None,
            hold: Some((link, lease)),
        }));
        Ok(response)
    }

    pub(super) fn idle(&self, how: Forward<'_>) -> Duration {
        how.timeouts.and_then(|timeouts| timeouts.idle).unwrap_or(self.spec.idle)
    }
}

/// Whether an answer is Server-Sent Events, which are silent for as long as nothing happens.
pub(super) fn is_event_stream(response: &Response) -> bool {
    let kind = response.head.fields.get("content-type").unwrap_or_default();
    kind.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream"))
}
