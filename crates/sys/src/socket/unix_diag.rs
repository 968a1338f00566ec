//! What only sock_diag(7) tells of a Unix socket.

use std::os::fd::AsFd;

use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use crate::CallError;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const HEADER_BYTES: usize = 16;
const REQUEST_BYTES: usize = HEADER_BYTES + 24;
const REPLY_BYTES: usize = HEADER_BYTES + 16;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    /// `UNIX_DIAG_PEER`: inode of the other end.
    Peer,
    /// `UNIX_DIAG_RQLEN`: of a listener, connections that wait and how many may.
    QueueLength,
}

impl Attribute {
    fn kind(self) -> u16 {
        match self {
            Self::Peer => 2,
            Self::QueueLength => 4,
        }
    }

    /// The flag of a request that asks for it (`UDIAG_SHOW_…`).
    fn show(self) -> u32 {
        match self {
            Self::Peer => 0x4,
            Self::QueueLength => 0x10,
        }
    }
}

/// Inode of the socket at the other end of a Unix connection; `None` while nobody has accepted it.
///
/// # Errors
/// The kernel does not tell.
pub(crate) fn peer_inode(fd: impl AsFd) -> Result<Option<u64>, CallError> {
    let words = ask(fd, Attribute::Peer)?;
    Ok(words.map(|[inode]| u64::from(inode)).filter(|inode| *inode != 0))
}

/// The first `WORDS` numbers of an attribute of one socket, if it has it: one request, one answer.
pub(super) fn ask<const WORDS: usize>(
    fd: impl AsFd,
    attribute: Attribute,
) -> Result<Option<[u32; WORDS]>, CallError> {
    let failed = |errno| CallError::new("ask the kernel about a Unix socket", errno);
    let inode = rustix::fs::fstat(fd).map_err(failed)?.st_ino;
    let inode = u32::try_from(inode).ok().ok_or_else(|| failed(rustix::io::Errno::OVERFLOW))?;
    let netlink = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))
        .map_err(failed)?;
    send(&netlink, &request(inode, attribute), SendFlags::empty()).map_err(failed)?;
    let mut answer = [0_u8; 512];
    let (length, _) = recv(&netlink, &mut answer, RecvFlags::empty()).map_err(failed)?;
    Ok(read(&answer[..length], attribute))
}

fn request(inode: u32, attribute: Attribute) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(REQUEST_BYTES);
    let length = u32::try_from(REQUEST_BYTES).expect("a small message");
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    bytes.extend([0; 8]);
    let family = u8::try_from(libc::AF_UNIX).expect("a small number");
    bytes.extend([family, 0, 0, 0]);
    let (all_states, no_cookie) = (u32::MAX, u32::MAX);
    for word in [all_states, inode, attribute.show(), no_cookie, no_cookie] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes
}

fn read<const WORDS: usize>(answer: &[u8], attribute: Attribute) -> Option<[u32; WORDS]> {
    let short = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    if short(4)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut at = REPLY_BYTES;
    loop {
        let (length, kind) = (usize::from(short(at)?), short(at + 2)?);
        if kind == attribute.kind() {
            let mut words = [0; WORDS];
            for (index, place) in words.iter_mut().enumerate() {
                *place = word(at + 4 + 4 * index)?;
            }
            return Some(words);
        }
        // Attributes are aligned to four bytes; one shorter than its own header would hold us here.
        at += length.max(4).next_multiple_of(4);
    }
}
