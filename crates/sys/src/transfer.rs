//! Bytes of files on their way to sockets, and finding those files.
//!
//! What a client asks for by name is opened by the kernel's own rule that nothing above a folder can be reached
//! (openat2(2)), not by looking at the name. Whether a read would wait for a disk is asked before it is made, so that
//! one cold file does not hold up everybody else on the same thread.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, ReadWriteFlags};
use rustix::net::{RecvFlags, SendFlags};

/// Which symbolic links are followed on the way to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Links {
    /// None: a link anywhere in the path is `ELOOP`.
    None,
    /// Those that stay in the folder; one that leads out is `EXDEV`.
    #[default]
    Beneath,
    /// All. The path itself still must not begin above the folder.
    All,
}

/// Opens the folder `path` to find files in.
///
/// # Errors
/// There is none, or it may not be entered.
pub fn open_folder(path: &std::path::Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Opens what lies at `path` in `folder` for reading: a file, or a folder. Nothing is waited for, not even where it is
/// a pipe. An absolute path, or one that leads out of the folder, is `EXDEV`.
///
/// # Errors
/// Those of openat2(2).
pub fn open_beneath(folder: impl AsFd, path: &[u8], links: Links) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    resolve(folder, path, links, flags).map(File::from)
}

/// What lies at `path` in `folder`, by the rule of [`open_beneath`]: where that fails with `EXDEV` or `ELOOP` this does,
/// so that nothing is told of what cannot be had. Nothing is opened for reading, and no right to read is needed.
///
/// # Errors
/// Those of openat2(2).
pub fn look_beneath(folder: impl AsFd, path: &[u8], links: Links) -> io::Result<Metadata> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    File::from(resolve(folder, path, links, flags)?).metadata()
}

fn resolve(folder: impl AsFd, path: &[u8], links: Links, flags: OFlags) -> io::Result<OwnedFd> {
    let resolve = match links {
        Links::None => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS,
        Links::Beneath => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
        Links::All => ResolveFlags::NO_MAGICLINKS,
    };
    if links == Links::All
        && (path.first() == Some(&b'/') || path.split(|byte| *byte == b'/').any(|name| name == b".."))
    {
        return Err(Errno::XDEV.into());
    }
    // The kernel gives up with EAGAIN when a rename elsewhere could have changed the way; it is asked again.
    for _ in 0..OPEN_TRIES {
        match rustix::fs::openat2(&folder, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(fd) => return Ok(fd),
        }
    }
    Err(Errno::AGAIN.into())
}

/// A rename in the moment of an open is rare; this many in a row are somebody's intent.
const OPEN_TRIES: usize = 16;

/// Sends up to `count` bytes of `file` from `offset` on, which moves with them. 0: the file has ended.
///
/// # Errors
/// `EAGAIN` when the socket is full; others of sendfile(2).
pub fn send_file(socket: impl AsFd, file: impl AsFd, offset: &mut u64, count: usize) -> io::Result<usize> {
    Ok(rustix::fs::sendfile(socket, file, Some(offset), count)?)
}

/// Sends bytes that more will follow at once, so that they share a packet (`MSG_MORE`).
///
/// # Errors
/// `EAGAIN` when the socket is full; others of send(2).
pub fn send_with_more(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?)
}

/// Receives what is there into the room `buffer` has, which must be some; 0: the peer has ended its side.
///
/// # Errors
/// `EAGAIN` when nothing is there; others of recv(2).
pub fn receive(socket: impl AsFd, buffer: &mut Vec<u8>) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, rustix::buffer::spare_capacity(buffer), RecvFlags::DONTWAIT)?.0)
}

/// Whether the byte of `file` at `offset` is in memory. `true` also where the file system cannot tell, and at the end.
#[must_use]
pub fn is_in_memory(file: impl AsFd, offset: u64) -> bool {
    let mut byte = [0];
    let mut slices = [io::IoSliceMut::new(&mut byte)];
    rustix::io::preadv2(file, &mut slices, offset, ReadWriteFlags::NOWAIT) != Err(Errno::AGAIN)
}

/// Whether an error of [`open_beneath`] says that there is no such file, or none within reach.
#[must_use]
pub fn is_no_such_file(error: &io::Error) -> bool {
    let out_of_reach = [
        libc::ENOENT,
        libc::ENOTDIR,
        libc::ENAMETOOLONG,
        libc::ELOOP,
        libc::EXDEV,
        libc::EINVAL,
        // A socket, or a pipe nobody reads.
        libc::ENXIO,
    ];
    error.raw_os_error().is_some_and(|errno| out_of_reach.contains(&errno))
        || error.kind() == io::ErrorKind::NotFound
}

/// Whether an error says that this process, or the machine, has no descriptor left.
#[must_use]
pub fn is_want_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
