//! Changing a listener under its workers.

use std::os::fd::AsFd;

use remuda_model::{SocketKind, SocketOptions};

use super::bind::{listen, set_nonblocking};
use super::listener::Listener;
use super::options::{self, Moment, OptionError, Setting, Value, settings};
use super::unix;
use crate::CallError;
use crate::users::LookupError;

/// Why options could not be changed in place. Changes before the failing one are made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// These only count when a socket is bound; nothing was changed.
    #[error("{} of {address} cannot change while it is bound", options.join(", "))]
    NeedsRebind {
        /// The listener.
        address: String,
        /// The options' names.
        options: Vec<&'static str>,
    },
    /// An option was refused.
    #[error("change {address}: {source}")]
    Option {
        /// The listener.
        address: String,
        /// Which, and why.
        source: OptionError,
    },
    /// The new owner of the file is unknown.
    #[error("change {address}: {source}")]
    Owner {
        /// The listener.
        address: String,
        /// Which name.
        source: LookupError,
    },
    /// Another step failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// A setting to change, or one that cannot.
fn differences(
    listener: &Listener,
    old: &SocketOptions,
    new: &SocketOptions,
) -> (Vec<Setting>, Vec<&'static str>) {
    let before = settings(listener.family, listener.kind, old, false);
    let after = settings(listener.family, listener.kind, new, false);
    let mut changes = Vec::new();
    let mut stuck = Vec::new();
    for setting in &after {
        if before.contains(setting) {
            continue;
        }
        match setting.moment {
            Moment::Any => changes.push(setting.clone()),
            Moment::Bind => stuck.push(setting.name),
        }
    }
    // A number that is no longer given means the kernel's default, which cannot be asked for.
    let gone = before.iter().filter(|setting| !matches!(setting.value, Value::Flag(_)));
    stuck.extend(
        gone.map(|setting| setting.name).filter(|name| after.iter().all(|setting| setting.name != *name)),
    );
    (changes, stuck)
}

/// Names of the options that differ and only count when a socket is bound; empty: [`apply_in_place`] can do it.
#[must_use]
pub fn needs_rebind(listener: &Listener, old: &SocketOptions, new: &SocketOptions) -> Vec<&'static str> {
    differences(listener, old, new).1
}

/// Brings a live listener from `old` to `new` options. Connections that are open keep theirs.
///
/// # Errors
/// [`ChangeError::NeedsRebind`] before anything is changed; otherwise the first refusal.
pub fn apply_in_place(
    listener: &Listener,
    old: &SocketOptions,
    new: &SocketOptions,
) -> Result<(), ChangeError> {
    let address = || listener.address.clone();
    let (changes, stuck) = differences(listener, old, new);
    if !stuck.is_empty() {
        return Err(ChangeError::NeedsRebind { address: address(), options: stuck });
    }
    for setting in &changes {
        options::set(listener.fd.as_fd(), setting)
            .map_err(|source| ChangeError::Option { address: address(), source })?;
    }
    if old.backlog != new.backlog && listener.kind != SocketKind::Datagram {
        listen(listener.fd.as_fd(), new.backlog).map_err(|errno| {
            CallError::new(format!("set the backlog of {} to {}", address(), new.backlog), errno)
        })?;
    }
    if old.nonblocking != new.nonblocking {
        set_nonblocking(listener.fd.as_fd(), new.nonblocking)
            .map_err(|errno| CallError::new(format!("set the blocking mode of {}", address()), errno))?;
    }
    if let Some(file) = &listener.file
        && (old.file_mode != new.file_mode || old.owner != new.owner)
    {
        let owner = unix::owner(new).map_err(|source| ChangeError::Owner { address: address(), source })?;
        unix::dress(&file.path, owner, new.file_mode)?;
    }
    Ok(())
}
