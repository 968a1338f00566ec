//! The verdict on a peer's certificate, within the handshake.
//!
//! Signatures, times, purposes and chains are the library's part; who it is, and whether that is somebody we want here, is
//! [`Trust`]'s. A host's name or address says nothing: a node is who its certificate says, wherever it is.

use std::sync::Arc;

use remuda_herd::NodeId;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::credentials::CHAIN_MAX;
use crate::endpoint::Protocol;
use crate::identity::Identity;
use crate::trust::{Distrust, Trust};

/// Judges whoever answers.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    pub(crate) trust: Arc<Trust>,
    pub(crate) provider: Arc<CryptoProvider>,
    /// The one node that is meant; any node when absent.
    pub(crate) wanted: Option<NodeId>,
}

/// Judges whoever connects.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    trust: Arc<Trust>,
    signatures: Arc<dyn ClientCertVerifier>,
    protocol: Protocol,
}

impl ClientVerifier {
    pub(crate) fn new(
        trust: Arc<Trust>,
        provider: Arc<CryptoProvider>,
        protocol: Protocol,
    ) -> Result<Self, String> {
        // Strangers are not told the names of our authorities.
        let signatures = WebPkiClientVerifier::builder_with_provider(Arc::clone(trust.roots()), provider)
            .clear_root_hint_subjects()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { trust, signatures, protocol })
    }
}

/// A verdict as the library wants it: what it tells the peer depends on it.
fn refusal(distrust: Distrust) -> Error {
    Error::InvalidCertificate(match distrust {
        Distrust::Removed(_) => CertificateError::Revoked,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    })
}

fn short(intermediates: &[CertificateDer<'_>]) -> Result<(), Error> {
    if intermediates.len() < CHAIN_MAX {
        return Ok(());
    }
    Err(Error::InvalidCertificate(CertificateError::BadEncoding))
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        short(intermediates)?;
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            self.trust.roots(),
            intermediates,
            now,
            algorithms,
        )?;
        let certified = self.trust.judge(end_entity).map_err(refusal)?;
        match (certified.identity, self.wanted) {
            (Identity::Invitation(_), _) => Err(refusal(Distrust::Invitation)),
            (Identity::Node(node), Some(wanted)) if node.id != wanted => {
                Err(refusal(Distrust::Other { found: node.id, wanted }))
            }
            (Identity::Node(_), _) => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signatures.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        short(intermediates)?;
        let verified = self.signatures.verify_client_cert(end_entity, intermediates, now)?;
        let certified = self.trust.judge(end_entity).map_err(refusal)?;
        match (certified.identity, self.protocol) {
            (Identity::Invitation(_), Protocol::Herd) => Err(refusal(Distrust::Invitation)),
            (Identity::Invitation(_), Protocol::Join) | (Identity::Node(_), _) => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_verify_schemes()
    }
}
