//! How a service becomes ready, restarts, reloads and stops.

use remuda_model::Signal;

use crate::foreign::draft::{Table, duration};
use crate::foreign::finding::Findings;
use crate::foreign::systemd::settings::Settings;

use super::Wanted;

pub(super) fn translate(
    settings: &mut Settings<'_>,
    wanted: &Wanted<'_>,
    table: &mut Table,
    findings: &mut Findings,
) {
    kind(settings, table, findings);
    restart(settings, wanted, table, findings);
    stop(settings, table, findings);
    watch(settings, table, findings);
    if let Some(entry) = settings.last("SuccessExitStatus") {
        let mut codes = Vec::new();
        for word in entry.value.split_whitespace() {
            match word.parse::<u8>() {
                Ok(code) => codes.push(i64::from(code)),
                Err(_) => findings.unsupported(
                    &entry.origin,
                    "SuccessExitStatus",
                    format!("{word}: write the exit code"),
                ),
            }
        }
        if !codes.is_empty() {
            table.set("success_codes", codes, &entry.origin);
        }
    }
    settings.set_integer("FileDescriptorStoreMax", "fd_store", table, findings);
}

fn kind(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    let Some(entry) = settings.last("Type") else { return };
    match entry.value.as_str() {
        "simple" | "exec" => {}
        "idle" => findings.unneeded(
            &entry.origin,
            "Type",
            "idle only waits for the boot's messages; it is as simple here",
        ),
        "notify" => table.set("ready", "notify", &entry.origin),
        "notify-reload" => {
            table.set("ready", "notify", &entry.origin);
            let signal =
                settings.last("ReloadSignal").map_or("HUP".to_owned(), |signal| signal.value.clone());
            table.set("reload", format!("signal:{}", signal.trim_start_matches("SIG")), &entry.origin);
        }
        "oneshot" => table.set("oneshot", true, &entry.origin),
        "forking" => {
            let text = "Type=forking: a worker must stay in the foreground, where its end is seen; drop the program's \
                        daemon option and write Type=exec or Type=notify";
            findings.fault(&entry.origin, text);
        }
        other => findings.unsupported(
            &entry.origin,
            "Type",
            format!("{other}: the service counts as ready once it runs"),
        ),
    }
    settings.unneeded(&["RemainAfterExit"], "a oneshot service that exits 0 counts as done", findings);
}

fn restart(settings: &mut Settings<'_>, wanted: &Wanted<'_>, table: &mut Table, findings: &mut Findings) {
    let entry = settings.last("Restart");
    let origin = entry.map_or_else(|| wanted.unit.whole(), |entry| entry.origin.clone());
    let oneshot = table.get("oneshot").is_some();
    match entry.map_or("no", |entry| entry.value.as_str()) {
        "no" if wanted.listeners.is_empty() || oneshot => table.set("restart", "never", &origin),
        "no" => {
            table.set("restart", "always", &origin);
            let text =
                "a worker that ends is started again at once; systemd would do so at the next connection";
            findings.differs(&origin, "Restart", text);
        }
        "always" => table.set("restart", "always", &origin),
        "on-failure" => table.set("restart", "on-failure", &origin),
        kind @ ("on-abnormal" | "on-abort" | "on-watchdog") => {
            table.set("restart", "on-failure", &origin);
            findings.differs(
                &origin,
                "Restart",
                format!("{kind} is on-failure here: any failure restarts the worker"),
            );
        }
        "on-success" => {
            table.set("restart", "always", &origin);
            findings.differs(
                &origin,
                "Restart",
                "on-success is always here: failing workers restart as well",
            );
        }
        other => findings.fault(&origin, format!("Restart={other} is none of no, always, on-failure")),
    }
    if !wanted.listeners.is_empty() {
        let text =
            "workers start at once, not at the first connection; on_demand = true makes them wait for it";
        findings.differs(&wanted.unit.whole(), "on_demand", text);
    }
    if let Some((entry, seconds)) = settings.span("RestartSec", findings) {
        table.set_part("backoff", "base", duration(seconds), &entry.origin);
        findings.differs(
            &entry.origin,
            "RestartSec",
            "the delay doubles with each failure in a row, and the first is immediate",
        );
    }
    let limits = [
        "StartLimitBurst",
        "StartLimitInterval",
        "StartLimitIntervalSec",
        "RestartSteps",
        "RestartMaxDelaySec",
    ];
    settings.unneeded(
        &limits,
        "failing workers are slowed down by the backoff built into every service",
        findings,
    );
    let prevent = "give success_codes and restart = \"on-failure\" instead";
    settings.unsupported(&["RestartPreventExitStatus", "RestartForceExitStatus"], prevent, findings);
}

