//! `stdout_stream.*`, `stderr_stream.*` and the `close_child_*` switches.

use crate::foreign::circus::ini::Setting;
use crate::foreign::circus::options::Options;
use crate::foreign::draft::Table;
use crate::foreign::finding::Findings;

pub(super) fn translate(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    let errors_to = options.peek("stderr_stream.filename").map(|setting| setting.value.clone());
    let output_to = options.peek("stdout_stream.filename").map(|setting| setting.value.clone());
    stream(options, "stdout_stream", table, findings);
    if output_to.is_none() || errors_to == output_to {
        stream(options, "stderr_stream", table, findings);
    } else {
        for (setting, _) in options.prefixed("stderr_stream.") {
            let text =
                "a service has one log file, with both streams told apart in it: see stdout_stream.filename";
            findings.unsupported(&setting.origin, &setting.key, text);
        }
    }
    if let Some((setting, false)) = options.boolean("close_child_stdin", findings) {
        findings.unsupported(
            &setting.origin,
            "close_child_stdin",
            "workers never read the arbiter's own input",
        );
    }
    for key in ["close_child_stdout", "close_child_stderr"] {
        if let Some((setting, true)) = options.boolean(key, findings) {
            let text = "what workers write is always taken; remuda logs shows it";
            findings.unsupported(&setting.origin, key, text);
        }
    }
}

fn stream(options: &mut Options<'_>, prefix: &str, table: &mut Table, findings: &mut Findings) {
    let class =
        options.peek(&format!("{prefix}.class")).map_or("FileStream", |setting| setting.value.as_str());
    let class = class.rsplit('.').next().unwrap_or(class).to_owned();
    let filename = format!("{prefix}.filename");
    let to_file = options.peek(&filename).is_some() && class.ends_with("FileStream");
    if let (true, Some((setting, path))) = (to_file, options.native(&filename, findings)) {
        table.set_part("log", "file", path, &setting.origin);
        table.set_part("log", "max_size", 0, &setting.origin);
    }
    for (setting, key) in options.prefixed(&format!("{prefix}.")) {
        part(options, setting, key, &class, to_file.then_some(&mut *table), findings);
    }
}

fn part(
    options: &Options<'_>,
    setting: &Setting,
    key: &str,
    class: &str,
    table: Option<&mut Table>,
    findings: &mut Findings,
) {
    let number =
        || options.variables.plain(&setting.value).trim().parse::<i64>().ok().filter(|number| *number >= 0);
    match (key, table) {
        ("filename", Some(_)) => {}
        ("max_bytes", Some(table)) => match number() {
            Some(bytes) => table.set_part("log", "max_size", bytes, &setting.origin),
            None => {
                findings.fault(&setting.origin, format!("{} = {:?} is no size", setting.key, setting.value));
            }
        },
        ("backup_count", Some(table)) => match number() {
            Some(files) => table.set_part("log", "keep", files, &setting.origin),
            None => {
                findings
                    .fault(&setting.origin, format!("{} = {:?} is no number", setting.key, setting.value));
            }
        },
        ("class", _) => stream_class(setting, class, findings),
        ("time_format", _) => {
            findings.unsupported(
                &setting.origin,
                &setting.key,
                "the time in a log line has a form of its own",
            );
        }
        ("color", _) => {
            findings.unneeded(&setting.origin, &setting.key, "each service has its colour on a terminal");
        }
        ("refresh_time", _) => {
            findings.unneeded(&setting.origin, &setting.key, "lines are written as they come");
        }
        ("rotate_when" | "rotate_interval" | "utc", _) => {
            findings.unsupported(
                &setting.origin,
                &setting.key,
                "a log file is rotated by size, not by time: max_size",
            );
        }
        _ => findings.unsupported(
            &setting.origin,
            &setting.key,
            format!("no option of {class} that has a counterpart"),
        ),
    }
}

fn stream_class(setting: &Setting, class: &str, findings: &mut Findings) {
    let (origin, key) = (&setting.origin, setting.key.as_str());
    match class {
        "FileStream" => {}
        "TimedRotatingFileStream" => {
            findings.unsupported(origin, key, "a log file is rotated by size, not by time");
        }
        "WatchedFileStream" => {
            let text =
                "the file is not looked at before each write; let max_size rotate it instead of logrotate";
            findings.differs(origin, key, text);
        }
        "StdoutStream" | "FancyStdoutStream" => {
            let because =
                "the arbiter shows all output on its own standard output when it runs in the foreground";
            findings.unneeded(origin, key, because);
        }
        "QueueStream" => findings.unneeded(origin, key, "the last lines are kept in memory: remuda logs"),
        _ => findings.unsupported(origin, key, format!("{class} is Python that runs inside Circus")),
    }
}
