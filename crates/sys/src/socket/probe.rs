//! Whether an address could be bound now, without listening on it and without touching what is there.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use remuda_model::{Address, SocketKind, SocketSpec};
use rustix::net::{SocketAddrUnix, bind};

use super::bind::{BindError, open, resolve, set};
use super::diagnosis;
use super::listener::Family;
use super::options::Moment;
use crate::CallError;

/// `__SO_ACCEPTCON` among the flags of `/proc/net/unix`: it listens.
const LISTENS: u32 = 0x1_0000;
/// `SOCK_DGRAM` in its column of types.
const DATAGRAM: &str = "0002";

/// Tries to bind the address of `spec` and lets go of it at once. Nobody can connect meanwhile, no file is made or
/// removed, and whoever has the address notices nothing. Addresses that are handed to us are always well.
///
/// # Errors
/// Why [`bind`](super::bind()) would fail now, as far as that shows without binding for good.
pub fn probe(spec: &SocketSpec) -> Result<(), BindError> {
    match &spec.listen {
        Address::Tcp(address) => internet(spec, *address, SocketKind::Stream),
        Address::Udp(address) => internet(spec, *address, SocketKind::Datagram),
        Address::TcpHost { host, port } => internet(spec, resolve(host, *port)?, SocketKind::Stream),
        Address::UnixStream(path) | Address::UnixDatagram(path) | Address::UnixSeqpacket(path) => {
            file(spec, path)
        }
        Address::Abstract(name) => in_use(spec, &format!("@{name}")),
        Address::Systemd(_) | Address::Fd(_) => Ok(()),
    }
}

fn internet(spec: &SocketSpec, address: std::net::SocketAddr, kind: SocketKind) -> Result<(), BindError> {
    let family = if address.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let shown = if kind == SocketKind::Datagram { format!("udp:{address}") } else { address.to_string() };
    let fd = open(&shown, family, kind)?;
    set(spec, fd.as_fd(), &shown, family, kind, Moment::Bind)?;
    bind(&fd, &address).map_err(|errno| diagnosis::internet(&shown, address, kind, errno))
}

fn file(spec: &SocketSpec, path: &Path) -> Result<(), BindError> {
    SocketAddrUnix::new(path).map_err(|_errno| BindError::TooLong(spec.listen.to_string()))?;
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => Err(BindError::Foreign { path: path.into() }),
        Ok(_) => in_use(spec, &path.to_string_lossy()),
        Err(_) if path.parent().is_some_and(Path::is_dir) => Ok(()),
        Err(_) => Err(BindError::NoFolder { path: path.into() }),
    }
}

/// Looks a name up among the Unix sockets there are; connecting would tell too, but its holder would notice.
fn in_use(spec: &SocketSpec, name: &str) -> Result<(), BindError> {
    let table = "/proc/net/unix";
    let sockets =
        fs::read_to_string(table).map_err(|error| CallError::new(format!("read {table}"), error))?;
    if sockets.lines().skip(1).any(|line| holds(line, name)) {
        return Err(BindError::Taken { address: spec.listen.to_string(), holder: None });
    }
    Ok(())
}

/// Whether a line of the table is of a socket that owns `name`; connections that were accepted bear it too.
fn holds(line: &str, name: &str) -> bool {
    let mut fields = [""; 7];
    let mut rest = line;
    for field in &mut fields {
        let Some((first, after)) = rest.trim_start().split_once(' ') else { return false };
        (*field, rest) = (first, after);
    }
    let [_, _, _, flags, kind, _, _] = fields;
    let listens = u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & LISTENS != 0);
    rest == name && (listens || kind == DATAGRAM)
}
