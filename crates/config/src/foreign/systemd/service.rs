//! `[Service]` of a service unit.

mod environment;
mod hooks;
mod life;
mod limits;
mod run;
mod sandbox;

use crate::foreign::draft::{Draft, Table};
use crate::foreign::finding::Findings;

use super::command::Known;
use super::settings::Settings;
use super::socket::Listener;
use super::specifier::Specifiers;
use super::unit::Unit;

/// A service to be made of a unit.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) unit: &'a Unit,
    pub(super) specifiers: Specifiers,
    /// Native name.
    pub(super) name: String,
    pub(super) workers: u32,
    pub(super) listeners: Vec<Listener>,
    /// Native names of services that come before.
    pub(super) after: Vec<String>,
}

/// Translates one service.
pub(super) fn translate(wanted: &Wanted<'_>, draft: &mut Draft, findings: &mut Findings) {
    let origin = wanted.unit.whole();
    let header = |part: &'static str| ["service", wanted.name.as_str(), part];
    let mut settings = Settings::new(wanted.unit, "Service", wanted.specifiers.clone());
    let mut table = Table::new(&["service", &wanted.name], &origin);
    let mut env = Table::new(&header("env"), &origin);
    let mut limits = Table::new(&header("limits"), &origin);
    let mut hooks = Table::new(&header("hooks"), &origin);
    let mut known = Known::default();
    environment::translate(&mut settings, &mut table, &mut env, &mut known, findings);
    let mut own = Table::new(&["service", &wanted.name], &origin);
    run::translate(&mut settings, wanted, &known, &mut own, findings);
    own.extend(&table);
    let mut table = own;
    if !wanted.after.is_empty() {
        table.set("after", wanted.after.clone(), &origin);
    }
    life::translate(&mut settings, wanted, &mut table, findings);
    limits::translate(&mut settings, &mut table, &mut limits, findings);
    hooks::translate(&mut settings, &known, &mut table, &mut hooks, findings);
    nonblocking(&mut settings, wanted, draft, findings);
    sandbox::translate(&mut settings, findings);
    left_out(&mut settings, findings);
    draft.push(table);
    draft.push_if_set(env);
    draft.push_if_set(limits);
    draft.push_if_set(hooks);
}

fn nonblocking(settings: &mut Settings<'_>, wanted: &Wanted<'_>, draft: &mut Draft, findings: &mut Findings) {
    let Some((entry, true)) = settings.flag("NonBlocking", findings) else { return };
    for listener in &wanted.listeners {
        if let Some(socket) = draft.table_mut(&["socket", &listener.name]) {
            socket.set("nonblocking", true, &entry.origin);
        }
    }
}

fn left_out(settings: &mut Settings<'_>, findings: &mut Findings) {
    let names = ["SyslogIdentifier", "SyslogFacility", "SyslogLevel", "BusName", "Slice"];
    settings.unneeded(
        &names,
        "the arbiter keeps a service's lines and processes under the service's own name",
        findings,
    );
    settings.unneeded(&["PIDFile", "GuessMainPID"], "the pid of a worker is always known", findings);
    settings.unneeded(&["Sockets"], "it only names sockets, which are passed", findings);
    settings.rest(findings);
}
