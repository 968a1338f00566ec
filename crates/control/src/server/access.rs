//! Who may ask: root, the arbiter's own user, and those on a list.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use tokio::net::UnixStream;

/// The users who may control the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    users: BTreeSet<u32>,
}

impl Access {
    /// Root, the effective user of this process, and `others` (numbers of users).
    #[must_use]
    pub fn new(others: impl IntoIterator<Item = u32>) -> Self {
        let own = remuda_sys::users::effective_user();
        Self { users: [0, own].into_iter().chain(others).collect() }
    }

    /// Nobody but `users`, not even root.
    #[must_use]
    pub fn only(users: impl IntoIterator<Item = u32>) -> Self {
        Self { users: users.into_iter().collect() }
    }

    pub(crate) fn allows(&self, peer: Peer) -> bool {
        self.users.contains(&peer.uid)
    }
}

/// The process at the other end of a connection, as the kernel knew it when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    uid: u32,
    pid: Option<i32>,
}

impl Peer {
    pub(crate) fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        Ok(Self { uid: credentials.uid(), pid: credentials.pid() })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {}", self.uid)?;
        // A process of another pid name space has none here.
        self.pid.filter(|pid| *pid != 0).map_or(Ok(()), |pid| write!(f, " pid {pid}"))
    }
}
