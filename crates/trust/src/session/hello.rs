//! What two nodes say of themselves first, and what they agree on.
//!
//! Each names the versions of the protocol that it speaks, from lowest to highest; the highest that both have is spoken.
//! Both find it by the same rule from the same two hellos, so no third message is needed, and both know when there is
//! none. Features are bits: what both have is used. A newer node may append to its hello what an older one passes over.

use remuda_herd::{Epoch, NodeId};
use remuda_model::{HerdName, NodeName};

use crate::codec::{Malformed, Reader, put_piece};
use crate::identity::NodeIdentity;

/// Longest hello, bytes: ours has about 200, the rest is for what newer nodes may say.
pub(super) const BYTES_MAX: usize = 4096;
/// Longest name, bytes.
const NAME_BYTES_MAX: usize = 64;

/// The feature of compressed frames (LZ4). The session sets it; the others are its users'.
pub const LZ4: u64 = 1 << 63;

/// Versions of the protocol that frames are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The oldest that is spoken.
    pub lowest: u16,
    /// The newest that is spoken.
    pub highest: u16,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What it speaks.
    pub versions: Versions,
    /// Its herd.
    pub herd: HerdName,
    /// Its number.
    pub node: NodeId,
    /// Its name, for people.
    pub name: NodeName,
    /// Which of its lives.
    pub epoch: Epoch,
    /// What it can do, a bit each.
    pub features: u64,
    /// Its clock, milliseconds since 1970.
    pub clock_ms: u64,
}

/// What both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The version that is spoken.
    pub version: u16,
    /// What both can do.
    pub features: u64,
}

/// Why two nodes cannot speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// One is too old for the other.
    #[error(
        "it speaks versions {} to {} of the protocol, we speak {} to {}; upgrade {}",
        theirs.lowest, theirs.highest, ours.lowest, ours.highest,
        if theirs.highest < ours.lowest { "that node" } else { "this node" }
    )]
    Versions {
        /// What it speaks.
        theirs: Versions,
        /// What we speak.
        ours: Versions,
    },
    /// It says it is another node, or in another herd, than its certificate says.
    #[error("it says it is {said}, and its certificate is that of {certified}")]
    Identity {
        /// What it says.
        said: String,
        /// What its certificate says.
        certified: String,
    },
    /// It is this node itself.
    #[error("this is node {0} itself; an address among the peers is its own, or its folder was copied")]
    Myself(NodeId),
}

impl Hello {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend(self.versions.lowest.to_be_bytes());
        out.extend(self.versions.highest.to_be_bytes());
        out.extend(self.node.0.to_be_bytes());
        out.extend(self.epoch.0.to_be_bytes());
        out.extend(self.features.to_be_bytes());
        out.extend(self.clock_ms.to_be_bytes());
        put_piece(&mut out, self.herd.as_str().as_bytes());
        put_piece(&mut out, self.name.as_str().as_bytes());
        out
    }

    /// Reads what [`Hello::encode`] wrote; what follows is passed over.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let versions = Versions {
            lowest: reader.short("the lowest version")?,
            highest: reader.short("the highest version")?,
        };
        if versions.lowest > versions.highest {
            return Err(Malformed::value("the versions", "the lowest is above the highest"));
        }
        let node = NodeId(reader.long("the node")?);
        let epoch = Epoch(reader.long("the epoch")?);
        let features = reader.long("the features")?;
        let clock_ms = reader.long("the clock")?;
        let herd = HerdName::new(reader.text("the herd's name", NAME_BYTES_MAX)?)
            .map_err(|error| Malformed::value("the herd's name", error))?;
        let name = NodeName::new(reader.text("the node's name", NAME_BYTES_MAX)?)
            .map_err(|error| Malformed::value("the node's name", error))?;
        Ok(Self { versions, herd, node, name, epoch, features, clock_ms })
    }

    /// What we, who said this, have in common with who said `theirs` and showed the certificate of `certified`.
    ///
    /// # Errors
    /// Nothing is, or the two do not go together.
    pub fn agree(&self, theirs: &Self, certified: &NodeIdentity) -> Result<Agreement, Disagreement> {
        if theirs.node != certified.id || theirs.herd != certified.herd {
            return Err(Disagreement::Identity {
                said: format!("{} of herd {}", theirs.node, theirs.herd),
                certified: format!("{} of herd {}", certified.id, certified.herd),
            });
        }
        if theirs.node == self.node {
            return Err(Disagreement::Myself(self.node));
        }
        let version = self.versions.highest.min(theirs.versions.highest);
        if version < self.versions.lowest.max(theirs.versions.lowest) {
            return Err(Disagreement::Versions { theirs: theirs.versions, ours: self.versions });
        }
        Ok(Agreement { version, features: self.features & theirs.features })
    }
}

#[cfg(test)]
mod tests;
