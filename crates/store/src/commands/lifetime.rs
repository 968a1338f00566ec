//! Lifetimes in arguments: durations and dates, in seconds and milliseconds.

use crate::change::Class;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::moment::Deadline;
use crate::number;
use crate::value::Digits;

use remuda_model::Tick;

use crate::commands::is_word;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
}

/// The unit of an option of `SET`, and whether it is a date.
pub(crate) fn option(word: &[u8]) -> Option<(Unit, bool)> {
    [
        ("EX", Unit::Seconds, false),
        ("PX", Unit::Millis, false),
        ("EXAT", Unit::Seconds, true),
        ("PXAT", Unit::Millis, true),
    ]
    .into_iter()
    .find_map(|(name, unit, is_date)| is_word(word, name).then_some((unit, is_date)))
}

/// The deadline a positive duration from now.
pub(crate) fn for_duration(
    keys: &Keys<'_>,
    text: &[u8],
    unit: Unit,
    name: &'static str,
) -> Result<Deadline, Failure> {
    let ms = positive_ms(text, unit, name)?;
    // Redis keeps dates in 63 bits: a duration that leads beyond is refused even though the tick would bear it.
    match i64::try_from(keys.moment.wall_ms.saturating_add(ms)) {
        Ok(_) => Ok(Deadline::Tick(keys.after_ms(ms))),
        Err(_) => Err(Failure::ExpireTime(name)),
    }
}

/// The deadline on a date after 1970.
pub(crate) fn until_date(text: &[u8], unit: Unit, name: &'static str) -> Result<Deadline, Failure> {
    Ok(Deadline::Wall(positive_ms(text, unit, name)?))
}

fn positive_ms(text: &[u8], unit: Unit, name: &'static str) -> Result<u64, Failure> {
    let number = number::integer_argument(text)?;
    let ms = match unit {
        Unit::Seconds => number.checked_mul(1000),
        Unit::Millis => Some(number),
    };
    let ms = ms.and_then(|ms| u64::try_from(ms).ok()).filter(|&ms| ms > 0);
    ms.ok_or(Failure::ExpireTime(name))
}

/// Gives a key a deadline, tells of it and logs it; a deadline that is over removes the key.
pub(crate) fn give(keys: &mut Keys<'_>, key: &[u8], index: usize, deadline: Deadline) {
    if deadline.is_over(keys.moment) && !keys.is_replaying() {
        keys.remove(key, Class::Generic, "del");
        keys.effect(&[b"DEL", key]);
        return;
    }
    keys.set_deadline_at(index, Some(deadline));
    keys.changed_at(index, Class::Generic, "expire");
    let wall_ms = deadline.wall_ms(keys.moment);
    keys.effect(&[b"PEXPIREAT", key, Digits::new().format(wall_ms).as_bytes()]);
}

/// The deadline of `EXPIRE` and its kin, which may lie in the past: `number` of `unit`, from now or from 1970.
pub(crate) fn any_deadline(
    keys: &Keys<'_>,
    number: i64,
    unit: Unit,
    is_date: bool,
    name: &'static str,
) -> Result<Deadline, Failure> {
    let invalid = Failure::ExpireTime(name);
    let ms = match unit {
        Unit::Seconds => number.checked_mul(1000).ok_or(invalid.clone())?,
        Unit::Millis => number,
    };
    if is_date {
        return Ok(Deadline::Wall(u64::try_from(ms).unwrap_or(0)));
    }
    let wall_ms = i64::try_from(keys.moment.wall_ms).unwrap_or(i64::MAX);
    ms.checked_add(wall_ms).ok_or(invalid)?;
    let tick = keys.moment.tick.0;
    Ok(Deadline::Tick(Tick(match u64::try_from(ms) {
        Ok(ms) => tick.saturating_add(ms),
        Err(_) => tick.saturating_sub(ms.unsigned_abs()),
    })))
}
