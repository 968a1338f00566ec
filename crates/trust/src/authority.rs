//! The herd's authority: the key that signs, and its certificate.
//!
//! Who has the key can make any node. It is with the node that began the herd, and with those that were invited as
//! signers; losing all of them means that nobody joins and nobody is renewed any more.
//!
//! An authority has a successor when its ten years end, or when its key may be known to others. The old one signs the new
//! one's key too: with that certificate in its chain, what the new one signed is believed by nodes that know only the old
//! one. So the new one signs from the first moment on, nodes take it in as they renew, and the old one is forgotten when
//! all have.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SigningKey as _,
    date_time_ymd,
};
use remuda_herd::NodeId;
use remuda_model::HerdName;
use remuda_sys::{CallError, random};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, UnixTime};

use crate::credentials::{Credentials, CredentialsError, NodeKey};
use crate::identity::{Identity, InvitationId, NodeIdentity};
use crate::removals::{Removal, signed_text};
use crate::when::{AUTHORITY_LIFE, CLOCK_SLACK, NODE_LIFE, after, before};
use crate::{pem, trust};

/// Longest request for a certificate, bytes; ours have about 200.
pub(crate) const REQUEST_BYTES_MAX: usize = 2048;
/// Bytes of a serial number: 128 random bits, which RFC 5280 has room for.
const SERIAL_BYTES: usize = 16;
/// Certificates that may stand between the oldest authority that is trusted and a node's: its successor's.
const PATH_LENGTH: u8 = 1;

/// Why an authority cannot be had, or does not sign. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The key does not work.
    #[error("the authority's key: {0}")]
    Key(#[from] rcgen::Error),
    /// The text of it is damaged.
    #[error("the authority cannot be read: {0}")]
    Unreadable(String),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] CallError),
    /// What it signed cannot be used.
    #[error("what the authority signed: {0}")]
    Signed(#[from] CredentialsError),
    /// The request for a certificate is not signed by the key it is for, or is none.
    #[error("the request for a certificate is refused: {0}")]
    Request(String),
    /// Its time is over.
    #[error("the authority itself has expired; `remuda herd rotate` makes its successor")]
    Expired,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it will say.
    pub identity: Identity,
    /// How long it is valid.
    pub life: Duration,
}

impl Subject {
    /// A node, for [`NODE_LIFE`].
    #[must_use]
    pub fn node(node: NodeIdentity) -> Self {
        Self { identity: Identity::Node(node), life: NODE_LIFE }
    }
}

/// The key that signs.
#[derive(Debug)]
pub struct Authority {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    /// Its key, signed by the one before it.
    bridge: Option<CertificateDer<'static>>,
    ends: UnixTime,
}

