//! What the tests have in common.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use remuda_config::{Loaded, Report, Style, Surroundings, load_text};
use remuda_model::ServiceSpec;

/// Two CPUs, not root, a few variables.
pub(crate) fn surroundings() -> Surroundings {
    let variables = [("HOME", "/home/ann"), ("PORT", "8080"), ("SECRET", "hunter2"), ("EMPTY", "")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Surroundings {
        variables: BTreeMap::from(variables),
        uid: 1000,
        cpus: 2,
        directory: PathBuf::from("/srv"),
    }
}

pub(crate) fn try_load(text: &str) -> Result<Loaded, Report> {
    load_text(text, Path::new("/srv/shop/remuda.toml"), &surroundings())
}

#[track_caller]
pub(crate) fn load(text: &str) -> Loaded {
    try_load(text).unwrap_or_else(|report| panic!("refused:\n{report}"))
}

/// The only service of a text.
#[track_caller]
pub(crate) fn service(text: &str) -> ServiceSpec {
    let loaded = load(text);
    let spec = loaded.config.services.values().next().expect("a service");
    ServiceSpec::clone(spec)
}

/// What is said about a text that is refused.
#[track_caller]
pub(crate) fn mistakes(text: &str) -> String {
    match try_load(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(report) => report.render(Style::Plain),
    }
}
