//! A picture of a group.

use super::{Group, Moment, Probe};

/// A group as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupView {
    /// Its members.
    pub members: Vec<MemberView>,
    /// Requests that wait for a member.
    pub waiting: usize,
    /// Requests that were refused.
    pub refused: u64,
    /// Choices made while more than half of the members looked ill.
    pub panicked: u64,
}

/// A member as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberView {
    /// Its name.
    pub name: String,
    /// Requests in hand.
    pub in_flight: u32,
    /// Requests answered.
    pub served: u64,
    /// Requests failed.
    pub failed: u64,
    /// How often it got no requests for a while because they failed.
    pub ejected: u64,
    /// Whether it gets none for that now.
    pub is_out: bool,
    /// Whether probes say it is ill.
    pub is_ill: bool,
    /// Whether it gets no new requests.
    pub is_draining: bool,
    /// Seconds an answer is expected to take.
    pub latency: f64,
    /// The last probes.
    pub probes: Vec<Probe>,
}

impl Group {
    /// As of `now`.
    #[must_use]
    pub fn view(&self, now: Moment) -> GroupView {
        let members = self.members.iter().map(|member| MemberView {
            name: member.name.clone(),
            in_flight: member.in_flight,
            served: member.served,
            failed: member.failed,
            ejected: member.ejected,
            is_out: member.ejection.is_out(now),
            is_ill: member.health.is_ill(),
            is_draining: member.is_draining,
            latency: member.latency.seconds(now),
            probes: member.health.results().cloned().collect(),
        });
        GroupView {
            members: members.collect(),
            waiting: self.queue.len(),
            refused: self.refused,
            panicked: self.panicked,
        }
    }
}
