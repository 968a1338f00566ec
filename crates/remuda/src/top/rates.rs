//! From two looks to rates.

use std::collections::BTreeMap;

use remuda_model::WorkerId;
use remuda_model::hub::HubMetrics;
use remuda_model::view::Instance;
use serde::Serialize;

use super::sample::Sample;

/// What went on between two looks.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Rates {
    /// Seconds between them.
    pub(super) seconds: f64,
    /// Processor time of each worker that was there both times, in percent of one core.
    pub(super) worker_cpu_percent: BTreeMap<WorkerId, f64>,
    /// The hub's, each a second; `None` where it did not answer both times, or began anew between.
    pub(super) hub: Option<HubRates>,
}

/// What the hub did, each a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct HubRates {
    pub(super) messages_in: f64,
    pub(super) messages_out: f64,
    pub(super) bytes_in: f64,
    /// Messages dropped, work that found no room among them.
    pub(super) drops: f64,
    pub(super) commands: f64,
    pub(super) calls: f64,
    pub(super) changes: f64,
    pub(super) expired: f64,
    pub(super) evicted: f64,
    pub(super) syncs: f64,
    pub(super) scripts: f64,
}

/// Rates between two looks; none where the arbiter is another, or no time has passed.
pub(super) fn rates(before: &Sample, now: &Sample) -> Rates {
    let millis = now.view.uptime_ms.saturating_sub(before.view.uptime_ms);
    if millis == 0 || now.view.pid != before.view.pid {
        return Rates::default();
    }
    let hub = match (&before.hub, &now.hub) {
        (Some(before), Some(now)) => hub(before, now),
        _ => None,
    };
    Rates {
        seconds: number(millis) / 1000.0,
        worker_cpu_percent: processor(&before.view, &now.view, millis),
        hub,
    }
}

fn processor(before: &Instance, now: &Instance, millis: u64) -> BTreeMap<WorkerId, f64> {
    let used = |view: &Instance| -> BTreeMap<WorkerId, u64> {
        let workers = view.services.iter().flat_map(|service| &service.workers);
        workers.filter_map(|worker| Some((worker.id, worker.cpu_ms?))).collect()
    };
    let earlier = used(before);
    let both =
        used(now).into_iter().filter_map(|(id, used)| Some((id, used.saturating_sub(*earlier.get(&id)?))));
    both.map(|(id, used)| (id, number(used) * 100.0 / number(millis))).collect()
}

fn hub(before: &HubMetrics, now: &HubMetrics) -> Option<HubRates> {
    let millis = now.uptime_ms.saturating_sub(before.uptime_ms);
    if before.run_id != now.run_id || millis == 0 {
        return None;
    }
    let rate =
        |of: fn(&HubMetrics) -> u64| number(of(now).saturating_sub(of(before))) * 1000.0 / number(millis);
    Some(HubRates {
        messages_in: rate(|it| it.bus.published_messages_total),
        messages_out: rate(|it| it.bus.delivered_messages_total),
        bytes_in: rate(|it| it.bus.published_bytes_total),
        drops: rate(|it| it.bus.dropped_messages_total + it.bus.backlog_dropped_messages_total),
        commands: rate(|it| it.connections.commands_total),
        calls: rate(|it| it.calls.calls_total),
        changes: rate(|it| it.store.revision),
        expired: rate(|it| it.store.expired_total),
        evicted: rate(|it| it.store.evicted_total),
        syncs: rate(|it| it.journal.syncs_total),
        scripts: rate(|it| it.scripts.runs_total),
    })
}

/// Counts between two looks are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
fn number(count: u64) -> f64 {
    count as f64
}
