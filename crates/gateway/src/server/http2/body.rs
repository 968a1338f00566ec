//! The body of a request, as its stream brings it.

use std::rc::Rc;
use std::task::{Context, Poll};

use h2::RecvStream;
use remuda_wire::http::Fields;

use super::super::BodyError;
use super::super::patience::Waiting;
use super::super::request::BodyReader;
use super::answer::Watch;
use super::{Strikes, head};

/// What still comes of a request.
#[derive(Debug)]
pub(super) struct Incoming {
    receive: RecvStream,
    watch: Rc<Watch>,
    strikes: Rc<Strikes>,
    trailers: Option<Box<Fields>>,
    is_whole: bool,
}

impl Incoming {
    pub(super) fn new(receive: RecvStream, watch: Rc<Watch>, strikes: Rc<Strikes>) -> Self {
        Self { receive, watch, strikes, trailers: None, is_whole: false }
    }
}

impl BodyReader for Incoming {
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<usize, BodyError>> {
        while !self.is_whole {
            match self.receive.poll_data(context) {
                Poll::Ready(Some(Ok(bytes))) => {
                    let len = bytes.len();
                    out.extend_from_slice(&bytes);
                    // A stream that was reset meanwhile has no window; its end is read next.
                    let _is_reset = self.receive.flow_control().release_capacity(len);
                    self.watch.waiter.progress(len);
                    if len > 0 {
                        self.strikes.useful();
                        self.watch.waiter.again(Waiting::Nothing);
                        return Poll::Ready(Ok(len));
                    }
                }
                Poll::Ready(Some(Err(_reset))) => return Poll::Ready(Err(BodyError::Gone)),
                Poll::Ready(None) => match self.receive.poll_trailers(context) {
                    Poll::Ready(Ok(trailers)) => {
                        self.trailers = trailers.map(|trailers| Box::new(head::trailers(&trailers)));
                        self.is_whole = true;
                    }
                    Poll::Ready(Err(_reset)) => return Poll::Ready(Err(BodyError::Gone)),
                    Poll::Pending => return self.wait(context),
                },
                Poll::Pending => return self.wait(context),
            }
        }
        self.watch.waiter.again(Waiting::Nothing);
        Poll::Ready(Ok(0))
    }

    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        self.trailers.take()
    }
}

impl Incoming {
    fn wait(&self, context: &Context<'_>) -> Poll<Result<usize, BodyError>> {
        self.watch.waiter.again(Waiting::Body);
        if self.watch.waiter.is_overdue(context) {
            self.watch.server.figures.count("body-late");
            return Poll::Ready(Err(BodyError::TooSlow));
        }
        Poll::Pending
    }
}
