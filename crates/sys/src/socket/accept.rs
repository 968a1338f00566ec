//! What went wrong when a connection was to be taken from a listener.
//!
//! Linux hands on what happened to a connection while it was queued as an error of `accept`, and takes it off the queue:
//! the next one may be well. Everything else stays as it is until something is done about it, above all a want of
//! descriptors.

use std::io;

/// Whether an error of `accept` says something about one connection, which is gone with it. The list is that of accept(2),
/// `EPERM` of a firewall included.
#[must_use]
pub fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ENETDOWN
                | libc::ENETUNREACH
                | libc::ENONET
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::EPERM
                | libc::EPROTO
        )
    )
}

#[cfg(test)]
mod tests;
