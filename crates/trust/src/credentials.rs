//! A key, and the certificates that say whose it is.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::identity::{Certified, IdentityError};
use crate::pem;

/// Certificates of a chain at most: the node's own, and one of an authority that follows another.
pub(crate) const CHAIN_MAX: usize = 2;
/// Longest certificate, bytes; ours have about 500.
pub(crate) const CERTIFICATE_BYTES_MAX: usize = 4096;

/// Why a key or a certificate is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There is no randomness, or the key is of another kind.
    #[error("the key: {0}")]
    Key(#[from] rcgen::Error),
    /// The text holds none.
    #[error("the key and its certificate cannot be read: {0}")]
    Unreadable(String),
    /// There is a key, and no certificate for it.
    #[error("there is no certificate beside the key")]
    NoCertificate,
    /// It is nobody's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// A private key on the curve P-256.
#[derive(Debug)]
pub struct NodeKey {
    pub(crate) pair: KeyPair,
}

impl NodeKey {
    /// Draws a new one.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn generate() -> Result<Self, CredentialsError> {
        Ok(Self { pair: KeyPair::generate()? })
    }

    /// Reads one from the text of [`NodeKey::to_pem`].
    ///
    /// # Errors
    /// It holds none.
    pub fn from_pem(text: &str) -> Result<Self, CredentialsError> {
        Self::from_der(&pem::read_key(text).map_err(CredentialsError::Unreadable)?)
    }

    pub(crate) fn from_der(key: &PrivatePkcs8KeyDer<'_>) -> Result<Self, CredentialsError> {
        Ok(Self { pair: KeyPair::from_pkcs8_der_and_sign_algo(key, &rcgen::PKCS_ECDSA_P256_SHA256)? })
    }

    /// The key as text (PKCS #8), which is the secret itself.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::block("PRIVATE KEY", self.pair.serialized_der())
    }

    /// Asks for a certificate of this key (PKCS #10). It proves that the key is had, and asks for nothing more: what the
    /// certificate says is for the signer to decide.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn request(&self) -> Result<Vec<u8>, CredentialsError> {
        let mut wanted = CertificateParams::default();
        wanted.distinguished_name = DistinguishedName::new();
        wanted.distinguished_name.push(DnType::CommonName, "remuda");
        Ok(wanted.serialize_request(&self.pair)?.der().to_vec())
    }

    /// Adds what a signer answered.
    ///
    /// # Errors
    /// There is no certificate, or it is nobody's.
    pub fn with(self, chain: Vec<CertificateDer<'static>>) -> Result<Credentials, CredentialsError> {
        let own = chain.first().ok_or(CredentialsError::NoCertificate)?;
        Ok(Credentials { certified: Certified::read(own)?, chain, key: self })
    }
}

/// What a node, or who was invited, shows to others.
#[derive(Debug)]
pub struct Credentials {
    key: NodeKey,
    chain: Vec<CertificateDer<'static>>,
    certified: Certified,
}

impl Credentials {
    /// What they say.
    #[must_use]
    pub fn certified(&self) -> &Certified {
        &self.certified
    }

    /// The certificates, one's own first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &NodeKey {
        &self.key
    }

    /// The key that the certificate is for, which should be ours.
    pub(crate) fn public_key(&self) -> Result<Vec<u8>, CredentialsError> {
        let own = self.chain.first().ok_or(CredentialsError::NoCertificate)?;
        crate::trust::public_key(own).map_err(CredentialsError::Unreadable)
    }

    pub(crate) fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.pair.serialize_der()))
    }

    /// Certificates and key in one text: one file that is replaced whole, so that never a key stands beside the
    /// certificate of another.
    #[must_use]
    pub fn to_pem(&self) -> String {
        format!("{}{}", pem::certificates(&self.chain), self.key.to_pem())
    }

    /// Reads the text of [`Credentials::to_pem`].
    ///
    /// # Errors
    /// A part is missing or damaged.
    pub fn from_pem(text: &str) -> Result<Self, CredentialsError> {
        let chain = pem::read_certificates(text).map_err(CredentialsError::Unreadable)?;
        NodeKey::from_pem(text)?.with(chain)
    }
}
