//! What a service runs: `ExecStart=`, the sockets it gets, its user and its folder.

use crate::foreign::draft::{Table, literal};
use crate::foreign::finding::Findings;
use crate::foreign::systemd::command::{self, Known};
use crate::foreign::systemd::settings::Settings;
use crate::foreign::systemd::unit::Entry;

use super::Wanted;

pub(super) fn translate(
    settings: &mut Settings<'_>,
    wanted: &Wanted<'_>,
    known: &Known,
    table: &mut Table,
    findings: &mut Findings,
) {
    command_line(settings, wanted, known, table, findings);
    if !wanted.listeners.is_empty() {
        let names: Vec<_> = wanted.listeners.iter().map(|listener| listener.name.clone()).collect();
        table.set("sockets", names, &wanted.unit.whole());
    }
    stdin(settings, wanted, table, findings);
    if wanted.workers != 1 {
        table.set("workers", i64::from(wanted.workers), &wanted.unit.whole());
    }
    settings.set_text("User", "user", table, findings);
    settings.set_text("Group", "group", table, findings);
    let groups = settings.all("SupplementaryGroups");
    if let Some(first) = groups.first() {
        let names: Vec<_> =
            groups.iter().flat_map(|entry| entry.value.split_whitespace()).map(literal).collect();
        table.set("groups", names, &first.origin);
    }
    if let Some((entry, mask)) = settings.fixed("UMask", findings) {
        match u32::from_str_radix(&mask, 8) {
            Ok(mask) if mask <= 0o777 => table.set("umask", format!("{mask:03o}"), &entry.origin),
            _ => findings.fault(&entry.origin, format!("UMask={mask} is no octal file mode mask")),
        }
    }
    directory(settings, wanted, table, findings);
}

fn command_line(
    settings: &mut Settings<'_>,
    wanted: &Wanted<'_>,
    known: &Known,
    table: &mut Table,
    findings: &mut Findings,
) {
    let commands = settings.all("ExecStart");
    let Some(first) = commands.first() else {
        findings.fault(&wanted.unit.whole(), "has no ExecStart= in [Service]");
        return;
    };
    for more in &commands[1..] {
        findings.unsupported(&more.origin, "ExecStart", "a service runs one command; the first one is taken");
    }
    if let Some(line) = command::read(settings, first, known, findings) {
        twisted_family(wanted, first, findings);
        table.set("command", line.argv, &first.origin);
    }
}

/// Twisted decodes peers by the family it is told; on a dual-stack socket `domain=INET` gives garbage.
fn twisted_family(wanted: &Wanted<'_>, entry: &Entry, findings: &mut Findings) {
    let told_inet = entry.value.split([':', ' ', '"', '\'']).any(|part| part == "domain=INET");
    let six = wanted.listeners.iter().find(|listener| listener.address.starts_with("[::]"));
    if let (true, Some(listener)) = (told_inet, six) {
        let text = format!(
            "domain=INET, but {} listens on {}, an IPv6 socket that takes IPv4 too: clients would be logged with \
             wrong addresses; write domain=INET6, or listen on 0.0.0.0",
            listener.name, listener.address
        );
        findings.warn(&entry.origin, "ExecStart", text);
    }
}

fn stdin(settings: &mut Settings<'_>, wanted: &Wanted<'_>, table: &mut Table, findings: &mut Findings) {
    let Some(entry) = settings.last("StandardInput") else { return };
    match (entry.value.as_str(), wanted.listeners.as_slice()) {
        ("socket", [only]) => table.set("stdin", format!("socket:{}", only.name), &entry.origin),
        ("socket", _) => {
            findings.fault(&entry.origin, "StandardInput=socket needs a service with exactly one socket");
        }
        ("null", _) => findings.unneeded(&entry.origin, "StandardInput", "that is the default"),
        (other, _) => findings.unsupported(
            &entry.origin,
            "StandardInput",
            format!("{other}: workers read from /dev/null"),
        ),
    }
}

fn directory(settings: &mut Settings<'_>, wanted: &Wanted<'_>, table: &mut Table, findings: &mut Findings) {
    match settings.fixed("WorkingDirectory", findings) {
        None => table.set("directory", "/", &wanted.unit.whole()),
        Some((entry, folder)) => {
            let folder = match folder.strip_prefix('-') {
                Some(folder) => {
                    findings.unsupported(
                        &entry.origin,
                        "WorkingDirectory",
                        "the prefix -: the folder must exist",
                    );
                    folder.to_owned()
                }
                None => folder,
            };
            if folder == "~" {
                findings.unsupported(&entry.origin, "WorkingDirectory", "~: write the user's folder out");
            } else {
                table.set("directory", folder, &entry.origin);
            }
        }
    }
}
