//! What a handshake is carried out with: versions, protocols, tickets, and one certificate.
//!
//! A configuration is made for each certificate and way of asking clients, once; a handshake picks one when it has heard
//! whom the client wants, so that nothing has to be locked to change them.

use std::sync::Arc;

use remuda_model::gateway::{TlsSpec, TlsVersion};
use remuda_model::hub::Secret;
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, ServerConfig, SupportedProtocolVersion, WantsVerifier};

use super::client::{AuthoritiesError, Verifier, verifier};
use super::tickets::Tickets;

/// The protocol of ACME's challenge in a handshake (RFC 8737).
pub(crate) const ACME_PROTOCOL: &[u8] = b"acme-tls/1";
const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
const VERSIONS_NEW: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// Makes configurations.
pub(super) struct Maker {
    provider: Arc<CryptoProvider>,
    versions: &'static [&'static SupportedProtocolVersion],
    protocols: Vec<Vec<u8>>,
    tickets: Arc<Tickets>,
    client: Option<(Verifier, Arc<Tickets>)>,
}

/// One certificate, for clients that are asked for one and those that are not.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) open: Arc<ServerConfig>,
    pub(super) asked: Option<Arc<ServerConfig>>,
}

impl Maker {
    pub(super) fn new(spec: &TlsSpec, secret: &Secret) -> Result<Self, AuthoritiesError> {
        let client = match &spec.client {
            None => None,
            Some(client) => {
                let verifier = verifier(client)?;
                let tickets = Arc::new(Tickets::new(secret, &verifier.context));
                Some((verifier, tickets))
            }
        };
        let mut protocols = vec![b"http/1.1".to_vec()];
        if spec.http2 {
            protocols.insert(0, b"h2".to_vec());
        }
        Ok(Self {
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            versions: if spec.min_version == TlsVersion::V13 { VERSIONS_NEW } else { VERSIONS },
            protocols,
            tickets: Arc::new(Tickets::new(secret, b"")),
            client,
        })
    }

    /// For `key`.
    pub(super) fn offer(&self, key: &Arc<CertifiedKey>) -> Offer {
        let resolver: Arc<dyn ResolvesServerCert> =
            Arc::new(SingleCertAndKey::from(CertifiedKey::clone(key)));
        let asked = self.client.as_ref().map(|(verifier, tickets)| {
            let builder = self.builder().with_client_cert_verifier(Arc::clone(&verifier.verifier));
            self.finish(builder.with_cert_resolver(Arc::clone(&resolver)), tickets)
        });
        let open = self.builder().with_no_client_auth().with_cert_resolver(resolver);
        Offer { open: self.finish(open, &self.tickets), asked }
    }

    /// For who is shown that a host is ours: one certificate, one protocol, no ticket.
    pub(super) fn challenge(&self, key: &Arc<CertifiedKey>) -> Arc<ServerConfig> {
        let resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::clone(key)));
        let mut config = self.builder().with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![ACME_PROTOCOL.to_vec()];
        Arc::new(config)
    }

    fn builder(&self) -> ConfigBuilder<ServerConfig, WantsVerifier> {
        ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(self.versions)
            .expect("the provider has suites of both versions")
    }

    fn finish(&self, mut config: ServerConfig, tickets: &Arc<Tickets>) -> Arc<ServerConfig> {
        config.alpn_protocols.clone_from(&self.protocols);
        config.ticketer = Arc::clone(tickets) as Arc<_>;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Arc::new(config)
    }
}
