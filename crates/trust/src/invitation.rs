//! An invitation, as the signer that made it remembers it.
//!
//! The token shows a certificate, which proves that it was made here and how long it lasts. How often it may be used cannot
//! stand in a certificate: that is this record, on the disk of the one signer that made it, so an invitation is good at
//! that signer only. It is changed on disk before a node is admitted, so a crash loses a use and never gives one away.
//! Whoever did not get the answer asks again with the same key, and gets the same number: that is no second use.

use remuda_herd::NodeId;
use rustls_pki_types::UnixTime;
use serde::{Deserialize, Serialize};

/// Most nodes that one invitation may bring: one that is worth more is worth stealing.
pub const INVITATION_USES_MAX: u32 = 1000;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// When it ends, seconds since 1970.
    pub ends: u64,
    /// How many nodes may come by it, from 1 to [`INVITATION_USES_MAX`].
    pub uses: u32,
    /// Whether they may have the authority's key.
    pub signer: bool,
    /// Who came.
    pub used: Vec<Use>,
}

/// One that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// SHA-256 of its first key.
    key: String,
    /// The number it was given.
    #[serde(with = "crate::member::hexadecimal")]
    node: NodeId,
}

/// Why somebody is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationRefusal {
    /// Its time is over.
    #[error("the invitation has expired; `remuda herd invite` makes another one")]
    Expired,
    /// All its uses are gone.
    #[error(
        "the invitation has been used; if not by you, remove the node that used it: `remuda herd nodes` shows it"
    )]
    UsedUp,
    /// More is wanted than was offered.
    #[error("the invitation is not one for a signer; `remuda herd invite --signer` makes such")]
    NoSigner,
}

impl Invitation {
    /// Admits whoever has `key` as a node: with the number it was given before, or with `fresh`, which takes a use.
    ///
    /// # Errors
    /// It is not good any more, or not good for a signer.
    pub fn admit(
        &mut self,
        key: &str,
        wants_to_sign: bool,
        fresh: NodeId,
        now: UnixTime,
    ) -> Result<NodeId, InvitationRefusal> {
        if self.ends <= now.as_secs() {
            return Err(InvitationRefusal::Expired);
        }
        if wants_to_sign && !self.signer {
            return Err(InvitationRefusal::NoSigner);
        }
        if let Some(known) = self.node_of(key) {
            return Ok(known);
        }
        if self.left() == 0 {
            return Err(InvitationRefusal::UsedUp);
        }
        self.used.push(Use { key: key.to_owned(), node: fresh });
        Ok(fresh)
    }

    /// The number that whoever has `key` was given.
    #[must_use]
    pub fn node_of(&self, key: &str) -> Option<NodeId> {
        self.used.iter().find(|known| known.key == key).map(|known| known.node)
    }

    /// How many nodes may still come.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.uses.saturating_sub(u32::try_from(self.used.len()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
