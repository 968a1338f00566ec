//! The end that speaks: we, to the service manager above us.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sendmsg_addr, socket_with,
};

use crate::CallError;

/// `SCM_MAX_FD`.
const DESCRIPTORS_LIMIT: usize = 253;

/// Sends `state` (lines of `KEY=VALUE`) to `socket`, the value of `$NOTIFY_SOCKET`: a path, or a name after `@`.
///
/// # Errors
/// Nobody listens there, the address is of another kind, or the listener's queue is full (`EAGAIN`: we never wait).
pub fn notify(socket: &str, state: &str) -> Result<(), CallError> {
    notify_with(socket, state, &[])
}

/// [`notify`] with descriptors, as `FDSTORE=1` wants them; at most 253.
///
/// # Errors
/// As for [`notify`]; too many descriptors are `EINVAL`.
pub fn notify_with(socket: &str, state: &str, descriptors: &[BorrowedFd<'_>]) -> Result<(), CallError> {
    send(socket, state, descriptors).map_err(|errno| CallError::new(format!("notify {socket}"), errno))
}

fn send(socket: &str, state: &str, descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
        None if socket.starts_with('/') => SocketAddrUnix::new(socket)?,
        None => return Err(Errno::AFNOSUPPORT),
    };
    if descriptors.len() > DESCRIPTORS_LIMIT {
        return Err(Errno::INVAL);
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS_LIMIT))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    sendmsg_addr(&fd, &address, &[IoSlice::new(state.as_bytes())], &mut control, SendFlags::NOSIGNAL)
        .map(|_| ())
}
