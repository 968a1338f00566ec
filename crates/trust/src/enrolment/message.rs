//! The request and the answer, as bytes.

use std::fmt;

use remuda_model::NodeName;
use rustls_pki_types::CertificateDer;

use crate::authority::REQUEST_BYTES_MAX;
use crate::codec::{Malformed, Reader, put_list, put_piece};
use crate::credentials::CHAIN_MAX;
use crate::member::{Address, Peer, put_addresses, put_peers, read_addresses, read_name, read_peers};
use crate::removals::{Removal, put_removals, read_removals};
use crate::token::read_certificates;
use crate::trust::AUTHORITIES_MAX;

/// The kind of a frame that asks.
pub const REQUEST_KIND: u8 = 1;
/// The kind of a frame that answers.
pub const ANSWER_KIND: u8 = 2;
/// Longest message: 256 peers with all the addresses they may have, and all removals.
pub(super) const BYTES_MAX: usize = 2 << 20;
/// Longest refusal, bytes.
const REFUSAL_BYTES_MAX: usize = 1024;
/// Longest text of an authority: two certificates and a key.
const AUTHORITY_BYTES_MAX: usize = 16 << 10;

const JOIN: u8 = 1;
const RENEW: u8 = 2;
const GRANTED: u8 = 1;
const REFUSED: u8 = 2;

/// What is asked of a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To become a node.
    Join {
        /// A request for a certificate (PKCS #10).
        request: Vec<u8>,
        /// The name of the node.
        name: NodeName,
        /// Where it will listen.
        addresses: Vec<Address>,
        /// Whether it wants to sign too.
        signer: bool,
    },
    /// To stay one.
    Renew {
        /// A request for a certificate (PKCS #10).
        request: Vec<u8>,
        /// Where the node listens.
        addresses: Vec<Address>,
    },
}

/// What a signer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has signed.
    Granted(Box<Grant>),
    /// It has not; this is why.
    Refused(String),
}

/// What a signer gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The node's certificate, and what leads to an authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// The authorities to believe, the newest first.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Other nodes, the signer itself first.
    pub peers: Vec<Peer>,
    /// Nodes that are not to be believed.
    pub removals: Vec<Removal>,
    /// The authority's key, for a signer.
    pub authority: Option<String>,
}

/// Without the key.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("chain", &self.chain)
            .field("authorities", &self.authorities)
            .field("peers", &self.peers)
            .field("removals", &self.removals)
            .field("with_authority", &self.authority.is_some())
            .finish()
    }
}

impl Request {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        match self {
            Self::Join { request, name, addresses, signer } => {
                out.push(JOIN);
                put_piece(&mut out, request);
                put_addresses(&mut out, addresses);
                put_piece(&mut out, name.as_str().as_bytes());
                out.push(u8::from(*signer));
            }
            Self::Renew { request, addresses } => {
                out.push(RENEW);
                put_piece(&mut out, request);
                put_addresses(&mut out, addresses);
            }
        }
        out
    }

    /// Reads what [`Request::encode`] wrote; what follows is passed over.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let kind = reader.byte("what is asked")?;
        if kind != JOIN && kind != RENEW {
            return Err(Malformed::value("what is asked", kind));
        }
        let request = reader.piece("the request for a certificate", REQUEST_BYTES_MAX)?.to_vec();
        let addresses = read_addresses(&mut reader)?;
        if kind == RENEW {
            return Ok(Self::Renew { request, addresses });
        }
        let name = read_name(&mut reader)?;
        Ok(Self::Join { request, name, addresses, signer: reader.byte("whether it signs")? != 0 })
    }
}

impl Answer {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        match self {
            Self::Granted(grant) => {
                out.push(GRANTED);
                put_list(&mut out, &grant.chain, |out, each| put_piece(out, each));
                put_list(&mut out, &grant.authorities, |out, each| put_piece(out, each));
                put_piece(&mut out, grant.authority.as_deref().unwrap_or_default().as_bytes());
                put_peers(&mut out, &grant.peers);
                put_removals(&mut out, &grant.removals);
            }
            Self::Refused(why) => {
                out.push(REFUSED);
                let mut end = why.len().min(REFUSAL_BYTES_MAX);
                while !why.is_char_boundary(end) {
                    end -= 1;
                }
                put_piece(&mut out, why.as_bytes().get(..end).unwrap_or_default());
            }
        }
        out
    }

    /// Reads what [`Answer::encode`] wrote; what follows is passed over. Removals are still to be verified.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        match reader.byte("the answer")? {
            GRANTED => {
                let chain = read_certificates(&mut reader, "the certificates", CHAIN_MAX)?;
                let authorities = read_certificates(&mut reader, "the authorities", AUTHORITIES_MAX)?;
                let authority = reader.text("the authority's key", AUTHORITY_BYTES_MAX)?;
                let authority = Some(authority.to_owned()).filter(|text| !text.is_empty());
                let peers = read_peers(&mut reader)?;
                let removals = read_removals(&mut reader)?;
                Ok(Self::Granted(Box::new(Grant { chain, authorities, peers, removals, authority })))
            }
            REFUSED => Ok(Self::Refused(reader.text("the refusal", REFUSAL_BYTES_MAX)?.to_owned())),
            other => Err(Malformed::value("the answer", other)),
        }
    }
}

#[cfg(test)]
mod tests;
