//! One request of a connection, from its head to the end of its answer.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::header::{CONTENT_LENGTH, DATE, HeaderValue};
use remuda_wire::http::{Framing, Head, Method};

use super::super::patience::Waiter;
use super::super::{
    Body, Connection, Ending, Handler, Request, RequestBody, Response, Server, error_response,
};
use super::body::Incoming;
use super::output::Output;
use super::{Strikes, connect, head};

/// How long one stream waits, which others of its connection do not.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) server: Rc<Server>,
    pub(super) waiter: Rc<Waiter>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.server.patience.dismiss(&self.waiter);
    }
}

/// A request that came, and the way back.
pub(super) struct Stream {
    pub(super) connection: Rc<Connection>,
    pub(super) strikes: Rc<Strikes>,
    pub(super) watch: Rc<Watch>,
    pub(super) respond: SendResponse<Bytes>,
}

impl Stream {
    pub(super) fn new(
        connection: &Rc<Connection>,
        strikes: &Rc<Strikes>,
        respond: SendResponse<Bytes>,
    ) -> Self {
        let server = Rc::clone(&connection.server);
        let waiter = server.patience.admit();
        Self {
            connection: Rc::clone(connection),
            strikes: Rc::clone(strikes),
            watch: Rc::new(Watch { server, waiter }),
            respond,
        }
    }

    /// Has it answered.
    pub(super) async fn serve<H: Handler>(mut self, handler: Rc<H>, request: Box<http::Request<RecvStream>>) {
        let server = Rc::clone(&self.connection.server);
        let (parts, receive) = request.into_parts();
        let mut request = Request {
            head: Head::new(),
            body: RequestBody::empty(),
            peer: Rc::clone(self.connection.peer()),
            arrived: Instant::now(),
            id: server.next_id(),
            route: 0,
        };
        let is_websocket = head::is_websocket(&parts);
        match head::request(&parts, server.limits.head.fields_max) {
            Ok(head) => request.head = head,
            Err(fault) => {
                server.figures.count(fault.word());
                let response = error_response(fault.status(), &fault.to_string(), request.id, None);
                let ending = self.write(&request, response).await;
                return self.ended(&*handler, &request, &ending);
            }
        }
        if parts.headers.contains_key(http::header::EXPECT) && !receive.is_end_stream() {
            let mut go_on = http::Response::new(());
            *go_on.status_mut() = http::StatusCode::CONTINUE;
            // A stream that was reset meanwhile is noticed below.
            let _is_reset = self.respond.send_informational(go_on);
        }
        drop(parts);
        let tunnel = if is_websocket {
            Some(receive)
        } else {
            self.attach_body(&mut request, receive);
            None
        };
        let Some(response) = self.handle(&*handler, &mut request).await else {
            self.strikes.taken_back();
            let time = request.arrived.elapsed();
            return self.ended(&*handler, &request, &Ending { status: 499, sent: 0, time, is_whole: false });
        };
        let response = match (response, tunnel) {
            (Response { head, body: Body::TakeOver(take_over), .. }, Some(receive)) => {
                return connect::hand_over(self, &*handler, request, receive, (head, take_over)).await;
            }
            (Response { body: Body::TakeOver(_), .. }, None) => {
                error_response(501, "a stream of HTTP/2 cannot become that", request.id, Some(&request.head))
            }
            (response, _) => response,
        };
        let ending = self.write(&request, response).await;
        if ending.is_whole {
            self.strikes.answered();
        }
        self.ended(&*handler, &request, &ending);
    }

    fn attach_body(&self, request: &mut Request, receive: RecvStream) {
        if receive.is_end_stream() {
            return;
        }
        let length = if let Framing::Length(length) = request.head.framing() { Some(length) } else { None };
        let incoming = Incoming::new(receive, Rc::clone(&self.watch), Rc::clone(&self.strikes));
        let limit = self.connection.server.limits.body_max;
        request.body = RequestBody::of(Box::new(incoming), length, limit);
    }

    /// Waits for the handler; `None`: the client has taken the request back.
    async fn handle<H: Handler>(&mut self, handler: &H, request: &mut Request) -> Option<Response> {
        let mut handling = pin!(handler.handle(request));
        poll_fn(|context| {
            if let Poll::Ready(response) = handling.as_mut().poll(context) {
                return Poll::Ready(Some(response));
            }
            self.respond.poll_reset(context).map(|_reason| None)
        })
        .await
    }

    /// Writes `response`.
    pub(super) async fn write(&mut self, request: &Request, response: Response) -> Ending {
        let status = response.head.status;
        let mut answer = head::response(&response.head);
        let told = || response.head.fields.get_str("content-length")?.parse().ok();
        let length = response.body.length().or_else(told);
        let is_head = *request.head.method() == Method::Head;
        let is_bodiless = is_head || matches!(status, 100..200 | 204 | 304);
        let headers = answer.headers_mut();
        if let Some(length) = length.filter(|length| !is_bodiless || (is_head && *length > 0)) {
            headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
        }
        let date = self.connection.server.clock.date(request.arrived);
        if let Ok(date) = HeaderValue::try_from(date) {
            headers.entry(DATE).or_insert(date);
        }
        let is_empty = is_bodiless || matches!(response.body, Body::Empty);
        let mut sent = 0;
        let is_whole = match self.respond.send_response(answer, is_empty) {
            Ok(_) if is_empty => true,
            Ok(stream) => {
                let mut output = Output::new(stream, Rc::clone(&self.watch), Rc::clone(&self.strikes));
                let written = output.write(response.body, length).await;
                sent = output.sent;
                written.is_ok()
            }
            Err(_gone) => false,
        };
        if !is_whole {
            self.connection.server.figures.count("answer-cut");
        }
        Ending { status, sent, time: request.arrived.elapsed(), is_whole }
    }

    pub(super) fn ended<H: Handler>(&self, handler: &H, request: &Request, ending: &Ending) {
        self.connection.server.figures.ended(request.route, ending);
        handler.ended(request, ending);
    }
}
