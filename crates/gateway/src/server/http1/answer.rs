//! From a request to its answer, and how the answer is written.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use remuda_wire::http::{Framing, Method, ResponseHead, Version};

use super::super::body::TakeOver;
use super::super::limits::{COPY_MAX, UNREAD_MAX};
use super::super::patience::Waiting;
use super::super::{Body, Connection, Ending, Handler, Request, RequestBody, Response};
use super::body::{Body as RequestBytes, Progress};
use super::{Driver, Next};

/// How the end of a response's body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimited {
    /// Not at all: there is no body.
    None,
    /// By its length.
    Length(u64),
    /// By chunks.
    Chunked,
    /// By the end of the connection.
    Close,
}

impl<H: Handler> Driver<H> {
    /// Has the request that was read answered.
    pub(super) async fn answer(&mut self) -> Next {
        let connection = Rc::clone(&self.connection);
        connection.waiter.begin(Waiting::Nothing);
        let mut request = self.request();
        let progress = self.attach_body(&mut request);
        if request.head.expects_continue() && self.flush().await.is_err() {
            return Next::End;
        }
        let handled = self.handle(&mut request, progress.as_deref()).await;
        let Some(response) = handled else {
            // Nobody is there to be answered; 499 is what nginx calls it.
            let time = request.arrived.elapsed();
            self.ended(&request, &Ending { status: 499, sent: 0, time, is_whole: false });
            return Next::End;
        };
        if let Body::TakeOver(take_over) = response.body {
            return self.hand_over(request, response.head, take_over).await;
        }
        let ending = self.write(&request, response, progress.as_deref()).await;
        self.ended(&request, &ending);
        let is_asked_to_close = !request.head.keeps_alive();
        self.head = std::mem::take(&mut request.head);
        drop(request);
        if ending.is_whole { self.go_on(is_asked_to_close, progress).await } else { Next::End }
    }

    /// What comes after an answer that is written, or will be with the next.
    async fn go_on(&mut self, is_asked_to_close: bool, progress: Option<Rc<Progress>>) -> Next {
        let unread = progress.filter(|progress| !progress.is_done());
        if (!self.keeps || self.is_output_full() || unread.is_some()) && self.flush().await.is_err() {
            return Next::End;
        }
        match (self.keeps, unread) {
            (true, None) => Next::Request,
            (true, Some(unread)) => self.read_rest(unread).await,
            // Nothing comes that was not read.
            (false, None) if is_asked_to_close => Next::End,
            (false, _) => Next::Linger,
        }
    }

    /// Reads what a handler did not want to know, so that the next request can be read behind it.
    async fn read_rest(&self, progress: Rc<Progress>) -> Next {
        let mut body = RequestBytes { connection: Rc::clone(&self.connection), progress };
        let mut rest = self.connection.server.buffers.lend();
        let next = loop {
            rest.clear();
            match poll_fn(|context| body.poll_read(context, &mut rest)).await {
                Ok(0) => break Next::Request,
                Ok(_) => {}
                Err(_) => break Next::Linger,
            }
        };
        self.connection.server.buffers.keep(rest);
        next
    }

    fn attach_body(&self, request: &mut Request) -> Option<Rc<Progress>> {
        let framing = request.head.framing();
        if framing.is_empty() {
            return None;
        }
        let length = if let Framing::Length(length) = framing { Some(length) } else { None };
        let limits = self.connection.server.limits.body.clone();
        let progress = Progress::new(framing, limits, request.head.expects_continue());
        let bytes = RequestBytes { connection: Rc::clone(&self.connection), progress: Rc::clone(&progress) };
        request.body = RequestBody::http1(bytes, length, self.connection.server.limits.body_max);
        Some(progress)
    }

