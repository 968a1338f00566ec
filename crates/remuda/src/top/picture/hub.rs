//! The hub's part of the picture: what comes in and goes out, who is behind, what the store holds.

use anstyle::Style;
use remuda_model::hub::{EngineMetrics, HubMetrics, MemberMetrics};

use super::super::rates::{HubRates, Rates};
use super::super::sample::Sample;
use crate::quantity::size;
use crate::screen::{BAD, BOLD, DIM, GOOD, NOTICE, paint};
use crate::table::{Cell, Column, Table};

/// Bars of a row, from nothing to the most there was.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Cells of the bar that shows how full the store is.
const FILL_CELLS: usize = 20;
/// From so many of them on it is nearly full, and bad.
const NEARLY_FULL_CELLS: usize = FILL_CELLS * 9 / 10;
/// From so many of them on it is worth a look.
const FILLING_CELLS: usize = FILL_CELLS * 7 / 10;
/// Members that are shown when they are behind.
const BEHIND_SHOWN: usize = 5;
/// From so many messages on that somebody is behind it is no passing wave.
const LAG_NOTICED: u64 = 1000;
/// Columns of the word at the left.
const LABEL_WIDTH: usize = 8;

/// The hub's lines; none where there is no hub.
pub(super) fn render(sample: &Sample, rates: &Rates, messages: &[f64], width: usize) -> String {
    if sample.view.hub.is_none() {
        return String::new();
    }
    let Some(hub) = &sample.hub else {
        return format!("{}{}\n", label("HUB"), paint(BAD, "does not answer"));
    };
    let rate = rates.hub.unwrap_or_default();
    let rows = [
        bus(hub, &rate, messages),
        vec![label("CLIENTS")].into_iter().chain(clients(hub, &rate)).collect(),
        vec![label("QUEUES")].into_iter().chain(queues(hub, &rate)).collect(),
        vec![label("STORE")].into_iter().chain(store(hub, &rate)).collect(),
        vec![label("DISK")].into_iter().chain(disk(hub, &rate)).collect(),
    ];
    let mut text: String = rows.iter().map(|row| fitted(row, width)).collect();
    for engine in &hub.engines {
        text.push_str(&fitted(&self::engine(engine), width));
    }
    text.push_str(&behind(&hub.worst_members, width));
    text
}

/// As many of the pieces of a row as fit, the first always.
fn fitted(pieces: &[String], width: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    for (place, piece) in pieces.iter().enumerate() {
        let gap = if place > 1 { 3 } else { 0 };
        let cells = anstream::adapter::strip_str(piece).to_string().chars().count();
        if place > 0 && used + gap + cells > width {
            break;
        }
        line.push_str(&" ".repeat(gap));
        line.push_str(piece);
        used += gap + cells;
    }
    format!("{}\n", line.trim_end())
}

fn label(word: &str) -> String {
    paint(DIM, &format!("{word:<LABEL_WIDTH$}"))
}

/// A server that carries the bus or holds the store.
fn engine(engine: &EngineMetrics) -> Vec<String> {
    let state = match engine.state.as_str() {
        "up" => paint(GOOD, "up"),
        state => paint(BAD, state),
    };
    let lost = engine.dropped_total + engine.unsure_total;
    vec![
        label("ENGINE"),
        format!("{} {} {state}", engine.purpose, engine.address),
        format!("{} waiting", size(engine.waiting_bytes)),
        alarm(lost > 0, &format!("{} dropped", count(lost))),
        engine.trouble.clone(),
    ]
}

fn bus(hub: &HubMetrics, rate: &HubRates, messages: &[f64]) -> Vec<String> {
    vec![
        label("BUS"),
        format!("in {}/s", strong(rate.messages_in)),
        format!("out {}/s", strong(rate.messages_out)),
        format!("{}/s", size(whole(rate.bytes_in))),
        format!("{} subscribers", count(hub.bus.members)),
        alarm(rate.drops > 0.0, &format!("{} dropped/s", quantity(rate.drops))),
        paint(GOOD, &bars(messages)),
    ]
}

fn clients(hub: &HubMetrics, rate: &HubRates) -> Vec<String> {
    let connections = &hub.connections;
    vec![
        format!("{} commands/s", strong(rate.commands)),
        format!("{} redis", count(connections.redis_clients)),
        format!("{} zeromq", count(connections.zeromq_peers)),
        format!("{} waiting", count(connections.blocked_clients)),
        format!("{} calls/s", quantity(rate.calls)),
        format!("{} scripts/s", quantity(rate.scripts)),
        alarm(connections.refused_total > 0, &format!("{} refused", count(connections.refused_total))),
    ]
}

