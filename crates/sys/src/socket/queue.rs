//! How many connections wait to be accepted.

use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

use remuda_model::SocketKind;
use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use super::listener::{Family, Listener};
use crate::CallError;
use crate::failure::checked;

/// An accept queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait.
    pub depth: u32,
    /// Most that may: the smaller of the backlog and `net.core.somaxconn`.
    pub limit: u32,
}

/// The accept queue of a stream listener; `None` for sockets that have none.
///
/// # Errors
/// The kernel does not tell; for Unix sockets when it has no `unix_diag`.
pub fn queue(listener: &Listener) -> Result<Option<Queue>, CallError> {
    match (listener.kind, listener.family) {
        _ if !listener.listening => Ok(None),
        (SocketKind::Stream, Family::Inet | Family::Inet6) => internet(listener).map(Some),
        (_, Family::Unix) => unix(listener),
        _ => Ok(None),
    }
}

/// Whether something waits in the queue of a listener, of datagrams too. Handshakes that are not complete are not seen.
///
/// # Errors
/// The kernel does not tell.
pub fn waits(listener: &Listener) -> Result<bool, CallError> {
    if listener.kind == SocketKind::Datagram {
        let bytes = rustix::io::ioctl_fionread(&listener.fd);
        let attempt = || format!("ask for the datagrams of {}", listener.address);
        return bytes.map(|bytes| bytes > 0).map_err(|errno| CallError::new(attempt(), errno));
    }
    Ok(queue(listener)?.is_some_and(|queue| queue.depth > 0))
}

/// For a listener tcp_info has the queue in two fields that mean other things for a connection.
fn internet(listener: &Listener) -> Result<Queue, CallError> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut size = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).expect("a small structure");
    let (level, option) = (libc::IPPROTO_TCP, libc::TCP_INFO);
    let fd = listener.fd.as_raw_fd();
    // SAFETY: the pointer leads to `size` bytes of room.
    checked(unsafe { libc::getsockopt(fd, level, option, info.as_mut_ptr().cast(), &raw mut size) })
        .map_err(|error| CallError::new(format!("ask for the queue of {}", listener.address), error))?;
    // SAFETY: zeroed is a valid tcp_info, and so is whatever part of it the kernel wrote.
    let info = unsafe { info.assume_init() };
    Ok(Queue { depth: info.tcpi_unacked, limit: info.tcpi_sacked })
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UNIX_DIAG_RQLEN: u16 = 4;
const HEADER_BYTES: usize = 16;
const REQUEST_BYTES: usize = HEADER_BYTES + 24;
const REPLY_BYTES: usize = HEADER_BYTES + 16;

/// sock_diag(7): one request for one socket, one answer.
fn unix(listener: &Listener) -> Result<Option<Queue>, CallError> {
    let failed = |errno| CallError::new(format!("ask for the queue of {}", listener.address), errno);
    let inode = rustix::fs::fstat(&listener.fd).map_err(failed)?.st_ino;
    let inode = u32::try_from(inode).ok().ok_or_else(|| failed(rustix::io::Errno::OVERFLOW))?;
    let netlink = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))
        .map_err(failed)?;
    send(&netlink, &request(inode), SendFlags::empty()).map_err(failed)?;
    let mut answer = [0_u8; 512];
    let (length, _) = recv(&netlink, &mut answer, RecvFlags::empty()).map_err(failed)?;
    Ok(read_lengths(&answer[..length]))
}

fn request(inode: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(REQUEST_BYTES);
    let length = u32::try_from(REQUEST_BYTES).expect("a small message");
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    bytes.extend([0; 8]);
    let family = u8::try_from(libc::AF_UNIX).expect("a small number");
    bytes.extend([family, 0, 0, 0]);
    let (all_states, no_cookie) = (u32::MAX, u32::MAX);
    for word in [all_states, inode, UDIAG_SHOW_RQLEN, no_cookie, no_cookie] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes
}

fn read_lengths(answer: &[u8]) -> Option<Queue> {
    let short = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    if short(4)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut at = REPLY_BYTES;
    loop {
        let (length, kind) = (usize::from(short(at)?), short(at + 2)?);
        if kind == UNIX_DIAG_RQLEN {
            return Some(Queue { depth: word(at + 4)?, limit: word(at + 8)? });
        }
        // Attributes are aligned to four bytes; one shorter than its own header would hold us here.
        at += length.max(4).next_multiple_of(4);
    }
}
