//! Events as sentences: who, what, and how it should look.

use anstyle::Style;
use remuda_model::{Event, EventKind, ExitStatus};

use crate::quantity::age;
use crate::screen::{BAD, DIM, GOOD, NOTICE};

/// An event, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// `web.0`, `web`, or `remuda` for the instance.
    pub(crate) subject: String,
    /// What happened to it.
    pub(crate) text: String,
    /// How it looks.
    pub(crate) style: Style,
    /// Last lines of a worker that failed.
    pub(crate) last_lines: Vec<String>,
}

impl Sentence {
    pub(crate) fn of(event: &Event) -> Self {
        let subject = match (&event.service, event.slot) {
            (Some(service), Some(slot)) => format!("{service}.{slot}"),
            (Some(service), None) => service.to_string(),
            (None, _) => "remuda".to_owned(),
        };
        let last_lines = match &event.kind {
            EventKind::WorkerExited { last_lines, .. } | EventKind::ReloadFailed { last_lines, .. } => {
                last_lines.clone()
            }
            _ => Vec::new(),
        };
        let pid = event.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let text = instance(&event.kind)
            .or_else(|| service(&event.kind))
            .unwrap_or_else(|| worker(&event.kind, &pid));
        Self { subject, text, style: style(&event.kind), last_lines }
    }
}

fn instance(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::InstanceUpgraded { from, to, stall_ms } => {
            format!("remuda {to} goes on in place of {from}, after {}", age(*stall_ms))
        }
        EventKind::UpgradeFailed { reason } => format!("the upgrade failed: {reason}"),
        EventKind::InstanceResumed { version, workers, lost, alone_ms } => {
            let alone = alone_ms.map(|alone| format!(" after {} alone", age(alone))).unwrap_or_default();
            let lost = if *lost == 0 { String::new() } else { format!("; {lost} had ended meanwhile") };
            let workers = if *workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
            format!("remuda {version} goes on with {workers}{alone}{lost}")
        }
        EventKind::InstanceStarted { version } => format!("remuda {version} runs"),
        EventKind::InstanceStopping { reason } => format!("stops everything ({reason})"),
        EventKind::SocketBound { socket, address } => format!("socket {socket} listens on {address}"),
        EventKind::SocketReleased { socket } => format!("socket {socket} is closed"),
        EventKind::ConfigApplied { changes } if changes.is_empty() => {
            "config read anew; nothing changed".to_owned()
        }
        EventKind::ConfigApplied { changes } => format!("config applied: {}", changes.join("; ")),
        EventKind::ConfigRefused { reason } => format!("config refused, what ran runs on: {reason}"),
        EventKind::Requested { request, by } => format!("{request}, asked by {by}"),
        EventKind::HookFailed { point, reason } => format!("hook {point} failed: {reason}"),
        EventKind::LinesDropped { lines } => format!("{lines} lines dropped, they came too fast"),
        EventKind::Trouble { message } => message.clone(),
        _ => return None,
    })
}

