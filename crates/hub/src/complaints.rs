//! Lines for the log about what others do, and so may do again and again: some of each sort in a while, so that whoever
//! connects with nonsense in a loop, or is turned away a thousand times a second, does not fill the log.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_model::Tick;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Complaint {
    /// No descriptor is left for a connection.
    NoDescriptors,
    /// There are as many Redis clients as there may be.
    TooManyClients,
    /// There are as many ZeroMQ peers as there may be.
    TooManyPeers,
    /// What a client or peer did.
    Conduct,
    /// What a script says.
    Script,
    /// What the herd needs of the disk cannot be had.
    HerdFolder,
    /// Messages of the herd that are missing, or too large to spread.
    HerdMessages,
    /// Nodes of the herd that come and go.
    HerdNodes,
    /// A node that was removed from the herd is turned away, which may be this one.
    HerdRemoval,
    /// Shared keys that are not taken, or not told.
    HerdKeys,
    /// The bus's engine does not let the hub publish, or hear, something.
    EngineRefuses,
    /// The bus's engine takes less than is published.
    EngineIsSlow,
}

/// What was said lately.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    said: BTreeMap<Complaint, Said>,
}

#[derive(Debug)]
struct Said {
    since: Tick,
    lines: u64,
    left_out: u64,
}

impl Complaint {
    /// How many lines of it may be said in how long. Of a state one line tells as much as many; of what somebody did each
    /// may be another.
    fn allowance(self) -> (u64, Duration) {
        match self {
            Self::NoDescriptors
            | Self::TooManyClients
            | Self::TooManyPeers
            | Self::EngineRefuses
            | Self::EngineIsSlow
            | Self::HerdFolder => (1, Duration::from_secs(10)),
            Self::Conduct | Self::Script | Self::HerdMessages | Self::HerdKeys => {
                (20, Duration::from_secs(1))
            }
            // Nothing changes until somebody joins anew or edits who is called, and meanwhile each call says it again.
            Self::HerdRemoval => (1, Duration::from_mins(10)),
            // As many as a herd has nodes: when a wire is cut each of them is lost.
            Self::HerdNodes => (1_000, Duration::from_secs(10)),
        }
    }
}

impl Complaints {
    /// Whether a line may be said at `now`, which then counts as said; with how many were left out before it.
    pub(crate) fn admit(&mut self, what: Complaint, now: Tick) -> Option<u64> {
        let (lines_max, span) = what.allowance();
        let said = self.said.entry(what).or_insert(Said { since: now, lines: 0, left_out: 0 });
        if now.since(said.since) >= span {
            (said.since, said.lines) = (now, 0);
        }
        if said.lines >= lines_max {
            said.left_out += 1;
            return None;
        }
        said.lines += 1;
        Some(std::mem::take(&mut said.left_out))
    }

    /// [`Self::admit`], where how many were left out is of no interest.
    pub(crate) fn may_say(&mut self, what: Complaint, now: Tick) -> bool {
        self.admit(what, now).is_some()
    }
}

#[cfg(test)]
mod tests;
