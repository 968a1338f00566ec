//! A group: what is done with a request, from the wish for a member to the end of its answer.

use std::time::Duration;

use super::budget::Budget;
use super::member::Member;
use super::pick::Choice;
use super::queue::{Queue, Ticket};
use super::{GroupOptions, MemberId, MemberOptions, Method, Moment, Probe, Random};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquired {
    /// This member takes it; [`Group::release`] ends that.
    Member(MemberId),
    /// It waits for its turn ([`Group::next_grant`]), or gives up ([`Group::give_up`]).
    Wait(Ticket),
    /// It is refused.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The queue has as many as it may have.
    #[error("too many requests wait for it already")]
    Full,
    /// There is no member that may get requests.
    #[error("it has nobody who takes requests")]
    Nobody,
    /// Nobody was free in time.
    #[error("nobody was free in time")]
    Late,
}

/// How a request ended, as its member is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The head of an answer came after this time.
    Answered(Duration),
    /// None came, or not in time, or it broke off.
    Failed,
    /// The client went away: nobody knows.
    Abandoned,
}

/// What a failed request counts as, in time: to fail fast must not look attractive.
const FAILURE_TAKES: Duration = Duration::from_secs(5);

/// A group of members, as one process sees it.
#[derive(Debug)]
pub struct Group {
    pub(super) options: GroupOptions,
    pub(super) members: Vec<Member>,
    pub(super) queue: Queue,
    in_flight: usize,
    budget: Budget,
    random: Random,
    candidates: Vec<usize>,
    pub(super) refused: u64,
    pub(super) panicked: u64,
}

impl Group {
    /// With `members`, and chance from `seed`.
    #[must_use]
    pub fn new(options: GroupOptions, members: Vec<MemberOptions>, seed: u64) -> Self {
        let members = members.into_iter().map(|member| Member::new(member, options.concurrency)).collect();
        Self {
            options,
            members,
            queue: Queue::default(),
            in_flight: 0,
            budget: Budget::default(),
            random: Random::new(seed),
            candidates: Vec::new(),
            refused: 0,
            panicked: 0,
        }
    }

    /// Its options.
    #[must_use]
    pub fn options(&self) -> &GroupOptions {
        &self.options
    }

    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Wants a member for a request with the key `hash`, if possible none of `tried`. The first attempt of a request has
    /// none tried; it is what the budget of retries is counted from.
    pub fn acquire(&mut self, now: Moment, hash: Option<u64>, tried: &[MemberId]) -> Acquired {
        if tried.is_empty() {
            self.budget.deposit(now);
        }
        // Who came before has its turn before.
        if !self.queue.is_empty() {
            return self.join(now);
        }
        match self.pick(now, hash, tried) {
            Some(member) => Acquired::Member(member),
            None if self.members.iter().all(|member| member.is_draining) => self.refuse(Refusal::Nobody),
            None => self.join(now),
        }
    }

    /// Whether one request may be tried again.
    pub fn may_retry(&mut self, now: Moment) -> bool {
        self.budget.withdraw(now, &self.options.budget)
    }

    /// Whether there is a member that is none of `tried`.
    #[must_use]
    pub fn has_other(&self, tried: &[MemberId]) -> bool {
        let is_other = |place: usize| !self.members[place].is_draining && !tried.contains(&MemberId(place));
        (0..self.members.len()).any(is_other)
    }

    /// A request of `member` has ended. Whoever waits may have its turn now: see [`next_grant`](Self::next_grant). `true`:
    /// the member gets no more requests for a while.
    pub fn release(&mut self, now: Moment, member: MemberId, outcome: Outcome) -> bool {
        // Nobody else asks how long answers take.
        let is_timed = self.options.method == Method::Ewma;
        let may_eject = outcome == Outcome::Failed && self.may_eject(now, member);
        let Some(found) = self.members.get_mut(member.0) else { return false };
        found.in_flight = found.in_flight.saturating_sub(1);
        self.in_flight = self.in_flight.saturating_sub(1);
        match outcome {
            Outcome::Answered(took) => {
                found.served += 1;
                if is_timed {
                    found.latency.record(now, took);
                }
                if found.ejection.succeed(now) && !self.options.slow_start.is_zero() {
                    found.warming_since = Some(now);
                }
                false
            }
            Outcome::Failed => {
                found.failed += 1;
                if is_timed {
                    found.latency.record(now, FAILURE_TAKES);
                }
                let is_out = found.ejection.fail(now, may_eject, &self.options.ejection);
                found.ejected += u64::from(is_out);
                is_out
            }
            Outcome::Abandoned => {
                found.ejection.abandon(now);
                false
            }
        }
    }

    /// Whose turn it is, and with whom: to be asked after each release until there is none.
    pub fn next_grant(&mut self, now: Moment) -> Option<(Ticket, MemberId)> {
        if self.queue.is_empty() {
            return None;
        }
        let member = self.pick(now, None, &[])?;
        let ticket = self.queue.next()?;
        Some((ticket, member))
    }

