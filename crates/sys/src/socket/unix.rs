//! Unix sockets in the file system.
//!
//! The socket is bound under its final name, so that `ss` and the workers see that name, but with a mode of zero: nobody
//! can connect before owner and mode are as asked. A dead socket's file in the way is moved aside, recognised, and
//! only then removed; nothing else ever is.

use std::fs::{self, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use remuda_model::{SocketKind, SocketOptions, SocketSpec};
use rustix::fs::{CWD, Mode, RenameFlags, fchmod, renameat_with};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, connect, socket_with};

use super::bind::{BindError, finish, open, set, socket_type};
use super::listener::{Family, Listener, SocketFile};
use super::options::Moment;
use crate::CallError;
use crate::users::{LookupError, lookup_group, lookup_user};

pub(super) fn bind(spec: &SocketSpec, path: &Path, kind: SocketKind) -> Result<Listener, BindError> {
    let shown = spec.listen.to_string();
    let owner = owner(&spec.options).map_err(|source| BindError::Owner { path: path.into(), source })?;
    let address = SocketAddrUnix::new(path).ok().ok_or_else(|| BindError::TooLong(shown.clone()))?;
    let fd = open(&shown, Family::Unix, kind)?;
    set(spec, fd.as_fd(), &shown, Family::Unix, kind, Moment::Bind)?;
    clear_the_way(path, &address, kind)?;
    // The file gets the mode the socket has before it is bound (less the umask).
    fchmod(&fd, Mode::empty())
        .map_err(|errno| CallError::new(format!("hide {shown} while it is set up"), errno))?;
    rustix::net::bind(&fd, &address).map_err(|errno| match errno {
        Errno::NOENT | Errno::NOTDIR => BindError::NoFolder { path: path.into() },
        Errno::ADDRINUSE => BindError::Taken { address: shown.clone(), holder: None },
        Errno::ACCESS => BindError::denied(&shown, "; the folder must be writable to us"),
        errno => BindError::other(&shown, errno),
    })?;
    let file =
        SocketFile::at(path).map_err(|error| CallError::new(format!("look at {}", path.display()), error))?;
    let made = (|| {
        // Listening comes before the doors open: whoever can connect finds a queue.
        let listener = finish(spec, fd, &shown, Family::Unix, kind)?;
        dress(path, owner, spec.options.file_mode)?;
        Ok(listener)
    })();
    match made {
        Ok(listener) => Ok(Listener { file: Some(file), ..listener }),
        Err(error) => {
            // The first failure is the one to tell; a leftover is a dead socket that the next bind removes.
            drop(file.unlink_if_ours());
            Err(error)
        }
    }
}

/// Numbers of the wanted owner and group; `None` leaves ours.
pub(super) type Owner = (Option<u32>, Option<u32>);

pub(super) fn owner(options: &SocketOptions) -> Result<Owner, LookupError> {
    let user = options.owner.user.as_deref().map(lookup_user).transpose()?.map(|account| account.uid);
    let group = options.owner.group.as_deref().map(lookup_group).transpose()?;
    Ok((user, group))
}

pub(super) fn dress(path: &Path, (user, group): Owner, mode: u32) -> Result<(), CallError> {
    if user.is_some() || group.is_some() {
        lchown(path, user, group)
            .map_err(|error| CallError::new(format!("set the owner of {}", path.display()), error))?;
    }
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777))
        .map_err(|error| CallError::new(format!("set the mode of {} to {mode:04o}", path.display()), error))
}

/// Makes sure that nothing is at `path`: removes a socket nobody listens on.
fn clear_the_way(path: &Path, address: &SocketAddrUnix, kind: SocketKind) -> Result<(), BindError> {
    let Ok(status) = fs::symlink_metadata(path) else { return Ok(()) };
    if !status.file_type().is_socket() {
        return Err(BindError::Foreign { path: path.into() });
    }
    let found =
        SocketFile::at(path).map_err(|error| CallError::new(format!("look at {}", path.display()), error))?;
    if is_alive(address, kind)? {
        return Err(BindError::Taken { address: format!("unix:{}", path.display()), holder: None });
    }
    remove_stale(path, &found)
}

/// Whether somebody holds the socket at `address`. Connecting to one that nobody holds is refused; every other answer
/// (it is full, of another type, not for us) comes from somebody.
pub(super) fn is_alive(address: &SocketAddrUnix, kind: SocketKind) -> Result<bool, CallError> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = socket_with(AddressFamily::UNIX, socket_type(kind), flags, None)
        .map_err(|errno| CallError::new("open a socket to probe with", errno))?;
    Ok(!matches!(connect(&probe, address), Err(Errno::CONNREFUSED | Errno::NOENT)))
}

pub(super) fn remove_stale(path: &Path, found: &SocketFile) -> Result<(), BindError> {
    let aside = aside(path);
    let call = |attempt: &str, errno| CallError::new(format!("{attempt} {}", path.display()), errno);
    match renameat_with(CWD, path, CWD, &aside, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(call("move aside the dead socket", errno).into()),
    }
    let moved = SocketFile::at(&aside).is_ok_and(|moved| SocketFile { path: path.into(), ..moved } == *found);
    if !moved {
        // Somebody put another file there since we looked; it goes back to its place.
        renameat_with(CWD, &aside, CWD, path, RenameFlags::NOREPLACE)
            .map_err(|errno| call(&format!("put back, from {},", aside.display()), errno))?;
        return Err(BindError::Foreign { path: path.into() });
    }
    fs::remove_file(&aside).map_err(|error| CallError::new(format!("remove {}", aside.display()), error))?;
    Ok(())
}

fn aside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.stale", std::process::id()));
    path.with_file_name(name)
}
