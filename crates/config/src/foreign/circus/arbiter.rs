//! `[circus]`, the arbiter's own section, and `[plugin:…]`.

use crate::foreign::draft::Table;
use crate::foreign::finding::{Findings, Origin};

use super::ini::Section;
use super::options::Options;

/// Translates `[circus]`; gives the umask that all watchers inherit.
pub(super) fn translate(
    options: &mut Options<'_>,
    table: &mut Table,
    findings: &mut Findings,
) -> Option<(Origin, String)> {
    if let Some((setting, path)) = options.native("pidfile", findings) {
        table.set("pid_file", path, &setting.origin);
    }
    let umask = options.filled("umask").map(|(setting, mask)| (setting.origin.clone(), mask));
    for read_before in ["include", "include_dir"] {
        options.raw(read_before);
    }
    unneeded(options, findings);
    unsupported(options, findings);
    options.rest(findings, "Circus knows no such option of [circus], and neither does Remuda");
    umask
}

fn unneeded(options: &mut Options<'_>, findings: &mut Findings) {
    let death = "the end of a worker is noticed at once, without a tick";
    options.unneeded(&["check_delay"], death, findings);
    let endpoints = ["endpoint", "pubsub_endpoint", "stats_endpoint", "endpoint_owner", "statsd"];
    let control =
        "status, events and figures all come through the control socket, which only its owner can open";
    options.unneeded(&endpoints, control, findings);
    let ignored = ["statsd_close_outputs", "httpd_close_outputs", "stream_backend", "ssh_server"];
    options.unneeded(&ignored, "Circus does not read it either", findings);
    let own_output = "the arbiter has no Python inside, and tells on its standard error what it does";
    options.unneeded(&["debug", "debug_gc"], own_output, findings);
}

fn unsupported(options: &mut Options<'_>, findings: &mut Findings) {
    let discovery = "no multicast: servers do not look for each other";
    options.unsupported(&["multicast_endpoint", "fqdn_prefix"], discovery, findings);
    let pause = "there is no pause between services; order them with after = […]";
    options.unsupported(&["warmup_delay"], pause, findings);
    let web = "there is no web console; remuda status --watch shows the same";
    options.unsupported(&["httpd", "httpd_host", "httpd_port"], web, findings);
    let logging = "the arbiter logs to its standard error; redirect that";
    options.unsupported(&["loglevel", "logoutput", "loggerconfig"], logging, findings);
}

/// A plugin is Python inside Circus: only the purpose of the flapping one has a counterpart.
pub(super) fn plugin(section: &Section, findings: &mut Findings) {
    let class = section.get("use").map_or("", |setting| setting.value.as_str());
    let flapping = class.ends_with(".Flapping") || section.name == "plugin:flapping";
    for setting in &section.settings {
        if flapping {
            let because = "failing workers are slowed down by the backoff built into every service";
            findings.unneeded(&setting.origin, &setting.key, because);
        } else {
            let text = format!(
                "[{}] is a plugin for Circus, in Python; run it as a service that reads remuda events",
                section.name
            );
            findings.unsupported(&setting.origin, &setting.key, text);
        }
    }
}