fn stop(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some(entry) = settings.last("KillSignal") {
        match entry.value.parse::<Signal>() {
            Ok(signal) => table.set_part("stop", "signal", signal.to_string(), &entry.origin),
            Err(why) => findings.fault(&entry.origin, format!("KillSignal: {why}")),
        }
    }
    let mode = settings.last("KillMode");
    let origin = mode.map_or_else(|| settings.unit.whole(), |entry| entry.origin.clone());
    match mode.map_or("control-group", |entry| entry.value.as_str()) {
        "control-group" => table.set_part("stop", "scope", "tree", &origin),
        "mixed" => table.set_part("stop", "scope", "main", &origin),
        "process" => {
            table.set_part("stop", "scope", "main", &origin);
            findings.differs(
                &origin,
                "KillMode",
                "what is left of the worker's processes is killed at the end",
            );
        }
        other => findings.unsupported(&origin, "KillMode", format!("{other}: a worker is always stopped")),
    }
    let both = settings.span("TimeoutSec", findings);
    if let Some((entry, seconds)) = settings.span("TimeoutStopSec", findings).or(both) {
        table.set_part("stop", "timeout", duration(seconds), &entry.origin);
    }
    if let Some((entry, seconds)) = settings.span("TimeoutStartSec", findings).or(both) {
        table.set("ready_timeout", duration(seconds), &entry.origin);
    }
    let keys = [
        "SendSIGHUP",
        "SendSIGKILL",
        "FinalKillSignal",
        "RestartKillSignal",
        "TimeoutAbortSec",
        "TimeoutStartFailureMode",
        "TimeoutStopFailureMode",
    ];
    settings.unsupported(
        &keys,
        "a worker gets the stop signal, and SIGKILL after the stop timeout",
        findings,
    );
    settings.unsupported(&["RuntimeMaxSec"], "see max_age, which replaces a worker without a gap", findings);
}

fn watch(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((entry, seconds)) =
        settings.span("WatchdogSec", findings).filter(|(_, seconds)| *seconds > 0.0)
    {
        table.set("watchdog", duration(seconds), &entry.origin);
    }
    settings.unsupported(&["WatchdogSignal"], "a worker that misses its time gets ABRT", findings);
    let access = settings.last("NotifyAccess");
    match access.map(|entry| (entry, entry.value.as_str())) {
        Some((entry, "main" | "exec")) => table.set("notify_access", "main", &entry.origin),
        Some((entry, "all")) => table.set("notify_access", "all", &entry.origin),
        Some((entry, "none")) if table.get("ready").is_none() => {
            findings.unneeded(
                &entry.origin,
                "NotifyAccess",
                "what a worker says changes nothing unless ready = \"notify\"",
            );
        }
        Some((entry, other)) => {
            findings.warn(
                &entry.origin,
                "NotifyAccess",
                format!("{other} does not fit the Type=; main is taken"),
            );
            table.set("notify_access", "main", &entry.origin);
        }
        None => {
            if table.get("ready").is_some() {
                table.set("notify_access", "main", &settings.unit.whole());
            }
        }
    }
}