    /// Leaves the queue. `false`: it had a member already, which is to be released.
    pub fn give_up(&mut self, ticket: Ticket) -> bool {
        self.queue.leave(ticket)
    }

    /// Who has waited too long, one at a time.
    pub fn next_expired(&mut self, now: Moment) -> Option<Ticket> {
        let ticket = self.queue.expire(now)?;
        self.refused += 1;
        Some(ticket)
    }

    /// A member that is to be probed now; it is taken for being probed.
    pub fn next_probe(&mut self, now: Moment) -> Option<MemberId> {
        self.options.health.as_ref()?;
        let is_due = |member: &Member| member.health.next().is_some_and(|next| next <= now);
        let place = self.members.iter().position(is_due)?;
        self.members[place].health.ask();
        Some(MemberId(place))
    }

    /// A probe of `member` has ended. `true`: it changed from ill to well, or the other way.
    pub fn probed(&mut self, member: MemberId, probe: Probe) -> bool {
        let Some(options) = &self.options.health else { return false };
        let Some(found) = self.members.get_mut(member.0) else { return false };
        let now = probe.at;
        let has_changed = found.health.take(probe, options, &mut self.random);
        if has_changed && !found.health.is_ill() && !self.options.slow_start.is_zero() {
            found.warming_since = Some(now);
        }
        has_changed
    }

    /// `member` gets no new requests, or gets them again.
    pub fn drain(&mut self, now: Moment, member: MemberId, is_draining: bool) {
        let warms = !self.options.slow_start.is_zero();
        let Some(found) = self.members.get_mut(member.0) else { return };
        if found.is_draining && !is_draining && warms {
            found.warming_since = Some(now);
        }
        found.is_draining = is_draining;
    }

    /// Whether it gets no new requests: connections to it are not kept.
    #[must_use]
    pub fn is_draining(&self, member: MemberId) -> bool {
        self.members.get(member.0).is_none_or(|member| member.is_draining)
    }

    /// When something is to be done without anybody asking: a waiter expires, a probe is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let probes = self.options.health.as_ref().into_iter();
        let probes = probes.flat_map(|_| self.members.iter().filter_map(|member| member.health.next()));
        self.queue.deadline().into_iter().chain(probes).min()
    }

    fn join(&mut self, now: Moment) -> Acquired {
        if self.queue.len() >= self.options.queue.max {
            return self.refuse(Refusal::Full);
        }
        Acquired::Wait(self.queue.join(now + self.options.queue.wait))
    }

    fn refuse(&mut self, refusal: Refusal) -> Acquired {
        self.refused += 1;
        Acquired::Refused(refusal)
    }

    /// Chooses a member with room and gives it the request.
    fn pick(&mut self, now: Moment, hash: Option<u64>, tried: &[MemberId]) -> Option<MemberId> {
        if self.options.in_flight_max > 0 && self.in_flight >= self.options.in_flight_max {
            return None;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        self.find(now, tried, &mut candidates);
        if candidates.is_empty() && !tried.is_empty() {
            self.find(now, &[], &mut candidates);
        }
        let chosen = (!candidates.is_empty()).then(|| self.choose(now, hash, &candidates));
        self.candidates = candidates;
        let member = &mut self.members[chosen?];
        member.in_flight += 1;
        self.in_flight += 1;
        member.ejection.begin(now);
        chosen.map(MemberId)
    }

    fn choose(&mut self, now: Moment, hash: Option<u64>, candidates: &[usize]) -> usize {
        let (method, slow_start) = (self.options.method, self.options.slow_start);
        let mut choice = Choice { members: &mut self.members, candidates, now, slow_start };
        if self.options.concurrency > 0 && hash.is_none() && method != Method::RoundRobin {
            choice.least(&mut self.random)
        } else {
            choice.choose(method, hash, &mut self.random)
        }
    }

    /// Places of members that could take a request now. If more than half look ill, it is doubted that they are.
    fn find(&mut self, now: Moment, tried: &[MemberId], candidates: &mut Vec<usize>) {
        candidates.clear();
        let is_there = |member: &&Member| !member.is_draining;
        let all = self.members.iter().filter(is_there).count();
        let well = self.members.iter().filter(is_there).filter(|member| member.is_well(now)).count();
        let is_panic = well * 2 < all;
        self.panicked += u64::from(is_panic);
        candidates.extend((0..self.members.len()).filter(|place| {
            let member = &self.members[*place];
            !member.is_draining
                && (is_panic || member.is_well(now))
                && member.has_room()
                && !tried.contains(&MemberId(*place))
        }));
    }

    /// Whether the share of members that are out stays bearable with one more.
    fn may_eject(&self, now: Moment, member: MemberId) -> bool {
        let others = self.members.iter().enumerate().filter(|(place, _)| *place != member.0);
        let out = others.filter(|(_, member)| member.ejection.is_out(now)).count();
        (out + 1) * 100 <= self.members.len() * self.options.ejection.most_percent
    }
}
