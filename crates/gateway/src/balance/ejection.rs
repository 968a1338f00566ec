//! Members whose requests fail one after another get none for a while.

use std::time::Duration;

use super::{EjectionOptions, Moment};

/// What failed requests say of a member.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ejection {
    failures: u32,
    /// How often it was out of late.
    times: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Since when it gets requests.
    #[default]
    In,
    /// Gets them again since then.
    Back(Moment),
    /// Gets none before then.
    Out(Moment),
    /// One request tries it.
    Trial,
}

impl Ejection {
    /// Whether it is out as of `now`.
    #[must_use]
    pub fn is_out(&self, now: Moment) -> bool {
        matches!(self.state, State::Out(until) if now < until)
    }

    /// Whether it may get a request: one that was out is tried with one first.
    #[must_use]
    pub fn admits(&self, now: Moment) -> bool {
        match self.state {
            State::In | State::Back(_) => true,
            State::Out(until) => now >= until,
            State::Trial => false,
        }
    }

    /// It gets a request.
    pub fn begin(&mut self, now: Moment) {
        if matches!(self.state, State::Out(until) if now >= until) {
            self.state = State::Trial;
        }
    }

    /// A request was answered. `true`: it is back.
    pub fn succeed(&mut self, now: Moment) -> bool {
        self.failures = 0;
        let was_out = matches!(self.state, State::Out(_) | State::Trial);
        if was_out {
            self.state = State::Back(now);
        }
        was_out
    }

    /// A request ended without a judgement: a trial is to be made again.
    pub fn abandon(&mut self, now: Moment) {
        if self.state == State::Trial {
            self.state = State::Out(now);
        }
    }

    /// A request failed. `true`: that was one too many, if it may go out (`may_eject`).
    pub fn fail(&mut self, now: Moment, may_eject: bool, options: &EjectionOptions) -> bool {
        self.failures = self.failures.saturating_add(1);
        let is_trial = self.state == State::Trial;
        let is_enough = is_trial || (options.failures > 0 && self.failures >= options.failures);
        if !is_enough || self.is_out(now) {
            return false;
        }
        if !may_eject {
            if is_trial {
                self.state = State::Back(now);
            }
            return false;
        }
        if let State::Back(since) = self.state {
            self.forgive(now.since(since), options.base);
        }
        let factor = 2_u32.saturating_pow(self.times.min(16));
        let time = options.base.saturating_mul(factor).min(options.max);
        self.state = State::Out(now + time);
        self.times = self.times.saturating_add(1);
        self.failures = 0;
        true
    }

    /// A good time takes one of the bad times back.
    fn forgive(&mut self, good: Duration, base: Duration) {
        let times = good.as_micros() / base.as_micros().max(1);
        self.times = self.times.saturating_sub(u32::try_from(times).unwrap_or(u32::MAX));
    }
}