    /// Waits for the handler; `None`: the client is gone before it was done. What was answered before is written
    /// meanwhile.
    async fn handle(&mut self, request: &mut Request, progress: Option<&Progress>) -> Option<Response> {
        let handler = Rc::clone(&self.handler);
        let (connection, output) = (&self.connection, &mut self.output);
        let mut handling = pin!(handler.handle(request));
        poll_fn(|context| {
            if let Poll::Ready(response) = handling.as_mut().poll(context) {
                return Poll::Ready(Some(response));
            }
            let is_gone = write_waiting(connection, output, context).is_err();
            let is_read = progress.is_none_or(Progress::is_done);
            if is_gone || (is_read && connection.poll_gone(context).is_ready()) {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await
    }

    /// Writes `response`: small ones to the output, others to the client.
    pub(super) async fn write(
        &mut self,
        request: &Request,
        mut response: Response,
        progress: Option<&Progress>,
    ) -> Ending {
        let now = Instant::now();
        let status = response.head.status;
        settle_fields(request, &mut response);
        let (delimited, is_bodiless) = (delimited(request, &response), is_bodiless(request, &response));
        self.keeps = !response.closes
            && request.head.keeps_alive()
            && !self.connection.server.drain.has_begun()
            && self.requests != self.connection.server.limits.requests_max
            && delimited != Delimited::Close
            && progress.is_none_or(|progress| {
                progress.is_done() || progress.remaining().is_some_and(|bytes| bytes <= UNREAD_MAX)
            });
        self.write_head(request, &response.head, delimited, now);
        let sent = match response.body {
            _ if is_bodiless => Ok(0),
            Body::Empty | Body::TakeOver(_) => Ok(0),
            Body::Bytes(bytes) if bytes.len() <= COPY_MAX => {
                self.output.extend_from_slice(&bytes);
                Ok(bytes.len() as u64)
            }
            Body::Bytes(bytes) => {
                let written = self.connection.put_both(&self.output, &bytes).await;
                self.output.clear();
                written.map(|()| bytes.len() as u64)
            }
            Body::Parts(parts) => self.write_parts(parts).await,
            Body::Stream(source) => self.write_stream(source, delimited, progress).await,
        };
        if sent.is_err() {
            self.connection.server.figures.count("answer-cut");
        }
        let time = request.arrived.elapsed();
        Ending { status, sent: *sent.as_ref().unwrap_or(&0), time, is_whole: sent.is_ok() }
    }

    fn write_head(&mut self, request: &Request, head: &ResponseHead, delimited: Delimited, now: Instant) {
        if self.output.capacity() == 0 {
            self.output = self.connection.server.buffers.lend();
        }
        let out = &mut self.output;
        head.write(out);
        if !head.fields.contains("date") {
            self.connection.server.clock.write_date(now, out);
        }
        match delimited {
            Delimited::Length(length) if !head.fields.contains("content-length") => {
                let mut digits = itoa::Buffer::new();
                out.extend_from_slice(b"Content-Length: ");
                out.extend_from_slice(digits.format(length).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            Delimited::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            _ => {}
        }
        match (self.keeps, request.head.version()) {
            (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
            (true, Version::Http10) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            (true, _) => {}
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Writes the head and lets the connection go.
    async fn hand_over(&mut self, request: Request, head: ResponseHead, take_over: TakeOver) -> Next {
        if !take_over.is_silent {
            head.write(&mut self.output);
            self.connection.server.clock.write_date(Instant::now(), &mut self.output);
            self.output.extend_from_slice(b"\r\n");
        }
        let is_whole = self.flush().await.is_ok();
        let time = request.arrived.elapsed();
        self.ended(&request, &Ending { status: head.status, sent: 0, time, is_whole });
        drop(request);
        if is_whole {
            self.connection.waiter.begin(Waiting::Nothing);
            return Next::TakenOver(take_over.then);
        }
        Next::End
    }
}

/// Writes what it can of answers that wait, without waiting.
fn write_waiting(connection: &Connection, output: &mut Vec<u8>, context: &mut Context<'_>) -> io::Result<()> {
    while !output.is_empty() {
        match connection.poll_put(context, output) {
            Poll::Ready(written) => drop(output.drain(..written?)),
            Poll::Pending => return Ok(()),
        }
    }
    match connection.transport.poll_flush(context) {
        Poll::Ready(flushed) => flushed,
        Poll::Pending => Ok(()),
    }
}

/// What a head says of its body and the connection is the driver's to say: two lengths, or a wrong one, would be the
/// smuggling of responses.
fn settle_fields(request: &Request, response: &mut Response) {
    let fields = &mut response.head.fields;
    for name in ["transfer-encoding", "connection", "keep-alive"] {
        if fields.contains(name) {
            fields.remove(name);
        }
    }
    if !fields.contains("content-length") {
        return;
    }
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    match (response.body.length(), response.head.status) {
        (_, 100..200 | 204) => drop(fields.remove("content-length")),
        // The length GET would have, or would have had.
        (Some(0), status) if status == 304 || *request.head.method() == Method::Head => {}
        (Some(length), _) => fields.set("Content-Length", length.to_string()),
        (None, _) if fields.get_str("content-length").is_some_and(is_number) => {}
        (None, _) => drop(fields.remove("content-length")),
    }
}

/// Whether the answer ends with its head (RFC 9110 6.4.1).
fn is_bodiless(request: &Request, response: &Response) -> bool {
    *request.head.method() == Method::Head || matches!(response.head.status, 100..200 | 204 | 304)
}

/// What the head is to say about the end of the body.
fn delimited(request: &Request, response: &Response) -> Delimited {
    let told = || response.head.fields.get_str("content-length")?.parse().ok();
    match response.body.length().or_else(told) {
        // An answer to HEAD has the length the one to GET would have, unless nobody knows it.
        Some(0) if *request.head.method() == Method::Head => Delimited::None,
        _ if matches!(response.head.status, 100..200 | 204 | 304) => Delimited::None,
        Some(length) => Delimited::Length(length),
        None if *request.head.method() == Method::Head => Delimited::None,
        None if request.head.version() == Version::Http10 => Delimited::Close,
        None => Delimited::Chunked,
    }
}
