//! What visitors ask of a keeper.
//!
//! A visitor asks and is answered, one message each way; so an answer always has room, and no more descriptors than one
//! batch are ever under way.

use std::time::Instant;

use remuda_sys::CallError;
use remuda_sys::event::Interest;
use remuda_sys::socket::Arrival;

use super::process::{Going, PIPES, Phase, Process, Taker};
use super::protocol::{Answer, BATCH, Entry, Request, State, decode};

impl Process {
    pub(super) fn hear_visitor(&mut self, id: u64, now: Instant) -> Result<Going, CallError> {
        // The arbiter's end may be known to the kernel and not yet to us.
        if self.hear_arbiter(now)? == Going::Over {
            return Ok(Going::Over);
        }
        let Some(visitor) = self.visitors.get(id) else { return Ok(Going::On) };
        match visitor.link.receive_now() {
            Ok(None) => Ok(Going::On),
            Ok(Some(Arrival::Message { bytes, .. })) => match decode(&bytes) {
                Some(request) => {
                    self.visitors.heard(id, now);
                    self.request(id, request, now)
                }
                None => self.leave(id, now),
            },
            Ok(Some(Arrival::Closed)) | Err(_) => self.leave(id, now),
        }
    }

    pub(super) fn request(&mut self, id: u64, request: Request, now: Instant) -> Result<Going, CallError> {
        let taking = self.taker.filter(|taker| taker.id != id);
        match (self.phase, request) {
            (Phase::Serving, _) => {
                self.visitors.put_off(id, request, now);
                Ok(Going::On)
            }
            (_, Request::Look) => self.answer(id, &Answer::State(self.state(now)), now),
            (Phase::Stopping { .. }, Request::Stop) => {
                self.visitors.let_wait(id);
                Ok(Going::On)
            }
            (Phase::Stopping { .. }, _) => self.answer(id, &Answer::Stopping, now),
            (Phase::Alone { .. }, Request::Take | Request::Stop) => match taking {
                Some(taker) => self.answer(id, &Answer::Busy { pid: taker.pid }, now),
                None if request == Request::Take => self.begin_to_hand_over(id, now),
                None => {
                    self.end_taking(id)?;
                    self.stop(now);
                    self.visitors.let_wait(id);
                    Ok(Going::On)
                }
            },
            (Phase::Alone { .. }, Request::Next) => self.hand_over(id, now),
            (Phase::Alone { .. }, Request::Taken) => {
                let all = self.estate.entries().count();
                let done = self.taker.is_some_and(|taker| taker.id == id && taker.handed == all);
                if done { Ok(Going::Over) } else { self.leave(id, now) }
            }
        }
    }

    fn state(&self, now: Instant) -> State {
        State {
            keeper: std::process::id(),
            living: self.estate.workers.living(),
            items: self.estate.entries().count(),
            orphaned_for: now.duration_since(self.alone_since),
            stopping: matches!(self.phase, Phase::Stopping { .. }),
        }
    }

    /// From now on no pipe is read here: what a taker is told of them has to stay true.
    fn begin_to_hand_over(&mut self, id: u64, now: Instant) -> Result<Going, CallError> {
        self.poller.modify(self.estate.drain.poller(), PIPES, Interest::Nothing)?;
        let pid =
            self.visitors.get(id).and_then(|visitor| visitor.link.peer().ok()).map_or(0, |peer| peer.pid);
        self.taker = Some(Taker { id, pid, handed: 0 });
        self.answer(id, &Answer::State(self.state(now)), now)
    }

    fn hand_over(&mut self, id: u64, now: Instant) -> Result<Going, CallError> {
        let Some(taker) = self.taker.as_mut().filter(|taker| taker.id == id) else {
            return self.leave(id, now);
        };
        let all = self.estate.entries().count();
        let mut descriptors = Vec::with_capacity(BATCH);
        let mut entries = Vec::with_capacity(BATCH);
        for (name, holding, fd) in self.estate.entries().skip(taker.handed).take(BATCH) {
            entries.push(Entry { name, holding });
            descriptors.push(fd);
        }
        taker.handed += entries.len();
        let answer = Answer::Batch { entries, left: all - taker.handed };
        if self.visitors.answer(id, &answer, &descriptors) { Ok(Going::On) } else { self.leave(id, now) }
    }

    pub(super) fn answer(&mut self, id: u64, answer: &Answer, now: Instant) -> Result<Going, CallError> {
        if self.visitors.answer(id, answer, &[]) { Ok(Going::On) } else { self.leave(id, now) }
    }

    /// The visitor has gone, or has to go. If it was being handed everything, we go on as if it had never come.
    pub(super) fn leave(&mut self, id: u64, now: Instant) -> Result<Going, CallError> {
        self.visitors.show_out(id);
        if self.end_taking(id)?
            && let Phase::Alone { empty_since } = &mut self.phase
        {
            *empty_since = empty_since.map(|_| now);
        }
        Ok(Going::On)
    }

    /// If this visitor was being handed everything, it is no more; says whether it was.
    fn end_taking(&mut self, id: u64) -> Result<bool, CallError> {
        let was = self.taker.take_if(|taker| taker.id == id).is_some();
        if was {
            self.poller.modify(self.estate.drain.poller(), PIPES, Interest::Read)?;
        }
        Ok(was)
    }
}
