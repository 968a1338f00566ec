//! Links: messages with descriptors between processes of one machine.
//!
//! A link is a connected `SOCK_SEQPACKET` socket: a message arrives whole, in order, with its descriptors, or not at all,
//! and the end of the other side is told after its last message. No link ever blocks longer than its caller allows,
//! and none survives an `execve` unless it is passed on.

mod listener;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recvmsg, sendmsg,
    socket_with, socketpair, sockopt,
};

use crate::CallError;

pub use listener::LinkListener;

/// Longest message, in bytes.
pub const MESSAGE_LIMIT_BYTES: usize = 64 * 1024;
/// Most descriptors of one message; the kernel's own limit, `SCM_MAX_FD`, is 253.
pub const PASSED_LIMIT: usize = 250;

/// The kernel's limit: there is room for every message that somebody else can send.
const KERNEL_PASSED_LIMIT: usize = 253;
const SEND: &str = "send a message over a link";
const RECEIVE: &str = "receive a message over a link";

/// Wanted room for messages under way, in bytes; the kernel gives at most `net.core.wmem_max`.
const SEND_BUFFER_BYTES: usize = 1024 * 1024;

/// Who is at the other end, by the kernel's word: as it was when the connection was made. For somebody who connected
/// this is who called `listen`, even if another process accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkPeer {
    /// Process; 0 if it is in a pid namespace we do not see.
    pub pid: u32,
    /// User.
    pub uid: u32,
}

/// What came of waiting for a message.
#[derive(Debug)]
pub enum Arrival {
    /// A message.
    Message {
        /// Its content: 1 byte to 64 KiB.
        bytes: Vec<u8>,
        /// Its descriptors, close-on-exec.
        descriptors: Vec<OwnedFd>,
    },
    /// The other side is gone and everything it sent has been received.
    Closed,
}

/// What came of sending without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Sent {
    /// It is on its way, descriptors and all.
    Passed,
    /// Nothing was sent: the other side has to receive first. Either there is no room, or as many descriptors of this
    /// user are under way as its limit of open files allows (`ETOOMANYREFS`).
    WouldBlock,
}

/// Why a message was not sent or received. The link can go on being used unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The other side is gone; nothing can be sent any more.
    #[error("send a message over a link: the other side is gone")]
    Gone,
    /// Nothing came, or there was no room, in time.
    #[error("wait for the other side of a link: nothing happened within {0:?}")]
    Late(Duration),
    /// To be sent: nothing was. Received: it is gone, its descriptors are closed, the next one can be received.
    #[error(
        "a message is empty, longer than 64 KiB, or has more descriptors than it or this process may have"
    )]
    Size,
    /// The kernel refused something else.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl LinkError {
    fn of(attempt: &str, errno: Errno) -> Self {
        match errno {
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => Self::Gone,
            Errno::MSGSIZE => Self::Size,
            errno => CallError::new(attempt, errno).into(),
        }
    }
}

/// One end of a link. Non-blocking, close-on-exec.
#[derive(Debug)]
pub struct Link {
    fd: OwnedFd,
}

