//! The hub's addresses as its clients write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use remuda_model::hub::HubSocket;
use remuda_model::{Address, Config, view};

use super::spec_in;
use crate::sockets::SocketTable;

/// What a path or a name in a URL may hold as it is (RFC 3986, `unreserved` and the slash).
const PLAIN: &[u8] = b"-._~/";

/// Where the hub listens: real addresses, in the order of its sockets, the Unix ones first.
#[derive(Debug, Default)]
pub(crate) struct Endpoints(Vec<(HubSocket, Address)>);

impl Endpoints {
    /// Those of a config's hub, as far as they are bound.
    pub(crate) fn of(config: &Config, sockets: &SocketTable) -> Self {
        let names = spec_in(config).into_iter().flat_map(|(spec, _)| &spec.sockets);
        let found = names.filter_map(|name| {
            let address = sockets.get(name)?.address().parse().ok()?;
            Some((HubSocket::of(name.as_str())?, address))
        });
        Self(found.collect())
    }

    /// The variables by which workers of `service` find it and show who they are.
    pub(crate) fn variables(&self, service: &str, token: &str) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        let path = |socket| self.on(socket).find_map(Address::path);
        let tcp = |socket| self.on(socket).find_map(reachable);
        if let Some(path) = path(HubSocket::Bus) {
            let endpoint = format!("ipc://{}", path.display());
            for name in ["REMUDA_BUS", "REMUDA_BUS_SUB", "REMUDA_BUS_PUSH"] {
                variables.push((name, endpoint.clone()));
            }
        }
        variables.extend(tcp(HubSocket::Bus).map(|at| ("REMUDA_BUS_TCP", format!("tcp://{at}"))));
        // A peer of the bus that shows who it is by PLAIN needs it apart from a URL.
        variables.push(("REMUDA_TOKEN", token.to_owned()));
        let account = format!("{}:{token}", encoded(service));
        let store = path(HubSocket::Store);
        let url = match (tcp(HubSocket::Store), store) {
            (Some(at), _) => Some(format!("redis://{account}@{at}/0")),
            (None, Some(path)) => Some(format!("unix://{account}@{}?db=0", encoded_path(path))),
            (None, None) => None,
        };
        variables.extend(url.map(|url| ("REDIS_URL", url)));
        variables.extend(store.map(|path| ("REMUDA_REDIS_SOCKET", path.display().to_string())));
        variables
    }

    /// For the picture: without names and tokens.
    pub(crate) fn view(&self) -> view::Hub {
        let bus = |socket| self.on(socket).map(|address| written(address, "tcp", "ipc"));
        view::Hub {
            bus: bus(HubSocket::Bus).collect(),
            bus_pub: bus(HubSocket::Pub).next(),
            bus_pull: bus(HubSocket::Pull).next(),
            store: self.on(HubSocket::Store).map(|address| written(address, "redis", "unix")).collect(),
            herd: self.on(HubSocket::Herd).map(Address::to_string).collect(),
        }
    }

    /// The file by which the store is reached.
    pub(crate) fn store_path(&self) -> Option<PathBuf> {
        self.on(HubSocket::Store).find_map(Address::path).cloned()
    }

    fn on(&self, socket: HubSocket) -> impl Iterator<Item = &Address> {
        self.0.iter().filter(move |(of, _)| *of == socket).map(|(_, address)| address)
    }
}

fn written(address: &Address, tcp: &str, unix: &str) -> String {
    match address {
        Address::Tcp(at) => format!("{tcp}://{at}"),
        Address::UnixStream(path) => format!("{unix}://{}", path.display()),
        Address::Abstract(name) => format!("{unix}://@{name}"),
        other => other.to_string(),
    }
}

/// A TCP address as one of this machine reaches it: a socket that listens everywhere listens on the loopback too.
pub(crate) fn reachable(address: &Address) -> Option<SocketAddr> {
    let Address::Tcp(at) = address else { return None };
    let ip = match at.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    Some(SocketAddr::new(ip, at.port()))
}

fn encoded_path(path: &Path) -> String {
    encoded(&path.to_string_lossy())
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
