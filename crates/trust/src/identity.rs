//! What a certificate says of whom it belongs to.
//!
//! Who it is stands in a URI of the certificate's alternative names: `remuda://HERD/NODE-ID` for a node, 16 hexadecimal
//! digits as its number, or `remuda-invite:ID` for an invitation. A node that holds the authority's key has
//! `remuda-role:signer` besides. The common name is the node's name, for people. A certificate with any other URI, or
//! with two of these, is nobody's: what we did not write we do not guess at.
//!
//! Certificates are read here only after their signature has been verified, so none that a stranger made.

use std::fmt;
use std::time::Duration;

use remuda_herd::NodeId;
use remuda_model::{HerdName, NodeName};
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

const NODE_SCHEME: &str = "remuda://";
const INVITATION_SCHEME: &str = "remuda-invite:";
const SIGNER_ROLE: &str = "remuda-role:signer";
/// Hexadecimal digits of a number.
const DIGITS: usize = 16;

/// The number of an invitation: 64 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvitationId(pub u64);

impl fmt::Display for InvitationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A node, as its certificate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// Its herd.
    pub herd: HerdName,
    /// Its number, which is what counts.
    pub id: NodeId,
    /// Its name, for people.
    pub name: NodeName,
    /// Whether it holds the authority's key.
    pub is_signer: bool,
}

/// Whom a certificate belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A node of the herd.
    Node(NodeIdentity),
    /// Whoever was invited: good for asking to become a node, and nothing else.
    Invitation(InvitationId),
}

/// A certificate's contents, as far as they matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Whose it is.
    pub identity: Identity,
    /// Valid from here on.
    pub not_before: UnixTime,
    /// Valid until here.
    pub not_after: UnixTime,
    /// Its number, as hexadecimal digits.
    pub serial: String,
}

/// Why a certificate is nobody's here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is no X.509 certificate.
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    /// It names neither a node nor an invitation, or several.
    #[error("the certificate names neither one node nor one invitation")]
    Nobody,
    /// It has a URI that means nothing.
    #[error("the certificate names {0:?}, which means nothing here")]
    Unknown(String),
}

impl Identity {
    /// The URIs that stand for it.
    pub(crate) fn uris(&self) -> Vec<String> {
        match self {
            Self::Node(node) => {
                let name = format!("{NODE_SCHEME}{}/{}", node.herd, node.id);
                if node.is_signer { vec![name, SIGNER_ROLE.to_owned()] } else { vec![name] }
            }
            Self::Invitation(id) => vec![format!("{INVITATION_SCHEME}{id}")],
        }
    }

    fn of(uris: &[&str], common_name: &str) -> Result<Self, IdentityError> {
        let unknown = |uri: &str| IdentityError::Unknown(uri.chars().take(80).collect());
        let (mut found, mut is_signer) = (None, false);
        for uri in uris {
            let read = if let Some(rest) = uri.strip_prefix(NODE_SCHEME) {
                let (herd, id) = rest.split_once('/').ok_or_else(|| unknown(uri))?;
                let herd = HerdName::new(herd).map_err(|_error| unknown(uri))?;
                let name = NodeName::new(common_name).map_err(|_error| unknown(common_name))?;
                let id = NodeId(number(id).ok_or_else(|| unknown(uri))?);
                Self::Node(NodeIdentity { herd, id, name, is_signer: false })
            } else if let Some(id) = uri.strip_prefix(INVITATION_SCHEME) {
                Self::Invitation(InvitationId(number(id).ok_or_else(|| unknown(uri))?))
            } else if *uri == SIGNER_ROLE && !is_signer {
                is_signer = true;
                continue;
            } else {
                return Err(unknown(uri));
            };
            if found.replace(read).is_some() {
                return Err(IdentityError::Nobody);
            }
        }
        match (found, is_signer) {
            (Some(Self::Node(node)), _) => Ok(Self::Node(NodeIdentity { is_signer, ..node })),
            (Some(invitation), false) => Ok(invitation),
            (Some(_), true) | (None, _) => Err(IdentityError::Nobody),
        }
    }
}

/// Exactly 16 hexadecimal digits in small letters, so that there is one way to write a number.
pub(crate) fn number(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = text.len() == DIGITS && text.bytes().all(is_digit);
    if is_number { u64::from_str_radix(text, 16).ok() } else { None }
}

impl Certified {
    /// Reads a certificate whose signature is verified, or that we made.
    ///
    /// # Errors
    /// It is none of this herd's kind.
    pub fn read(certificate: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let unreadable = |error: &dyn fmt::Display| IdentityError::Unreadable(error.to_string());
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| unreadable(&error))?;
        let mut common_names = parsed.subject().iter_common_name();
        let common_name = common_names.next().and_then(|name| name.as_str().ok()).unwrap_or_default();
        let names = parsed.subject_alternative_name().map_err(|error| unreadable(&error))?;
        let names = names.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
        let mut uris = Vec::with_capacity(names.len().min(2));
        for name in names {
            match name {
                GeneralName::URI(uri) => uris.push(*uri),
                other => return Err(IdentityError::Unknown(other.to_string().chars().take(80).collect())),
            }
        }
        let moment = |seconds: i64| {
            UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
        };
        Ok(Self {
            identity: Identity::of(&uris, common_name)?,
            not_before: moment(parsed.validity().not_before.timestamp()),
            not_after: moment(parsed.validity().not_after.timestamp()),
            serial: data_encoding::HEXLOWER.encode(parsed.raw_serial()),
        })
    }
}

#[cfg(test)]
mod tests;