fn service(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::ServiceWaiting { after } => {
            let names: Vec<&str> = after.iter().map(remuda_model::ServiceName::as_str).collect();
            format!("waits for {}", names.join(", "))
        }
        EventKind::ServiceStarting => "starts".to_owned(),
        EventKind::ServiceRunning => "runs".to_owned(),
        EventKind::ServiceDone => "is done".to_owned(),
        EventKind::ServiceStopping => "stops".to_owned(),
        EventKind::ServiceStopped => "is stopped".to_owned(),
        EventKind::ServiceFailed { reason } => format!("has failed for good: {reason}"),
        EventKind::CrashLoop { failures } => {
            format!("cannot boot ({failures} failures in a row); one slot goes on trying")
        }
        EventKind::Recovered => "boots again".to_owned(),
        EventKind::Idle => "waits for a connection".to_owned(),
        EventKind::Demanded => "is wanted, a connection came".to_owned(),
        EventKind::Due => "is due".to_owned(),
        EventKind::DueSkipped => "is due, but skipped: the last run still goes on, or it is held".to_owned(),
        EventKind::Scaled { from, to, reason } => {
            let why = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("scales from {from} to {to}{why}")
        }
        EventKind::ServiceHeld { for_ms } => {
            format!("is held for at most {}; who comes waits", age(*for_ms))
        }
        EventKind::ServiceReleased { reason } => format!("is released ({reason})"),
        EventKind::BacklogFull { socket, depth, limit } => {
            format!("has a full queue: {depth} of {limit} wait at socket {socket}")
        }
        EventKind::ReloadStarted { workers } => format!("reload of {workers} begins"),
        EventKind::ReloadProgress { done, total } => format!("reload {done}/{total}"),
        EventKind::ReloadDone { workers } => format!("reload done, {workers} replaced"),
        EventKind::ReloadFailed { reason, done, total, rolled_back, .. } => {
            let back = if *rolled_back { "; those replaced go back" } else { "" };
            format!("reload failed at {done}/{total}: {reason}{back}")
        }
        _ => return None,
    })
}

fn worker(kind: &EventKind, pid: &str) -> String {
    match kind {
        EventKind::WorkerSpawned => format!("started{pid}"),
        EventKind::SpawnFailed { failure } => format!("could not be started: {failure}"),
        EventKind::WorkerReady { after_ms } => format!("ready after {}{pid}", age(*after_ms)),
        EventKind::ReadyTimeout { after_ms } => format!("not ready within {}, killed{pid}", age(*after_ms)),
        EventKind::WorkerStatus { status } => format!("says: {status}"),
        EventKind::WorkerReloading => format!("reloads itself{pid}"),
        EventKind::WorkerStopping { signal, reason } => format!("told to stop by {signal} ({reason}){pid}"),
        EventKind::WorkerKilling { reason } if pid.is_empty() => {
            format!("is given up before it has started ({reason})")
        }
        EventKind::WorkerKilling { reason } => format!("killed ({reason}){pid}"),
        EventKind::WatchdogMissed { silent_ms } => {
            format!("missed its watchdog, silent for {}{pid}", age(*silent_ms))
        }
        EventKind::WorkerExited { status: ExitStatus::Unknown, expected: true, .. } if pid.is_empty() => {
            "was never started".to_owned()
        }
        EventKind::WorkerExited { status, expected, lived_ms, .. } => {
            let unasked = if *expected { "" } else { ", unasked" };
            format!("ended: {status}{unasked}, after {}{pid}", age(*lived_ms))
        }
        EventKind::Backoff { delay_ms, failures } => {
            format!("is tried again in {} ({failures} failures in a row)", age(*delay_ms))
        }
        EventKind::Recycling { reason } => format!("is replaced ({reason}){pid}"),
        // Everything else is told of the instance or of a service.
        other => format!("{other:?}"),
    }
}

fn style(kind: &EventKind) -> Style {
    match kind {
        EventKind::ServiceFailed { .. }
        | EventKind::CrashLoop { .. }
        | EventKind::ReloadFailed { .. }
        | EventKind::ConfigRefused { .. }
        | EventKind::SpawnFailed { .. }
        | EventKind::WorkerExited { expected: false, .. }
        | EventKind::UpgradeFailed { .. }
        | EventKind::Trouble { .. } => BAD,
        EventKind::ReadyTimeout { .. }
        | EventKind::WatchdogMissed { .. }
        | EventKind::HookFailed { .. }
        | EventKind::LinesDropped { .. }
        | EventKind::Backoff { .. }
        | EventKind::InstanceResumed { .. } => NOTICE,
        EventKind::ServiceRunning | EventKind::ReloadDone { .. } | EventKind::Recovered => GOOD,
        _ => DIM,
    }
}

#[cfg(test)]
mod tests;
