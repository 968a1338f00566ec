//! systemd's `.socket` and `.service` units.
//!
//! A socket unit and the service it activates become a socket and a service. A pair of templates whose instances
//! share an address by `ReusePort=yes` becomes one service with as many slots as there are instances, and one
//! listener for each slot; any other template becomes one service for each instance.

mod command;
mod family;
mod service;
mod settings;
mod socket;
mod specifier;
mod unit;
mod value;
mod words;

use std::path::PathBuf;

use super::draft::Draft;
use super::finding::Findings;
use super::naming::Naming;
use family::Family;
use service::Wanted;
use settings::Settings;
use socket::Listener;
use specifier::{Instance, Specifiers};
use unit::{Unit, UnitName};

/// Instances of one template: as many as a service has workers at most by default.
const INSTANCES_MAX: u32 = 10_000;

/// A service to be, as indices of its units.
#[derive(Debug)]
struct Crew {
    service: usize,
    instance: Instance,
    workers: u32,
    sockets: Vec<(usize, Instance)>,
}

/// Translates the units, given as paths and texts. Gives the files they were made of.
pub(super) fn translate(
    given: &[(PathBuf, String)],
    instances: Option<u32>,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    let family = Family::gather(given, findings);
    if findings.faults.is_empty() {
        let crews = crews(&family, instances, findings);
        build(&family, &crews, draft, findings);
    }
    family.units.iter().map(|unit| unit.path.clone()).collect()
}

/// Which services there are to be, in the order the units were given.
fn crews(family: &Family, instances: Option<u32>, findings: &mut Findings) -> Vec<Crew> {
    let mut crews: Vec<Crew> = Vec::new();
    for (at, unit) in family.units.iter().enumerate() {
        let (service, sockets) = match unit.name.kind.as_str() {
            "socket" => (family.find(&family.service_of(unit)), vec![at]),
            _ => (Some(at), family.activating(at)),
        };
        let Some(service) = service else { continue };
        for (instance, workers) in seats(family, unit, &sockets, instances, findings) {
            let own = |socket: &usize| match family.units[*socket].name.is_template() {
                true => (*socket, instance.clone()),
                false => (*socket, fixed(&family.units[*socket].name)),
            };
            let known = crews.iter_mut().find(|crew| crew.service == service && crew.instance == instance);
            match known {
                Some(crew) => {
                    let more = sockets.iter().map(own).filter(|socket| !crew.sockets.contains(socket));
                    let more: Vec<_> = more.collect();
                    crew.sockets.extend(more);
                    crew.workers = crew.workers.max(workers);
                }
                None => crews.push(Crew {
                    service,
                    instance: instance.clone(),
                    workers,
                    sockets: sockets.iter().map(own).collect(),
                }),
            }
        }
    }
    crews
}

fn fixed(name: &UnitName) -> Instance {
    name.instance.clone().map_or(Instance::None, Instance::Fixed)
}

/// The instances a unit stands for, each with its number of workers.
fn seats(
    family: &Family,
    unit: &Unit,
    sockets: &[usize],
    instances: Option<u32>,
    findings: &mut Findings,
) -> Vec<(Instance, u32)> {
    if unit.name.kind == "socket" && !unit.name.is_template() {
        let service = family.service_of(unit);
        return vec![(fixed(&service), 1)];
    }
    if !unit.name.is_template() {
        return vec![(fixed(&unit.name), 1)];
    }
    let templates = || sockets.iter().map(|at| &family.units[*at]).filter(|socket| socket.name.is_template());
    if templates().next().is_none() && !sockets.is_empty() {
        // Its instances are those of the sockets that were given.
        return Vec::new();
    }
    if instances.is_none() && (unit.name.kind == "socket" || sockets.is_empty()) {
        let text = "a template: one instance is made; --instances N makes more";
        findings.differs(&unit.whole(), &unit.name.to_string(), text);
    }
    let mut count = instances.unwrap_or(1);
    if count > INSTANCES_MAX {
        findings
            .fault(&unit.whole(), format!("{count} instances are too many; there can be {INSTANCES_MAX}"));
        count = 1;
    }
    if templates().any(socket::depends_on_instance) {
        return (0..count).map(|number| (Instance::Fixed(number.to_string()), 1)).collect();
    }
    if let (true, Some(socket)) = (count > 1, templates().find(|socket| !socket::reuses_port(socket))) {
        let text =
            format!("{count} instances would all bind the same address; add ReusePort=yes to [Socket]");
        findings.fault(&socket.whole(), text);
    }
    vec![(Instance::Slot, count)]
}

