//! What new sessions show and believe.
//!
//! An endpoint does not change: who renews a certificate or learns of a removal makes another one and uses that for the
//! sessions that come. Those that go on are judged anew with [`Session::recheck`](crate::Session::recheck).
//!
//! There are two protocols, told apart within the handshake (ALPN), so that a certificate that is good for one is refused
//! for the other before anything is said: `remuda-herd/1` is for nodes, `remuda-join/1` for whoever asks a signer for a
//! certificate. TLS 1.3 only, both sides show certificates, and no session is resumed: a ticket would be a certificate
//! that nobody can take back.

use std::fmt;
use std::sync::Arc;

use remuda_herd::NodeId;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::server::NoServerSessionStorage;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, ServerConfig};
use rustls_pki_types::ServerName;

use crate::credentials::Credentials;
use crate::trust::Trust;
use crate::verifier::{ClientVerifier, ServerVerifier};

/// The wall clock by which certificates are judged.
pub type Clock = Arc<dyn TimeProvider>;

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(DefaultTimeProvider)
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Two nodes speak.
    Herd,
    /// Somebody asks a signer for a certificate.
    Join,
}

impl Protocol {
    /// Its name in the handshake.
    #[must_use]
    pub fn name(self) -> &'static [u8] {
        match self {
            Self::Herd => b"remuda-herd/1",
            Self::Join => b"remuda-join/1",
        }
    }

    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        [Self::Herd, Self::Join].into_iter().find(|protocol| protocol.name() == name)
    }
}

/// Why there can be no sessions.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EndpointError {
    /// Key, certificate and what is believed do not go together.
    #[error("the herd's sessions cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// Nobody could be verified.
    #[error("the herd's sessions cannot be set up: {0}")]
    Verifier(String),
}

/// What new sessions show and believe.
pub struct Endpoint {
    credentials: Arc<Credentials>,
    trust: Arc<Trust>,
    clock: Clock,
    provider: Arc<CryptoProvider>,
    herd: Arc<ServerConfig>,
    join: Arc<ServerConfig>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("certified", self.credentials.certified())
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Shows `credentials` and believes whom `trust` believes.
    ///
    /// # Errors
    /// The key is not the certificate's.
    pub fn new(
        credentials: Arc<Credentials>,
        trust: Arc<Trust>,
        clock: Clock,
    ) -> Result<Self, EndpointError> {
        let provider = Arc::new(default_provider());
        let server = |protocol| {
            let verifier = ClientVerifier::new(Arc::clone(&trust), Arc::clone(&provider), protocol)
                .map_err(EndpointError::Verifier)?;
            let mut config = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::clone(&clock))
                .with_protocol_versions(&[&TLS13])?
                .with_client_cert_verifier(Arc::new(verifier))
                .with_single_cert(credentials.chain().to_vec(), credentials.key_der())?;
            config.alpn_protocols = vec![protocol.name().to_vec()];
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
            Ok::<_, EndpointError>(Arc::new(config))
        };
        let (herd, join) = (server(Protocol::Herd)?, server(Protocol::Join)?);
        Ok(Self { credentials, trust, clock, provider, herd, join })
    }

    /// Whom it believes.
    #[must_use]
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// What it shows.
    #[must_use]
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// The clock it judges by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn server(&self, protocol: Protocol) -> Arc<ServerConfig> {
        match protocol {
            Protocol::Herd => Arc::clone(&self.herd),
            Protocol::Join => Arc::clone(&self.join),
        }
    }

    pub(crate) fn client(
        &self,
        protocol: Protocol,
        wanted: Option<NodeId>,
    ) -> Result<ClientConnection, EndpointError> {
        let verifier =
            ServerVerifier { trust: Arc::clone(&self.trust), provider: Arc::clone(&self.provider), wanted };
        let mut config =
            ClientConfig::builder_with_details(Arc::clone(&self.provider), Arc::clone(&self.clock))
                .with_protocol_versions(&[&TLS13])?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_client_auth_cert(self.credentials.chain().to_vec(), self.credentials.key_der())?;
        config.alpn_protocols = vec![protocol.name().to_vec()];
        config.resumption = Resumption::disabled();
        // The library wants a name; with no name sent, none that is verified, any will do.
        config.enable_sni = false;
        let name =
            ServerName::try_from("node").map_err(|error| EndpointError::Verifier(error.to_string()))?;
        Ok(ClientConnection::new(Arc::new(config), name)?)
    }
}
