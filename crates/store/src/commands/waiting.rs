//! What blocking commands have in common: their timeout, and what they leave behind while they wait.

use crate::blocked::Wait;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::number;
use crate::value::Kind;

use remuda_model::Tick;

/// The deadline a timeout in seconds means, with decimals perhaps; none for zero, which is for ever.
pub(crate) fn timeout(keys: &Keys<'_>, text: &[u8]) -> Result<Option<Tick>, Failure> {
    let number = number::float(text).ok_or(Failure::text("ERR timeout is not a float or out of range"))?;
    let ms = (number * 1000.0).ceil();
    if number < 0.0 {
        return Err(Failure::text("ERR timeout is negative"));
    }
    let too_far = Failure::text("ERR timeout is out of range");
    // A duration keeps what a float can say exactly; whatever is beyond 63 bits of milliseconds is refused.
    let ms = std::time::Duration::try_from_secs_f64(ms / 1000.0).ok().map(|duration| duration.as_millis());
    let ms = ms.and_then(|ms| i64::try_from(ms).ok()).ok_or(too_far.clone())?;
    let ms = u64::try_from(ms).map_err(|_never| too_far)?;
    Ok((ms > 0).then(|| keys.after_ms(ms)))
}

/// A wait for `names` to hold a value of that type.
pub(crate) fn wait_for(names: &[&[u8]], kind: Kind, deadline: Option<Tick>) -> Wait {
    let keys = names.iter().map(|&name| name.into()).collect();
    Wait { keys, kind, deadline, wakes_when_gone: false, command: None }
}
