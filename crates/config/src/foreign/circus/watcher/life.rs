//! How a watcher's processes are reloaded, stopped, restarted and recycled.

use remuda_model::Signal;

use crate::foreign::circus::options::Options;
use crate::foreign::draft::{Table, duration};
use crate::foreign::finding::Findings;

/// What Circus adds to `max_age` at most when `max_age_variance` is absent, in seconds.
const VARIANCE_DEFAULT: f64 = 30.0;

pub(super) fn translate(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((setting, true)) = options.boolean("send_hup", findings) {
        table.set("reload", "hup", &setting.origin);
    }
    stop(options, table, findings);
    restart(options, table, findings);
    recycle(options, table, findings);
    if let Some((setting, pause)) = options.seconds("warmup_delay", findings) {
        if pause > 0.0 {
            let text =
                "workers start without a pause in between; a reload still replaces one after the other";
            findings.unsupported(&setting.origin, "warmup_delay", text);
        } else {
            findings.unneeded(&setting.origin, "warmup_delay", "no pause is the default");
        }
    }
}

fn stop(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((setting, value)) = options.filled("stop_signal") {
        match value.parse::<Signal>() {
            Ok(signal) => table.set_part("stop", "signal", signal.to_string(), &setting.origin),
            Err(why) => findings.fault(&setting.origin, format!("stop_signal: {why}")),
        }
    }
    if let Some((setting, true)) = options.boolean("stop_children", findings) {
        table.set_part("stop", "scope", "tree", &setting.origin);
        let text = "the signal goes to all descendants, not to direct children only";
        findings.differs(&setting.origin, "stop_children", text);
    }
    if let Some((setting, seconds)) = options.seconds("graceful_timeout", findings) {
        table.set_part("stop", "timeout", duration(seconds), &setting.origin);
    }
}

fn restart(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((setting, false)) = options.boolean("respawn", findings) {
        table.set("restart", "never", &setting.origin);
    }
    let Some((setting, tries)) = options.integer("max_retry", findings) else { return };
    if tries > 0 {
        table.set_part("backoff", "give_up_after", tries, &setting.origin);
        let text = "counts all failures in a row, not only programs that cannot be run";
        findings.differs(&setting.origin, "max_retry", text);
    } else if tries == -1 {
        findings.unneeded(&setting.origin, "max_retry", "retrying for ever is the default");
    } else {
        findings.warn(
            &setting.origin,
            "max_retry",
            format!("{tries} would keep Circus from starting it at all; left out"),
        );
    }
}

fn recycle(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    let age = options.seconds("max_age", findings).filter(|(_, age)| *age > 0.0);
    let variance = options.seconds("max_age_variance", findings);
    match (age, variance) {
        (Some((setting, age)), variance) => {
            table.set("max_age", duration(age), &setting.origin);
            let origin = variance.map_or(&setting.origin, |(setting, _)| &setting.origin);
            let seconds = variance.map_or(VARIANCE_DEFAULT, |(_, seconds)| seconds);
            let percent = (seconds / age * 100.0).round().min(100.0);
            table.set("recycle_jitter", format!("{percent}%"), origin);
            let text = "a replacement is ready before the old worker goes; Circus killed first";
            findings.differs(&setting.origin, "max_age", text);
        }
        (None, Some((setting, _))) => {
            findings.unneeded(&setting.origin, "max_age_variance", "there is no max_age");
        }
        (None, None) => {}
    }
}
