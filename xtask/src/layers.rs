//! Dependencies go down only: which crate may know which, checked against `cargo metadata`.
//!
//! Two rules beside the layers. The pure machines and the words they speak have no runtime and no kernel
//! anywhere below them, or a replay in a test would not be the whole story. And system calls have one home.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program::Program;

/// The layer of each crate; an edge must end in a lower layer than it starts from.
const LAYERS: &[(&str, u8)] = &[
    ("remuda-model", 0),
    ("remuda-arbiter", 1),
    ("remuda-bus", 1),
    ("remuda-store", 1),
    ("remuda-herd", 1),
    ("remuda-config", 2),
    ("remuda-wire", 2),
    ("remuda-sys", 2),
    ("remuda-daemon", 3),
    ("remuda-toolkit", 3),
    ("remuda-trust", 3),
    ("remuda-control", 4),
    ("remuda-hub", 4),
    ("remuda-gateway", 4),
    ("remuda-platform", 4),
    ("remuda-dashboard", 4),
    ("remuda", 5),
];

/// Members of the workspace that are tools of the repository, and stand outside the layers.
const TOOLS: &[&str] = &["remuda-load", "xtask"];

/// Crates of layers up to this one are pure.
const PURE_UP_TO: u8 = 1;

/// What must not be anywhere below a pure crate.
const IMPURE: &[&str] = &["tokio", "hyper", "mio", "rustix", "libc"];

/// What asks the processor which instructions it has, and on some platforms the kernel for it: the answer changes how
/// fast the ciphers above it are and never what they say, so nothing below it is counted.
const TRUSTED: &[&str] = &["cpufeatures"];

/// Direct dependencies that one crate alone may have.
const HOMES: &[(&str, &str)] = &[("libc", "remuda-sys"), ("rustix", "remuda-sys")];

/// What the rules look at: members by name, each with the names it depends on.
#[derive(Debug, Default)]
struct Graph {
    /// Direct dependencies of what is shipped.
    direct: BTreeMap<String, BTreeSet<String>>,
    /// Direct dependencies of the tests, which may make system calls but know their layer too.
    for_tests: BTreeMap<String, BTreeSet<String>>,
    /// Everything linked into the member, however deep, without what only its tests need.
    below: BTreeMap<String, BTreeSet<String>>,
}

/// Fails with every broken rule, one a line.
pub(crate) fn check() -> Result<()> {
    let graph = Graph::read(&metadata()?)?;
    let broken = graph.broken_rules();
    if broken.is_empty() {
        println!("layers: {} crates, every edge goes down", graph.direct.len());
        return Ok(());
    }
    bail!("{} broken rules of the layers\n  {}", broken.len(), broken.join("\n  "))
}

/// `cargo metadata` of the workspace.
pub(crate) fn metadata() -> Result<Value> {
    let text = Program::cargo("metadata --format-version 1 --quiet").output()?;
    serde_json::from_str(&text).context("cargo metadata is not JSON")
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let members: BTreeSet<&str> =
            list(&metadata["workspace_members"])?.filter_map(Value::as_str).collect();
        let mut names = BTreeMap::new();
        let mut graph = Self::default();
        for package in list(&metadata["packages"])? {
            let (id, name) = (text(&package["id"])?, text(&package["name"])?);
            names.insert(id, name);
            if members.contains(id) {
                let (tests, shipped): (Vec<_>, Vec<_>) =
                    list(&package["dependencies"])?.partition(|each| each["kind"] == "dev");
                graph.direct.insert(name.to_owned(), dependency_names(&shipped)?);
                graph.for_tests.insert(name.to_owned(), dependency_names(&tests)?);
            }
        }
        let mut linked = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"])? {
            let mut edges = Vec::new();
            for edge in list(&node["deps"])? {
                if list(&edge["dep_kinds"])?.any(|kind| kind["kind"] != "dev") {
                    edges.push(text(&edge["pkg"])?);
                }
            }
            linked.insert(text(&node["id"])?, edges);
        }
        for (id, name) in &names {
            if TRUSTED.contains(name) {
                linked.remove(id);
            }
        }
        for member in members {
            let mut below = BTreeSet::new();
            let mut open = vec![member];
            while let Some(id) = open.pop() {
                open.extend(linked.get(id).into_iter().flatten().filter(|next| below.insert(**next)));
            }
            let below = below.into_iter().filter_map(|id| names.get(id)).map(|name| (*name).to_owned());
            graph.below.insert(names[member].to_owned(), below.collect());
        }
        Ok(graph)
    }

    fn broken_rules(&self) -> Vec<String> {
        let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
        let mut broken = Vec::new();
        for (member, dependencies) in &self.direct {
            if TOOLS.contains(&member.as_str()) {
                continue;
            }
            let Some(layer) = layers.get(member.as_str()) else {
                broken
                    .push(format!("{member} has no layer: give it one in the table of xtask/src/layers.rs"));
                continue;
            };
            for dependency in dependencies.iter().chain(self.for_tests.get(member).into_iter().flatten()) {
                match layers.get(dependency.as_str()) {
                    Some(lower) if lower >= layer => broken.push(format!(
                        "{member} (layer {layer}) depends on {dependency} (layer {lower}): edges go down only"
                    )),
                    _ => {}
                }
            }
            for dependency in dependencies {
                for (_, home) in HOMES.iter().filter(|(name, home)| name == dependency && home != member) {
                    broken.push(format!("{member} depends on {dependency}, which only {home} may do"));
                }
            }
            if *layer <= PURE_UP_TO {
                let below = &self.below[member];
                for impure in IMPURE.iter().filter(|name| below.contains(**name)) {
                    broken.push(format!("{member} is pure and yet has {impure} below it"));
                }
            }
        }
        broken
    }
}

fn dependency_names(dependencies: &[&Value]) -> Result<BTreeSet<String>> {
    dependencies.iter().map(|each| text(&each["name"]).map(str::to_owned)).collect()
}

fn list(value: &Value) -> Result<std::slice::Iter<'_, Value>> {
    value.as_array().map(|array| array.iter()).context("cargo metadata lacks a list this check reads")
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("cargo metadata lacks a name this check reads")
}
