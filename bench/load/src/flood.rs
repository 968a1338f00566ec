//! A publisher that sends all it can, one subscriber that reads slowly, others that do not.
//!
//! The slow one is the last. What a server does with it is the server's choice (keep, drop, disconnect, hold the
//! publisher); what is counted is whether the others had everything, how fast they were, and what became of the rest.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::LoadError;
use crate::plan::Flood;
use crate::saturation::{nanoseconds, settle};
use crate::stage::Stage;
use crate::subscriber::Subscriber;

/// Time between two reads of the slow subscriber.
const SLOW_INTERVAL: Duration = Duration::from_millis(2);
/// Longest wait of a turn.
const TURN: Duration = Duration::from_millis(2);
/// The flood is over after this long without a message; longer than any server's patience with a subscriber.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Floods, lets the slow one catch up, reports.
pub(crate) fn run(stage: &mut Stage, work: &Flood) -> Result<Value, LoadError> {
    let slow = stage.subscribers.len() - 1;
    stage.listen_to(slow, false)?;
    let start = Instant::now();
    let end = start + Duration::from_millis(work.blast_ms);
    let mut slow_read_bytes = 0;
    let mut slow_at = start;
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        if now >= slow_at {
            slow_at = now + SLOW_INTERVAL;
            let elapsed_ms = usize::try_from((now - start).as_millis()).unwrap_or(usize::MAX);
            let allowed = work.slow_bytes_per_ms.saturating_mul(elapsed_ms).saturating_sub(slow_read_bytes);
            if allowed > 0 {
                slow_read_bytes += stage.read(slow, allowed, |_| ())?;
            }
        }
        if stage.publisher.is_idle() {
            stage.publisher.publish(u64::MAX)?;
        }
        stage.turn(if stage.publisher.is_idle() { Duration::ZERO } else { TURN }, |_, _| ())?;
    }
    let blast = start.elapsed();
    let fast_in_blast: u64 = stage.subscribers[..slow].iter().map(|each| each.tally.received).sum();
    stage.listen_to(slow, true)?;
    settle(stage, Duration::from_millis(work.drain_ms), SETTLED_AFTER)?;
    let published = stage.publisher.published;
    let (fast, slow) = stage.subscribers.split_at(slow);
    Ok(json!({
        "published": published,
        "blast_ns": nanoseconds(blast),
        "fast_in_blast": fast_in_blast,
        "fast": fate(fast, published),
        "slow": fate(slow, published),
    }))
}

fn fate(subscribers: &[Subscriber], published: u64) -> Value {
    let sum = |of: fn(&Subscriber) -> u64| subscribers.iter().map(of).sum::<u64>();
    json!({
        "received": sum(|each| each.tally.received),
        "gaps": sum(|each| each.tally.lost),
        "missing": subscribers.iter().map(|each| each.tally.missing(published)).sum::<u64>(),
        "misordered": sum(|each| each.tally.misordered),
        "ended": subscribers.iter().filter_map(|each| each.ended.as_deref()).collect::<Vec<_>>(),
    })
}
