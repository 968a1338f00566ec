//! Whom a node believes: the authorities, less the nodes that were removed.
//!
//! There is one authority, or two while one follows the other. What they signed is verified by the library for it, before
//! anything else is read of it; what is judged here is what it says.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use remuda_herd::NodeId;
use remuda_model::HerdName;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring::default_provider;
use rustls::server::ParsedCertificate;
use rustls::{RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::identity::{Certified, Identity, IdentityError};
use crate::removals::Removals;

/// Authorities that are believed at once: one, and the one that follows it.
pub const AUTHORITIES_MAX: usize = 2;

/// Why there is nothing to believe in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// None, or more than two.
    #[error("there are {0} authorities; there must be one, or two while one follows the other")]
    Count(usize),
    /// One is damaged.
    #[error("an authority's certificate cannot be read: {0}")]
    Unreadable(String),
}

/// Why a certificate with a good signature is refused all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// It is nobody's.
    #[error(transparent)]
    Nobody(#[from] IdentityError),
    /// It names another herd.
    #[error("the certificate is one of herd {0}")]
    Herd(HerdName),
    /// Its node was removed.
    #[error("node {0} was removed from the herd")]
    Removed(NodeId),
    /// An invitation where a node is wanted.
    #[error("an invitation was shown where a node's certificate is wanted")]
    Invitation,
    /// A good node, but not the one that was meant.
    #[error("node {found} answered where {wanted} was expected")]
    Other {
        /// Who answered.
        found: NodeId,
        /// Who was meant.
        wanted: NodeId,
    },
}

/// Why certificates are not what they should be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unverified {
    /// There is none.
    #[error("there is no certificate")]
    Empty,
    /// Its signature, time or purpose is wrong.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// What it says is not believed.
    #[error(transparent)]
    Distrust(#[from] Distrust),
}

/// Whom a node believes.
#[derive(Debug, Clone)]
pub struct Trust {
    herd: HerdName,
    authorities: Vec<CertificateDer<'static>>,
    keys: Vec<Vec<u8>>,
    roots: Arc<RootCertStore>,
    removals: Removals,
}

/// What is needed of an authority's certificate.
pub(crate) struct AuthorityFacts {
    pub(crate) public_key: Vec<u8>,
    pub(crate) ends: UnixTime,
}

/// Reads a certificate that we or our authority made.
pub(crate) fn authority_facts(certificate: &CertificateDer<'_>) -> Result<AuthorityFacts, String> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    if !parsed.is_ca() {
        return Err("it is no authority's".to_owned());
    }
    let ends = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    Ok(AuthorityFacts {
        public_key: parsed.public_key().subject_public_key.data.to_vec(),
        ends: UnixTime::since_unix_epoch(Duration::from_secs(ends)),
    })
}

/// The key that a certificate is for.
pub(crate) fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, String> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    Ok(parsed.public_key().subject_public_key.data.to_vec())
}

/// SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` shows it.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hash: [u8; 32] = Sha256::digest(certificate).into();
    hash.map(|byte| format!("{byte:02X}")).join(":")
}

/// The first `bytes` of SHA-256, as hexadecimal digits.
pub(crate) fn digest_text(of: &[u8], bytes: usize) -> String {
    let hash: [u8; 32] = Sha256::digest(of).into();
    HEXLOWER.encode(hash.get(..bytes).unwrap_or(&hash))
}

impl Trust {
    /// Believes what these authorities signed, and forgets no removal.
    ///
    /// # Errors
    /// There is none, there are more than [`AUTHORITIES_MAX`], or one is damaged.
    pub fn new(herd: HerdName, authorities: Vec<CertificateDer<'static>>) -> Result<Self, TrustError> {
        if authorities.is_empty() || authorities.len() > AUTHORITIES_MAX {
            return Err(TrustError::Count(authorities.len()));
        }
        let mut roots = RootCertStore::empty();
        let mut keys = Vec::with_capacity(authorities.len());
        for authority in &authorities {
            keys.push(authority_facts(authority).map_err(TrustError::Unreadable)?.public_key);
            roots.add(authority.clone()).map_err(|error| TrustError::Unreadable(error.to_string()))?;
        }
        Ok(Self { herd, authorities, keys, roots: Arc::new(roots), removals: Removals::default() })
    }

    /// The herd's name.
    #[must_use]
    pub fn herd(&self) -> &HerdName {
        &self.herd
    }

    /// The authorities, the newest first.
    #[must_use]
    pub fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// Nodes that are not believed any more.
    #[must_use]
    pub fn removals(&self) -> &Removals {
        &self.removals
    }

    /// Takes in removals that others know, as far as an authority signed them; says how many were new.
    pub fn remove(&mut self, removals: impl IntoIterator<Item = crate::Removal>) -> usize {
        let mut merged = std::mem::take(&mut self.removals);
        let new = merged.merge(removals, self);
        self.removals = merged;
        new
    }

    /// Forgets removals whose time is over.
    pub fn forget_expired(&mut self, now: UnixTime) -> usize {
        self.removals.forget_expired(now)
    }

    pub(crate) fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    /// Whether one of the authorities signed `text`.
    pub(crate) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let schemes = default_provider().signature_verification_algorithms.mapping;
        let mut found =
            schemes.iter().filter(|(scheme, _)| *scheme == SignatureScheme::ECDSA_NISTP256_SHA256);
        let Some(algorithm) = found.next().and_then(|(_, algorithms)| algorithms.first()) else {
            return false;
        };
        self.keys.iter().any(|key| algorithm.verify_signature(key, text, signature).is_ok())
    }

    /// Verifies certificates that are no part of a handshake, the node's own first: those that a signer has just given.
    ///
    /// # Errors
    /// They do not lead to an authority that is believed, their time is not now, or what they say is not believed.
    pub fn verify(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Certified, Unverified> {
        let (own, intermediates) = chain.split_first().ok_or(Unverified::Empty)?;
        let provider = default_provider();
        let parsed = ParsedCertificate::try_from(own)?;
        let algorithms = provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        Ok(self.judge(own)?)
    }

    /// What is to be thought of a certificate whose signature and time have been verified.
    ///
    /// # Errors
    /// It is nobody's, another herd's, or that of a node that was removed.
    pub fn judge(&self, certificate: &CertificateDer<'_>) -> Result<Certified, Distrust> {
        let certified = Certified::read(certificate)?;
        self.judge_identity(&certified.identity)?;
        Ok(certified)
    }

    /// As [`Trust::judge`], of somebody whose session goes on while the list of removals grows.
    ///
    /// # Errors
    /// As [`Trust::judge`].
    pub fn judge_identity(&self, identity: &Identity) -> Result<(), Distrust> {
        match identity {
            Identity::Node(node) if node.herd != self.herd => Err(Distrust::Herd(node.herd.clone())),
            Identity::Node(node) => self.judge_node(node.id),
            Identity::Invitation(_) => Ok(()),
        }
    }

    pub(crate) fn judge_node(&self, node: NodeId) -> Result<(), Distrust> {
        if self.removals.contains(node) { Err(Distrust::Removed(node)) } else { Ok(()) }
    }
}