fn build(family: &Family, crews: &[Crew], draft: &mut Draft, findings: &mut Findings) {
    let (mut socket_names, mut service_names) = (Naming::default(), Naming::default());
    let mut built: Vec<(usize, Instance, Vec<Listener>)> = Vec::new();
    for (at, instance) in crews.iter().flat_map(|crew| &crew.sockets) {
        if !built.iter().any(|(known, own, _)| known == at && own == instance) {
            let unit = &family.units[*at];
            let listeners = socket::translate(unit, instance.clone(), &mut socket_names, draft, findings);
            built.push((*at, instance.clone(), listeners));
        }
    }
    let names: Vec<String> = crews.iter().map(|crew| service_names.take(&stem(family, crew))).collect();
    for (crew, name) in crews.iter().zip(&names) {
        let unit = &family.units[crew.service];
        let listeners = crew.sockets.iter().flat_map(|(at, instance)| {
            built
                .iter()
                .filter(move |(known, own, _)| known == at && own == instance)
                .flat_map(|(_, _, made)| made)
        });
        let wanted = Wanted {
            unit,
            specifiers: Specifiers { name: unit.name.clone(), instance: crew.instance.clone() },
            name: name.clone(),
            workers: crew.workers,
            listeners: listeners.cloned().collect(),
            after: after(family, crews, &names, crew.service),
        };
        service::translate(&wanted, draft, findings);
    }
    for unit in &family.units {
        general(unit, family, findings);
    }
}

fn stem(family: &Family, crew: &Crew) -> String {
    let name = &family.units[crew.service].name;
    match &crew.instance {
        Instance::Slot => name.prefix.clone(),
        Instance::Fixed(instance) => name.with_instance(instance).stem(),
        Instance::None => name.stem(),
    }
}

/// The services of this import that come before `service`: its `After=`, and whose `Before=` names it.
fn after(family: &Family, crews: &[Crew], names: &[String], service: usize) -> Vec<String> {
    let refers = |from: &Unit, key: &str, to: usize| {
        let listed = from.all("Unit", key);
        let mut words = listed.iter().flat_map(|entry| entry.value.split_whitespace());
        words.any(|word| family.find(&UnitName::parse(&word.replace("%i", ""))) == Some(to))
    };
    let unit = &family.units[service];
    let earlier = |other: usize| {
        other != service && (refers(unit, "After", other) || refers(&family.units[other], "Before", service))
    };
    let pairs = crews.iter().zip(names).filter(|(crew, _)| earlier(crew.service));
    pairs.map(|(_, name)| name.clone()).collect()
}

/// `[Unit]` and `[Install]`, and sections nobody reads.
fn general(unit: &Unit, family: &Family, findings: &mut Findings) {
    let specifiers = Specifiers { name: unit.name.clone(), instance: Instance::None };
    let mut settings = Settings::new(unit, "Unit", specifiers.clone());
    settings.unneeded(&["Description", "Documentation"], "it only describes", findings);
    for key in ["After", "Before", "Requires", "Wants", "BindsTo", "Requisite", "PartOf"] {
        for entry in settings.all(key) {
            let foreign = entry.value.split_whitespace().filter(|name| {
                let name = UnitName::parse(&name.replace("%i", ""));
                family.find(&name).is_none()
            });
            for name in foreign {
                let text = format!("{name} is none of the units of this import, and only those are ordered");
                findings.unneeded(&entry.origin, key, text);
            }
        }
    }
    let limits = ["StartLimitBurst", "StartLimitInterval", "StartLimitIntervalSec"];
    settings.unneeded(
        &limits,
        "failing workers are slowed down by the backoff built into every service",
        findings,
    );
    settings.rest(findings);
    let mut install = Settings::new(unit, "Install", specifiers);
    let because = "services start with the arbiter; docs/running.md has a unit that starts it at boot";
    install.unneeded(
        &["WantedBy", "RequiredBy", "Also", "Alias", "DefaultInstance", "UpheldBy"],
        because,
        findings,
    );
    install.rest(findings);
    for entry in &unit.entries {
        let section = entry.section.as_str();
        let own = if unit.name.kind == "socket" { "Socket" } else { "Service" };
        if !["Unit", "Install", own].contains(&section) && !section.starts_with("X-") {
            let text = format!("[{section}] has no place in a .{} file", unit.name.kind);
            findings.warn(&entry.origin, &entry.key, text);
        }
    }
}
