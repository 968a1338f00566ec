//! What a worker is told about itself and about the hub, read from its environment.
//!
//! Every part is optional, so that the same program also runs from a shell: outside Remuda it has no seat, without a
//! hub it has no bus. What is there but makes no sense is an error, never a default: a daemon that publishes to the
//! wrong place is worse than one that does not start.

use std::ffi::OsString;

#[cfg(test)]
mod tests;

/// Where this worker sits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// Name of its service (`REMUDA_SERVICE`).
    pub service: String,
    /// Its slot, counted from 0 (`REMUDA_SLOT`).
    pub slot: u32,
    /// Which reload of the service it belongs to (`REMUDA_GENERATION`).
    pub generation: u64,
}

/// Where the hub's bus is: two ZeroMQ endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// A SUB socket connects here to receive (`REMUDA_BUS_SUB`).
    pub subscribe: String,
    /// A PUSH socket connects here to publish (`REMUDA_BUS_PUSH`).
    pub push: String,
}

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// The worker's seat; `None` when Remuda did not start it.
    pub seat: Option<Seat>,
    /// The bus; `None` when there is no hub.
    pub bus: Option<Bus>,
    /// Where the store answers in Redis' protocol, as a `redis://` or `unix://` URL (`REDIS_URL`); `None` when there
    /// is none.
    pub redis_url: Option<String>,
}

/// The environment contradicts itself. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// One of several that belong together is missing.
    #[error("{present} is set but {missing} is not; they are set together or not at all")]
    Incomplete {
        /// What is there.
        present: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// A number is none.
    #[error("{variable}={value:?} is not a whole number in range")]
    Number {
        /// Which.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The bytes are no text.
    #[error("{variable}={value:?} is not UTF-8")]
    Text {
        /// Which.
        variable: &'static str,
        /// Its value.
        value: OsString,
    },
}

impl Environment {
    /// Reads this process' environment.
    ///
    /// # Errors
    /// It contradicts itself.
    pub fn read() -> Result<Self, EnvironmentError> {
        Self::from_variables(|variable| std::env::var_os(variable))
    }

    /// Reads what `variable` finds under a name. An empty value counts as none.
    ///
    /// # Errors
    /// It contradicts itself.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, EnvironmentError> {
        let text = |name: &'static str| match variable(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(text) => Ok(Some(text)),
                Err(value) => Err(EnvironmentError::Text { variable: name, value }),
            },
        };
        let service = text("REMUDA_SERVICE")?;
        let slot = text("REMUDA_SLOT")?;
        let generation = text("REMUDA_GENERATION")?;
        let seat = match together([
            ("REMUDA_SERVICE", service),
            ("REMUDA_SLOT", slot),
            ("REMUDA_GENERATION", generation),
        ])? {
            None => None,
            Some([service, slot, generation]) => Some(Seat {
                service,
                slot: number("REMUDA_SLOT", &slot)?,
                generation: number("REMUDA_GENERATION", &generation)?,
            }),
        };
        let (subscribe, push) = (text("REMUDA_BUS_SUB")?, text("REMUDA_BUS_PUSH")?);
        let bus = together([("REMUDA_BUS_SUB", subscribe), ("REMUDA_BUS_PUSH", push)])?
            .map(|[subscribe, push]| Bus { subscribe, push });
        Ok(Self { seat, bus, redis_url: text("REDIS_URL")? })
    }
}

/// All of the values, or none of them.
fn together<const N: usize>(
    values: [(&'static str, Option<String>); N],
) -> Result<Option<[String; N]>, EnvironmentError> {
    let present = values.iter().find(|(_, value)| value.is_some()).map(|(name, _)| *name);
    let missing = values.iter().find(|(_, value)| value.is_none()).map(|(name, _)| *name);
    match (present, missing) {
        (None, _) => Ok(None),
        (Some(present), Some(missing)) => Err(EnvironmentError::Incomplete { present, missing }),
        (Some(_), None) => Ok(Some(values.map(|(_, value)| value.unwrap_or_default()))),
    }
}

fn number<T: std::str::FromStr>(variable: &'static str, value: &str) -> Result<T, EnvironmentError> {
    value.parse().ok().ok_or_else(|| EnvironmentError::Number { variable, value: value.into() })
}
