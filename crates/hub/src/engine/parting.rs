//! Commands that wait at the store's engine, and a hub that is about to leave.
//!
//! An engine that gives an element to a connection which is cut in that moment gives it to nobody. So no connection is cut
//! while a command waits on it: the engine is asked to end the wait (`CLIENT UNBLOCK id ERROR`), and what it answers on the
//! connection itself says what became of it: an element, which the client gets, or that nothing was given away, and then the
//! next hub asks again. Who has no id, or may not unblock, is cut off as it is.

use std::time::Duration;

use remuda_model::Tick;
use remuda_wire::resp::{Limits, Value, parse_value};

use super::gateway::Gateway;
use super::upstream::{Expect, Upstream};
use crate::redis::session::Session;

/// An engine that was asked to end a wait may have seen that before the command: it is asked again after this. Longer than a
/// round trip to most engines, and short beside the time there is in all.
pub(crate) const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// A greeting longer than this is not read for the id in it. Redis' own have some 200 bytes, and some hundred more for each
/// module it has loaded.
pub(crate) const GREETING_MAX_BYTES: usize = 64 << 10;

/// What a successor has to know of a client whose answers have not come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// Commands to be asked again.
    pub(crate) again: Vec<u8>,
    /// How many answers will not come.
    pub(crate) owed: usize,
    /// The client has a part of the answer that passes, and nobody can get the rest: nothing else may follow it.
    pub(crate) is_cut: bool,
}

/// What becomes of the wait of a command that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It lasts as long as the engine says.
    Free,
    /// The engine was asked to end it.
    Told,
    /// It is over and nothing came of it: the command is to be asked again.
    Ended,
}

impl Expect {
    /// The command, if it is one that waits.
    pub(crate) fn waits(&self) -> Option<&[u8]> {
        match self {
            Self::Relay(command) if !command.is_empty() => Some(command),
            _ => None,
        }
    }
}

impl Upstream {
    /// The command that waits, if there is one: it is the last then, since nothing is sent behind it.
    pub(crate) fn waiting(&self) -> Option<&[u8]> {
        self.expects.back().and_then(Expect::waits)
    }

    /// Whether its wait can be ended, as far as the connection is concerned.
    fn can_be_told(&self) -> bool {
        self.id.is_some() || self.expects.contains(&Expect::Greeting)
    }

    /// Whether nobody knows, when the connection is cut now, what comes of the command that waits.
    pub(crate) fn is_unsure(&self) -> bool {
        let is_sent = self.waiting().is_some_and(|command| self.output.len() < command.len());
        is_sent && self.wait != Wait::Ended && self.can_be_told()
    }
}

impl Gateway {
    /// A successor is there: what clients sent is carried out by it (true); or there is none after all.
    pub(crate) fn set_leaving(&mut self, is_leaving: bool) {
        self.is_leaving = is_leaving;
        self.told = None;
    }

    /// Asks the engine to end the waits of all clients, those for replicas (`with_counts`) among them. Those that it has not
    /// ended in [`AGAIN_AFTER`] are asked for once more.
    pub(crate) fn end_waits(&mut self, now: Tick, with_counts: bool) {
        let is_early = self.told.is_some_and(|told| told + AGAIN_AFTER > now);
        if is_early || !self.line.is_up() || self.watch.is_refused || self.watch.unblocking > 0 {
            return;
        }
        self.told = Some(now);
        for upstream in self.upstreams.iter_mut().flatten() {
            let (Some(id), Some(front)) = (upstream.id, upstream.expects.front()) else { continue };
            if front.waits().is_some() && upstream.wait != Wait::Ended {
                upstream.wait = Wait::Told;
                self.watch.unblock(id, b"ERROR", &mut self.line.output);
            } else if with_counts && *front == Expect::Count {
                // The time it was given is over sooner: the count is true all the same.
                self.watch.unblock(id, b"TIMEOUT", &mut self.line.output);
            }
        }
    }

    /// Whether there are waits that the engine may be brought to end.
    pub(crate) fn has_waits(&self) -> bool {
        let is_waiting = |upstream: &Upstream| {
            upstream.waiting().is_some() && upstream.wait != Wait::Ended && upstream.can_be_told()
        };
        self.line.is_up() && !self.watch.is_refused && self.upstreams.iter().flatten().any(is_waiting)
    }

    /// What a successor has to know of `session`.
    pub(crate) fn leaves(&self, session: &Session) -> Unanswered {
        let upstream = session.upstream.and_then(|place| self.upstreams.get(place)?.as_ref());
        let Some(upstream) = upstream else { return Unanswered::default() };
        if upstream.is_begun {
            return Unanswered { is_cut: true, ..Unanswered::default() };
        }
        let (mut again, mut owed) = (Vec::new(), 0);
        let is_unsure = !self.watch.is_refused && upstream.is_unsure();
        for expect in &upstream.expects {
            match expect {
                Expect::Relay(command) if !command.is_empty() && !is_unsure => {
                    again.extend_from_slice(command);
                }
                Expect::Relay(_) | Expect::Select(_) | Expect::Count => owed += 1,
                Expect::SelectUnheard(_) | Expect::Swallow | Expect::Greeting => {}
            }
        }
        Unanswered { again, owed, is_cut: false }
    }

    /// Whether somebody waits for an answer that is not far off.
    pub(crate) fn is_busy(&self) -> bool {
        let is_soon = |expect: &Expect| !matches!(expect, Expect::Relay(command) if !command.is_empty());
        self.has_waits()
            || self.upstreams.iter().flatten().any(|upstream| upstream.expects.iter().any(is_soon))
    }

    /// Commands whose waits were ended for a successor that did not come are asked again.
    pub(crate) fn ask_again(&mut self) {
        let is_quiet = self.watch.unblocking == 0 || !self.line.is_up();
        // An answer that is on its way still would end the new wait too.
        if self.is_leaving || self.ended.is_empty() || !is_quiet {
            return;
        }
        for place in std::mem::take(&mut self.ended) {
            let Some(upstream) = self.upstreams.get_mut(place).and_then(Option::as_mut) else { continue };
            if upstream.wait != Wait::Ended {
                continue;
            }
            upstream.wait = Wait::Free;
            if let Some(command) = upstream.expects.back().and_then(Expect::waits) {
                upstream.output.extend_from_slice(command);
            }
            self.dirty.push(place);
        }
    }
}

/// The id of our connection, as the answer to `HELLO` has it.
pub(crate) fn id_in(greeting: &[u8]) -> Option<i64> {
    let is_id =
        |name: &Value| matches!(name, Value::Bulk(name) | Value::Simple(name) if name.as_slice() == b"id");
    let (value, _) = parse_value(greeting, &Limits::default()).ok()??;
    let found = match &value {
        Value::Map(pairs) => pairs.iter().find(|(name, _)| is_id(name)).map(|(_, id)| id),
        Value::Array(values) => values.chunks_exact(2).find(|pair| is_id(&pair[0])).map(|pair| &pair[1]),
        _ => None,
    };
    match found {
        Some(Value::Integer(id)) => Some(*id),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
