//! The ways to choose among members that could take a request.

use super::member::Member;
use super::random::{mix, unit};
use super::{Method, Moment, Random};
use std::time::Duration;

/// Members among which is chosen, and by what.
pub(super) struct Choice<'a> {
    pub(super) members: &'a mut [Member],
    /// Places of those who could take it; at least one.
    pub(super) candidates: &'a [usize],
    pub(super) now: Moment,
    pub(super) slow_start: Duration,
}

impl Choice<'_> {
    /// The place of the member chosen.
    pub(super) fn choose(&mut self, method: Method, hash: Option<u64>, random: &mut Random) -> usize {
        if let [only] = self.candidates {
            return *only;
        }
        match (method, hash) {
            (Method::Hash, Some(hash)) => self.by_hash(hash),
            // A request without a key is nobody's.
            (Method::Random2 | Method::Hash, _) => self.less_loaded_of_two(random, |_, load| load),
            (Method::Ewma, _) => {
                let now = self.now;
                self.less_loaded_of_two(random, |member, load| member.latency.seconds(now) * load)
            }
            (Method::RoundRobin, _) => self.by_turn(),
            (Method::Least, _) => self.least(random),
        }
    }

    /// The least loaded of all, for groups where a busy member and an idle one are worlds apart; among equals by chance.
    pub(super) fn least(&self, random: &mut Random) -> usize {
        let from = random.below(self.candidates.len());
        let (behind, before) = self.candidates.split_at(from);
        let load = |place: &usize| {
            let member = &self.members[*place];
            f64::from(member.in_flight) / f64::from(member.weight)
        };
        let mut best = self.candidates[from];
        for place in before.iter().chain(behind) {
            if load(place) < load(&best) {
                best = *place;
            }
        }
        best
    }

    fn share(&self, place: usize) -> f64 {
        f64::from(self.members[place].share(self.now, self.slow_start))
    }

    /// Two by weighted chance, and of them the one with less `cost`, which is told the requests it would have for each
    /// unit of its share.
    fn less_loaded_of_two(&self, random: &mut Random, cost: impl Fn(&Member, f64) -> f64) -> usize {
        let one = self.by_chance(random, None);
        let two = self.by_chance(random, Some(one));
        let alone = |place: usize| cost(&self.members[place], 1.0);
        let weighed = |place: usize| {
            let member = &self.members[place];
            cost(member, (f64::from(member.in_flight) + 1.0) / self.share(place))
        };
        // Chance has weighed them already: among idle ones that are alike, the heavier is not to get everything.
        let is_idle = |place: usize| self.members[place].in_flight == 0;
        let is_like = |one: f64, two: f64| one <= two * 1.5 && two <= one * 1.5;
        let is_tie = is_idle(one) && is_idle(two) && is_like(alone(one), alone(two));
        if is_tie || weighed(one) <= weighed(two) { one } else { two }
    }

    fn by_chance(&self, random: &mut Random, but: Option<usize>) -> usize {
        let shares = || self.candidates.iter().filter(|place| Some(**place) != but);
        let total: f64 = shares().map(|place| self.share(*place)).sum();
        let mut left = random.unit() * total;
        let mut last = self.candidates[0];
        for place in shares() {
            last = *place;
            left -= self.share(*place);
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// Smooth weighted round robin, as nginx has it: each gains its weight, the richest pays for all.
    fn by_turn(&mut self) -> usize {
        let mut total = 0;
        let mut best = self.candidates[0];
        for place in self.candidates {
            let gain = i64::from(self.members[*place].share(self.now, self.slow_start));
            total += gain;
            self.members[*place].turn += gain;
            if self.members[*place].turn > self.members[best].turn {
                best = *place;
            }
        }
        self.members[best].turn -= total;
        best
    }

    /// Rendezvous hashing with weights (Schindelhauer and Schomaker 2005): the highest score wins, and every other
    /// member's score stays what it was when one comes or goes.
    fn by_hash(&self, hash: u64) -> usize {
        let score = |place: &usize| {
            let member = &self.members[*place];
            let drawn = unit(mix(hash ^ member.key)).max(f64::MIN_POSITIVE);
            f64::from(member.weight) / -drawn.ln()
        };
        let mut best = self.candidates[0];
        for place in &self.candidates[1..] {
            if score(place) > score(&best) {
                best = *place;
            }
        }
        best
    }
}

/// The number a key is known by, over all processes and machines: FNV-1a (Fowler, Noll and Vo), its bits spread.
#[must_use]
pub fn hash_of(key: &[u8]) -> u64 {
    let fnv = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(fnv)
}
