//! When a scheduled service runs next.
//!
//! Expressions are read as wall-clock time of the time zone. A time that a change of the clocks skips runs at the
//! first instant after the gap; one that comes twice runs once, the first time. What runs every hour (`*/5 * * * *`)
//! is not tied to the clock's hour and keeps its pace through both.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use remuda_model::Schedule;

/// Local times looked at, at most, for one answer: those of an overlap of a day, by seconds.
const CANDIDATES_MAX: usize = 86_401;

/// Stretches between changes of the clocks looked at, at most: those of two centuries.
const STRETCHES_MAX: usize = 400;

/// Why a schedule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The expression.
    #[error(
        "{cron:?} is not a schedule: {reason}; write five fields (minute hour day month weekday) such as \"0 3 * * *\", six with seconds first, or @hourly, @daily, @weekly, @monthly, @yearly"
    )]
    Cron {
        /// As written.
        cron: String,
        /// Why.
        reason: String,
    },
    /// The time zone.
    #[error("{0:?} is not a known time zone; write an IANA name such as \"Europe/Paris\" or \"UTC\"")]
    TimeZone(String),
}

/// The first time after `after` at which `schedule` is due; `None` when there is none, or when it is not valid
/// (see [`check`]).
#[must_use]
pub fn next(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let cron = parse(&schedule.cron).ok()?;
    let zone = zone(schedule.timezone.as_deref()).ok()?;
    let every_hour = cron.pattern.hours.values().len() == 24;
    if every_hour { next_by_interval(&cron, &zone, after) } else { next_by_clock(&cron, &zone, after) }
}

/// At certain hours: every wall-clock time of the expression comes exactly once.
fn next_by_clock(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut local = zone.to_datetime(after);
    for _ in 0..CANDIDATES_MAX {
        local = next_local(cron, local, false)?;
        let instant = instant(zone, local)?;
        if instant > after {
            return Some(instant);
        }
    }
    None
}

/// Every hour: goes on through changes of the clocks, stretch by stretch between them.
fn next_by_interval(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut start = after;
    let mut inclusive = false;
    for _ in 0..STRETCHES_MAX {
        let offset = zone.to_offset(start);
        let change = zone.following(start).next().map(|change| change.timestamp());
        let due = next_local(cron, offset.to_datetime(start), inclusive)?;
        let due = offset.to_timestamp(due).ok()?;
        match change {
            Some(change) if change <= due => start = change,
            _ => return Some(due),
        }
        inclusive = true;
    }
    None
}

/// Whether `schedule` is valid.
///
/// # Errors
/// The expression or the time zone is not.
pub fn check(schedule: &Schedule) -> Result<(), ScheduleError> {
    parse(&schedule.cron)?;
    zone(schedule.timezone.as_deref()).map(|_| ())
}

fn parse(cron: &str) -> Result<Cron, ScheduleError> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser
        .parse(cron)
        .map_err(|why| ScheduleError::Cron { cron: cron.into(), reason: plain(&why.to_string()) })
}

/// A message of the parser, as part of a sentence.
fn plain(message: &str) -> String {
    let message = message.trim_end_matches('.');
    message.strip_prefix("Component error: ").unwrap_or(message).to_lowercase()
}

fn zone(name: Option<&str>) -> Result<TimeZone, ScheduleError> {
    match name {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).ok().ok_or_else(|| ScheduleError::TimeZone(name.into())),
    }
}

/// The next wall-clock time of the expression. It is computed in UTC, where every wall-clock time exists once.
fn next_local(cron: &Cron, after: DateTime, inclusive: bool) -> Option<DateTime> {
    let after = after.to_zoned(TimeZone::UTC).ok()?;
    cron.find_next_occurrence(&after, inclusive).ok().map(|next| next.datetime())
}

fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { before, .. } => {
            // Read with the offset of before, a skipped time lies behind the gap; the gap's end is the last change
            // of the clocks up to there.
            let inside = before.to_timestamp(local).ok()?;
            let just_after = inside.checked_add(1.second()).ok()?;
            zone.preceding(just_after).next().map(|change| change.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}
