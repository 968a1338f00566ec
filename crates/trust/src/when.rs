//! How long things are valid.
//!
//! A node's certificate is short-lived, so that what was removed has to be remembered for three months only; the authority's
//! is long-lived, because a new one has to reach every node. All are valid from an hour ago on: the clock of who looks
//! at them may be behind.

use std::time::Duration;

use rustls_pki_types::UnixTime;

const DAY: Duration = Duration::from_secs(86_400);

/// Life of an authority: 10 years. Nodes get certificates that end no later.
pub const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3_650);
/// Life of a node's certificate: 90 days, as public authorities have shown to be practicable when renewal is automatic.
pub const NODE_LIFE: Duration = DAY.saturating_mul(90);
/// Longest life of an invitation: a week. Who finds the text later finds nothing.
pub const INVITATION_LIFE_MAX: Duration = DAY.saturating_mul(7);
/// Shortest life of an invitation: somebody has to carry it to another machine.
pub const INVITATION_LIFE_MIN: Duration = Duration::from_secs(10);
/// How far the clocks of two machines may be apart for a new certificate to be valid on both: an hour.
pub const CLOCK_SLACK: Duration = Duration::from_secs(3_600);

/// Whether a third of the life of what is valid from `not_before` to `not_after` or less is left at `now`: then it is
/// renewed, and where that fails there is time for somebody to notice. The slack at the beginning is no life.
#[must_use]
pub fn is_due_for_renewal(not_before: UnixTime, not_after: UnixTime, now: UnixTime) -> bool {
    let life = not_after.as_secs().saturating_sub(not_before.as_secs()).saturating_sub(CLOCK_SLACK.as_secs());
    not_after.as_secs().saturating_sub(now.as_secs()) <= life / 3
}

/// `time` after `from`.
pub(crate) fn after(from: UnixTime, time: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(from.as_secs()).saturating_add(time))
}

/// `time` before `from`, or 1970.
pub(crate) fn before(from: UnixTime, time: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(from.as_secs()).saturating_sub(time))
}
