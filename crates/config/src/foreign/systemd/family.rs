//! The units that belong together: those given, and the partners that lie beside them.

use std::path::{Path, PathBuf};

use crate::foreign::finding::Findings;
use crate::foreign::pattern;

use super::unit::{Entry, Unit, UnitName};

/// Units one import may draw in.
const UNITS_MAX: usize = 256;

/// Keys of [Unit] by which a service insists on another unit.
const DEMANDS: [&str; 3] = ["Requires", "BindsTo", "Requisite"];

/// All units of an import.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) units: Vec<Unit>,
    /// Pairs whose mix-up has been told.
    told: Vec<String>,
}

impl Family {
    /// Reads the units given as path and text, then the partners they name.
    pub(super) fn gather(given: &[(PathBuf, String)], findings: &mut Findings) -> Self {
        let mut family = Self::default();
        for (path, text) in given {
            family.add(path, text, findings);
        }
        let mut next = 0;
        while next < family.units.len().min(UNITS_MAX) {
            for name in family.partners(next) {
                family.draw_in(&name, next, findings);
            }
            next += 1;
        }
        for at in 0..family.units.len() {
            family.check(at, findings);
        }
        family
    }

    fn add(&mut self, path: &Path, text: &str, findings: &mut Findings) {
        let mut unit = Unit::parse(path, text, findings);
        let mut folder = path.as_os_str().to_owned();
        folder.push(".d");
        for part in pattern::expand(&Path::new(&folder).join("*.conf")) {
            match crate::read_file(&part) {
                Ok(text) => unit.extend(&part, &text, findings),
                Err(why) => findings
                    .fault(&unit.whole(), format!("cannot read its drop-in {}: {why}", part.display())),
            }
        }
        self.units.push(unit);
    }

    /// The unit that is `name`, or the template it is an instance of.
    pub(super) fn find(&self, name: &UnitName) -> Option<usize> {
        let exact = self.units.iter().position(|unit| unit.name == *name);
        exact.or_else(|| {
            let template = name.template()?;
            self.units.iter().position(|unit| unit.name == template)
        })
    }

    /// The service a socket unit activates, as its template if the instance is its own.
    pub(super) fn service_of(&self, socket: &Unit) -> UnitName {
        socket
            .last("Socket", "Service")
            .map_or_else(|| socket.name.of_kind("service"), |entry| generic(&entry.value, &socket.name))
    }

    /// The socket units a service gets: those it asks for, and those that activate it.
    pub(super) fn activating(&self, service: usize) -> Vec<usize> {
        let mut sockets: Vec<usize> =
            self.sockets_of(&self.units[service]).iter().filter_map(|name| self.find(name)).collect();
        for (at, unit) in self.units.iter().enumerate() {
            let activates = unit.name.kind == "socket" && self.find(&self.service_of(unit)) == Some(service);
            if activates && !sockets.contains(&at) {
                sockets.push(at);
            }
        }
        sockets
    }

    /// The socket units a service asks for.
    pub(super) fn sockets_of(&self, service: &Unit) -> Vec<UnitName> {
        demands(service).into_iter().map(|(_, name)| name).collect()
    }

    fn partners(&self, at: usize) -> Vec<UnitName> {
        let unit = &self.units[at];
        match unit.name.kind.as_str() {
            "socket" => vec![self.service_of(unit)],
            _ => self.sockets_of(unit),
        }
    }

    fn draw_in(&mut self, name: &UnitName, by: usize, findings: &mut Findings) {
        if self.find(name).is_some() {
            return;
        }
        let folder = self.units[by].path.parent().unwrap_or(Path::new("")).to_path_buf();
        let template = name.template().map(|template| template.to_string());
        for candidate in [Some(name.to_string()), template].into_iter().flatten() {
            let path = folder.join(candidate);
            if let Ok(text) = crate::read_file(&path) {
                self.add(&path, &text, findings);
                return;
            }
        }
    }

    fn check(&mut self, at: usize, findings: &mut Findings) {
        let unit = &self.units[at];
        let wanted: Vec<(Option<&Entry>, UnitName)> = match unit.name.kind.as_str() {
            "socket" => vec![(unit.last("Socket", "Service"), self.service_of(unit))],
            _ => demands(unit).into_iter().map(|(entry, name)| (Some(entry), name)).collect(),
        };
        let missing: Vec<_> = wanted
            .into_iter()
            .filter(|(_, name)| self.find(name).is_none())
            .map(|(entry, name)| (entry.cloned(), name))
            .collect();
        for (entry, name) in missing {
            self.tell_missing(at, entry.as_ref(), &name, findings);
        }
    }

    fn tell_missing(&mut self, at: usize, entry: Option<&Entry>, name: &UnitName, findings: &mut Findings) {
        let unit = &self.units[at];
        let origin = entry.map_or_else(|| unit.whole(), |entry| entry.origin.clone());
        let says = match entry {
            Some(entry) => format!("{} says {}={}", unit.name, entry.key, entry.value),
            None => format!("{} has no Service=, so it stands for {name}", unit.name),
        };
        let sibling = unit.name.of_kind(&name.kind);
        let folder = unit.path.parent().unwrap_or(Path::new(""));
        let there = self.find(&sibling).map(|at| &self.units[at]);
        if there.is_none() && !folder.join(sibling.to_string()).exists() {
            let text = format!(
                "{says}, but {name} is not given and does not lie beside it; give it too, or correct the name"
            );
            findings.fault(&origin, text);
            return;
        }
        let stem = unit.name.stem();
        if self.told.contains(&stem) {
            return;
        }
        let back = there.and_then(|sibling| {
            let (entry, back) = demands_or_service(sibling)?;
            (back.stem() == name.stem())
                .then(|| format!("; {} says {}={}", entry.origin, entry.key, entry.value))
        });
        let text = format!(
            "{says}, but there is no {name}; the file that lies beside it is {sibling}{}. \
             Rename the two files to {} and {}, or write {} in place of {} in both",
            back.unwrap_or_default(),
            unit.name.of_stem(name),
            sibling.of_stem(name),
            unit.name.prefix,
            name.prefix,
        );
        findings.fault(&origin, text);
        self.told.push(stem);
    }
}

impl UnitName {
    /// The same kind under another's prefix and instance.
    fn of_stem(&self, other: &Self) -> Self {
        Self { kind: self.kind.clone(), ..other.clone() }
    }
}

/// A unit's name as `Service=` or `Requires=` writes it: an instance that is the unit's own makes it a template.
fn generic(text: &str, own: &UnitName) -> UnitName {
    let instance = own.instance.clone().unwrap_or_default();
    let text = text.replace("%p", &own.prefix).replace("%i", &instance).replace("%I", &instance);
    UnitName::parse(&text)
}

/// The socket units a service cannot do without, with where it says so.
fn demands(service: &Unit) -> Vec<(&Entry, UnitName)> {
    let required = DEMANDS.iter().flat_map(|key| service.all("Unit", key));
    let entries = required.chain(service.all("Service", "Sockets"));
    let names = entries.flat_map(|entry| entry.value.split_whitespace().map(move |name| (entry, name)));
    let sockets = names.filter(|(_, name)| name.ends_with(".socket"));
    sockets.map(|(entry, name)| (entry, generic(name, &service.name))).collect()
}

fn demands_or_service(unit: &Unit) -> Option<(&Entry, UnitName)> {
    match unit.name.kind.as_str() {
        "socket" => unit.last("Socket", "Service").map(|entry| (entry, generic(&entry.value, &unit.name))),
        _ => demands(unit).into_iter().next(),
    }
}
