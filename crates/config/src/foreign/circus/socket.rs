//! `[socket:NAME]` of Circus.

use crate::foreign::draft::{Table, literal};
use crate::foreign::finding::Findings;

use super::options::{Options, missing};

/// Translates one socket.
pub(super) fn translate(options: &mut Options<'_>, name: &str, findings: &mut Findings) -> Table {
    let section = options.section;
    let mut table = Table::new(&["socket", name], &section.origin);
    listen(options, &mut table, findings);
    if let Some((setting, true)) = options.boolean("so_reuseport", findings) {
        let unix = options.peek("path").is_some();
        if unix {
            findings.unneeded(
                &setting.origin,
                "so_reuseport",
                "Linux does not balance Unix sockets; one queue serves all",
            );
        } else {
            table.set("mode", "per-worker", &setting.origin);
            let text = "one listener per slot, kept across restarts; Circus made a new one at each spawn";
            findings.differs(&setting.origin, "so_reuseport", text);
        }
    }
    if let Some((setting, backlog)) = options.integer("backlog", findings) {
        table.set("backlog", backlog, &setting.origin);
    }
    let blocking = options.boolean("blocking", findings);
    if !blocking.as_ref().is_some_and(|(_, blocking)| *blocking) {
        let origin = blocking.map_or(&section.origin, |(setting, _)| &setting.origin);
        table.set("nonblocking", true, origin);
    }
    if let Some((setting, interface)) = options.native("interface", findings) {
        table.set("device", interface, &setting.origin);
    }
    umask(options, &mut table, findings);
    left_out(options, findings);
    table
}

fn listen(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    let section = options.section;
    let path = options.native("path", findings);
    let host = options.text("host");
    if let Some((setting, value)) = &host
        && let Some(name) = options.variables.unset(value)
    {
        findings.fault(&setting.origin, missing("host", value, &name));
    }
    let port = options.integer("port", findings);
    let family = options.text("family").map_or("AF_INET".into(), |(_, family)| family.to_uppercase());
    let kind = options.text("type").map_or("SOCK_STREAM".into(), |(_, kind)| kind.to_uppercase());
    let datagram = match kind.as_str() {
        "SOCK_STREAM" | "SOCK_SEQPACKET" => false,
        "SOCK_DGRAM" => true,
        other => {
            findings.fault(
                &section.origin,
                format!("a socket of type {other} cannot be; use SOCK_STREAM or SOCK_DGRAM"),
            );
            return;
        }
    };
    let address = if let Some((_, path)) = &path {
        let scheme = match kind.as_str() {
            "SOCK_DGRAM" => "unix-dgram",
            "SOCK_SEQPACKET" => "unix-seqpacket",
            _ => "unix",
        };
        format!("{scheme}:{path}")
    } else if family == "AF_UNIX" {
        findings.fault(&section.origin, "a socket of family AF_UNIX needs a path");
        return;
    } else {
        let host = host.as_ref().map_or("localhost", |(_, host)| host.as_str());
        let host = numeric(host, family == "AF_INET6");
        let port = port.map_or(8080, |(_, port)| port);
        if datagram { format!("udp:{host}:{port}") } else { format!("{host}:{port}") }
    };
    let origin = path.or(host).map_or(&section.origin, |(setting, _)| &setting.origin);
    table.set("listen", address, origin);
}

/// Circus resolves within the family; a bare `localhost` could become `::1` here.
fn numeric(host: &str, six: bool) -> String {
    match (host, six) {
        ("localhost", false) => "127.0.0.1".into(),
        ("localhost", true) => "[::1]".into(),
        ("", false) => "0.0.0.0".into(),
        ("", true) => "[::]".into(),
        (host, true) if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        (host, _) => literal(host),
    }
}

fn umask(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    let Some((setting, mask)) = options.integer("umask", findings) else { return };
    if options.peek("path").is_none() {
        findings.unneeded(&setting.origin, "umask", "only a Unix socket has a file");
        return;
    }
    if !(0..=0o777).contains(&mask) {
        findings.fault(&setting.origin, format!("umask = {mask} is no file mode mask"));
        return;
    }
    table.set("file_mode", format!("{:04o}", 0o777 & !mask), &setting.origin);
    let octal = i64::from_str_radix(&setting.value, 8).unwrap_or(mask);
    if octal != mask {
        let text = format!(
            "Circus reads it as a decimal number ({mask} is {mask:03o} in octal), and so does this import; \
             if {octal:03o} was meant, file_mode = \"{:04o}\"",
            0o777 & !octal
        );
        findings.warn(&setting.origin, "umask", text);
    }
}

fn left_out(options: &mut Options<'_>, findings: &mut Findings) {
    if let Some((setting, _)) = options.text("replace") {
        let text = "a socket file nobody listens on is replaced, and one in use is refused, in any case";
        findings.unneeded(&setting.origin, "replace", text);
    }
    if let Some((setting, _)) = options.text("proto") {
        findings.unneeded(&setting.origin, "proto", "the protocol follows from the address");
    }
    if let Some((setting, _)) = options.text("use_papa") {
        findings.unneeded(
            &setting.origin,
            "use_papa",
            "the arbiter keeps its listeners across its own restarts",
        );
    }
    options.rest(findings, "Circus knows no such option of a socket, and neither does Remuda");
}
