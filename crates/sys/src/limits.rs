//! Resource limits by name, and the arbiter's own descriptor limit.

use remuda_model::ResourceLimit;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::CallError;

const RESOURCES: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// The kernel's number for a resource of that name.
pub(crate) fn resource(name: &str) -> Option<Resource> {
    let upper = name.to_ascii_lowercase();
    let bare = upper.strip_prefix("rlimit_").unwrap_or(&upper);
    RESOURCES.iter().find(|(known, _)| *known == bare).map(|(_, resource)| *resource)
}

/// Sets `limit` on this process.
pub(crate) fn apply(limit: &ResourceLimit) -> Result<(), CallError> {
    let number = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string());
    let attempt =
        || format!("set the limit {} to {} (hard {})", limit.name, number(limit.soft), number(limit.hard));
    let Some(resource) = resource(&limit.name) else {
        return Err(CallError::new(attempt(), rustix::io::Errno::INVAL));
    };
    setrlimit(resource, Rlimit { current: limit.soft, maximum: limit.hard })
        .map_err(|errno| CallError::new(attempt(), errno))
}

/// Whether setrlimit knows a resource of that name.
#[must_use]
pub fn is_resource(name: &str) -> bool {
    resource(name).is_some()
}

/// This process's limit of open descriptors: what workers get, unless their plan says otherwise, when it is asked
/// before [`raise_nofile`].
#[must_use]
pub fn nofile() -> ResourceLimit {
    let now = getrlimit(Resource::Nofile);
    ResourceLimit { name: "nofile".into(), soft: now.current, hard: now.maximum }
}

/// Raises this process's soft limit of open descriptors to the hard one; returns both as they are then
/// (`u64::MAX` for unlimited). Workers get the limits of their own plan.
#[must_use]
pub fn raise_nofile() -> (u64, u64) {
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    let soft = if setrlimit(Resource::Nofile, raised).is_ok() { now.maximum } else { now.current };
    (soft.unwrap_or(u64::MAX), now.maximum.unwrap_or(u64::MAX))
}
