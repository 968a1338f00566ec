//! Servers that are called: each is tried again and again, for ever, whether the network is up or not.
//!
//! Two servers may call each other, and one of the two links is closed then; who finds that it has a link with the server
//! already waits until that one is gone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use remuda_herd::NodeId;
use remuda_model::Tick;
use remuda_toolkit::Backoff;

use crate::table::Key;

/// Longest wait between tries: a server that comes back is found soon, and a hundred that try are no load.
const BACKOFF_CAP: Duration = Duration::from_secs(5);
/// A link that lasted so long was one: the row of failures is over. Servers that are replaced one after the other are found
/// soon again; one that lets go at once, again and again, is not called ten times a second.
const HEALTHY_AFTER: Duration = Duration::from_millis(200);
/// A server with which there is a link the other way round is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Characters of a reason that are kept.
const REASON_MAX_CHARS: usize = 300;

/// Where an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// To be tried then.
    Away { until: Tick },
    /// Its name is being resolved.
    Resolving,
    /// A connection is there, or being made.
    Connected { key: Key, since: Tick },
}

/// One address that is called.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) address: String,
    /// Who answered there last, or is meant to.
    pub(crate) node: Option<NodeId>,
    /// Whether it is tried once only, for the machine.
    pub(crate) is_once: bool,
    pub(crate) phase: Phase,
    /// Why it is away; empty while that is not known.
    pub(crate) trouble: String,
    /// Whether the log knows that it is away.
    is_told: bool,
    pub(crate) attempts: u64,
    backoff: Backoff,
    turn: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    all: BTreeMap<u64, Dial>,
    next: u64,
    seed: u64,
}

impl Dials {
    pub(crate) fn new(addresses: &[String], seed: u64) -> Self {
        let mut dials = Self { seed, ..Self::default() };
        for address in addresses {
            dials.add(address.clone(), None, false);
        }
        dials
    }

    pub(crate) fn add(&mut self, address: String, node: Option<NodeId>, is_once: bool) {
        self.next += 1;
        let dial = Dial {
            address,
            node,
            is_once,
            phase: Phase::Away { until: Tick::default() },
            trouble: String::new(),
            is_told: false,
            attempts: 0,
            backoff: Backoff::new(self.seed.wrapping_add(self.next))
                .cap(BACKOFF_CAP)
                .healthy_after(HEALTHY_AFTER),
            turn: 0,
        };
        self.all.insert(self.next, dial);
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Dial> {
        self.all.get_mut(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Dial> {
        self.all.values()
    }

    /// Whether somebody is being looked for by the machine's wish.
    pub(crate) fn seeks(&self, node: NodeId) -> bool {
        self.all.values().any(|dial| dial.is_once && dial.node == Some(node))
    }

    /// When the next one is to be tried.
    pub(crate) fn due(&self) -> Option<Tick> {
        let until = |dial: &Dial| match dial.phase {
            Phase::Away { until } => Some(until),
            Phase::Resolving | Phase::Connected { .. } => None,
        };
        self.all.values().filter_map(until).min()
    }

    /// Those that are to be tried now, less those with which there is a link.
    pub(crate) fn take_due(&mut self, now: Tick, is_linked: impl Fn(NodeId) -> bool) -> Vec<u64> {
        let mut due = Vec::new();
        for (id, dial) in &mut self.all {
            match dial.phase {
                Phase::Away { until } if until <= now => {}
                _ => continue,
            }
            if !dial.is_once && dial.node.is_some_and(&is_linked) {
                dial.phase = Phase::Away { until: now + LOOK_AGAIN };
            } else {
                due.push(*id);
            }
        }
        due
    }

    /// An attempt came to nothing, or its connection has ended: it is tried again in a while. Says whom the machine asked
    /// for in vain, if it did. Nothing is told of one that was ended on purpose (`is_quiet`).
    pub(crate) fn failed(&mut self, id: u64, why: &str, now: Tick, is_quiet: bool) -> Option<NodeId> {
        let dial = self.all.get_mut(&id)?;
        if dial.is_once {
            return self.all.remove(&id).and_then(|dial| dial.node);
        }
        let lived = match dial.phase {
            Phase::Connected { since, .. } => now.since(since),
            Phase::Away { .. } | Phase::Resolving => Duration::ZERO,
        };
        let wait = dial.backoff.failed(lived);
        dial.phase = Phase::Away { until: now + wait };
        dial.trouble = why.chars().take(REASON_MAX_CHARS).map(plain).collect();
        if !is_quiet && !std::mem::replace(&mut dial.is_told, true) {
            log::warn!(
                "the server at {} cannot be reached: {}; it is tried again and again",
                dial.address,
                dial.trouble
            );
        }
        None
    }

    /// Somebody answered there.
    pub(crate) fn answered(&mut self, id: u64, node: NodeId) {
        if let Some(dial) = self.all.get_mut(&id) {
            dial.node = Some(node);
            dial.trouble.clear();
            dial.is_told = false;
        }
    }

    /// A link with a node is gone: whoever waited for that is tried soon.
    pub(crate) fn is_free(&mut self, node: NodeId, now: Tick) {
        for dial in self.all.values_mut().filter(|dial| dial.node == Some(node)) {
            if let Phase::Away { until } = &mut dial.phase {
                *until = (*until).min(now + LOOK_AGAIN / 4);
            }
        }
    }
}

impl Dial {
    /// Which of the addresses of a name it is the turn of.
    pub(crate) fn choose(&mut self, addresses: &[SocketAddr]) -> Option<SocketAddr> {
        let address = addresses.get(self.turn.checked_rem(addresses.len())?).copied();
        self.turn = self.turn.wrapping_add(1);
        address
    }
}

/// A host and a port.
pub(crate) fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((bare, port.parse().ok()?))
}

fn plain(sign: char) -> char {
    if sign.is_control() { ' ' } else { sign }
}

#[cfg(test)]
mod tests;
