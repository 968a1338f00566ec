//! What holds whatever happens, and what each rule is for.

mod health;
mod properties;
mod rules;
mod simulation;

use std::time::Duration;

use super::{Acquired, Group, GroupOptions, MemberId, MemberOptions, Moment, Outcome};

fn group(count: usize, options: GroupOptions) -> Group {
    let members = (0..count).map(|number| MemberOptions::new(format!("member-{number}"))).collect();
    Group::new(options, members, 42)
}

fn at(seconds: u64) -> Moment {
    Moment(seconds * 1_000_000)
}

fn ok() -> Outcome {
    Outcome::Answered(Duration::from_millis(5))
}

/// Who takes it; fails if it waits or is refused.
fn take(group: &mut Group, now: Moment) -> MemberId {
    let Acquired::Member(member) = group.acquire(now, None, &[]) else { panic!("nobody took it") };
    member
}