impl Link {
    /// Two ends that are connected to each other.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn pair() -> Result<(Self, Self), CallError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(|errno| CallError::new("create a pair of links", errno))?;
        Ok((Self::roomy(one), Self::roomy(other)))
    }

    /// Connects to who listens under the abstract name `name` in our network namespace, if somebody does; waits at most
    /// `limit` for room in its queue.
    ///
    /// # Errors
    /// `EAGAIN`: its queue stayed full. `ENAMETOOLONG`: the name is longer than 107 bytes.
    pub fn connect(name: &str, limit: Duration) -> Result<Option<Self>, CallError> {
        let connected = || {
            let fd = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
            // Zero would mean to wait for ever.
            let limit = limit.max(Duration::from_millis(1));
            sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(limit))?;
            connect(&fd, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
            fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
            Ok(fd)
        };
        match connected() {
            Ok(fd) => Ok(Some(Self::roomy(fd))),
            Err(Errno::CONNREFUSED) => Ok(None),
            Err(errno) => Err(CallError::new(format!("connect to @{name}"), errno)),
        }
    }

    /// A link that came with its descriptor from another process or through `execve`.
    ///
    /// # Errors
    /// It is no seqpacket socket (`EPROTOTYPE`), or its flags cannot be set.
    pub fn from_owned(fd: OwnedFd) -> Result<Self, CallError> {
        let set_up = || {
            if sockopt::socket_type(&fd)? != SocketType::SEQPACKET {
                return Err(Errno::PROTOTYPE);
            }
            fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)
        };
        set_up().map_err(|errno| CallError::new("take over a link", errno))?;
        Ok(Self { fd })
    }

    /// The link that this process was started with as descriptor `number`.
    ///
    /// # Errors
    /// Nothing was passed under that number, it was taken before, or it is no link.
    pub fn inherited(number: RawFd) -> Result<Self, CallError> {
        super::activation::take(number)
            .map_err(|error| CallError { attempt: format!("take over a link: {error}"), errno: 0 })
            .and_then(Self::from_owned)
    }

    fn roomy(fd: OwnedFd) -> Self {
        // With less room there are more waits, and that is all.
        let _ = sockopt::set_socket_send_buffer_size(&fd, SEND_BUFFER_BYTES);
        Self { fd }
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// The kernel does not tell: it is no connected Unix socket.
    pub fn peer(&self) -> Result<LinkPeer, CallError> {
        let unconnected = || CallError::new("ask who is at the other end of a link", Errno::NOTCONN);
        let (pid, uid) = super::peer::credentials(&self.fd)?.ok_or_else(unconnected)?;
        Ok(LinkPeer { pid, uid })
    }

    /// Sends one message with duplicates of `descriptors`, or nothing; waits at most `limit` for room.
    ///
    /// # Errors
    /// Nothing was sent. `ETOOMANYREFS`: too many descriptors of this user are under way.
    pub fn send(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
        limit: Duration,
    ) -> Result<(), LinkError> {
        let start = Instant::now();
        loop {
            match self.pass(bytes, descriptors) {
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, start, limit)?,
                Err(Errno::INTR) => {}
                result => return result.map_err(|errno| LinkError::of(SEND, errno)),
            }
        }
    }

    /// [`send`](Self::send) that never waits.
    ///
    /// # Errors
    /// As for `send`, but for [`LinkError::Late`] and `ETOOMANYREFS`, which are [`Sent::WouldBlock`].
    pub fn send_now(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<Sent, LinkError> {
        loop {
            match self.pass(bytes, descriptors) {
                Ok(()) => return Ok(Sent::Passed),
                Err(Errno::AGAIN | Errno::TOOMANYREFS) => return Ok(Sent::WouldBlock),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(LinkError::of(SEND, errno)),
            }
        }
    }

    fn pass(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        // An empty message could not be told from the end.
        let fits = !bytes.is_empty() && bytes.len() <= MESSAGE_LIMIT_BYTES;
        if !fits || descriptors.len() > PASSED_LIMIT {
            return Err(Errno::MSGSIZE);
        }
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(PASSED_LIMIT))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Errno::MSGSIZE);
        }
        sendmsg(&self.fd, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL).map(|_| ())
    }

    /// The next message; waits at most `limit` for it.
    ///
    /// # Errors
    /// [`LinkError::Late`]: none came in time. [`LinkError::Size`]: one was longer than 64 KiB, or this process has no
    /// number left for all its descriptors.
    pub fn receive(&self, limit: Duration) -> Result<Arrival, LinkError> {
        let start = Instant::now();
        loop {
            if let Some(arrival) = self.receive_now()? {
                return Ok(arrival);
            }
            self.wait(PollFlags::IN, start, limit)?;
        }
    }

    /// The next message if there is one; never waits.
    ///
    /// # Errors
    /// [`LinkError::Size`], as for [`receive`](Self::receive).
    pub fn receive_now(&self) -> Result<Option<Arrival>, LinkError> {
        let mut bytes = vec![0_u8; MESSAGE_LIMIT_BYTES];
        let mut reset = false;
        loop {
            let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(KERNEL_PASSED_LIMIT))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
            let received = match recvmsg(&self.fd, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags) {
                Ok(received) => received,
                Err(Errno::INTR) => continue,
                // The other side ended with messages of ours unread. The kernel says so once and before anything
                // else, but what it sent until then is still here.
                Err(Errno::CONNRESET) if !reset => {
                    reset = true;
                    continue;
                }
                Err(Errno::CONNRESET) => return Ok(Some(Arrival::Closed)),
                Err(Errno::AGAIN) => return Ok(None),
                Err(errno) => return Err(LinkError::of(RECEIVE, errno)),
            };
            let descriptors: Vec<OwnedFd> = control
                .drain()
                .filter_map(|message| match message {
                    RecvAncillaryMessage::ScmRights(rights) => Some(rights),
                    _ => None,
                })
                .flatten()
                .collect();
            if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
                return Err(LinkError::Size);
            }
            if received.bytes == 0 {
                return Ok(Some(Arrival::Closed));
            }
            bytes.truncate(received.bytes);
            return Ok(Some(Arrival::Message { bytes, descriptors }));
        }
    }

    /// Returns when the link may be ready; late when that takes longer than `limit` from `start`.
    fn wait(&self, flags: PollFlags, start: Instant, limit: Duration) -> Result<(), LinkError> {
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(LinkError::Late(limit));
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(&self.fd, flags)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(CallError::new("wait for the other side of a link", errno).into()),
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Link {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl From<Link> for OwnedFd {
    fn from(link: Link) -> Self {
        link.fd
    }
}
