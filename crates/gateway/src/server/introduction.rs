//! The PROXY protocol at the beginning of a connection: a balancer says who the client is.
//!
//! Read before anything else, TLS too, and not a byte more than it is long: what follows is the client's. Only listeners
//! that are told to expect it have it, and there each connection must begin with it; a peer that is not believed is
//! closed, since nobody else knows the listener.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;

use remuda_wire::proxy_protocol::{self, ProxyHeader};

use super::{Peer, Server, Transport};

/// A connection that is counted and not made yet.
struct Admitted {
    server: Rc<Server>,
    peer: Peer,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.server.closed(&self.peer);
    }
}

/// Reads the header on `transport`, whose `peer` is admitted; the client it names, who is then admitted in its place.
/// `None`: the connection is to be closed, and why is counted.
pub(super) async fn receive(transport: &Transport, server: &Rc<Server>, peer: Peer) -> Option<Peer> {
    let admitted = Admitted { server: Rc::clone(server), peer: peer.clone() };
    let is_believed = peer
        .address
        .is_none_or(|address| server.limits.introducers.iter().any(|range| range.contains(address.ip())));
    if !is_believed {
        server.figures.count("proxy-protocol-untrusted");
        return None;
    }
    let within = server.limits.introduced_within;
    let header = match tokio::time::timeout(within, read(transport)).await {
        Ok(Ok(header)) => header,
        Ok(Err(Unread::Gone)) => return None,
        Ok(Err(Unread::Fault)) => {
            server.figures.count("proxy-protocol-fault");
            return None;
        }
        Err(_elapsed) => {
            server.figures.count("proxy-protocol-late");
            return None;
        }
    };
    let mut client = peer;
    if let Some((source, destination)) = header.addresses {
        (client.address, client.local) = (Some(source), Some(destination));
    }
    client.is_secure |= header.details.is_secure;
    drop(admitted);
    if !server.admit(&client) {
        server.figures.count("too-many-of-one-address");
        return None;
    }
    Some(client)
}

/// Why there is no header.
enum Unread {
    /// The peer is gone.
    Gone,
    /// What came is none.
    Fault,
}

impl From<io::Error> for Unread {
    fn from(_gone: io::Error) -> Self {
        Self::Gone
    }
}

async fn read(transport: &Transport) -> Result<ProxyHeader, Unread> {
    let mut input = Vec::new();
    loop {
        match proxy_protocol::parse(&input) {
            Ok(Some((header, _))) => return Ok(header),
            Ok(None) => {}
            Err(_fault) => return Err(Unread::Fault),
        }
        // Not a byte of what follows.
        let missing = proxy_protocol::missing(&input);
        input.reserve(missing);
        let read = poll_fn(|context| transport.poll_read_most(context, &mut input, missing));
        if read.await? == 0 {
            return Err(if input.is_empty() { Unread::Gone } else { Unread::Fault });
        }
    }
}
