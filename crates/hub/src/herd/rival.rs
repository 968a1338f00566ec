//! Another server that uses this one's number: its state folder was copied, or put back while the old one ran on.
//!
//! A node that hears of a life of its own after its present one begins another above it: its folder was put back to an
//! older copy, and once is enough. Where a second server has the same number, each hears of the other's new life in turn.
//! So the first life above is begun at once, each further one later than the one before, and after [`OUTBID_MAX`] this
//! server gives up: it takes no part any more, and the other one has the number.

use std::time::Duration;

use remuda_herd::Epoch;
use remuda_model::Tick;

/// Lives that are begun above one that is known elsewhere, before this server gives up.
const OUTBID_MAX: u32 = 4;
/// The wait before the second of them; each further one is twice as long.
const WAIT: Duration = Duration::from_secs(1);
/// One that failed to begin, as the folder could not be written, is tried again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// Nothing is left of an older one after this: a folder may be put back each day.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// What is to be said when this life was outbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outbid {
    /// Nothing new: a life that is known is about to begin.
    Nothing,
    /// As after a folder was put back.
    Once,
    /// There are two servers.
    Again {
        /// Whether that is found out now.
        is_news: bool,
    },
    /// It is given up.
    TooOften,
}

/// How often this node's lives were outbid.
#[derive(Debug, Default)]
pub(crate) struct Rival {
    times: u32,
    last: Tick,
    /// The life to begin above, and when.
    next: Option<(Tick, Epoch)>,
    /// The one above which a life is being begun.
    beginning: Option<Epoch>,
}

impl Rival {
    /// A later life of this node is known.
    pub(crate) fn outbid(&mut self, epoch: Epoch, now: Tick) -> Outbid {
        if self.has_won() || self.beginning.is_some() {
            // A life that is begun too low hears so again.
            return Outbid::Nothing;
        }
        if let Some((_, above)) = &mut self.next {
            *above = epoch.max(*above);
            return Outbid::Nothing;
        }
        if self.times > 0 && now.since(self.last) >= FORGOTTEN_AFTER {
            self.times = 0;
        }
        self.times += 1;
        self.last = now;
        let wait = match self.times {
            1 => Duration::ZERO,
            times if times > OUTBID_MAX => return Outbid::TooOften,
            times => WAIT * 2_u32.pow(times - 2),
        };
        self.next = Some((now + wait, epoch));
        if self.times == 1 { Outbid::Once } else { Outbid::Again { is_news: self.times == 2 } }
    }

    /// When a life is to begin.
    pub(crate) fn due(&self) -> Option<Tick> {
        self.next.map(|(due, _)| due)
    }

    /// The life to begin above now.
    pub(crate) fn take_due(&mut self, now: Tick) -> Option<Epoch> {
        let (_, above) = self.next.take_if(|(due, _)| *due <= now)?;
        self.beginning = Some(above);
        self.beginning
    }

    /// It has begun.
    pub(crate) fn begun(&mut self) {
        (self.next, self.beginning) = (None, None);
    }

    /// It could not begin: it is tried again.
    pub(crate) fn failed(&mut self, now: Tick) {
        if let Some(above) = self.beginning.take() {
            self.next = Some((now + AGAIN, above));
        }
    }

    /// Whether there is another server with this number, as far as is known at a time.
    pub(crate) fn is_there(&self, now: Tick) -> bool {
        self.has_won() || (self.times > 1 && now.since(self.last) < FORGOTTEN_AFTER)
    }

    /// Whether the number was left to the other server.
    pub(crate) fn has_won(&self) -> bool {
        self.times > OUTBID_MAX
    }
}

#[cfg(test)]
mod tests;
