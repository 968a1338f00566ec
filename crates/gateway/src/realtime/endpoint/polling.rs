//! Sessions carried by GET and POST.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use remuda_wire::engineio::Payload;

use super::super::crowd::{Crowd, Reason};
use super::super::session::{Carrier, Polled};
use super::request::Refusal;
use super::{Endpoint, PollWait};
use crate::realtime::Key;
use crate::server::{BodyError, Request, Response};

/// Packets of one body.
const PACKETS_MAX: usize = 1_000;

fn text(body: impl Into<crate::server::Body>) -> Response {
    Response::with_body(200, "text/plain; charset=UTF-8", body).field("Cache-Control", "no-store")
}

impl Endpoint {
    /// A client opens a session by polling.
    pub(super) fn open(self: &Rc<Self>, request: &Request) -> Response {
        let origin = self.origin(request);
        let opened = self.turn(|crowd, now| crowd.open(now, Carrier::Polling, &origin));
        let Some((client, _)) = opened else { return Refusal::Full.response() };
        self.line(client, |_line| ());
        let body = self.crowd.borrow_mut().session(client).and_then(|session| session.take_body(usize::MAX));
        text(body.unwrap_or_default())
    }

    /// A client asks for what there is, and waits for it.
    pub(super) async fn poll(self: &Rc<Self>, client: Key) -> Response {
        let polled = self.crowd.borrow_mut().session(client).map(|session| session.poll());
        match polled {
            None | Some(Polled::Elsewhere) => return Refusal::BadRequest.response(),
            Some(Polled::Twice) => {
                self.turn(|crowd, _now| crowd.end(client, Reason::ParseError));
                return Refusal::BadRequest.response();
            }
            Some(Polled::Waits) => {}
        }
        let wait = Rc::new(PollWait::default());
        self.line(client, |line| line.poll = Some(Rc::clone(&wait)));
        let guard = PollGuard { endpoint: self, client };
        let body = poll_fn(|context| {
            if let Some(last) = wait.last.borrow_mut().take() {
                return Poll::Ready(Some(last));
            }
            let mut crowd = self.crowd.borrow_mut();
            let Some(session) = crowd.session(client) else { return Poll::Ready(None) };
            if let Some(body) = session.take_body(self.options.payload_max) {
                return Poll::Ready(Some(body));
            }
            *wait.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        drop(guard);
        self.turn(|crowd, _now| crowd.fetched(client));
        body.map_or_else(|| Refusal::UnknownSession.response(), text)
    }

    /// A client posts packets.
    pub(super) async fn post(self: &Rc<Self>, client: Key, request: &mut Request) -> Response {
        let posted = self.crowd.borrow_mut().session(client).map(|session| session.post());
        match posted {
            None | Some(Polled::Elsewhere) => return Refusal::BadRequest.response(),
            Some(Polled::Twice) => {
                self.turn(|crowd, _now| crowd.end(client, Reason::ParseError));
                return Refusal::BadRequest.response();
            }
            Some(Polled::Waits) => {}
        }
        let guard = PostGuard { endpoint: self, client };
        let most = u64::try_from(self.options.payload_max).unwrap_or(u64::MAX);
        let body = request.body.read_all(most).await;
        drop(guard);
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                if matches!(error, BodyError::TooLarge { .. }) {
                    self.turn(|crowd, _now| crowd.end(client, Reason::ParseError));
                }
                let mut response = Response::new(error.status());
                response.closes = true;
                return response;
            }
        };
        let is_good = self.turn(|crowd, now| {
            let Ok(body) = str::from_utf8(&body) else { return false };
            for packet in Payload::new(body, PACKETS_MAX) {
                let Ok(packet) = packet else { return false };
                crowd.hear(now, client, &packet);
            }
            true
        });
        if !is_good {
            self.turn(|crowd, _now| crowd.end(client, Reason::ParseError));
            return Refusal::BadRequest.response();
        }
        Response::with_body(200, "text/html", "ok").field("Cache-Control", "no-store")
    }
}

impl Crowd {
    /// For who has nothing else to tell it.
    pub(super) fn tick_now(&mut self, now: remuda_model::Tick) {
        self.tick(now);
    }
}

/// Sees to it that a GET is over, however it ends.
struct PollGuard<'a> {
    endpoint: &'a Endpoint,
    client: Key,
}

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.endpoint.crowd.borrow_mut().session(self.client) {
            session.poll_over();
        }
        if let Some(line) = self.endpoint.lines.borrow_mut().get_mut(&self.client) {
            line.poll = None;
        }
    }
}

struct PostGuard<'a> {
    endpoint: &'a Endpoint,
    client: Key,
}

impl Drop for PostGuard<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.endpoint.crowd.borrow_mut().session(self.client) {
            session.post_over();
        }
    }
}
