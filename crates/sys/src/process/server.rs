//! Who serves a connection that a probe of ours has made.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use rustix::net::{getpeername, getsockname};

use super::sockets::{held, tcp};
use crate::CallError;
use crate::socket::peer_inode;

/// Who serves a connection of this machine with itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Nobody yet: it waits to be accepted, or is over.
    Nobody,
    /// A process of the tree that was asked for.
    Tree,
    /// Another process.
    Another,
}

/// Whether `connection`, our end, has been accepted at the other end, and by the tree of `pid`.
///
/// # Errors
/// It is no connection, or the kernel does not tell (for Unix sockets when it has no `unix_diag`).
pub fn server_of(pid: u32, connection: impl AsFd) -> Result<Server, CallError> {
    let fd = connection.as_fd();
    let failed = |errno| CallError::new("ask a connection for its ends", errno);
    let ours = getsockname(fd).map_err(failed)?;
    let inode = match SocketAddr::try_from(ours) {
        Ok(ours) => {
            let theirs = getpeername(fd).map_err(failed)?;
            let theirs = theirs.and_then(|theirs| SocketAddr::try_from(theirs).ok());
            theirs.and_then(|theirs| tcp_inode(pid, theirs, ours))
        }
        Err(_) => peer_inode(fd)?,
    };
    Ok(match inode {
        None => Server::Nobody,
        Some(inode) if held(pid).contains(&inode) => Server::Tree,
        Some(_) => Server::Another,
    })
}

/// One that waits to be accepted is no process's socket yet, and has no inode.
fn tcp_inode(pid: u32, local: SocketAddr, remote: SocketAddr) -> Option<u64> {
    let (local, remote) = (canonical(local), canonical(remote));
    let sockets = tcp(pid);
    let other_end =
        sockets.iter().find(|socket| socket.local == Some(local) && socket.remote == Some(remote));
    other_end.map(|socket| socket.inode).filter(|inode| *inode != 0)
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests;
