//! TLS towards servers: who they have to be, and connections on which they have shown it.
//!
//! What a server's certificate must be signed by is read once, when the gateway begins: one that cannot be checked as
//! the settings want is not asked unchecked. Nobody is asked for early data, so that nothing can be sent twice.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::gateway::UpstreamTls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use crate::server::Transport;
use crate::tls::fault;

/// Servers cannot be checked as the settings want.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// The file of the authorities.
    #[error("read the authorities of servers from {}: {}", path.display(), fault(source))]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// There is none.
    #[error("there is no authority in {}, by which a server could be known", .0.display())]
    NoAuthority(PathBuf),
    /// The system has none.
    #[error(
        "this system has no authorities by which servers could be known ({0}); name a file: authorities = \"…\""
    )]
    NoSystem(String),
    /// One of them is none.
    #[error("take the authorities of servers: {0}")]
    Unusable(#[source] rustls::Error),
    /// No certificate can be for this name.
    #[error("{0:?} is no name of a certificate")]
    Name(String),
}

/// How servers of an upstream show who they are.
pub(super) struct Security {
    connector: TlsConnector,
    /// Whose certificate it has to be, where that is not the host that is reached.
    name: Option<ServerName<'static>>,
}

impl fmt::Debug for Security {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Security").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Security {
    pub(super) fn new(spec: &UpstreamTls, is_http2: bool) -> Result<Self, SecurityError> {
        let name = spec.name.as_deref().map(named).transpose()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(SecurityError::Unusable)?;
        let mut config = if spec.verify {
            builder.with_root_certificates(authorities(spec.authorities.as_deref())?).with_no_client_auth()
        } else {
            let anybody = Arc::new(Anybody(provider));
            builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()
        };
        let protocol: &[u8] = if is_http2 { b"h2" } else { b"http/1.1" };
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// A session on `transport`, with a server that has shown that it is `host`, or who the settings say.
    pub(super) async fn secure(&self, transport: Transport, host: Option<&str>) -> io::Result<Transport> {
        let name = match (&self.name, host) {
            (Some(name), _) => name.clone(),
            (None, Some(host)) => named(host).map_err(io::Error::other)?,
            (None, None) => return Err(io::Error::other("nobody said whose certificate it has to be")),
        };
        let stream = self.connector.connect(name, transport.into_stream()).await?;
        Ok(Transport::Behind(Box::new(stream).into()))
    }
}

fn named(name: &str) -> Result<ServerName<'static>, SecurityError> {
    let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(bare).map_err(|_no_name| SecurityError::Name(name.to_owned()))
}

/// Those of `file`, or the system's.
fn authorities(file: Option<&Path>) -> Result<RootCertStore, SecurityError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = file else {
        let found = rustls_native_certs::load_native_certs();
        // One that cannot be read makes none of the others worse.
        let (good, _bad) = roots.add_parsable_certificates(found.certs);
        return match good {
            0 => Err(SecurityError::NoSystem(
                found.errors.first().map_or_else(|| "none were found".to_owned(), ToString::to_string),
            )),
            _ => Ok(roots),
        };
    };
    let pem = |source| SecurityError::Pem { path: path.to_owned(), source };
    for certificate in CertificateDer::pem_file_iter(path).map_err(pem)? {
        roots.add(certificate.map_err(pem)?).map_err(SecurityError::Unusable)?;
    }
    if roots.is_empty() { Err(SecurityError::NoAuthority(path.to_owned())) } else { Ok(roots) }
}

/// Takes any certificate (`verify = false`): what is said is hidden from those who listen, and from nobody who answers.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _stapled: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
