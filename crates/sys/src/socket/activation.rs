//! Listeners somebody opened before us: systemd's, or inherited by number.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use remuda_model::Address;
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use super::listener::{InspectError, Listener};
use crate::spawn::pidfd_id;

/// sd_listen_fds(3): the first passed descriptor.
const FIRST: RawFd = 3;
/// More than any service manager passes.
const PASSED_LIMIT: u32 = 4096;

/// Numbers that were taken over once. A number is only another's property until somebody takes it; a second taker
/// would close what the first one uses.
static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

/// Why passed descriptors are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// A variable is no number in its range.
    #[error("{variable}={value:?} is not a number of descriptors")]
    Number {
        /// Which.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// Names and descriptors do not match.
    #[error("LISTEN_FDNAMES has {names} names for {descriptors} descriptors")]
    Names {
        /// How many names.
        names: usize,
        /// How many descriptors.
        descriptors: usize,
    },
    /// No such descriptor is open.
    #[error("descriptor {0} was announced but is not open")]
    NotOpen(RawFd),
    /// It was taken before.
    #[error("descriptor {0} has been taken already")]
    Taken(RawFd),
    /// Nothing was passed under that name.
    #[error("nothing named {name:?} was passed to us{}", passed(known))]
    NoSuchName {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// It is no listener.
    #[error("descriptor {fd} ({name}) cannot be used: {source}")]
    Inspect {
        /// Its number.
        fd: RawFd,
        /// Its name.
        name: String,
        /// In which way.
        source: InspectError,
    },
    /// The address is one that is bound, not adopted.
    #[error("{0} is not handed to us by anybody; it has to be bound")]
    NotAdopted(String),
}

fn passed(names: &[String]) -> String {
    if names.is_empty() {
        "; no service manager passed any descriptor".into()
    } else {
        format!("; there is {}", names.join(", "))
    }
}

/// Descriptors passed to this process, by name, until they are adopted.
#[derive(Debug, Default)]
pub struct Activation {
    by_name: BTreeMap<String, Vec<(RawFd, OwnedFd)>>,
}

impl Activation {
    /// Takes what `environment` announces for process `pid`: nothing if it was meant for another. The caller removes
    /// `LISTEN_*` from what it passes on.
    ///
    /// # Errors
    /// The announcement is malformed or untrue; what was taken until then is closed.
    pub fn from_env(environment: &BTreeMap<String, String>, pid: u32) -> Result<Self, AdoptError> {
        let is_ours = |variable: &str, own: Option<u64>| match (environment.get(variable), own) {
            (Some(text), Some(own)) => text.parse() == Ok(own),
            _ => true,
        };
        let announced = environment.contains_key("LISTEN_PID") && environment.contains_key("LISTEN_FDS");
        let pidfd_id = environment.get("LISTEN_PIDFDID").and_then(|_| pidfd_id());
        if !announced || !is_ours("LISTEN_PID", Some(pid.into())) || !is_ours("LISTEN_PIDFDID", pidfd_id) {
            return Ok(Self::default());
        }
        let text = &environment["LISTEN_FDS"];
        let count = text.parse::<u32>().ok().filter(|count| (1..=PASSED_LIMIT).contains(count));
        let count =
            count.ok_or_else(|| AdoptError::Number { variable: "LISTEN_FDS", value: text.clone() })?;
        let descriptors = usize::try_from(count).unwrap_or(usize::MAX);
        let names: Vec<String> = match environment.get("LISTEN_FDNAMES") {
            Some(names) => names.split(':').map(str::to_owned).collect(),
            None => vec!["unknown".to_owned(); descriptors],
        };
        if names.len() != descriptors {
            return Err(AdoptError::Names { names: names.len(), descriptors });
        }
        let mut activation = Self::default();
        for (number, name) in (FIRST..).zip(names) {
            activation.by_name.entry(name).or_default().push((number, take(number)?));
        }
        Ok(activation)
    }

    /// Names that have not been adopted yet, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The listeners behind a `systemd:` or `fd:` address. Several under one name come in the order they were passed:
    /// one per slot.
    ///
    /// # Errors
    /// There is none, or one of them is no socket for workers; those of that name are closed then.
    pub fn adopt(&mut self, address: &Address) -> Result<Vec<Listener>, AdoptError> {
        let (name, found) = match address {
            Address::Systemd(name) => {
                let found = self.by_name.remove(name).ok_or_else(|| AdoptError::NoSuchName {
                    name: name.clone(),
                    known: self.names().map(str::to_owned).collect(),
                })?;
                (name.clone(), found)
            }
            Address::Fd(number) => (address.to_string(), vec![(*number, self.by_number(*number)?)]),
            other => return Err(AdoptError::NotAdopted(other.to_string())),
        };
        found
            .into_iter()
            .map(|(fd, owned)| {
                Listener::inspect(owned).map_err(|source| AdoptError::Inspect {
                    fd,
                    name: name.clone(),
                    source,
                })
            })
            .collect()
    }

    /// A descriptor that systemd passed may be asked for by its number too.
    fn by_number(&mut self, number: RawFd) -> Result<OwnedFd, AdoptError> {
        for list in self.by_name.values_mut() {
            if let Some(at) = list.iter().position(|(fd, _)| *fd == number) {
                let (_, owned) = list.remove(at);
                self.by_name.retain(|_, list| !list.is_empty());
                return Ok(owned);
            }
        }
        take(number)
    }
}

/// Becomes the owner of an inherited descriptor.
pub(super) fn take(number: RawFd) -> Result<OwnedFd, AdoptError> {
    if number < 0 {
        return Err(AdoptError::NotOpen(number));
    }
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if taken.contains(&number) {
        return Err(AdoptError::Taken(number));
    }
    // SAFETY: only asked for its flags; if nobody has the number open, the kernel says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = fcntl_getfd(borrowed).ok().ok_or(AdoptError::NotOpen(number))?;
    if flags.contains(FdFlags::CLOEXEC) {
        // Inherited descriptors are not close-on-exec: this one was opened here and has an owner.
        return Err(AdoptError::Taken(number));
    }
    fcntl_setfd(borrowed, FdFlags::CLOEXEC).ok().ok_or(AdoptError::NotOpen(number))?;
    taken.insert(number);
    // SAFETY: it is open, was inherited (not close-on-exec) and is taken this once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
