//! `[Socket]` of a socket unit: one native socket for each address it listens on.

use crate::foreign::draft::{Draft, Table, literal};
use crate::foreign::finding::Findings;
use crate::foreign::naming::Naming;

use super::settings::Settings;
use super::specifier::{Instance, Specifiers};
use super::unit::{Entry, Unit};
use super::value;

/// A native socket made of one `Listen…=`.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub(super) name: String,
    pub(super) address: String,
}

/// Translates one socket unit; gives its sockets in the order of their descriptors.
pub(super) fn translate(
    unit: &Unit,
    instance: Instance,
    naming: &mut Naming,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Vec<Listener> {
    let per_slot = instance == Instance::Slot;
    let specifiers = Specifiers { name: unit.name.clone(), instance };
    let mut settings = Settings::new(unit, "Socket", specifiers);
    refuse_accept(&mut settings, findings);
    let base = base_name(&mut settings, findings);
    let mut options = Table::new(&["socket"], &unit.whole());
    option_keys(&mut settings, &mut options, findings);
    reuse_port(&mut settings, per_slot, &mut options, findings);
    let mut listeners = Vec::new();
    for entry in listen_entries(unit) {
        let Some(address) = address(&settings, entry, findings) else { continue };
        let name = naming.take(&base);
        let mut table = Table::new(&["socket", &name], &entry.origin);
        table.set("listen", address.clone(), &entry.origin);
        table.extend(&options);
        table.keep(|key| fits(key, &address));
        draft.push(table);
        listeners.push(Listener { name, address });
    }
    for key in ["ListenStream", "ListenDatagram", "ListenSequentialPacket", "Service"] {
        settings.last(key);
    }
    left_out(&mut settings, findings);
    if listen_entries(unit).is_empty() {
        findings.fault(
            &unit.whole(),
            "has no ListenStream=, ListenDatagram= or ListenSequentialPacket= in [Socket]",
        );
    }
    listeners
}

/// Whether an option means anything for an address; one unit may list addresses of several families.
fn fits(option: &str, address: &str) -> bool {
    let unix = address.starts_with("unix");
    let stream = !address.starts_with("udp:") && !address.starts_with("unix-dgram:");
    match option {
        "user" | "group" | "file_mode" => unix,
        "v6_only" => !unix && address.contains('['),
        "nodelay" | "keepalive" | "defer_accept" => !unix && stream,
        "device" | "free_bind" | "mode" | "reuse_port" => !unix,
        "backlog" => stream,
        "broadcast" => address.starts_with("udp:"),
        _ => true,
    }
}

/// All `Listen…=` in the order they stand in, which is the order of the descriptors.
fn listen_entries(unit: &Unit) -> Vec<&Entry> {
    const KINDS: [&str; 3] = ["ListenStream", "ListenDatagram", "ListenSequentialPacket"];
    let mut entries: Vec<&Entry> = KINDS.iter().flat_map(|key| unit.all("Socket", key)).collect();
    entries.sort_by_key(|entry| unit.entries.iter().position(|own| std::ptr::eq(own, *entry)));
    entries
}

/// Whether an address depends on the instance, so that instances cannot be slots of one service.
pub(super) fn depends_on_instance(unit: &Unit) -> bool {
    let specifiers = Specifiers { name: unit.name.clone(), instance: Instance::Slot };
    listen_entries(unit).iter().any(|entry| specifiers.expand(&entry.value).plain.is_none())
}

/// Whether `ReusePort=yes` lets several instances listen on one address.
pub(super) fn reuses_port(unit: &Unit) -> bool {
    unit.last("Socket", "ReusePort").and_then(|entry| value::boolean(&entry.value)) == Some(true)
}

fn refuse_accept(settings: &mut Settings<'_>, findings: &mut Findings) {
    if let Some((entry, true)) = settings.flag("Accept", findings) {
        let text = "Accept=yes starts a process for each connection, as inetd did; this version passes listening \
                    sockets only; remove Accept= if the service can accept connections itself";
        findings.fault(&entry.origin, text);
    }
}

fn base_name(settings: &mut Settings<'_>, findings: &mut Findings) -> String {
    let unit = settings.unit;
    let own = match &settings.specifiers.instance {
        Instance::Slot => unit.name.prefix.clone(),
        Instance::Fixed(instance) => unit.name.with_instance(instance).stem(),
        Instance::None => unit.name.stem(),
    };
    match settings.fixed("FileDescriptorName", findings) {
        Some((_, name)) => name,
        None => {
            let text = format!("LISTEN_FDNAMES says {own}; systemd would say {}", unit.name);
            findings.differs(&unit.whole(), "FileDescriptorName", text);
            own
        }
    }
}

fn address(settings: &Settings<'_>, entry: &Entry, findings: &mut Findings) -> Option<String> {
    let expanded = settings.expand(entry, findings);
    let value = expanded.plain.as_deref()?;
    let stream = entry.key == "ListenStream";
    let unix = value.starts_with('/') || value.starts_with('@');
    let refuse = |findings: &mut Findings, why: &str| {
        findings.fault(&entry.origin, format!("{}={value} {why}", entry.key));
        None
    };
    if unix {
        return match entry.key.as_str() {
            "ListenStream" => Some(format!("unix:{}", literal(value))),
            _ if value.starts_with('@') => {
                refuse(findings, "is abstract, which only stream sockets can be here")
            }
            "ListenDatagram" => Some(format!("unix-dgram:{}", literal(value))),
            _ => Some(format!("unix-seqpacket:{}", literal(value))),
        };
    }
    if value.starts_with("vsock") {
        return refuse(findings, "is a VM socket, which cannot be here");
    }
    if entry.key == "ListenSequentialPacket" {
        return refuse(findings, "is no path; sequenced packets exist for Unix sockets only");
    }
    let internet = match value.parse::<u16>() {
        Ok(port) => format!("[::]:{port}"),
        Err(_) if value.parse::<std::net::SocketAddr>().is_ok() => value.to_owned(),
        Err(_) => {
            return refuse(findings, "is no address; write a port, 192.0.2.1:80, [2001:db8::1]:80 or a path");
        }
    };
    Some(if stream { internet } else { format!("udp:{internet}") })
}

fn option_keys(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((entry, backlog)) = settings.integer("Backlog", findings) {
        // systemd's own default, 2^32-1, means "whatever the kernel allows", as does any number above.
        table.set("backlog", backlog.clamp(0, i64::from(i32::MAX)), &entry.origin);
    }
    if let Some((entry, value)) = settings.fixed("BindIPv6Only", findings) {
        match value.as_str() {
            "both" => table.set("v6_only", false, &entry.origin),
            "ipv6-only" => table.set("v6_only", true, &entry.origin),
            "default" => {}
            other => findings
                .fault(&entry.origin, format!("BindIPv6Only={other} is none of default, both, ipv6-only")),
        }
    }
    settings.set_text("BindToDevice", "device", table, findings);
    settings.set_text("SocketUser", "user", table, findings);
    settings.set_text("SocketGroup", "group", table, findings);
    if let Some((entry, mode)) = settings.fixed("SocketMode", findings) {
        match u32::from_str_radix(&mode, 8) {
            Ok(bits) if bits <= 0o777 => table.set("file_mode", format!("{bits:04o}"), &entry.origin),
            _ => findings.fault(&entry.origin, format!("SocketMode={mode} is no octal file mode")),
        }
    }
    keepalive(settings, table, findings);
    settings.set_flag("NoDelay", "nodelay", table, findings);
    settings.set_span("DeferAcceptSec", "defer_accept", table, findings);
    for (key, native) in [("ReceiveBuffer", "receive_buffer"), ("SendBuffer", "send_buffer")] {
        if let Some((entry, Some(bytes))) = settings.size(key, findings) {
            table.set(native, bytes, &entry.origin);
        }
    }
    settings.set_integer("Mark", "mark", table, findings);
    settings.set_flag("FreeBind", "free_bind", table, findings);
    settings.set_flag("Broadcast", "broadcast", table, findings);
}

fn keepalive(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    let wanted = settings.flag("KeepAlive", findings);
    let on = wanted.as_ref().is_some_and(|(_, wanted)| *wanted);
    let mut detailed = false;
    for (key, part) in [("KeepAliveTimeSec", "time"), ("KeepAliveIntervalSec", "interval")] {
        if let Some((entry, seconds)) = settings.span(key, findings).filter(|_| on) {
            table.set_part(
                "keepalive",
                part,
                crate::foreign::draft::duration(seconds.round()),
                &entry.origin,
            );
            detailed = true;
        }
    }
    if let Some((entry, probes)) = settings.integer("KeepAliveProbes", findings).filter(|_| on) {
        table.set_part("keepalive", "probes", probes, &entry.origin);
        detailed = true;
    }
    match wanted {
        Some((entry, wanted)) if !detailed => table.set("keepalive", wanted, &entry.origin),
        Some(_) => {}
        None => {
            let keys = ["KeepAliveTimeSec", "KeepAliveIntervalSec", "KeepAliveProbes"];
            settings.unneeded(&keys, "KeepAlive= is not on", findings);
        }
    }
}

fn reuse_port(settings: &mut Settings<'_>, per_slot: bool, table: &mut Table, findings: &mut Findings) {
    let Some((entry, true)) = settings.flag("ReusePort", findings) else { return };
    if per_slot {
        table.set("mode", "per-worker", &entry.origin);
    } else {
        table.set("reuse_port", true, &entry.origin);
    }
}

fn left_out(settings: &mut Settings<'_>, findings: &mut Findings) {
    let kinds = ["ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction"];
    let text =
        "only stream, datagram and sequenced-packet sockets can be; descriptors after it have lower numbers";
    settings.unsupported(&kinds, text, findings);
    let per_connection = "it limits processes per connection, which only Accept=yes has";
    settings.unneeded(&["MaxConnections", "MaxConnectionsPerSource"], per_connection, findings);
    let storms = ["TriggerLimitIntervalSec", "TriggerLimitBurst", "PollLimitIntervalSec", "PollLimitBurst"];
    settings.unneeded(
        &storms,
        "workers run before connections come; failing ones are slowed down by backoff",
        findings,
    );
    let folder =
        "a missing folder of a socket file has to be made before, for instance with systemd-tmpfiles";
    settings.unsupported(&["DirectoryMode", "Symlinks"], folder, findings);
    settings.unneeded(&["RemoveOnStop"], "socket files are removed when the arbiter stops", findings);
    let bind_hooks = ["ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost", "TimeoutSec"];
    settings.unsupported(&bind_hooks, "no command runs around binding; a service has hooks", findings);
    settings.rest(findings);
}
