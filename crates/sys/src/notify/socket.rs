//! The end that listens.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SocketAddrUnix,
    SocketFlags, SocketType, recvmsg, socket_with, sockopt,
};

use crate::CallError;

/// Longest datagram, in bytes.
const TEXT_LIMIT_BYTES: usize = 4096;
/// `SCM_MAX_FD`: the kernel lets no message carry more descriptors.
const DESCRIPTORS_LIMIT: usize = 253;

/// Who sent a datagram, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Process; 0 if it is in a pid namespace we do not see.
    pub pid: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A datagram.
#[derive(Debug)]
pub struct Datagram {
    /// Who sent it.
    pub sender: Sender,
    /// Its text, for [`parse`](super::parse); at most 4096 bytes.
    pub text: Vec<u8>,
    /// Its descriptors, at most 253, close-on-exec.
    pub descriptors: Vec<OwnedFd>,
}

/// A socket that workers notify.
#[derive(Debug)]
pub struct NotifySocket {
    fd: OwnedFd,
}

impl NotifySocket {
    /// Binds a datagram socket at `path`, where nothing may be; everybody who can enter the folder may send.
    ///
    /// # Errors
    /// Something is at `path`, its folder is missing, or the path is longer than 107 bytes.
    pub fn bind(path: &Path) -> Result<Self, CallError> {
        let attempt = || format!("bind the notify socket {}", path.display());
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let bound = || {
            let fd = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
            sockopt::set_socket_passcred(&fd, true)?;
            rustix::net::bind(&fd, &SocketAddrUnix::new(path)?)?;
            // Workers may run as any user.
            rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(0o666))?;
            Ok(fd)
        };
        let fd = bound().map_err(|errno: Errno| CallError::new(attempt(), errno))?;
        Ok(Self { fd })
    }

    /// The next datagram; `None` when none waits.
    ///
    /// # Errors
    /// One was longer than 4096 bytes or came without credentials: it is gone, its descriptors are closed, and the
    /// next call reads the next.
    pub fn receive(&self) -> Result<Option<Datagram>, CallError> {
        let attempt = "receive a notification";
        let mut text = vec![0_u8; TEXT_LIMIT_BYTES];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS_LIMIT), ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        let received = match recvmsg(&self.fd, &mut [IoSliceMut::new(&mut text)], &mut control, flags) {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(errno) => return Err(CallError::new(attempt, errno)),
        };
        let mut sender = None;
        let mut descriptors = Vec::new();
        for message in control.drain() {
            match message {
                RecvAncillaryMessage::ScmRights(rights) => descriptors.extend(rights),
                RecvAncillaryMessage::ScmCredentials(credentials) => {
                    sender = Some(Sender {
                        pid: u32::try_from(credentials.pid.as_raw_pid()).unwrap_or(0),
                        uid: credentials.uid.as_raw(),
                        gid: credentials.gid.as_raw(),
                    });
                }
                _ => {}
            }
        }
        if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
            return Err(CallError::new(attempt, Errno::MSGSIZE));
        }
        let sender =
            sender.ok_or_else(|| CallError { attempt: "learn who sent a notification".into(), errno: 0 })?;
        text.truncate(received.bytes);
        Ok(Some(Datagram { sender, text, descriptors }))
    }
}

impl From<OwnedFd> for NotifySocket {
    /// A notify socket that came through `execve` with its descriptor.
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl AsFd for NotifySocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
