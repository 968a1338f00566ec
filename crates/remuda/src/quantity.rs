//! Numbers as people read and write them: ages, sizes, points in time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `850ms`, `12s`, `3m 20s`, `5h 2m`, `12d 3h`: two units at most.
pub(crate) fn age(millis: u64) -> String {
    let seconds = millis / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => format!("{seconds}s"),
        60..3600 => two(minutes, "m", seconds % 60, "s"),
        3600..86_400 => two(hours, "h", minutes, "m"),
        _ => two(days, "d", hours, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit} {small}{small_unit}")
    }
}

/// `512 B`, `1.5 MiB`, `120 MiB`: three digits at most.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_240
        && let Some(next) = units.next()
    {
        tenths /= 1024;
        unit = Some(next);
    }
    let unit = unit.copied().unwrap_or("KiB");
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// `12:03:04` in `zone`.
pub(crate) fn time_of_day(time_ms: u64, zone: &TimeZone) -> String {
    moment(time_ms).to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// `2026-01-02 12:03:04` in `zone`.
pub(crate) fn date_and_time(time_ms: u64, zone: &TimeZone) -> String {
    moment(time_ms).to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn moment(time_ms: u64) -> Timestamp {
    i64::try_from(time_ms)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Milliseconds since 1970 of `10m` (ago), `2h30m`, or a time as in RFC 3339.
pub(crate) fn since(text: &str, now: Timestamp) -> Result<u64, String> {
    let then = match duration(text) {
        Some(ago) => {
            let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_millisecond(now.as_millisecond().saturating_sub(ago))
                .unwrap_or(Timestamp::UNIX_EPOCH)
        }
        None => text.parse().map_err(|_error| {
            format!(
                "{text:?} is no time; write an age (90s, 10m, 2h30m, 1d) or a time (2026-01-02T15:04:05Z)"
            )
        })?,
    };
    Ok(u64::try_from(then.as_millisecond()).unwrap_or(0))
}

/// `90s`, `1h 30m`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?))?;
        rest = tail.trim_start();
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
