//! Which member of a group gets a request, and what is learned from how it ends.
//!
//! A [`Group`] is one upstream as one gateway process sees it: its members, what each has in hand, who is ill, who waits.
//! It is pure: moments are given to it, its randomness has a seed, and a request is three calls, [`Group::acquire`],
//! perhaps a wait, and [`Group::release`].
//!
//! Two of the rules are worth a reason. A worker that serves one request at a time must never get a second one while
//! another is idle, so a group with a [`concurrency`](GroupOptions::concurrency) has one queue for all, in order, and who
//! becomes free takes the next. And illness is judged by two witnesses who may be wrong: probes ([`Health`]) and failed
//! requests ([`Ejection`]); when most members look ill it is the witness that is doubted, and load spreads over all.

mod budget;
mod ejection;
mod ewma;
mod group;
mod health;
mod member;
mod moment;
mod options;
mod pick;
mod queue;
mod random;
mod retry;
mod view;

#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use ejection::Ejection;
pub use ewma::PeakEwma;
pub use group::{Acquired, Group, Outcome, Refusal};
pub use health::{Health, Probe};
pub use member::MemberId;
pub use moment::Moment;
pub use options::{
    BudgetOptions, EjectionOptions, GroupOptions, HealthOptions, MemberOptions, Method, QueueOptions,
};
pub use pick::hash_of;
pub use queue::Ticket;
pub use random::Random;
pub use retry::{Attempt, Failure, Retry, retry};
pub use view::{GroupView, MemberView};