fn queues(hub: &HubMetrics, rate: &HubRates) -> Vec<String> {
    let bus = &hub.bus;
    let waiting: u64 = hub.services.iter().map(|service| service.waiting).sum();
    let state = match (bus.is_congested, rate.drops > 0.0, bus.members_behind > 0) {
        (true, ..) => paint(BAD, "publishers are held"),
        (_, true, _) => paint(BAD, "messages are dropped"),
        (.., true) => paint(NOTICE, &format!("{} behind", bus.members_behind)),
        _ if bus.lag_messages_max >= LAG_NOTICED => paint(NOTICE, "somebody is slow"),
        _ => paint(GOOD, "nobody is behind"),
    };
    vec![
        state,
        format!("{} in {}", count(bus.queued_messages), size(bus.queued_bytes)),
        format!("lag {}", count(bus.lag_messages_max)),
        format!("work {}", count(bus.backlog_messages)),
        format!("calls {}", count(waiting)),
        format!("replies {}", size(hub.connections.reply_queue_bytes)),
    ]
}

fn store(hub: &HubMetrics, rate: &HubRates) -> Vec<String> {
    let store = &hub.store;
    let memory = match store.limit_bytes {
        0 => size(store.used_bytes),
        limit => format!("{} of {} {}", size(store.used_bytes), size(limit), fill(store.used_bytes, limit)),
    };
    vec![
        format!("{} keys", paint(BOLD, &count(store.keys))),
        memory,
        format!("{} changes/s", quantity(rate.changes)),
        format!("{} expired/s", quantity(rate.expired)),
        alarm(rate.evicted > 0.0, &format!("{} evicted/s", quantity(rate.evicted))),
    ]
}

fn disk(hub: &HubMetrics, rate: &HubRates) -> Vec<String> {
    let journal = &hub.journal;
    if !hub.store.is_durable {
        return vec![paint(DIM, "nothing is kept")];
    }
    let state = if journal.is_failing { paint(BAD, "writes are refused") } else { paint(GOOD, "well") };
    vec![
        state,
        size(journal.base_bytes.saturating_add(journal.log_bytes)),
        format!("{} pending", size(journal.pending_bytes)),
        format!("{} syncs/s", quantity(rate.syncs)),
        alarm(journal.failures_total > 0, &format!("{} failures", count(journal.failures_total))),
    ]
}

/// Members that are behind, the worst first.
fn behind(members: &[MemberMetrics], width: usize) -> String {
    let late: Vec<&MemberMetrics> = members
        .iter()
        .filter(|member| member.lag_messages > 0 || member.dropped_messages_total > 0)
        .collect();
    if late.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        Column { title: "SLOWEST", right: false, dispensable: 0 },
        Column { title: "SPEAKS", right: false, dispensable: 2 },
        Column { title: "BEHIND", right: true, dispensable: 0 },
        Column { title: "QUEUED", right: true, dispensable: 1 },
        Column { title: "DROPPED", right: true, dispensable: 0 },
    ]);
    for member in late.iter().take(BEHIND_SHOWN) {
        let name = format!("{} #{}", crate::visible::visible(&member.name), member.id & u64::from(u32::MAX));
        let style = if member.dropped_messages_total > 0 { BAD } else { Style::new() };
        table.row(vec![
            name.trim_start().into(),
            member.protocol.clone().into(),
            count(member.lag_messages).into(),
            size(member.queued_bytes).into(),
            Cell::styled(count(member.dropped_messages_total), style),
        ]);
    }
    format!("\n{}", table.render(width))
}

fn alarm(is_bad: bool, text: &str) -> String {
    paint(if is_bad { BAD } else { DIM }, text)
}

fn strong(rate: f64) -> String {
    paint(BOLD, &quantity(rate))
}

fn fill(used: u64, limit: u64) -> String {
    let cells = usize::try_from(u128::from(used) * FILL_CELLS as u128 / u128::from(limit.max(1)))
        .unwrap_or(FILL_CELLS)
        .min(FILL_CELLS);
    let style = match cells {
        NEARLY_FULL_CELLS.. => BAD,
        FILLING_CELLS.. => NOTICE,
        _ => GOOD,
    };
    let (full, empty) = ("█".repeat(cells), "░".repeat(FILL_CELLS - cells));
    format!("{}{}", paint(style, &full), paint(DIM, &empty))
}

fn bars(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    let bar = |value: &f64| {
        let step = whole((value / most * 7.0).round());
        usize::try_from(step).ok().and_then(|step| BARS.get(step)).copied().unwrap_or(' ')
    };
    values.iter().map(bar).collect()
}

/// `0`, `7`, `950`, `12.3k`, `4.5M`.
fn quantity(value: f64) -> String {
    match value {
        value if value > 0.0 && value < 9.95 && value.fract() > 0.05 => format!("{value:.1}"),
        value if value < 10_000.0 => format!("{value:.0}"),
        value if value < 999_950.0 => format!("{:.1}k", value / 1000.0),
        value => format!("{:.1}M", value / 1_000_000.0),
    }
}

fn count(number: u64) -> String {
    let text = number.to_string();
    let mut grouped = String::with_capacity(text.len() * 4 / 3);
    for (place, digit) in text.chars().enumerate() {
        if place > 0 && (text.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The whole part of a rate, which is neither negative nor beyond all bounds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
fn whole(value: f64) -> u64 {
    value as u64
}
