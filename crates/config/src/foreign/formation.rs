//! How many workers each process type gets: `web=2,worker=1`, as Foreman's `--formation`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// Wanted numbers of workers by process type; `all` stands for types not named. Default one each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formation {
    all: Option<u32>,
    types: BTreeMap<String, u32>,
}

/// The text is no formation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no number of workers for a process type; write web=2,worker=1 or all=1")]
pub struct FormationError(String);

impl Formation {
    /// Workers of the process type `name`.
    #[must_use]
    pub fn workers(&self, name: &str) -> u32 {
        self.types.get(name).copied().or(self.all).unwrap_or(1)
    }

    /// The process types it names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }
}

impl FromStr for Formation {
    type Err = FormationError;
    fn from_str(text: &str) -> Result<Self, FormationError> {
        let mut formation = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let refused = || FormationError(part.to_owned());
            let (name, count) = part.split_once('=').ok_or_else(refused)?;
            let count = count.trim().parse().ok().ok_or_else(refused)?;
            match name.trim() {
                "" => return Err(refused()),
                "all" => formation.all = Some(count),
                name => _ = formation.types.insert(name.to_owned(), count),
            }
        }
        Ok(formation)
    }
}
