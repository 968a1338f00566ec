//! Who listens on a port.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use remuda_model::SocketKind;

use crate::process;

/// A process that holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its pid.
    pub pid: u32,
    /// The program's short name.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.command)
    }
}

/// One line of `/proc/net/tcp` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'text> {
    /// Local address in the kernel's hexadecimal.
    pub(super) address: &'text str,
    pub(super) port: u16,
    /// `01` established, `0A` listening.
    pub(super) state: &'text str,
    pub(super) inode: u64,
}

pub(super) fn parse(line: &str) -> Option<Line<'_>> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    Some(Line { address, port: u16::from_str_radix(port, 16).ok()?, state, inode })
}

/// The process that has `port`, if `/proc` shows one; several are possible, the lowest pid is named.
#[must_use]
pub fn holder_of_port(port: u16, kind: SocketKind) -> Option<Holder> {
    let (tables, listening) = match kind {
        SocketKind::Datagram => (["/proc/net/udp", "/proc/net/udp6"], "07"),
        SocketKind::Stream | SocketKind::Seqpacket => (["/proc/net/tcp", "/proc/net/tcp6"], "0A"),
    };
    let mut inodes = BTreeSet::new();
    for table in tables {
        let text = fs::read_to_string(table).unwrap_or_default();
        let lines = text.lines().skip(1).filter_map(parse);
        inodes
            .extend(lines.filter(|line| line.port == port && line.state == listening).map(|line| line.inode));
    }
    if inodes.is_empty() { None } else { holder_of_sockets(&inodes) }
}

fn holder_of_sockets(inodes: &BTreeSet<u64>) -> Option<Holder> {
    let wanted: BTreeSet<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let mut pids: Vec<u32> = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    let has = |pid: &u32| {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|target| target.to_str().is_some_and(|target| wanted.contains(target)))
    };
    let pid = pids.into_iter().find(has)?;
    let command = process::stat(pid).map(|stat| stat.command).unwrap_or_default();
    Some(Holder { pid, command })
}

#[cfg(test)]
mod tests;