impl Authority {
    /// Begins a herd.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn create(herd: &HerdName, now: UnixTime) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let certificate = authority_params(herd, &key, now)?.self_signed(&key)?.der().clone();
        Ok(Self { key, certificate, bridge: None, ends: after(now, AUTHORITY_LIFE) })
    }

    /// Makes the authority that follows this one.
    ///
    /// # Errors
    /// The kernel gives no random bytes, or this one does not sign.
    pub fn successor(&self, herd: &HerdName, now: UnixTime) -> Result<Self, AuthorityError> {
        let next = Self::create(herd, now)?;
        let mut params = authority_params(herd, &next.key, now)?;
        params.use_authority_key_identifier_extension = true;
        let bridge = params.signed_by(&next.key, &self.issuer()?)?.der().clone();
        Ok(Self { bridge: Some(bridge), ..next })
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Until when it signs.
    #[must_use]
    pub fn ends(&self) -> UnixTime {
        self.ends
    }

    /// Signs what `request` asks for, as a certificate that says `subject`, and gives it with what leads to authorities
    /// that are trusted longer. What the request itself says is not looked at, but that it has the key it is for.
    ///
    /// # Errors
    /// The request is not in order, or the authority has expired.
    pub fn sign_request(
        &self,
        request: &[u8],
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
        let key = request_key(request)?;
        self.certify(&key, subject, now)
    }

    /// Draws a key and signs a certificate for it: of the node that begins a herd, or of an invitation.
    ///
    /// # Errors
    /// No random bytes, or the authority has expired.
    pub fn make(&self, subject: &Subject, now: UnixTime) -> Result<Credentials, AuthorityError> {
        self.sign_own(NodeKey::generate()?, subject, now)
    }

    /// As [`Authority::make`], for a key that is there.
    ///
    /// # Errors
    /// The authority has expired, or does not sign.
    pub fn sign_own(
        &self,
        key: NodeKey,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Credentials, AuthorityError> {
        let chain = self.certify(&key.pair, subject, now)?;
        Ok(key.with(chain)?)
    }

    /// What an invitation shows.
    ///
    /// # Errors
    /// As [`Authority::make`].
    pub fn invite(
        &self,
        id: InvitationId,
        life: Duration,
        now: UnixTime,
    ) -> Result<Credentials, AuthorityError> {
        self.make(&Subject { identity: Identity::Invitation(id), life }, now)
    }

    /// Says that a node belongs to the herd no longer.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn remove(&self, node: NodeId, now: UnixTime) -> Result<Removal, AuthorityError> {
        // Until the last certificate that the node can have has expired on the slowest clock.
        let until = after(after(now, NODE_LIFE), CLOCK_SLACK);
        let text = signed_text(node, now, until);
        Ok(Removal { node, at: now, until, signature: self.key.sign(&text)? })
    }

    fn certify(
        &self,
        key: &impl PublicKeyData,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
        if now.as_secs() >= self.ends.as_secs() {
            return Err(AuthorityError::Expired);
        }
        let ends = after(now, subject.life).as_secs().min(self.ends.as_secs());
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(1970, 1, 1) + span(before(now, CLOCK_SLACK));
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(ends);
        params.serial_number = Some(serial()?);
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let name = match &subject.identity {
            Identity::Node(node) => {
                params.extended_key_usages =
                    vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
                node.name.to_string()
            }
            Identity::Invitation(_) => {
                // Whoever was invited asks, and is never the one who is asked.
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
                "invitation".to_owned()
            }
        };
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        for uri in subject.identity.uris() {
            params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        }
        let certificate = params.signed_by(key, &self.issuer()?)?.der().clone();
        Ok(std::iter::once(certificate).chain(self.bridge.clone()).collect())
    }

    fn issuer(&self) -> Result<Issuer<'_, &KeyPair>, AuthorityError> {
        Ok(Issuer::from_ca_cert_der(&self.certificate, &self.key)?)
    }

    /// All of it as text, the key too.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let certificates: Vec<_> = std::iter::once(&self.certificate).chain(&self.bridge).cloned().collect();
        format!(
            "{}{}",
            pem::certificates(&certificates),
            pem::block("PRIVATE KEY", self.key.serialized_der())
        )
    }

    /// Reads the text of [`Authority::to_pem`].
    ///
    /// # Errors
    /// A part is missing or damaged, or the key is not the certificate's.
    pub fn from_pem(text: &str) -> Result<Self, AuthorityError> {
        let mut certificates = pem::read_certificates(text).map_err(AuthorityError::Unreadable)?.into_iter();
        let certificate = certificates
            .next()
            .ok_or_else(|| AuthorityError::Unreadable("there is no certificate".to_owned()))?;
        let key = NodeKey::from_pem(text)?.pair;
        let facts = trust::authority_facts(&certificate).map_err(AuthorityError::Unreadable)?;
        if facts.public_key != key.public_key_raw() {
            let why = "the key is not that of the certificate";
            return Err(AuthorityError::Unreadable(why.to_owned()));
        }
        Ok(Self { key, certificate, bridge: certificates.next(), ends: facts.ends })
    }
}

/// The key that a request is for and signed by.
fn request_key(request: &[u8]) -> Result<rcgen::PublicKey, AuthorityError> {
    let refused = |why: String| AuthorityError::Request(why);
    if request.len() > REQUEST_BYTES_MAX {
        return Err(refused(format!("it is longer than {REQUEST_BYTES_MAX} bytes")));
    }
    let request = CertificateSigningRequestDer::from(request);
    let read = rcgen::CertificateSigningRequestParams::from_der(&request)
        .map_err(|error| refused(error.to_string()))?;
    if *PublicKeyData::algorithm(&read.public_key) != rcgen::PKCS_ECDSA_P256_SHA256 {
        return Err(refused("its key is not on the curve P-256".to_owned()));
    }
    Ok(read.public_key)
}

/// The public key of a request that is in order, which tells a second attempt from a second joiner.
pub(crate) fn request_public_key(request: &[u8]) -> Result<Vec<u8>, AuthorityError> {
    Ok(request_key(request)?.der_bytes().to_vec())
}

fn authority_params(
    herd: &HerdName,
    key: &KeyPair,
    now: UnixTime,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1) + span(before(now, CLOCK_SLACK));
    params.not_after = date_time_ymd(1970, 1, 1) + span(after(now, AUTHORITY_LIFE));
    params.serial_number = Some(serial()?);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(PATH_LENGTH));
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.key_identifier_method = KeyIdMethod::Sha256;
    // Authorities of one herd differ by name too, which is what a verifier looks for them by.
    let number = trust::digest_text(key.public_key_raw(), 4);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("remuda herd {herd} {number}"));
    Ok(params)
}

/// A positive number: the first bit would be its sign, and a first byte of zeros would not be written.
fn serial() -> Result<SerialNumber, CallError> {
    let mut bytes = random::bytes::<SERIAL_BYTES>()?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}

/// A moment as time since 1970, as the library wants it added to one of its own.
fn span(moment: UnixTime) -> Duration {
    Duration::from_secs(moment.as_secs())
}
