//! Nodes that belong to the herd no longer.
//!
//! Each removal is signed by itself, by an authority, and says one node's number. So a list of them has no owner and no
//! version: two signers that remove two nodes at once do not have to agree on what the next list is, any node passes any
//! of them on, and lists become equal by putting them together. [`Removals::digest`] tells whether that is needed.
//!
//! A removal is forgotten when the last certificate that its node can have has expired, three months later. Until then it
//! also keeps the node from being renewed, for a node that is removed gets no session in which to ask.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_herd::NodeId;
use rustls_pki_types::UnixTime;
use sha2::{Digest as _, Sha256};

use crate::codec::{Malformed, Reader, put_list, put_piece};
use crate::trust::Trust;

/// Most removals that are kept, which lets a herd lose 45 nodes a day. Further ones are refused: a signer that
/// makes so many is the thing to remove.
pub const REMOVALS_MAX: usize = 4096;
/// Longest signature, bytes: two numbers of 256 bits in DER.
const SIGNATURE_BYTES_MAX: usize = 80;
/// What no other signed text begins with, so that no signature means two things.
const DOMAIN: &[u8] = b"remuda herd removal 1\0";

/// One node is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub node: NodeId,
    /// When.
    pub at: UnixTime,
    /// Until when it has to be remembered.
    pub until: UnixTime,
    /// By the key of an authority.
    pub(crate) signature: Vec<u8>,
}

/// All that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removals {
    by_node: BTreeMap<NodeId, Removal>,
}

/// What is signed.
pub(crate) fn signed_text(node: NodeId, at: UnixTime, until: UnixTime) -> Vec<u8> {
    let mut text = DOMAIN.to_vec();
    for number in [node.0, at.as_secs(), until.as_secs()] {
        text.extend(number.to_be_bytes());
    }
    text
}

impl Removals {
    /// Whether `node` is removed.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.by_node.contains_key(&node)
    }

    /// All, by number of the node.
    pub fn iter(&self) -> impl Iterator<Item = &Removal> {
        self.by_node.values()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_node.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }

    /// Takes in what another node knows, as far as an authority signed it, and says how many of these were new. Of two
    /// removals of one node the one that lasts longer stays.
    pub fn merge(&mut self, others: impl IntoIterator<Item = Removal>, trust: &Trust) -> usize {
        let mut new = 0;
        for removal in others {
            let known = self.by_node.get(&removal.node);
            let is_news = known.is_none_or(|known| known.until.as_secs() < removal.until.as_secs());
            let has_room = known.is_some() || self.by_node.len() < REMOVALS_MAX;
            let text = signed_text(removal.node, removal.at, removal.until);
            if is_news && has_room && trust.has_signed(&text, &removal.signature) {
                self.by_node.insert(removal.node, removal);
                new += 1;
            }
        }
        new
    }

    /// Forgets what need not be known any longer; says how many.
    pub fn forget_expired(&mut self, now: UnixTime) -> usize {
        let before = self.len();
        self.by_node.retain(|_, removal| removal.until.as_secs() > now.as_secs());
        before - self.len()
    }

    /// The same for equal lists, and for those only.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hash = Sha256::new();
        for removal in self.iter() {
            hash.update(signed_text(removal.node, removal.at, removal.until));
        }
        let hash: [u8; 32] = hash.finalize().into();
        hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    /// As bytes: a count, then for each the node, when, until when, and the signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + self.len() * 100);
        let all: Vec<Removal> = self.iter().cloned().collect();
        put_removals(&mut out, &all);
        out
    }

    /// Reads what [`Removals::encode`] wrote. They are still to be verified, by [`Removals::merge`].
    ///
    /// # Errors
    /// The bytes are something else, or more than [`REMOVALS_MAX`] removals.
    pub fn decode(bytes: &[u8]) -> Result<Vec<Removal>, Malformed> {
        read_removals(&mut Reader::new(bytes))
    }
}

pub(crate) fn put_removals(out: &mut Vec<u8>, removals: &[Removal]) {
    put_list(out, removals, |out, removal| {
        for number in [removal.node.0, removal.at.as_secs(), removal.until.as_secs()] {
            out.extend(number.to_be_bytes());
        }
        put_piece(out, &removal.signature);
    });
}

pub(crate) fn read_removals(reader: &mut Reader<'_>) -> Result<Vec<Removal>, Malformed> {
    reader.list("the removals", REMOVALS_MAX, |reader| {
        let node = NodeId(reader.long("a removed node")?);
        let mut moment = |field| {
            reader.long(field).map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
        };
        let (at, until) = (moment("the time of a removal")?, moment("the end of a removal")?);
        let signature = reader.piece("the signature of a removal", SIGNATURE_BYTES_MAX)?.to_vec();
        Ok(Removal { node, at, until, signature })
    })
}
