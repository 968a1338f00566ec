//! Requests that wait for their end. Each gets exactly one answer.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_model::{Reply, RequestId, ServiceName};
use serde::{Deserialize, Serialize};

use crate::Arbiter;
use crate::order::Order;
use crate::service::{Rest, Stage};

/// A request under way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// All its goals are known.
    accepted: bool,
    /// What it still waits for.
    goals: BTreeMap<ServiceName, Goal>,
    lines: Vec<String>,
    failed: bool,
}

/// What a request waits for at one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// Its wanted workers are ready, and no others live.
    Up,
    /// It is down.
    Down,
    /// It is held, and its workers are gone.
    Held,
    /// Its reload ends.
    Reloaded,
}

impl Arbiter {
    /// Adds a goal to a request.
    pub(crate) fn wait_for(&mut self, id: RequestId, name: &ServiceName, goal: Goal) {
        self.requests.entry(id).or_default().goals.insert(name.clone(), goal);
        self.touched.insert(name.clone());
    }

    /// Adds a line to the answer of a request.
    pub(crate) fn note(&mut self, id: RequestId, line: String) {
        self.requests.entry(id).or_default().lines.push(line);
    }

    /// Answers requests whose last goal at this service is decided.
    pub(crate) fn check_goals(&mut self, name: &ServiceName) {
        let waiting: Vec<(RequestId, Goal)> =
            self.requests.iter().filter_map(|(id, pending)| Some((*id, *pending.goals.get(name)?))).collect();
        for (id, goal) in waiting {
            let verdict = match goal {
                Goal::Up => self.is_up_as_wanted(name),
                Goal::Down => self.is_down(name),
                Goal::Held => self.is_down_and_held(name),
                Goal::Reloaded => None,
            };
            if let Some(verdict) = verdict {
                self.goal_done(id, name, verdict);
            }
        }
    }

    /// One goal of a request is decided.
    pub(crate) fn goal_done(&mut self, id: RequestId, name: &ServiceName, verdict: Result<String, String>) {
        let Some(pending) = self.requests.get_mut(&id) else { return };
        pending.goals.remove(name);
        match verdict {
            Ok(line) => pending.lines.push(line),
            Err(line) => {
                pending.failed = true;
                pending.lines.push(line);
            }
        }
        self.answer_if_decided(id);
    }

    /// All that a request asks for is under way: from now on it may be answered.
    pub(crate) fn accept(&mut self, id: RequestId) {
        if let Some(pending) = self.requests.get_mut(&id) {
            pending.accepted = true;
            self.answer_if_decided(id);
        }
    }

    /// Answers a request that waits for nothing more.
    fn answer_if_decided(&mut self, id: RequestId) {
        if self.requests.get(&id).is_none_or(|pending| !pending.accepted || !pending.goals.is_empty()) {
            return;
        }
        let Some(Pending { lines, failed, .. }) = self.requests.remove(&id) else { return };
        let reply = if failed { Reply::Failed { lines } } else { Reply::Done { lines } };
        self.orders.push(Order::Reply { id, reply });
    }

    /// A reload of this service has ended.
    pub(crate) fn reload_ended(&mut self, name: &ServiceName, verdict: Result<String, String>) {
        let waiting: Vec<RequestId> = self
            .requests
            .iter()
            .filter(|(_, pending)| pending.goals.get(name) == Some(&Goal::Reloaded))
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.goal_done(id, name, verdict.clone());
        }
    }

    /// The arbiter ends: what is open will not be done.
    pub(crate) fn refuse_open_requests(&mut self) {
        for (id, mut pending) in std::mem::take(&mut self.requests) {
            pending.lines.push("the arbiter stopped meanwhile".to_owned());
            self.orders.push(Order::Reply { id, reply: Reply::Failed { lines: pending.lines } });
        }
    }

    fn is_up_as_wanted(&self, name: &ServiceName) -> Option<Result<String, String>> {
        let Some(service) = self.services.get(name) else {
            return Some(Err(format!("{name} was removed meanwhile")));
        };
        if service.again {
            return None;
        }
        match &service.stage {
            Stage::Up if service.looping => {
                let trouble = service.trouble.as_deref().unwrap_or("no worker stays up");
                Some(Err(format!("{name} is in a crash loop: {trouble}; one slot goes on trying")))
            }
            Stage::Up => {
                let stuck = service.numbered().take_while(|(slot, _)| *slot < service.workers_wanted).find(
                    |(_, slot)| {
                        slot.held.is_some()
                            || slot.failures >= 2 && slot.seat.is_none() && slot.candidate.is_none()
                    },
                );
                let to_fill = service.to_fill();
                if let Some((slot, state)) = stuck {
                    let trouble = state.held.as_deref().or(service.trouble.as_deref()).unwrap_or("unknown");
                    return Some(Err(format!(
                        "{name}.{slot} does not stay up: {trouble}; it is tried again"
                    )));
                }
                let settled = service.ready == to_fill && service.alive == to_fill && service.announced;
                settled.then(|| Ok(format!("{name} runs with {to_fill} {}", workers(to_fill))))
            }
            Stage::Down(Rest::Failed(reason)) => Some(Err(format!("{name} has failed: {reason}"))),
            Stage::Down(Rest::Done) => Some(Ok(format!("{name} is done"))),
            Stage::Down(Rest::Idle) => Some(Ok(format!("{name} waits for a connection"))),
            Stage::Down(Rest::Scheduled) => Some(Ok(format!("{name} waits for its time"))),
            Stage::Down(Rest::Held) => Some(Err(format!("{name} was held meanwhile"))),
            Stage::Down(Rest::Stopped) => Some(Err(format!("{name} was stopped meanwhile"))),
            Stage::Waiting | Stage::Opening | Stage::Closing(..) | Stage::Draining(_) => None,
        }
    }

    fn is_down_and_held(&self, name: &ServiceName) -> Option<Result<String, String>> {
        let Some(service) = self.services.get(name) else {
            return Some(Err(format!("{name} was removed meanwhile")));
        };
        match (&service.stage, self.held_for(name, self.now)) {
            (Stage::Down(Rest::Held), Some(left)) => Some(Ok(format!(
                "{name} is held: its workers are gone, new connections wait for at most {}",
                seconds(left)
            ))),
            (Stage::Closing(..) | Stage::Draining(_), Some(_)) => None,
            (_, _) if service.wanted => Some(Err(format!("{name} was released meanwhile"))),
            (_, _) => Some(Err(format!("{name} was stopped meanwhile"))),
        }
    }

    fn is_down(&self, name: &ServiceName) -> Option<Result<String, String>> {
        let Some(service) = self.services.get(name) else { return Some(Ok(format!("{name} is removed"))) };
        match &service.stage {
            Stage::Down(_) => Some(Ok(format!("{name} is stopped"))),
            Stage::Up | Stage::Waiting | Stage::Opening if service.wanted => {
                Some(Err(format!("{name} was started meanwhile")))
            }
            Stage::Up | Stage::Waiting | Stage::Opening | Stage::Closing(..) | Stage::Draining(_) => None,
        }
    }
}

/// A time of which whole seconds are enough to know.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_millis().div_ceil(1000))
}

fn workers(count: u32) -> &'static str {
    if count == 1 { "worker" } else { "workers" }
}
