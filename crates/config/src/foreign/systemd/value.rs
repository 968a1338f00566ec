//! Values of unit files: booleans, time spans, sizes.

/// `yes`, `true`, `on`, `1` and their opposites.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// A time span in seconds: `30`, `1min 30s`, `500ms`. `infinity` is `Some(None)`.
pub(super) fn span(text: &str) -> Option<Option<f64>> {
    if text.trim() == "infinity" {
        return Some(None);
    }
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest.find(|letter: char| !(letter.is_alphabetic() || letter == 'µ')).unwrap_or(rest.len());
        seconds += number * unit(&rest[..end])?;
        rest = rest[end..].trim_start();
    }
    Some(Some(seconds))
}

fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "us" | "usec" | "µs" | "μs" => 1e-6,
        "ms" | "msec" => 1e-3,
        "" | "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    })
}

/// A size in bytes: `512`, `64K`, `1.5G`, to the base 1024. `infinity` is `Some(None)`.
pub(super) fn size(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text == "infinity" {
        return Some(None);
    }
    let number_end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..number_end].parse().ok()?;
    let (fraction, suffix) = match text[number_end..].strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", &text[number_end..]),
    };
    let shift = match suffix.trim() {
        "" | "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        "E" => 60,
        _ => return None,
    };
    let factor = 1_u64 << shift;
    let part = match fraction {
        "" => 0,
        digits if digits.len() <= 3 => {
            let scale = 10_u64.checked_pow(u32::try_from(digits.len()).ok()?)?;
            factor / scale * digits.parse::<u64>().ok()?
                + factor % scale * digits.parse::<u64>().ok()? / scale
        }
        _ => return None,
    };
    Some(Some(number.checked_mul(factor)?.checked_add(part)?))
}

#[cfg(test)]
mod tests;
