//! Why an address could not be bound, in terms of what can be done about it.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use remuda_model::SocketKind;
use rustix::io::Errno;

use super::bind::BindError;
use super::holder::holder_of_port;

const PORT_START: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

pub(super) fn internet(shown: &str, address: SocketAddr, kind: SocketKind, errno: Errno) -> BindError {
    match errno {
        Errno::ADDRINUSE => {
            BindError::Taken { address: shown.into(), holder: holder_of_port(address.port(), kind) }
        }
        Errno::ACCESS => BindError::denied(shown, &privileged(address.port())),
        Errno::ADDRNOTAVAIL => BindError::NoSuchAddress(shown.into()),
        errno => BindError::other(shown, errno),
    }
}

/// `listen` found the address in use: two sockets were bound to it, the other listens first.
pub(super) fn taken(shown: &str, fd: &OwnedFd, kind: SocketKind) -> BindError {
    let address = rustix::net::getsockname(fd).ok().and_then(|name| SocketAddr::try_from(name).ok());
    let holder = address.and_then(|address| holder_of_port(address.port(), kind));
    BindError::Taken { address: shown.into(), holder }
}

fn privileged(port: u16) -> String {
    let start = std::fs::read_to_string(PORT_START).ok().and_then(|text| text.trim().parse::<u16>().ok());
    let start = start.unwrap_or(1024);
    if port < start {
        format!(
            "; ports below {start} need CAP_NET_BIND_SERVICE, or a lower net.ipv4.ip_unprivileged_port_start"
        )
    } else {
        String::new()
    }
}
