//! The machine we run on.

/// Its host name, as `uname` tells it.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
