//! Clients that show a certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::gateway::ClientCertificateSpec;
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject as _};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::certificate::fault;

/// Who signs clients' certificates cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file cannot be read, or is no PEM.
    #[error("read the authorities of clients' certificates from {}: {}", path.display(), fault(source))]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// They are no authorities.
    #[error("take the authorities of clients' certificates from {}: {detail}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
}

/// A client that has shown a certificate which was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its subject, as `CN=ada, O=Engines`.
    pub subject: String,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
}

impl Client {
    /// From the chain of a handshake.
    pub(super) fn of(chain: Option<&[CertificateDer<'static>]>) -> Option<Self> {
        let certificate = chain?.first()?;
        let subject = X509Certificate::from_der(certificate).ok()?.1.subject().to_string();
        Some(Self { subject, certificate: certificate.to_vec() })
    }
}

/// What verifies clients, and what tells its authorities from others.
pub(super) struct Verifier {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    pub(super) context: Vec<u8>,
}

pub(super) fn verifier(spec: &ClientCertificateSpec) -> Result<Verifier, AuthoritiesError> {
    let path: &Path = &spec.authorities;
    let pem = |source| AuthoritiesError::Pem { path: path.to_owned(), source };
    let unusable = |detail: String| AuthoritiesError::Unusable { path: path.to_owned(), detail };
    let mut roots = RootCertStore::empty();
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    for certificate in CertificateDer::pem_file_iter(path).map_err(pem)? {
        let certificate = certificate.map_err(pem)?;
        digest.update(&certificate);
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if !spec.required {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|error| unusable(error.to_string()))?;
    Ok(Verifier { verifier, context: digest.finish().as_ref().to_vec() })
}
