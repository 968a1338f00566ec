//! Listeners that somebody has shut down: a worker's `shutdown()` ends the listening for all who hold the socket.

use remuda_model::{Mode, SocketKind};
use remuda_sys::CallError;
use remuda_sys::socket::{self, Listener};

use super::records::rebind;
use super::{Bound, State};
use crate::record::ListenerRecord;

/// What could be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Revived {
    /// The same socket listens again, for everybody who has it.
    Again,
    /// There is another one at the same address; who has the old one needs to be replaced.
    Anew,
    /// Nobody listens there.
    Not(String),
}

impl Bound {
    /// Has its listeners refuse who comes, for ever, where they were bound here and take connections.
    pub(crate) fn close(&self) -> Result<(), CallError> {
        let mut state = self.lock();
        if !state.spec.listen.is_bound_here() {
            return Ok(());
        }
        state.is_closed = true;
        state.listeners.iter().filter(|listener| listener.listening).try_for_each(socket::stop_listening)
    }

    /// Whether that was done.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// The place of the listener with this cookie.
    pub(crate) fn place_of(&self, cookie: u64) -> Option<usize> {
        self.lock().listeners.iter().position(|listener| listener.cookie == cookie)
    }

    /// The slot of a listener, where slots have their own.
    pub(crate) fn slot_at(&self, place: usize) -> Option<u32> {
        u32::try_from(place).ok().filter(|_| self.mode == Mode::PerWorker)
    }

    /// Has the listener at `place` listen again. What waited in its queue is lost already.
    pub(crate) fn revive(&self, place: usize) -> Revived {
        let mut state = self.lock();
        let Some(listener) = state.listeners.get(place) else {
            return Revived::Not("it is closed".to_owned());
        };
        // A Unix socket stays shut down for ever, and a port that was not asked for by number is another one then.
        let again = listener.kind != SocketKind::Datagram
            && socket::listen_again(listener, state.spec.options.backlog).is_ok_and(|stays| stays);
        let revived = if again { Revived::Again } else { self.bind_anew(&mut state, place) };
        if !matches!(revived, Revived::Not(_)) {
            state.moved_last(place);
            self.changes.mark();
        }
        revived
    }

    fn bind_anew(&self, state: &mut State, place: usize) -> Revived {
        let Some(old) = state.listeners.get(place) else { return Revived::Not("it is closed".to_owned()) };
        let known =
            ListenerRecord { cookie: old.cookie, address: old.address.clone(), file: old.file.clone() };
        // The file is that of a socket nobody can connect to any more; the new one takes its place.
        let others = state.listeners.iter().enumerate().find(|(other, _)| *other != place);
        let first = others.map(|(_, listener)| listener).filter(|_| self.mode == Mode::PerWorker);
        match rebind(&state.spec, &known, first) {
            Ok(listener) => match state.listeners.get_mut(place) {
                Some(old) => {
                    let _: Listener = std::mem::replace(old, listener);
                    Revived::Anew
                }
                None => Revived::Not("it is closed".to_owned()),
            },
            Err(reason) => Revived::Not(reason),
        }
    }
}
