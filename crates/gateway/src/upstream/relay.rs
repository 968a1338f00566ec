//! The body of an answer on its way to the client, read into the very buffer it is written from.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use remuda_wire::http::{BodyDecoder, Fields};

use super::attempt::is_end;
use super::group::Upstream;
use super::lease::Lease;
use super::link::Link;
use super::sending::{SendError, Sending};
use crate::server::{Broken, Source, Step};

/// Bytes a client's buffer is made to hold; what a connection may have on its way to a slow one.
const WINDOW: usize = 64 << 10;
/// Room that is worth a read.
const ROOM_MIN: usize = 4 << 10;

/// An answer's body that is still coming.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) upstream: Rc<Upstream>,
    pub(super) decoder: BodyDecoder,
    /// What came with the head: a buffer, and where in it the body begins.
    pub(super) first: Option<(Vec<u8>, usize)>,
    /// What was read and is not decoded: a line that is not whole.
    pub(super) rest: Vec<u8>,
    /// Whether the last read took all the room there was: the next one gets more.
    pub(super) is_much: bool,
    /// The request, as long as not all of it is sent.
    pub(super) sending: Option<Sending>,
    /// Time between two pieces; zero is for ever.
    pub(super) idle: Duration,
    /// Whether the connection can be used again afterwards.
    pub(super) keeps: bool,
    pub(super) trailers: Option<Box<Fields>>,
    /// The connection and the member's time; `None` when it is over.
    pub(super) hold: Option<(Link, Lease)>,
}

impl Relay {
    /// Decodes what stands in `buffer` from `from` on, in its place; what is not whole yet is kept apart. Whether there
    /// was any of the body.
    fn decode(&mut self, buffer: &mut Vec<u8>, from: usize) -> Result<bool, String> {
        let (mut read, mut write) = (from, from);
        while read < buffer.len() {
            let piece = self.decoder.decode(&buffer[read..]).map_err(|fault| fault.to_string())?;
            let data = read + piece.skip;
            read = data + piece.data;
            if data != write {
                buffer.copy_within(data..read, write);
            }
            write += piece.data;
            if piece.skip + piece.data == 0 {
                break;
            }
        }
        if read < buffer.len() {
            // Behind its end nothing has any business: whose answer would it be?
            self.keeps &= !self.decoder.is_done();
            self.rest.extend_from_slice(&buffer[read..]);
        }
        buffer.truncate(write);
        Ok(write > from)
    }

    /// Goes on sending the request, if that is not over.
    fn send(&mut self, context: &mut Context<'_>) -> Result<(), String> {
        let (Some(sending), Some((link, _))) = (&mut self.sending, &self.hold) else { return Ok(()) };
        let mut moved = false;
        match sending.poll(context, link, &mut moved) {
            Poll::Ready(Err(SendError::Body(error))) => return Err(error.to_string()),
            Poll::Ready(Err(SendError::Link)) => {
                self.keeps = false;
                self.sending = None;
            }
            Poll::Ready(Ok(())) => self.sending = None,
            Poll::Pending if moved => link.alarm.set(self.idle),
            Poll::Pending => {}
        }
        Ok(())
    }

    /// All of it was read.
    fn finish(&mut self) {
        self.trailers = self.decoder.take_trailers();
        if let Some((link, lease)) = self.hold.take() {
            let keeps = self.keeps && self.sending.is_none() && self.rest.is_empty();
            // The connection first: who gets the member next finds it.
            self.upstream.put_back(link, keeps);
            drop(lease);
        }
        self.sending = None;
    }

    /// The rest will not come.
    fn break_off(&mut self, why: &str) -> Poll<Result<Step, Broken>> {
        if let Some((_, lease)) = self.hold.take() {
            lease.failed();
            self.upstream.tell_cut(lease.member, why);
        }
        Poll::Ready(Err(Broken))
    }

    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        loop {
            if self.decoder.is_done() {
                self.finish();
                return Poll::Ready(Ok(Step::End));
            }
            let from = buffer.len();
            self.make_room(buffer);
            // A line of framing that was not whole comes before what is read now.
            buffer.append(&mut self.rest);
            if buffer.len() == buffer.capacity() {
                buffer.reserve(ROOM_MIN);
            }
            let Some((link, _)) = &self.hold else { return Poll::Ready(Err(Broken)) };
            match link.transport.poll_read(context, buffer) {
                Poll::Ready(Ok(0)) => return self.ended(buffer, from),
                Poll::Ready(Err(error)) => {
                    buffer.truncate(from);
                    let why =
                        if is_end(&error) { "it ended the connection".to_owned() } else { error.to_string() };
                    return self.break_off(&why);
                }
                Poll::Ready(Ok(_)) => {
                    link.alarm.set(self.idle);
                    self.is_much = buffer.len() == buffer.capacity();
                    match self.decode(buffer, from) {
                        Ok(true) => return Poll::Ready(Ok(Step::Filled)),
                        Ok(false) => {}
                        Err(why) => return self.break_off(&why),
                    }
                }
                Poll::Pending => {
                    let has_rung = link.alarm.has_rung(context);
                    self.rest.extend_from_slice(&buffer[from..]);
                    buffer.truncate(from);
                    if has_rung {
                        self.upstream.count("upstream-body-late");
                        return self.break_off("nothing came for too long");
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Sees to it that a read is worth its while: a body that is long, or comes fast, gets a large buffer.
    fn make_room(&self, buffer: &mut Vec<u8>) {
        let room = buffer.capacity() - buffer.len();
        let is_long = self.decoder.remaining().map_or(self.is_much, |left| left > room as u64);
        if is_long && buffer.capacity() < WINDOW {
            buffer.reserve_exact(WINDOW - buffer.len());
        } else if room == 0 || (room < ROOM_MIN && buffer.capacity() < WINDOW) {
            buffer.reserve_exact(ROOM_MIN);
        }
    }

    fn ended(&mut self, buffer: &mut Vec<u8>, from: usize) -> Poll<Result<Step, Broken>> {
        buffer.truncate(from);
        self.keeps = false;
        if self.decoder.end().is_err() {
            return self.break_off("it ended the connection in the middle of the body");
        }
        self.finish();
        Poll::Ready(Ok(Step::End))
    }
}

impl Source for Relay {
    fn poll_step(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        if let Err(why) = self.send(context) {
            // The client's own doing, which it is not told by a status any more.
            self.hold = None;
            log::debug!("{}: {why}", self.upstream.name);
            return Poll::Ready(Err(Broken));
        }
        if let Some((first, start)) = self.first.take() {
            let from = buffer.len();
            buffer.extend_from_slice(&first[start..]);
            self.upstream.buffers().keep(first);
            match self.decode(buffer, from) {
                Ok(true) => return Poll::Ready(Ok(Step::Filled)),
                Ok(false) => {}
                Err(why) => return self.break_off(&why),
            }
        }
        self.poll_read(context, buffer)
    }

    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        self.trailers.take()
    }
}
