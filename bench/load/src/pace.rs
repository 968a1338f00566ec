//! Messages at fixed times, and how long after their time subscribers have them.
//!
//! Latency counts from when a message was due, not from when it was sent: a publisher that a slow server holds up
//! would else hide exactly the waits that matter.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::LoadError;
use crate::plan::Pace;
use crate::processor;
use crate::saturation::nanoseconds;
use crate::stage::Stage;

/// Latencies kept; a run that has more reports its first ones and says how many they are.
const LATENCIES_MAX: usize = 8 << 20;
/// Longest wait of a turn, should the clock be set and the timer with it.
const TURN: Duration = Duration::from_millis(20);
/// How long the rest may take to arrive after the last message was due.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);
/// Nothing more is on its way after this long without a message.
const SETTLED_AFTER: Duration = Duration::from_millis(300);

/// Publishes on time and reports percentiles.
pub(crate) fn run(stage: &mut Stage, work: &Pace, servers: &[u32]) -> Result<Value, LoadError> {
    let interval = Duration::from_nanos(1_000_000_000 / work.per_second);
    let of = |phase_ms: u64| work.per_second * phase_ms / 1000;
    let (first, total) = (of(work.warm_up_ms), of(work.warm_up_ms + work.measure_ms));
    let mut latencies: Vec<u64> = Vec::new();
    let start = Instant::now();
    let (mut servers_ns, mut own_ns, mut received) = (0, 0, 0);
    let mut warm = false;
    while stage.publisher.published < total {
        if !warm && stage.publisher.published >= first {
            warm = true;
            (servers_ns, own_ns) = (processor::used_ns(servers), processor::own_ns());
            received = stage.received();
        }
        let now = Instant::now();
        let due = nanoseconds(now - start) / nanoseconds(interval) + 1;
        let published = stage.publisher.published;
        if stage.publisher.is_idle() && due > published {
            stage.publisher.publish(due.min(total) - published)?;
            let next = start + interval * u32::try_from(stage.publisher.published).unwrap_or(u32::MAX);
            stage.ring_in(next.saturating_duration_since(Instant::now()))?;
        }
        read(stage, TURN, (start, interval, first), &mut latencies)?;
    }
    let (servers_ns, own_ns) = (processor::used_ns(servers) - servers_ns, processor::own_ns() - own_ns);
    let deliveries = stage.received() - received;
    let end = Instant::now() + SETTLE_WITHIN;
    let mut last_news = Instant::now();
    // A turn may also end because the timer of the next message rings, which there is none of any more.
    while stage.slowest().is_some_and(|next| next < total)
        && Instant::now() < end
        && last_news.elapsed() < SETTLED_AFTER
    {
        if read(stage, TURN, (start, interval, first), &mut latencies)? {
            last_news = Instant::now();
        }
    }
    latencies.sort_unstable();
    Ok(json!({
        "p50_ns": percentile(&latencies, 500),
        "p90_ns": percentile(&latencies, 900),
        "p99_ns": percentile(&latencies, 990),
        "p999_ns": percentile(&latencies, 999),
        "latencies": latencies.len(),
        "deliveries": deliveries,
        "servers_ns": servers_ns,
        "own_ns": own_ns,
        "published": total,
        "missing": stage.subscribers.iter().map(|each| each.tally.missing(total)).sum::<u64>(),
        "misordered": stage.subscribers.iter().map(|each| each.tally.misordered).sum::<u64>(),
        "disconnected": stage.subscribers.iter().filter(|each| each.ended.is_some()).count(),
    }))
}

/// One turn that keeps the latencies of messages from number `first` on.
fn read(
    stage: &mut Stage,
    timeout: Duration,
    (start, interval, first): (Instant, Duration, u64),
    latencies: &mut Vec<u64>,
) -> Result<bool, LoadError> {
    stage.turn(timeout, |_, number| {
        if number >= first && latencies.len() < LATENCIES_MAX {
            let due = start + interval * u32::try_from(number).unwrap_or(u32::MAX);
            latencies.push(nanoseconds(Instant::now().saturating_duration_since(due)));
        }
    })
}

/// The value that so many thousandths of the sorted `values` do not exceed; `None` for no values.
fn percentile(values: &[u64], thousandths: usize) -> Option<u64> {
    let last = values.len().checked_sub(1)?;
    values.get(last * thousandths / 1000).copied()
}
