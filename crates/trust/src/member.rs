//! What a node remembers of its herd besides keys and certificates: where it and others can be reached.

use std::fmt;
use std::str::FromStr;

use remuda_herd::NodeId;
use remuda_model::{HerdName, NodeName};
use serde::{Deserialize, Serialize};

use crate::codec::{Malformed, Reader, put_list, put_piece};

/// Most addresses of one node: a few networks, two families each.
pub const ADDRESSES_MAX: usize = 8;
/// Most nodes that a new one is told of. It needs one to begin with; the others it learns from that.
pub const PEERS_MAX: usize = 256;
/// Longest address, bytes: a host's name has 253, a port 5.
const ADDRESS_BYTES_MAX: usize = 260;
/// Longest name, bytes.
const NAME_BYTES_MAX: usize = 64;

/// Where a node listens: `HOST:PORT`, with a name, an IPv4 address or an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address; write HOST:PORT, as in 10.0.0.1:7946, [2001:db8::1]:7946 or node.example.org:7946"
)]
pub struct AddressError(String);

impl Address {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refused = || AddressError(text.chars().take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                !host.is_empty() && host.bytes().all(is_letter)
            }
        };
        let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
        if text.len() > ADDRESS_BYTES_MAX || !is_host || !is_port {
            return Err(refused());
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Another node, as far as this one was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its number.
    #[serde(with = "hexadecimal")]
    pub id: NodeId,
    /// Its name.
    pub name: NodeName,
    /// Where it listens.
    pub addresses: Vec<Address>,
    /// Whether it holds the authority's key.
    pub signer: bool,
}

/// What a node remembers, beside its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The herd.
    pub herd: HerdName,
    /// Where this node listens.
    pub addresses: Vec<Address>,
    /// Nodes it was told of.
    pub peers: Vec<Peer>,
}

/// A certificate that a signer made, the last one of its node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Whose.
    pub node: Peer,
    /// Its serial number.
    pub serial: String,
    /// When it ends, seconds since 1970.
    pub ends: u64,
}

/// A node's number in documents, as 16 hexadecimal digits: as a number, not every reader of JSON has room for it.
pub(crate) mod hexadecimal {
    use remuda_herd::NodeId;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(id: &NodeId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NodeId, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = crate::identity::number(&text);
        number.map(NodeId).ok_or_else(|| de::Error::custom("a node's number has 16 hexadecimal digits"))
    }
}

pub(crate) fn put_addresses(out: &mut Vec<u8>, addresses: &[Address]) {
    put_list(out, addresses, |out, address| put_piece(out, address.as_str().as_bytes()));
}

pub(crate) fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<Address>, Malformed> {
    reader.list("the addresses", ADDRESSES_MAX, |reader| {
        let text = reader.text("an address", ADDRESS_BYTES_MAX)?;
        text.parse().map_err(|error| Malformed::value("an address", error))
    })
}

pub(crate) fn read_name(reader: &mut Reader<'_>) -> Result<NodeName, Malformed> {
    let text = reader.text("a node's name", NAME_BYTES_MAX)?;
    NodeName::new(text).map_err(|error| Malformed::value("a node's name", error))
}

pub(crate) fn read_herd(reader: &mut Reader<'_>) -> Result<HerdName, Malformed> {
    let text = reader.text("a herd's name", NAME_BYTES_MAX)?;
    HerdName::new(text).map_err(|error| Malformed::value("a herd's name", error))
}

pub(crate) fn put_peers(out: &mut Vec<u8>, peers: &[Peer]) {
    put_list(out, peers, |out, peer| {
        out.extend(peer.id.0.to_be_bytes());
        out.push(u8::from(peer.signer));
        put_piece(out, peer.name.as_str().as_bytes());
        put_addresses(out, &peer.addresses);
    });
}

pub(crate) fn read_peers(reader: &mut Reader<'_>) -> Result<Vec<Peer>, Malformed> {
    reader.list("the peers", PEERS_MAX, |reader| {
        Ok(Peer {
            id: NodeId(reader.long("a peer")?),
            signer: reader.byte("whether a peer signs")? != 0,
            name: read_name(reader)?,
            addresses: read_addresses(reader)?,
        })
    })
}

#[cfg(test)]
mod tests;
