//! Which sockets the processes of a tree hold.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::tree;

/// Longest socket table that is looked at, in lines.
const TABLE_LINES_LIMIT: usize = 1_000_000;
/// Processes of a tree that are looked at.
const PROCESSES_LIMIT: usize = 4096;

/// A socket that a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedSocket {
    /// Its inode, which names it in `/proc`.
    pub inode: u64,
    /// It accepts connections.
    pub listens: bool,
    /// Its own address, for TCP. An IPv4 address in an IPv6 socket is given as IPv4.
    pub local: Option<SocketAddr>,
    /// The other end's address, for connected TCP.
    pub remote: Option<SocketAddr>,
}

/// The TCP and Unix sockets that `pid` and its descendants hold. What cannot be looked at is left out.
#[must_use]
pub fn owned_sockets(pid: u32) -> Vec<OwnedSocket> {
    let held = held(pid);
    let mut sockets = tcp(pid);
    let text = fs::read_to_string(format!("/proc/{pid}/net/unix")).unwrap_or_default();
    sockets.extend(text.lines().skip(1).take(TABLE_LINES_LIMIT).filter_map(local));
    sockets.retain(|socket| held.contains(&socket.inode));
    sockets
}

/// Inodes of the sockets that `pid` and its descendants have open.
pub(super) fn held(pid: u32) -> BTreeSet<u64> {
    let mut pids = tree(pid);
    pids.push(pid);
    pids.iter().take(PROCESSES_LIMIT).flat_map(|pid| inodes(*pid)).collect()
}

/// All TCP sockets in the network name space of `pid`.
pub(super) fn tcp(pid: u32) -> Vec<OwnedSocket> {
    let mut sockets = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        sockets.extend(text.lines().skip(1).take(TABLE_LINES_LIMIT).filter_map(internet));
    }
    sockets
}

/// Inodes of the sockets that `pid` has open.
fn inodes(pid: u32) -> Vec<u64> {
    let Ok(folder) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let number = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    folder.flatten().filter_map(number).collect()
}

fn internet(line: &str) -> Option<OwnedSocket> {
    let mut fields = line.split_ascii_whitespace();
    let local = address(fields.nth(1)?)?;
    let remote = address(fields.next()?)?;
    let listens = fields.next()? == "0A";
    let inode = fields.nth(5)?.parse().ok()?;
    Some(OwnedSocket { inode, listens, local: Some(local), remote: (remote.port() != 0).then_some(remote) })
}

/// `0100007F:1F90`: words of the address in the machine's byte order, as hexadecimal numbers.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for start in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)).to_canonical(),
    };
    Some(SocketAddr::new(address, port))
}

/// `Num RefCount Protocol Flags Type St Inode Path`; flag 0x10000 says that it listens.
fn local(line: &str) -> Option<OwnedSocket> {
    let mut fields = line.split_ascii_whitespace();
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    let inode = fields.nth(2)?.parse().ok()?;
    Some(OwnedSocket { inode, listens: flags & 0x1_0000 != 0, local: None, remote: None })
}

#[cfg(test)]
mod tests;
