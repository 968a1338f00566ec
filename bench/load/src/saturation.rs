//! As many messages as go through, with a window of credit or with TCP alone to hold the publisher.
//!
//! A window makes every server lossless: no more messages are on their way than each can hold for a subscriber. It
//! moves with the slowest subscriber, so what is measured is what all of them got.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::LoadError;
use crate::plan::Saturation;
use crate::processor;
use crate::stage::Stage;

/// Longest wait of a turn: how late a phase's end is noticed when nothing moves.
const TURN: Duration = Duration::from_millis(20);
/// With a window, this long without a message read means that one was lost and its credit with it.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// After the measurement: how long the rest may take to arrive.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);
/// After the measurement: nothing more is on its way after this long without a message.
const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// The counts at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Instant,
    received: u64,
    servers_ns: u64,
    own_ns: u64,
}

/// Publishes, measures, waits for the rest and reports.
pub(crate) fn run(stage: &mut Stage, work: &Saturation, servers: &[u32]) -> Result<Value, LoadError> {
    let warm = Instant::now() + Duration::from_millis(work.warm_up_ms);
    let (first, _) = publish_until(stage, work.window, warm, servers)?;
    let end = Instant::now() + Duration::from_millis(work.measure_ms);
    let (last, stalled) = publish_until(stage, work.window, end, servers)?;
    settle(stage, SETTLE_WITHIN, SETTLED_AFTER)?;
    let published = stage.publisher.published;
    let all = &stage.subscribers;
    Ok(json!({
        "deliveries": last.received - first.received,
        "elapsed_ns": nanoseconds(last.at - first.at),
        "servers_ns": last.servers_ns - first.servers_ns,
        "own_ns": last.own_ns - first.own_ns,
        "published": published,
        "missing": all.iter().map(|each| each.tally.missing(published)).sum::<u64>(),
        "misordered": all.iter().map(|each| each.tally.misordered).sum::<u64>(),
        "disconnected": all.iter().filter(|each| each.ended.is_some()).count(),
        "stalled": stalled,
    }))
}

/// Reads until everybody has everything, or nothing comes any more.
pub(crate) fn settle(stage: &mut Stage, within: Duration, quiet: Duration) -> Result<(), LoadError> {
    let begun = Instant::now();
    let (mut last_news, mut received) = (begun, stage.received());
    while stage.slowest().is_some_and(|next| next < stage.publisher.published) {
        stage.turn(TURN, |_, _| ())?;
        let now = Instant::now();
        if stage.received() != received {
            (last_news, received) = (now, stage.received());
        }
        if now - last_news > quiet || now - begun > within {
            break;
        }
    }
    Ok(())
}

/// A duration as an integer of JSON.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The counts when `end` has come, and whether the window stood still before.
fn publish_until(
    stage: &mut Stage,
    window: Option<u64>,
    end: Instant,
    servers: &[u32],
) -> Result<(Moment, bool), LoadError> {
    let mut progress = (Instant::now(), 0);
    loop {
        let now = Instant::now();
        if now >= end {
            return Ok((moment(stage, servers), false));
        }
        let Some(slowest) = stage.slowest() else { return Ok((moment(stage, servers), true)) };
        if slowest != progress.1 {
            progress = (now, slowest);
        } else if window.is_some() && now - progress.0 > STALLED_AFTER {
            return Ok((moment(stage, servers), true));
        }
        let credit =
            window.map_or(u64::MAX, |window| (slowest + window).saturating_sub(stage.publisher.published));
        if credit > 0 && stage.publisher.is_idle() {
            stage.publisher.publish(credit)?;
        }
        let can_go_on = window.is_none() && stage.publisher.is_idle();
        stage.turn(if can_go_on { Duration::ZERO } else { TURN }, |_, _| ())?;
    }
}

fn moment(stage: &Stage, servers: &[u32]) -> Moment {
    let (received, at) = (stage.received(), Instant::now());
    Moment { at, received, servers_ns: processor::used_ns(servers), own_ns: processor::own_ns() }
}
