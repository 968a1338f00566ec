//! Keys that go by themselves: their time is over, or others need their memory.

use std::time::Duration;

use crate::change::Class;
use crate::moment::Moment;
use crate::options::Eviction;
use crate::store::Store;

/// Keys looked at to find one that was not used for long, as many as make the choice near the true one.
const SAMPLES: usize = 10;
/// Keys that may give way to one command, so that a lowered limit does not stop everything at once.
const EVICTED_MAX: usize = 1000;

impl Store {
    /// Removes keys whose time is over, at most `budget` of them. Returns how many it removed: as many as the budget
    /// means that there may be more.
    pub fn expire(&mut self, moment: Moment, budget: usize) -> usize {
        let mut removed = 0;
        while removed < budget && !self.is_replaying {
            let Some(timed) = self.timers.over(moment) else { break };
            let (space, index) = (timed.space, self.spaces[timed.space].entries.get_index_of(&*timed.key));
            self.effects.begin_command();
            self.lapse(space, index.expect("a timer goes with its key"), Class::Expired, "expired");
            removed += 1;
        }
        removed
    }

    /// Time until the store has something to do by itself: a key ends, or a client has waited long enough.
    #[must_use]
    pub fn deadline(&self, moment: Moment) -> Option<Duration> {
        let waits = self.blocked.next_deadline().map(|tick| tick.since(moment.tick));
        self.timers.next(moment).into_iter().chain(waits).min()
    }

    /// Removes a key by the store's own decision.
    pub(crate) fn lapse(&mut self, space: usize, index: usize, class: Class, event: &'static str) {
        match class {
            Class::Evicted => self.evicted += 1,
            _ => self.expired += 1,
        }
        let database = self.database_of(space);
        let (key, _) = self.remove(space, index, database, class, event);
        if self.options.keeps_effects {
            self.effects.push(database, &[b"DEL", &key]);
        }
    }

    /// Whether commands that need memory may run: when there is too little, keys give way if they may.
    pub(crate) fn make_room(&mut self, moment: Moment) -> bool {
        let Some(max) = self.options.memory_max_bytes else { return true };
        for _ in 0..EVICTED_MAX {
            if self.used_bytes <= max {
                return true;
            }
            let victim = match self.options.eviction {
                Eviction::Refuse => None,
                Eviction::LeastRecentlyUsed => self.least_recently_used(moment),
                Eviction::SoonestExpiry => self.soonest_expiry(moment),
            };
            let Some((space, index)) = victim else { return false };
            self.lapse(space, index, Class::Evicted, "evicted");
        }
        self.used_bytes <= max
    }

    fn least_recently_used(&mut self, moment: Moment) -> Option<(usize, usize)> {
        let now = super::primitives::touched(moment);
        let filled = self.spaces.iter().enumerate().filter(|(_, space)| !space.entries.is_empty());
        let (space, _) = filled.max_by_key(|(_, space)| space.entries.len())?;
        let entries = &self.spaces[space].entries;
        let random = &mut self.random;
        let index = (0..SAMPLES)
            .map(|_| random.below(entries.len()))
            .max_by_key(|&index| now.wrapping_sub(entries[index].touched))?;
        Some((space, index))
    }

    fn soonest_expiry(&self, moment: Moment) -> Option<(usize, usize)> {
        let timed = self.timers.soonest(moment)?;
        let index = self.spaces[timed.space].entries.get_index_of(&*timed.key)?;
        Some((timed.space, index))
    }
}
