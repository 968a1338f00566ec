//! The body of an answer on a stream, on its way to the client.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use remuda_wire::http::Fields;

use super::super::deadlines::Alarm;
use super::super::group::Upstream;
use super::super::lease::Lease;
use super::sending::{Failed, Sending};
use crate::server::{Broken, Source, Step};

/// An answer's body that is still coming. Dropped before its end it resets the stream.
#[derive(Debug)]
pub(super) struct Relay {
    upstream: Rc<Upstream>,
    stream: h2::RecvStream,
    sending: Sending,
    lease: Option<Lease>,
    alarm: Alarm,
    idle: Duration,
    /// Bytes that were given and not released to the server's window.
    given: usize,
    is_at_trailers: bool,
    trailers: Option<Box<Fields>>,
}

impl Relay {
    pub(super) fn new(
        upstream: Rc<Upstream>,
        stream: h2::RecvStream,
        sending: Sending,
        lease: Lease,
        alarm: Alarm,
        idle: Duration,
    ) -> Self {
        let lease = Some(lease);
        Self {
            upstream,
            stream,
            sending,
            lease,
            alarm,
            idle,
            given: 0,
            is_at_trailers: false,
            trailers: None,
        }
    }

    fn break_off(&mut self, why: &str) -> Poll<Result<Step, Broken>> {
        if let Some(lease) = self.lease.take() {
            lease.failed();
            self.upstream.tell_cut(lease.member, why);
        }
        Poll::Ready(Err(Broken))
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<Step, Broken>> {
        match self.stream.poll_trailers(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => self.break_off(&error.to_string()),
            Poll::Ready(Ok(trailers)) => {
                self.trailers = trailers.map(|map| {
                    let mut fields = Fields::new();
                    for (name, value) in &map {
                        fields.append(name.as_str(), value.as_bytes());
                    }
                    Box::new(fields)
                });
                self.lease = None;
                Poll::Ready(Ok(Step::End))
            }
        }
    }
}

impl Source for Relay {
    fn poll_step(&mut self, context: &mut Context<'_>, _buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        if self.lease.is_none() {
            return Poll::Ready(Err(Broken));
        }
        let mut moved = false;
        if let Poll::Ready(Err(Failed::Body(error))) = self.sending.poll(context, &mut moved) {
            log::debug!("{}: {error}", self.upstream.name);
            self.lease = None;
            return Poll::Ready(Err(Broken));
        }
        if moved {
            self.alarm.set(self.idle);
        }
        // What was given before is written by now: the server may send as much again.
        if self.given > 0 {
            let _over = self.stream.flow_control().release_capacity(std::mem::take(&mut self.given));
        }
        if self.is_at_trailers {
            return self.poll_end(context);
        }
        match self.stream.poll_data(context) {
            Poll::Ready(Some(Ok(bytes))) => {
                self.given = bytes.len();
                self.alarm.set(self.idle);
                Poll::Ready(Ok(Step::Shared(bytes)))
            }
            Poll::Ready(Some(Err(error))) => self.break_off(&error.to_string()),
            Poll::Ready(None) => {
                self.is_at_trailers = true;
                self.poll_end(context)
            }
            Poll::Pending if self.alarm.has_rung(context) => {
                self.upstream.count("upstream-body-late");
                self.break_off("nothing came for too long")
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        self.trailers.take()
    }
}
