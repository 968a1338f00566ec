//! Limits, priorities, privileges and logs of a service.

use toml::Value;

use crate::foreign::draft::Table;
use crate::foreign::finding::Findings;
use crate::foreign::systemd::settings::Settings;
use crate::foreign::systemd::unit::Entry;
use crate::foreign::systemd::value;

/// `Limit…=` with the native name, and whether its numbers are sizes.
const RLIMITS: [(&str, &str, Measure); 16] = [
    ("LimitAS", "as", Measure::Bytes),
    ("LimitCORE", "core", Measure::Bytes),
    ("LimitCPU", "cpu_time", Measure::Seconds),
    ("LimitDATA", "data", Measure::Bytes),
    ("LimitFSIZE", "fsize", Measure::Bytes),
    ("LimitLOCKS", "locks", Measure::Count),
    ("LimitMEMLOCK", "memlock", Measure::Bytes),
    ("LimitMSGQUEUE", "msgqueue", Measure::Bytes),
    ("LimitNICE", "nice", Measure::Count),
    ("LimitNOFILE", "nofile", Measure::Count),
    ("LimitNPROC", "nproc", Measure::Count),
    ("LimitRSS", "rss", Measure::Bytes),
    ("LimitRTPRIO", "rtprio", Measure::Count),
    ("LimitRTTIME", "rttime", Measure::Microseconds),
    ("LimitSIGPENDING", "sigpending", Measure::Count),
    ("LimitSTACK", "stack", Measure::Bytes),
];

/// What a limit counts.
#[derive(Debug, Clone, Copy)]
enum Measure {
    Bytes,
    Seconds,
    Microseconds,
    Count,
}

pub(super) fn translate(
    settings: &mut Settings<'_>,
    table: &mut Table,
    limits: &mut Table,
    findings: &mut Findings,
) {
    for (key, native, measure) in RLIMITS {
        let Some(entry) = settings.last(key) else { continue };
        match rlimit(&entry.value, measure) {
            Some(limit) => limits.set(native, limit, &entry.origin),
            None => findings.fault(
                &entry.origin,
                format!("{key}={} is no limit such as 65536 or 1024:4096", entry.value),
            ),
        }
    }
    control_group(settings, limits, findings);
    settings.set_integer("Nice", "nice", table, findings);
    settings.set_integer("OOMScoreAdjust", "oom_score_adjust", table, findings);
    settings.set_flag("NoNewPrivileges", "no_new_privileges", table, findings);
    output(settings, table, findings);
}

/// One number is the soft and the hard limit, `soft:hard` are two.
fn rlimit(text: &str, measure: Measure) -> Option<Value> {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let (soft, hard) = (number(soft, measure)?, number(hard, measure)?);
    if soft == hard {
        return Some(soft);
    }
    let mut both = toml::Table::new();
    both.insert("soft".into(), soft);
    both.insert("hard".into(), hard);
    Some(both.into())
}

fn number(text: &str, measure: Measure) -> Option<Value> {
    if text == "infinity" {
        return Some("unlimited".into());
    }
    let whole = text.parse::<u32>().ok().map(i64::from);
    let number = match measure {
        Measure::Bytes => value::size(text)?.and_then(|bytes| i64::try_from(bytes).ok()),
        Measure::Count => text.parse().ok().filter(|count| *count >= 0),
        Measure::Seconds => whole.or_else(|| whole_part(value::span(text)??)),
        Measure::Microseconds => whole.or_else(|| whole_part(value::span(text)?? * 1e6)),
    };
    number.map(Value::Integer)
}

/// The number without its fraction, if it is one a limit can have.
fn whole_part(number: f64) -> Option<i64> {
    format!("{:.0}", number.trunc()).parse().ok()
}

fn control_group(settings: &mut Settings<'_>, limits: &mut Table, findings: &mut Findings) {
    for key in ["MemoryMax", "MemoryLimit"] {
        if settings.last(key).is_some_and(|entry| entry.value.ends_with('%')) {
            settings.unsupported(&[key], "a share of the machine; write the number of bytes", findings);
        } else if let Some((entry, Some(bytes))) = settings.size(key, findings) {
            limits.set("memory", bytes, &entry.origin);
        }
    }
    if let Some(entry) = settings.last("CPUQuota") {
        let percent = entry.value.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        match percent.filter(|percent| percent.is_finite() && *percent > 0.0) {
            Some(percent) => limits.set("cpu", percent / 100.0, &entry.origin),
            None => {
                findings.fault(&entry.origin, format!("CPUQuota={} is no share such as 150%", entry.value));
            }
        }
    }
    if let Some(entry) = settings.last("TasksMax") {
        tasks(entry, limits, findings);
    }
    let others =
        ["MemoryHigh", "MemoryLow", "MemoryMin", "MemorySwapMax", "CPUWeight", "IOWeight", "AllowedCPUs"];
    settings.unsupported(&others, "of the control group's limits there are memory, cpu and pids", findings);
}

fn tasks(entry: &Entry, limits: &mut Table, findings: &mut Findings) {
    match (entry.value.as_str(), entry.value.parse::<i64>()) {
        (_, Ok(number)) if number > 0 => limits.set("pids", number, &entry.origin),
        ("infinity", _) => findings.unneeded(&entry.origin, "TasksMax", "no limit is the default"),
        (share, _) if share.ends_with('%') => {
            findings.unsupported(&entry.origin, "TasksMax", "a share of the machine; write a number");
        }
        (other, _) => findings.fault(&entry.origin, format!("TasksMax={other} is no number of tasks")),
    }
}

fn output(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    for key in ["StandardOutput", "StandardError"] {
        let Some((entry, value)) = settings.fixed(key, findings) else { continue };
        let file = ["append:", "file:", "truncate:"].iter().find_map(|scheme| value.strip_prefix(scheme));
        match (file, value.as_str()) {
            (Some(_), _) if table.get("log").is_some() => {
                findings.differs(&entry.origin, key, "a service has one log file, with both streams in it");
            }
            (Some(path), _) => {
                table.set_part("log", "file", path, &entry.origin);
                table.set_part("log", "max_size", 0, &entry.origin);
                findings.differs(&entry.origin, key, "lines are appended, with the worker that wrote them");
            }
            (None, "journal" | "inherit" | "syslog" | "kmsg" | "journal+console" | "kmsg+console") => {
                findings.unneeded(
                    &entry.origin,
                    key,
                    "output is kept for remuda logs, and shown by the arbiter",
                );
            }
            (None, other) => {
                let text = format!("{other}: what workers write is always taken; remuda logs shows it");
                findings.unsupported(&entry.origin, key, text);
            }
        }
    }
}
